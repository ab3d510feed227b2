# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the emulator and talks to its control API. Needs nothing but Python's standard library."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

_ROOT = Path(__file__).resolve().parent.parent
_START_TIMEOUT = 30  # seconds
_STOP_TIMEOUT = 5  # seconds
_REQUEST_TIMEOUT = 30  # seconds


# The cluster that audit log streaming asks for.
DEFAULT_CLUSTER = "pulsar-aws-useast2"


class EmulatorError(Exception):
    """The emulator did not start, or its control API refused a request; the message is the emulator's own."""


class Control:
    """The control API of an emulator that runs.

    :arg control_url: as the emulator announced it.
    """

    def __init__(self, control_url: str) -> None:
        self.control_url = control_url

    def journal(self, organization_id: str | None = None, server: str | None = None) -> list[dict]:
        """Return the requests that were received, oldest first: all, or those of one organization or one server.

        :arg server: api or admin.
        """
        return self._request("GET", "/journal" + _query(organization_id=organization_id, server=server))

    def clear_journal(self) -> None:
        """Forget the requests so far."""
        self._request("DELETE", "/journal")

    def fault(self, **fault: Any) -> dict:
        """Add a fault; its keys are described in README.md.

        :raises EmulatorError: the fault is not a valid one.
        """
        return self._request("POST", "/faults", fault)

    def faults(self) -> list[dict]:
        """Return the faults, each with the number of requests that it matched and that it struck."""
        return self._request("GET", "/faults")

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._request("DELETE", "/faults")

    def settings(self, **changes: Any) -> dict:
        """Change these settings and return all of them.

        :raises EmulatorError: a value is not a valid one.
        """
        return self._request("PATCH", "/settings", changes)

    def organizations(self) -> list[dict]:
        """Return every organization as organization() does."""
        return self._request("GET", "/organizations")

    def organization(self, organization_id: str) -> dict:
        """Return id, name, audit_logs (what is effective now, unmasked) and pending of an organization.

        :raises EmulatorError: there is no such organization.
        """
        return self._request("GET", f"/organizations/{organization_id}")

    def set_organization(self, organization_id: str, audit_logs: dict | None) -> dict:
        """Store a configuration (None for none) at once, for an organization that may be new."""
        return self._request("PUT", f"/organizations/{organization_id}", {"audit_logs": audit_logs})

    def delete_organization(self, organization_id: str) -> None:
        """Remove an organization.

        :raises EmulatorError: there is no such organization.
        """
        self._request("DELETE", f"/organizations/{organization_id}")

    def clock(self) -> dict:
        """Return now (RFC 3339), epoch (seconds) and advanced (seconds) of the service's clock."""
        return self._request("GET", "/clock")

    def advance(self, seconds: float) -> dict:
        """Move the service's clock forward, and return what clock() does."""
        return self._request("POST", "/clock", {"advance": seconds})

    def roles(self) -> list[dict]:
        """Return the custom roles of all organizations as entries of the state file."""
        return self._request("GET", "/roles")

    def set_role(self, **role: Any) -> str:
        """Add a custom role, given as an entry of the state file, or replace it; returns its id."""
        return self._request("POST", "/roles", role)["id"]

    def delete_role(self, role_id: str) -> None:
        """Remove a custom role."""
        self._request("DELETE", f"/roles/{role_id}")

    def tokens(self) -> list[dict]:
        """Return all application tokens, with what is secret."""
        return self._request("GET", "/tokens")

    def set_token(self, **token: Any) -> dict:
        """Add an application token, given as an entry of the state file, or replace it."""
        return self._request("POST", "/tokens", token)

    def delete_token(self, token: str) -> None:
        """Remove an application token."""
        self._request("DELETE", f"/tokens/{quote(token, safe='')}")

    def exporter(self) -> dict[str, dict]:
        """Return for each organization with a stream: connected, reason, delivered, dropped."""
        return self._request("GET", "/exporter")

    def events(self, organization_id: str | None = None) -> list[dict]:
        """Return the latest audit events of streams: organization_id, topic, event, state, message_id, reason."""
        return self._request("GET", "/events" + _query(organization_id=organization_id))

    def act(self, organization_id: str, count: int = 1, **event: Any) -> dict:
        """Let something audited happen so many times.

        :arg event: event_type, and event with any details.
        :return: what exporter() says of the organization.
        """
        return self._request("POST", f"/organizations/{organization_id}/events", {"count": count, **event})

    def tenants(self) -> list[dict]:
        """Return the tenants of all organizations with all that they hold."""
        return self._request("GET", "/tenants")

    def tenant(self, name: str, cluster: str = DEFAULT_CLUSTER) -> dict:
        """Return a tenant with its tokens, namespaces, topics and sinks.

        :raises EmulatorError: there is no such tenant.
        """
        return self._request("GET", f"/tenants/{cluster}/{name}")

    def set_tenant(self, organization_id: str, name: str, cluster: str = DEFAULT_CLUSTER, **holds: Any) -> dict:
        """Make a tenant, in place of the one that is there.

        :arg holds: tokens, namespaces and sinks, as in the state file.
        """
        return self._request("PUT", f"/tenants/{cluster}/{name}", {"organization_id": organization_id, **holds})

    def delete_tenant(self, name: str, cluster: str = DEFAULT_CLUSTER) -> None:
        """Remove a tenant at once."""
        self._request("DELETE", f"/tenants/{cluster}/{name}")

    def sign(self, **claims: Any) -> str:
        """Return a Pulsar token with any claims, signed with the service's key."""
        return self._request("POST", "/sign", claims)["token"]

    def topic(self, topic: str, cluster: str = DEFAULT_CLUSTER) -> list[dict]:
        """Return a topic, given by its full name, with its entries: one object, or one for each partition.

        :raises EmulatorError: there is no such topic.
        """
        return self._request("GET", _topic_path(topic, cluster))

    def publish(self, topic: str, payload: Any = "", *, cluster: str = DEFAULT_CLUSTER, **options: Any) -> dict:
        """Publish to a topic, whatever its permissions are.

        :arg payload: text, or what becomes JSON.
        :arg options: count; size, in bytes, which may be more than the payload has; properties; producer, the name of
            one that stays connected.
        :return: message_ids, and the reason why it ended where it did.
        """
        return self._request("POST", _topic_path(topic, cluster), {"publish": {"payload": payload, **options}})

    def consume(
        self, topic: str, subscription: str, count: int | None = None, cluster: str = DEFAULT_CLUSTER
    ) -> list[str]:
        """Receive and acknowledge so many messages of a subscription, or all; returns their texts."""
        what = {"subscription": subscription, "count": count}
        return self._request("POST", _topic_path(topic, cluster), {"consume": what})

    def connect_consumer(
        self, topic: str, subscription: str, consumer: str = "control", cluster: str = DEFAULT_CLUSTER
    ) -> None:
        """Connect a consumer that takes nothing."""
        what = {"subscription": subscription, "consumer": consumer}
        self._request("POST", _topic_path(topic, cluster), {"connect": what})

    def disconnect(self, topic: str, cluster: str = DEFAULT_CLUSTER, **who: str) -> None:
        """Let a producer go, or a consumer of a subscription.

        :arg who: producer, or subscription and consumer.
        """
        self._request("POST", _topic_path(topic, cluster), {"disconnect": who})

    def sink(self, tenant: str, namespace: str, name: str, cluster: str = DEFAULT_CLUSTER) -> dict:
        """Return a sink with its secrets, and as written what arrived at its target."""
        return self._request("GET", f"/sinks/{cluster}/{tenant}/{namespace}/{name}")

    def refuse_sink(
        self, tenant: str, namespace: str, name: str, refuses: bool = True, cluster: str = DEFAULT_CLUSTER
    ) -> dict:
        """Let a sink's target refuse connections, or take them again."""
        return self._request("PATCH", f"/sinks/{cluster}/{tenant}/{namespace}/{name}", {"refuses": refuses})

    def reset(self) -> None:
        """Return to the state and the settings at the start, without journal and faults."""
        self._request("POST", "/reset")

    def _request(self, method: str, path: str, document: Any = None) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.control_url).netloc, timeout=_REQUEST_TIMEOUT)
        try:
            connection.request(method, path, None if document is None else json.dumps(document))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        answer = json.loads(content) if content else None
        if response.status >= 400:
            raise EmulatorError(f"{method} {path}: {answer['error']}")
        return answer


