# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exporter: publishes audit events to wherever an organization's stream points."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from emulator.broker import MemoryBroker
from emulator.organizations import Organization
from emulator.settings import Conditions
from emulator.signing import Signer
from emulator.tenants import Cluster
from emulator.topic import Blocked, Producer

_REMEMBERED = 10_000  # events that the control API can show
_DEFAULT_PORTS = {"pulsar": 6650, "pulsar+ssl": 6651}

# Called with a message id, or with why there is none.
Done = Callable[[str | None, str | None], None]


class Transport(Protocol):
    """The way to a Pulsar broker; one producer for each organization."""

    def connect(self, organization_id: str, stream: dict, done: Done) -> None:
        """Connect a producer for a stream, and say with the first argument None whether it worked."""

    def publish(self, organization_id: str, stream: dict, payload: bytes, done: Done) -> None:
        """Publish, over a new connection where there is none."""

    def disconnect(self, organization_id: str) -> None:
        """Let the producer of an organization go."""


class Exporter:
    """Turns audited acts into events, and keeps record of what became of each.

    :ivar events: the latest, oldest first.
    """

    def __init__(self, conditions: Conditions, transport: Transport) -> None:
        self._conditions = conditions
        self._transport = transport
        self.events: deque[dict] = deque(maxlen=_REMEMBERED)
        self._states: dict[str, dict] = {}

    def follow(self, organization: Organization) -> None:
        """Take note that the stream of an organization has changed."""
        if self._states.pop(organization.id, None):
            self._transport.disconnect(organization.id)
        if organization.stream is None:
            return
        state = self._states[organization.id] = {"connected": False, "reason": None, "delivered": 0, "dropped": 0}
        if self._conditions.settings.exporter_connects == "at-once":
            self._transport.connect(organization.id, organization.stream, self._note(state))

    def export(self, organization: Organization | None, user_id: str, event_type: str, event: dict) -> None:
        """Publish an event about an audited act, if the organization has a stream."""
        if organization is None or organization.stream is None:
            return
        # Names as the vendor's page on audit logs has them; it does not say how a streamed event looks.
        document = {
            "typename": "AuditEvent",
            "actionResult": "SUCCESS",
            "userID": user_id,
            "event": event,
            "eventTime": self._conditions.clock.text(),
            "eventType": event_type,
        }
        record = {
            "organization_id": organization.id,
            "topic": organization.stream["topic"],
            "event": document,
            "state": "pending",
            "message_id": None,
            "reason": None,
        }
        self.events.append(record)
        state = self._states[organization.id]
        note = self._note(state)

        def done(message_id: str | None, reason: str | None) -> None:
            outcome = "dropped" if reason else "delivered"
            state[outcome] += 1
            record.update(state=outcome, message_id=message_id, reason=reason)
            note(message_id, reason)

        self._transport.publish(organization.id, organization.stream, json.dumps(document).encode(), done)

    def describe(self) -> dict[str, dict]:
        """Return for each organization with a stream whether it is connected, the last reason, and counts."""
        return self._states

    @staticmethod
    def _note(state: dict) -> Done:
        def note(_message_id: str | None, reason: str | None) -> None:
            state.update(connected=reason is None, reason=reason)

        return note


@dataclass
class MemoryTransport:
    """The way to the broker in memory: an event arrives only where endpoint, topic, token and rights are right."""

    conditions: Conditions
    broker: MemoryBroker
    signer: Signer
    clusters: tuple[Cluster, ...]

    def connect(self, organization_id: str, stream: dict, done: Done) -> None:
        """Connect a producer."""
        try:
            self._connect(organization_id, stream)
        except Blocked as error:
            done(None, str(error))
        else:
            done(None, None)

    def publish(self, organization_id: str, stream: dict, payload: bytes, done: Done) -> None:
        """Publish."""
        try:
            topic, producer = self._connect(organization_id, stream)
            message_id = self.broker.publish(topic, producer, payload, {}, len(payload))
        except Blocked as error:
            done(None, str(error))
        else:
            done(message_id, None)

    def disconnect(self, organization_id: str) -> None:
        """Let a producer go."""
        self.broker.disconnect(_name(organization_id))

    def _connect(self, organization_id: str, stream: dict) -> tuple:
        if stream["auth_strategy"] != "token":
            raise Blocked("ConnectError: the broker in memory knows tokens only")
        cluster = self._find_cluster(stream["endpoint"])
        role = self._authenticate(stream["token"])

        def is_allowed() -> bool:
            try:
                return self.broker.may_produce(cluster, stream["topic"], self._authenticate(stream["token"]))
            except Blocked:
                return False

        if role is None or not is_allowed():
            raise Blocked(f"AuthorizationError: the token may not produce to {stream['topic']}")
        producer = Producer(_name(organization_id), self.conditions.clock.now(), is_allowed)
        topic = self.broker.connect(cluster, stream["topic"], producer)
        return topic, topic.producers[producer.name]

    def _find_cluster(self, endpoint: str) -> str:
        scheme, _separator, hosts = endpoint.rstrip("/").partition("://")
        for host in hosts.split(","):
            for cluster in self.clusters:
                if _address(f"{scheme}://{host}") == _address(cluster.broker_service_url):
                    if (cluster.provider, cluster.region) != ("aws", "us-east-2"):
                        raise Blocked("ConnectError: the exporter reaches brokers in AWS us-east-2 only")
                    return cluster.name
        raise Blocked(f"ConnectError: no broker listens at {endpoint}")

    def _authenticate(self, token: str) -> str:
        claims = self.signer.read(token)
        if claims is None:
            raise Blocked("AuthenticationError: the token's signature is wrong")
        if claims.get("exp", float("inf")) <= self.conditions.clock.now():
            raise Blocked("AuthenticationError: the token has expired")
        return claims.get("sub", "")


def _name(organization_id: str) -> str:
    return f"astra-audit-exporter-{organization_id}"


def _address(url: str) -> tuple:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return (url,)
