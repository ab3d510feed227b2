# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exporter's way to a real broker: pulsar-client, which only the option --pulsar needs."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pulsar

from emulator.exporter import Done

_TIMEOUT = 5  # seconds; the client tells a bad token by no more than this


class ClientTransport:
    """Publishes by pulsar-client: one client, producer and thread for each organization, so that events keep order.

    :arg ca_path: CA certificate of the broker.
    """

    def __init__(self, ca_path: str | None) -> None:
        self._ca_path = ca_path
        self._lines: dict[str, _Line] = {}

    def connect(self, organization_id: str, stream: dict, done: Done) -> None:
        """Connect a producer."""
        line = self._find(organization_id, stream)
        self._run(line, done, line.connect)

    def publish(self, organization_id: str, stream: dict, payload: bytes, done: Done) -> None:
        """Publish."""
        line = self._find(organization_id, stream)
        self._run(line, done, lambda: line.send(payload))

    def disconnect(self, organization_id: str) -> None:
        """Let a producer go; events before it are still sent."""
        if line := self._lines.pop(organization_id, None):
            line.thread.submit(line.close)
            line.thread.shutdown(wait=False)

    def _find(self, organization_id: str, stream: dict) -> _Line:
        if organization_id not in self._lines:
            self._lines[organization_id] = _Line(organization_id, stream, self._ca_path)
        return self._lines[organization_id]

    @staticmethod
    def _run(line: _Line, done: Done, work: Callable[[], str | None]) -> None:
        loop = asyncio.get_running_loop()

        def run() -> None:
            message_id = reason = None
            try:
                message_id = work()
            except Exception as error:  # the client's own have no base that says more
                reason = f"{type(error).__name__}: {error}"
            loop.call_soon_threadsafe(done, message_id, reason)

        line.thread.submit(run)


class _Line:
    """The connection of one organization; everything but thread is used in that thread alone."""

    def __init__(self, organization_id: str, stream: dict, ca_path: str | None) -> None:
        self.thread = ThreadPoolExecutor(1)
        self._name = f"astra-audit-exporter-{organization_id}-{secrets.token_hex(4)}"
        self._stream = stream
        self._ca_path = ca_path
        self._client: pulsar.Client | None = None
        self._producer: pulsar.Producer | None = None

    def connect(self) -> None:
        """Connect, if that is still to do."""
        if self._producer:
            return
        if self._stream["auth_strategy"] != "token":
            raise ValueError("the emulator's exporter knows tokens only")
        self._client = pulsar.Client(
            self._stream["endpoint"],
            authentication=pulsar.AuthenticationToken(self._stream["token"]),
            operation_timeout_seconds=_TIMEOUT,
            connection_timeout_ms=_TIMEOUT * 1000,
            tls_trust_certs_file_path=self._ca_path,
            tls_validate_hostname=True,
            logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull),
        )
        try:
            self._producer = self._client.create_producer(
                self._stream["topic"], producer_name=self._name, send_timeout_millis=_TIMEOUT * 1000
            )
        except Exception:
            self.close()
            raise

    def send(self, payload: bytes) -> str:
        """Publish, and return the message id."""
        self.connect()
        try:
            sent = self._producer.send(payload)
        except Exception:
            self.close()
            raise
        return f"{sent.ledger_id()}:{sent.entry_id()}:{sent.partition()}"

    def close(self) -> None:
        """Let the connection go."""
        client, self._client, self._producer = self._client, None, None
        if client:
            client.close()
