# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated organizations and a plain HTTP client, so that nothing stands between a test and the wire."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from emulator.client import Emulator

ORGANIZATION = "11111111-1111-4111-8111-111111111111"
OTHER_ORGANIZATION = "22222222-2222-4222-8222-222222222222"
KAFKA_ORGANIZATION = "33333333-3333-4333-8333-333333333333"
NO_ORGANIZATION = "44444444-4444-4444-8444-444444444444"

TOKEN_STREAM = {
    "endpoint": "pulsar+ssl://pulsar.example.com:6651",
    "topic": "persistent://acme/audit/one",
    "auth_strategy": "token",
    "auth_name": "token",
    "token": "pulsar-secret",
}
OAUTH2_STREAM = {
    "endpoint": "pulsar://pulsar.example.com:6650",
    "topic": "persistent://acme/audit/two",
    "auth_strategy": "oauth2",
    "oauth2_credentials_url": "data:application/json;base64,e30=",
    "oauth2_issuer_url": "https://issuer.example.com",
    "oauth2_audience": "audience",
    "oauth2_scope": "scope",
}
KAFKA = {"kafka": {"bootstrap_servers": "kafka.example.com:9092", "password": "shown"}}

CLUSTER = "pulsar-aws-useast2"
CLUSTER_HEADER = {"X-DataStax-Pulsar-Cluster": CLUSTER}
STREAMING_HEADERS = {**CLUSTER_HEADER, "X-DataStax-Current-Org": ORGANIZATION}
ENDPOINT = f"pulsar+ssl://{CLUSTER}.streaming.datastax.com:6651"
TOPIC = "persistent://acme/audit/log"

STATE = {
    "organizations": [
        {"id": ORGANIZATION, "name": "One"},
        {"id": OTHER_ORGANIZATION, "name": "Two", "audit_logs": {"pulsar": OAUTH2_STREAM}},
        {"id": KAFKA_ORGANIZATION, "name": "Three", "audit_logs": KAFKA},
    ],
    "tokens": [
        {"token": "admin", "organization_id": ORGANIZATION},
        {"token": "custom-role", "organization_id": ORGANIZATION, "permissions": ["org-audits-read"]},
        {"token": "no-role", "organization_id": ORGANIZATION, "roles": ["Billing Administrator"], "permissions": []},
        {"token": "lost", "organization_id": NO_ORGANIZATION},
        {"token": "enterprise", "enterprise": True},
        {"token": "small-enterprise", "enterprise": True, "organizations": [OTHER_ORGANIZATION]},
    ],
}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def messages(self) -> list[str]:
        """The messages of the error envelope, which every error must have."""
        errors = self.json["errors"]
        assert all(error.keys() == {"ID", "message"} and isinstance(error["ID"], int) for error in errors)
        return [error["message"] for error in errors]

    @property
    def reason(self) -> str:
        """The one text of Astra Streaming's envelope and Pulsar's, which every error there must have."""
        assert self.json.keys() == {"reason"}
        return self.json["reason"]


def audit_logs(organization_id: str = ORGANIZATION) -> str:
    """The path of an organization's configuration."""
    return f"/v2/organizations/{organization_id}/telemetry/auditLogs"


def connect(emulator: Emulator, timeout: float = 10, url: str | None = None) -> http.client.HTTPConnection:
    """Open a connection to the API, or to another URL, verified under TLS."""
    address = urlsplit(url or emulator.api_url)
    if address.scheme == "http":
        return http.client.HTTPConnection(address.netloc, timeout=timeout)
    context = ssl.create_default_context(cafile=emulator.ca_path)
    return http.client.HTTPSConnection(address.netloc, timeout=timeout, context=context)


def send(
    connection: http.client.HTTPConnection,
    method: str,
    path: str = audit_logs(),
    token: str | None = "admin",
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send a request and read the answer; a body that is not bytes goes as JSON."""
    sent = {} if token is None else {"Authorization": f"Bearer {token}"}
    if body is not None:
        sent["Content-Type"] = "application/json"
        body = body if isinstance(body, bytes) else json.dumps(body)
    connection.request(method, path, body, {**sent, **(headers or {})})
    response = connection.getresponse()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def call(emulator: Emulator, method: str, path: str = audit_logs(), token: str | None = "admin", **rest: Any) -> Answer:
    """Send a request over a connection of its own."""
    connection = connect(emulator)
    try:
        return send(connection, method, path, token, **rest)
    finally:
        connection.close()


def call_admin(emulator: Emulator, method: str, path: str, token: str | None = "admin", **rest: Any) -> Answer:
    """Send a request to Pulsar's admin API; a path that does not begin with / is below /admin/v2/."""
    connection = connect(emulator, url=emulator.admin_url)
    try:
        return send(connection, method, path if path.startswith("/") else f"/admin/v2/{path}", token, **rest)
    finally:
        connection.close()


def post(emulator: Emulator, stream: dict, **rest: Any) -> Answer:
    """Ask for a Pulsar destination."""
    return call(emulator, "POST", body={"pulsar": stream}, **rest)


def wait_until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait until a condition holds, and fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