def _query(**parameters: str | None) -> str:
    given = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _write(value: Any) -> str:
    """Return a setting as the command line takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, (list, tuple)) else str(value)


def _topic_path(topic: str, cluster: str) -> str:
    return f"/topics/{cluster}/{topic.removeprefix('persistent://')}"


class Emulator(Control):
    """An emulator in a process of its own, as a context manager.

    :arg organizations: entries of the state file, each with id and, if wanted, name and audit_logs.
    :arg tokens: entries of the state file, each with token and organization_id, or with enterprise.
    :arg state: more of the state file: roles, clusters, tenants.
    :arg tls: whether the APIs are served over TLS.
    :arg port: the API's port, 0 for a free one.
    :arg python: the interpreter that has the emulator's requirements.
    :arg pulsar: how to reach a real broker, instead of one in memory: admin_url, broker_url, superuser_token,
        secret_key_path, ca_path.
    :arg arguments: more arguments of the command line.
    :arg settings: see emulator.settings.Settings.
    :ivar api_url: base URL of the emulated API.
    :ivar admin_url: base URL of Pulsar's admin API, the webServiceUrl of tenants.
    :ivar control_url: base URL of the control API.
    :ivar ca_path: file with the CA certificate to trust, or None without TLS.
    :ivar pid: the process.
    """

    def __init__(
        self,
        organizations: Iterable[dict] = (),
        tokens: Iterable[dict] = (),
        *,
        state: dict | None = None,
        tls: bool = False,
        port: int = 0,
        python: str = sys.executable,
        pulsar: dict | None = None,
        arguments: Iterable[str] = (),
        **settings: Any,
    ) -> None:
        super().__init__("")
        self.api_url = ""
        self.admin_url = ""
        self.ca_path: str | None = None
        self.pid = 0
        self._pulsar = pulsar
        self._state = {"organizations": list(organizations), "tokens": list(tokens), **(state or {})}
        self._command = [python, "-m", "emulator", "--until-stdin-closes", f"--port={port}", *arguments]
        self._command += [f"--{name.replace('_', '-')}={_write(value)}" for name, value in settings.items()]
        self._command += ["--tls"] if tls else []

    def __enter__(self) -> Emulator:
        """Start the emulator.

        :raises EmulatorError: it did not start.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="astra-emulator-")
        directory = Path(self._directory.name)
        state, ready = directory / "state.json", directory / "ready.json"
        self._errors = directory / "stderr"
        state.write_text(json.dumps(self._state), "utf-8")
        command = [*self._command, "--state", str(state), "--ready-file", str(ready)]
        if self._pulsar:
            access = directory / "pulsar.json"
            access.touch(0o600)
            access.write_text(json.dumps(self._pulsar), "utf-8")
            command += ["--pulsar", str(access)]
        with self._errors.open("wb") as stderr:
            # In a session of its own, so that Ctrl-C leaves it to __exit__; without a parent it stops anyway.
            self._process = subprocess.Popen(
                command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise EmulatorError(f"The emulator did not start: {self._stop() or 'it did not get ready in time.'}")
            time.sleep(0.01)
        announced = json.loads(ready.read_text("utf-8"))
        self.api_url, self.control_url = announced["api_url"], announced["control_url"]
        self.admin_url = announced["admin_url"]
        self.ca_path, self.pid = announced["ca_path"], announced["pid"]
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop the emulator, and show what it wrote to standard error."""
        sys.stderr.write(self._stop())

    def _stop(self) -> str:
        """Stop the process and remove its files; returns what it wrote to standard error."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()
        errors = self._errors.read_text("utf-8", "replace")
        self._directory.cleanup()
        return errors
