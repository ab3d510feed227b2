# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Pulsar broker in place of the one in memory: its tenants, and its admin API behind Astra's rules."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.contract import TEXT, find_problems
from emulator.journal import request_target
from emulator.refused import Refused
from emulator.requests import authorize_streaming, get_authorization, get_service, read_json
from emulator.streaming import CLUSTER_HEADER, ORGANIZATION_HEADER
from emulator.tenants import DEFAULT_CLUSTER

_TIMEOUT = 60  # seconds; a broker deletes a topic in some seconds when the machine is busy
_TENANT = re.compile(
    r"/admin/v2/(?:namespaces|persistent|non-persistent|schemas|stats/topics|stats/namespaces)/([^/]+)"
    r"|/admin/v3/(?:sinks|astrasinks)/(?!builtinsinks$)([^/]+)"
    r"|/lookup/v2/topic/(?:persistent|non-persistent)/([^/]+)"
)
_ASTRA_SINK = re.compile(r"/admin/v3/astrasinks/(?=[^/]+/[^/]+/[^/]+$)")
_BOUNDARY = "emulator-sink-config"
# A broker that runs no sinks says so by 409.
_NO_SINKS = (404, 409, 503)
# What belongs to one connection, or is written anew for the next one.
_HOP = ("connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding")


@dataclass(frozen=True)
class BrokerAccess:
    """How a broker is reached.

    :ivar admin_url: of its admin API.
    :ivar broker_url: where clients connect: what tenants show as their brokerServiceUrl.
    :ivar superuser_token: may do everything.
    :ivar secret_key_path: the key with which its tokens are signed.
    :ivar ca_path: CA certificate of the broker, or None without TLS.
    """

    admin_url: str
    broker_url: str
    superuser_token: str
    secret_key_path: str
    ca_path: str | None = None


def parse_access(document: object) -> BrokerAccess:
    """Return the access that a parsed file describes.

    :raises ValueError: one sentence that says what is wrong.
    """
    required = dict.fromkeys(("admin_url", "broker_url", "superuser_token", "secret_key_path"), TEXT)
    optional = {"ca_path": (lambda value: value is None or TEXT[0](value), "a path or null")}
    if problems := find_problems(document, required, optional):
        raise ValueError(problems[0])
    return BrokerAccess(**document)


