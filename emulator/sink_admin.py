# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of Pulsar's admin API for sinks, in Pulsar's form and in Astra's."""

from __future__ import annotations

import email
import json
from typing import Any

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.callers import administer_tenant, authenticate, find_cluster
from emulator.contract import find_sink_problems
from emulator.refused import Refused
from emulator.requests import answer_json, content_type, get_service, get_settings, read_json
from emulator.sinks import CONNECTORS, Sink
from emulator.streaming import CLUSTER_HEADER, ORGANIZATION_HEADER


async def _list_builtin(request: Request) -> Response:
    authenticate(request)
    find_cluster(request)
    return answer_json(
        request,
        [
            {"name": name, "description": connector.description, "sinkClass": connector.sink_class}
            for name, connector in CONNECTORS.items()
        ],
    )


async def _list_sinks(request: Request) -> Response:
    tenant, namespace = administer_tenant(request), request.path_params["namespace"]
    get_service(request).broker.find_namespace(tenant, namespace)
    return answer_json(request, [name for in_namespace, name in tenant.sinks if in_namespace == namespace])


class OneSink(HTTPEndpoint):
    """/admin/v3/sinks/{tenant}/{namespace}/{sink}: Pulsar's own form"""

    deleted = 204

    async def get(self, request: Request) -> Response:
        """Show the configuration."""
        self._check(request)
        settings = get_settings(request)
        shown = _find_sink(request).show(settings.sink_secrets == "shown", settings.numbers_as_strings)
        return answer_json(request, shown)

    async def post(self, request: Request) -> Response:
        """Create a sink."""
        self._check(request, ORGANIZATION_HEADER)
        tenant = administer_tenant(request)
        names = request.path_params["namespace"], request.path_params["sink"]
        config = _check_config(request, await self._read(request), ("archive",))
        get_service(request).broker.create_sink(tenant, *names, config)
        return Response(status_code=204)

    async def put(self, request: Request) -> Response:
        """Change a sink."""
        self._check(request, ORGANIZATION_HEADER)
        tenant = administer_tenant(request)
        names = request.path_params["namespace"], request.path_params["sink"]
        config = _check_config(request, await self._read(request), ())
        get_service(request).broker.update_sink(tenant, *names, config)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a sink."""
        self._check(request, ORGANIZATION_HEADER)
        tenant = administer_tenant(request)
        get_service(request).broker.delete_sink(tenant, request.path_params["namespace"], request.path_params["sink"])
        return Response(status_code=self.deleted)

    def _check(self, request: Request, *headers: str) -> None:
        pass

    async def _read(self, request: Request) -> Any:
        return _parse(_find_part(request, await request.body(), "sinkConfig"))


class OneAstraSink(OneSink):
    """/admin/v3/astrasinks/{tenant}/{namespace}/{sink}: Astra's form, in JSON and with its headers"""

    deleted = 200

    def _check(self, request: Request, *headers: str) -> None:
        for name in (CLUSTER_HEADER, *headers):
            if name not in request.headers:
                raise Refused(400, f"The header {name} is required")

    async def _read(self, request: Request) -> Any:
        return await read_json(request)


def _find_part(request: Request, body: bytes, name: str) -> bytes:
    """Return a part of a multipart body."""
    if content_type(request) != "multipart/form-data":
        raise Refused(415, "HTTP 415 Unsupported Media Type")
    message = email.message_from_bytes(
        b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n" + body
    )
    for part in message.get_payload() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == name:
            return part.get_payload(decode=True)
    raise Refused(400, f"The part {name} is not provided")


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not valid JSON.") from None


def _check_config(request: Request, config: Any, required: tuple[str, ...]) -> dict:
    if problems := find_sink_problems(config, required):
        raise Refused(400, *problems)
    for field, place in (("tenant", "tenant"), ("namespace", "namespace"), ("name", "sink")):
        if config.pop(field, request.path_params[place]) != request.path_params[place]:
            raise Refused(400, f"{field} differs from the one in the path.")
    return config


def _find_sink(request: Request) -> Sink:
    tenant = administer_tenant(request)
    return get_service(request).broker.find_sink(tenant, request.path_params["namespace"], request.path_params["sink"])


async def _get_sink_status(request: Request) -> Response:
    return answer_json(request, _find_sink(request).show_status())


async def _get_instance_status(request: Request) -> Response:
    sink = _find_sink(request)
    number = request.path_params["instance"]
    if not number.isdecimal() or int(number) >= sink.get("parallelism"):
        raise Refused(400, "Operation not permitted")
    return answer_json(request, sink.show_instance())


async def _command_sink(request: Request) -> Response:
    tenant, sink, broker = administer_tenant(request), _find_sink(request), get_service(request).broker
    command = request.path_params["command"]
    if command not in ("start", "stop", "restart"):
        raise Refused(404, "HTTP 404 Not Found")
    if command != "start":
        broker.stop_sink(tenant, sink)
    if command != "stop":
        broker.start_sink(tenant, sink)
    return Response(status_code=204)


_SINKS = "/admin/v3/sinks/{tenant}/{namespace}"

ROUTES = [
    Route("/admin/v3/sinks/builtinsinks", _list_builtin),
    Route(_SINKS, _list_sinks),
    Route(f"{_SINKS}/{{sink}}", OneSink),
    Route(f"{_SINKS}/{{sink}}/status", _get_sink_status),
    Route(f"{_SINKS}/{{sink}}/{{instance}}/status", _get_instance_status),
    Route(f"{_SINKS}/{{sink}}/{{command}}", _command_sink, methods=["POST"]),
    Route("/admin/v3/astrasinks/{tenant}/{namespace}/{sink}", OneAstraSink),
]
