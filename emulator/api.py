# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service's API over HTTP, with its journal and faults."""

from __future__ import annotations

import asyncio
import json
import re
import sys

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from emulator.faults import Fault, FaultQueue
from emulator.journal import Journal, request_target
from emulator.server import Server
from emulator.service import Organization, Refused, Service
from emulator.wire import Exchange, make_json_response, run_app

_ERROR_ID = 2000  # added to the status: clients must not take an error's ID for a status
_ORGANIZATION = re.compile(r"/v2/organizations/([^/]+)/")
_WHEN_ABSENT = {"empty": {}, "null": None, "no-pulsar": {"status": "not configured"}}


class AuditLogs(HTTPEndpoint):
    """/v2/organizations/{orgID}/telemetry/auditLogs"""

    async def get(self, request: Request) -> Response:
        """Answer with the effective configuration, or with what is set for none."""
        service: Service = request.app.state.service
        document = service.read(_authorize(request))
        if document is not None:
            return make_json_response(document)
        when_absent = service.settings.get_when_absent
        if when_absent == "404":
            raise Refused(404, "No audit log configuration was found.")
        if when_absent == "204":
            return Response(status_code=204)
        return make_json_response(_WHEN_ABSENT[when_absent])

    async def post(self, request: Request) -> Response:
        """Accept a configuration."""
        organization = _authorize(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(400, "The Content-Type must be application/json.")
        try:
            document = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise Refused(400, "The body is not valid JSON.") from None
        request.app.state.service.write(organization, document)
        return Response(status_code=202)

    async def delete(self, request: Request) -> Response:
        """Accept that the configuration goes away."""
        request.app.state.service.delete(_authorize(request))
        return Response(status_code=202)


async def _get_current_org(request: Request) -> Response:
    return make_json_response(request.app.state.service.current_organization(request.headers.get("authorization")))


def _authorize(request: Request) -> Organization:
    authorization = request.headers.get("authorization")
    return request.app.state.service.authorize(authorization, request.path_params["organization_id"])


def _make_app(service: Service) -> Starlette:
    async def answer_refusal(_request: Request, error: Refused) -> Response:
        return _make_envelope(error.status, *error.messages)

    async def answer_http_exception(_request: Request, error: HTTPException) -> Response:
        return _make_envelope(error.status_code, f"{error.detail}.", headers=error.headers)

    app = Starlette(
        routes=[
            Route("/v2/organizations/{organization_id}/telemetry/auditLogs", AuditLogs),
            Route("/v2/currentOrg", _get_current_org),
        ],
        exception_handlers={Refused: answer_refusal, HTTPException: answer_http_exception},
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app


def _make_envelope(status: int, *messages: str, headers: dict | None = None) -> Response:
    errors = [{"ID": _ERROR_ID + status, "message": message} for message in messages]
    return make_json_response({"errors": errors}, status, headers)


class Api:
    """The ASGI application in front of everything: records each request, and lets faults happen to it.

    :ivar listener: the server that it runs on, which must be set before the first request.
    """

    listener: Server

    def __init__(self, service: Service, verbose: bool = False) -> None:
        self.service = service
        self.journal = Journal()
        self.queue = FaultQueue()
        self._app = _make_app(service)
        self._verbose = verbose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(scope, receive, send)
        if not await exchange.read():
            return
        path = request_target(scope)
        organization_id = self._find_organization(scope)
        entry = self.journal.add(scope, exchange.body, organization_id)
        fault = self.queue.take(scope["method"], path, organization_id)
        if self.service.settings.latency:
            await asyncio.sleep(self.service.settings.latency)
        await self._answer(exchange, fault, entry)
        if self._verbose:
            print(scope["method"], path, entry["status"] or "no answer", file=sys.stderr, flush=True)

    async def reset(self) -> None:
        """Return to the seed, forget journal and faults, and listen."""
        await self.listener.accept_connections()
        self.service.reset()
        self.journal.entries.clear()
        self.queue.faults.clear()

    def _find_organization(self, scope: Scope) -> str | None:
        """Return the organization in the path, or else the one that the token belongs to."""
        if match := _ORGANIZATION.match(scope["path"]):
            return match[1].lower()
        token = self.service.find_token(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
        return token.organization_id if token else None

    async def _answer(self, exchange: Exchange, fault: Fault | None, entry: dict) -> None:
        response = None
        if fault is None or fault.carries_out:
            response = await run_app(self._app, exchange.scope, exchange.body)
        manner = value = None
        if fault:
            response = fault.response or response
            manner, value = fault.manner, fault.value
        if manner == "delay" and not await exchange.pause(value):
            return  # the client has gone
        if manner not in ("drop", "close", "raw"):
            entry["status"] = response.status_code
        match manner:
            case "drop":
                await exchange.reset()
            case "close":
                await exchange.close()
            case "raw":
                await exchange.send_raw(value.encode("latin-1"))
            case "drip":
                await exchange.drip(response, **value)
            case "endless":
                await exchange.answer_endlessly(response)
            case "truncate":
                await exchange.truncate(response, value)
            case "refuse_after":
                # Before the answer, so that the client's next connection cannot slip through.
                self.listener.refuse_connections(value)
                response.headers["Connection"] = "close"
                await exchange.answer(response)
            case _:
                await exchange.answer(response)