class AdminClient:
    """Sends requests to the admin API of a broker."""

    def __init__(self, access: BrokerAccess) -> None:
        self._url = urlsplit(access.admin_url)
        self.token = access.superuser_token
        self._tls = ssl.create_default_context(cafile=access.ca_path) if self._url.scheme == "https" else None

    async def send(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Response:
        """Send a request as it is, and return the broker's answer."""
        return await asyncio.to_thread(self._send, method, target, list(headers), body)

    async def call(self, method: str, target: str, document: Any = None, but: tuple[int, ...] = ()) -> Any:
        """Send a request as the superuser, and return the parsed answer, or None for one without a body.

        :arg but: statuses from 400 on that are as good as success.
        :raises Refused: the broker refuses it.
        """
        headers = [("Authorization", f"Bearer {self.token}"), ("Content-Type", "application/json")]
        body = b"" if document is None else json.dumps(document).encode()
        answer = await self.send(method, target, headers, body)
        if answer.status_code >= 400 and answer.status_code not in but:
            said = bytes(answer.body).decode("utf-8", "replace")
            raise Refused(500, f"Pulsar answers {answer.status_code} to {method} {target}: {said}")
        return json.loads(answer.body) if answer.body and answer.status_code < 300 else None

    def _send(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        if self._tls:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._url.netloc, timeout=_TIMEOUT, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(self._url.netloc, timeout=_TIMEOUT)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Refused(502, f"The Pulsar broker cannot be reached: {error}") from None
        finally:
            connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        return Response(content, answer.status, kept)


class RealBroker:
    """A broker that plays the one cluster of Astra Streaming.

    :ivar clusters: its tenants are on this one alone.
    """

    def __init__(self, access: BrokerAccess) -> None:
        self._admin = AdminClient(access)

    async def create_tenant(self, cluster: str, name: str, admins: set[str]) -> None:
        """Make a tenant with the namespace that Astra Streaming gives it; one that is there is taken over."""
        tenant = {"adminRoles": sorted(admins), "allowedClusters": await self._admin.call("GET", "/admin/v2/clusters")}
        await self._admin.call("PUT", f"/admin/v2/tenants/{name}", tenant, but=(409,))
        await self.set_admins(cluster, name, admins)
        await self._admin.call("PUT", f"/admin/v2/namespaces/{name}/default", but=(409,))

    async def set_admins(self, _cluster: str, name: str, admins: set[str]) -> None:
        """Say which roles may do everything in a tenant."""
        tenant = await self._admin.call("GET", f"/admin/v2/tenants/{name}")
        await self._admin.call("POST", f"/admin/v2/tenants/{name}", {**tenant, "adminRoles": sorted(admins)})

    async def delete_tenant(self, cluster: str, name: str) -> None:
        """Remove a tenant with all that it holds."""
        for namespace in await self._admin.call("GET", f"/admin/v2/namespaces/{name}", but=(404,)) or ():
            for sink in await self._admin.call("GET", f"/admin/v3/sinks/{namespace}", but=_NO_SINKS) or ():
                await self._admin.call("DELETE", f"/admin/v3/sinks/{namespace}/{sink}", but=(404,))
            path = f"/admin/v2/persistent/{namespace}"
            for topic in await self._admin.call("GET", f"{path}/partitioned"):
                await self._admin.call("DELETE", f"{path}/{_local(topic)}/partitions?force=true", but=(404,))
            for topic in await self._admin.call("GET", path):
                await self._admin.call("DELETE", f"{path}/{_local(topic)}?force=true", but=(404,))
            await self._delete_namespace(namespace)
        await self._admin.call("DELETE", f"/admin/v2/tenants/{name}", but=(404,))

    async def _delete_namespace(self, namespace: str) -> None:
        # A topic that has just been deleted is still counted for some moments.
        for pause in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2):
            try:
                return await self._admin.call("DELETE", f"/admin/v2/namespaces/{namespace}", but=(404,))
            except Refused:
                await asyncio.sleep(pause)
        return await self._admin.call("DELETE", f"/admin/v2/namespaces/{namespace}", but=(404,))

    async def revoke(self, _cluster: str, name: str, role: str) -> None:
        """Take from a role what it was granted on namespaces and topics."""
        for namespace in await self._admin.call("GET", f"/admin/v2/namespaces/{name}"):
            policies = (await self._admin.call("GET", f"/admin/v2/namespaces/{namespace}"))["auth_policies"]
            granted = [f"/admin/v2/namespaces/{namespace}"] if role in policies["namespace_auth"] else []
            for topic, roles in policies["destination_auth"].items():
                if role in roles:
                    granted.append(f"/admin/v2/persistent/{namespace}/{_local(topic)}")
            for path in granted:
                await self._admin.call("DELETE", f"{path}/permissions/{quote(role, safe='')}", but=(412,))

    async def list_topics(self, _cluster: str, name: str) -> dict[str, list[str]]:
        """Return the full names of the topics of each namespace."""
        return {
            namespace.partition("/")[2]: await self._admin.call("GET", f"/admin/v2/persistent/{namespace}")
            for namespace in await self._admin.call("GET", f"/admin/v2/namespaces/{name}")
        }

    def make_routes(self) -> list[Route]:
        """Return the routes that hand requests on to the broker."""
        methods = ["GET", "POST", "PUT", "DELETE"]
        paths = ("/admin/{rest:path}", "/lookup/{rest:path}")
        return [Route(path, self._forward, methods=methods) for path in paths]

    async def _forward(self, request: Request) -> Response:
        """Hand a request on, with the superuser's token in place of an application token that may do it."""
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in _HOP and not name.startswith("x-datastax-")
        }
        self._check_cluster(request)
        if replaced := self._authorize(request):
            headers["authorization"] = replaced
        target, body = request_target(request.scope), await request.body()
        is_astra = _ASTRA_SINK.match(request.scope["path"]) is not None
        if is_astra:
            for name in (CLUSTER_HEADER, *([] if request.method == "GET" else [ORGANIZATION_HEADER])):
                if name not in request.headers:
                    raise Refused(400, f"The header {name} is required")
            target = target.replace("/astrasinks/", "/sinks/", 1)
            if request.method in ("POST", "PUT"):
                body = _wrap(await read_json(request))
                headers["content-type"] = f"multipart/form-data; boundary={_BOUNDARY}"
        answer = await self._admin.send(request.method, target, headers.items(), body)
        if is_astra and request.method == "DELETE" and answer.status_code == 204:
            return Response(status_code=200)
        return answer

    def _check_cluster(self, request: Request) -> None:
        cluster = request.headers.get(CLUSTER_HEADER)
        if cluster is None and request.app.state.needs_cluster:
            raise Refused(400, f"The header {CLUSTER_HEADER} is required")
        if cluster not in (None, DEFAULT_CLUSTER):
            raise Refused(401, f"Unauthorized: there is nothing on the cluster {cluster}")

    def _authorize(self, request: Request) -> str | None:
        """Return another Authorization header for an application token; the broker itself checks every other one."""
        service = get_service(request)
        token = service.access.find_token(get_authorization(request))
        if token is None:
            return None
        if match := _TENANT.match(request.scope["path"]):
            name = next(filter(None, match.groups()))
            tenant = service.tenants.tenants.get((DEFAULT_CLUSTER, name))
            if tenant is None or not token.reaches(tenant.organization_id):
                raise Refused(401, f"Unauthorized: tenant {name} does not exist or belongs to somebody else")
            authorize_streaming(request, token, tenant.organization_id, name)
        elif request.scope["path"] != "/admin/v3/sinks/builtinsinks":
            raise Refused(401, "Unauthorized: this command is not supported")
        return f"Bearer {self._admin.token}"


def read_access(path: Path) -> BrokerAccess:
    """Return the access that a file describes.

    :raises OSError: the file cannot be read.
    :raises ValueError: it has something else.
    """
    return parse_access(json.loads(path.read_text("utf-8")))


def _local(topic: str) -> str:
    return quote(topic.rsplit("/", 1)[1], safe="")


def _wrap(config: Any) -> bytes:
    """Return a sink's configuration in the form that Pulsar wants."""
    head = 'Content-Disposition: form-data; name="sinkConfig"\r\nContent-Type: application/json'
    return f"--{_BOUNDARY}\r\n{head}\r\n\r\n{json.dumps(config)}\r\n--{_BOUNDARY}--\r\n".encode()
