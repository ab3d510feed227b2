# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated servers over HTTP, with one journal and one queue of faults for both."""

from __future__ import annotations

import asyncio
import re
import sys

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from emulator import devops, streaming
from emulator.faults import Fault, FaultQueue
from emulator.journal import Journal, request_target
from emulator.refused import NotAuthenticated, Refused
from emulator.seeds import plant
from emulator.server import Server
from emulator.service import Service
from emulator.state import State
from emulator.wire import Exchange, make_json_response, run_app

_ERROR_ID = 2000  # added to the status: clients must not take an error's ID for a status
_ORGANIZATION = re.compile(r"/v2/organizations/([^/]+)/telemetry/")
# What Astra Streaming and Pulsar answer for has an envelope of its own.
_STREAMING = re.compile(r"/(v[23]/streaming|admin|lookup)/")


class Emulation:
    """The service, both of its servers, and what tests can do to them.

    :arg pulsar_routes: Pulsar's admin API.
    :ivar api: the server of the DevOps API, of Astra Streaming's control plane, and of Pulsar's admin API as the
        vendor's Terraform provider uses it.
    :ivar admin: the server of Pulsar's admin API alone.
    """

    def __init__(self, service: Service, state: State, pulsar_routes: list[Route], verbose: bool = False) -> None:
        self.service = service
        self.journal = Journal()
        self.queue = FaultQueue()
        self.is_verbose = verbose
        self._state = state
        routes = [*devops.ROUTES, *streaming.ROUTES, *pulsar_routes]
        self.api = Front("api", self, _make_app(service, routes, needs_cluster=True))
        self.admin = Front("admin", self, _make_app(service, pulsar_routes, needs_cluster=False))

    async def reset(self) -> None:
        """Return to the seed, forget journal and faults, and listen.

        :raises ValueError: the seed has something that Pulsar refuses.
        """
        for front in (self.api, self.admin):
            await front.listener.accept_connections()
        await self.service.reset()
        for entry in self._state.tenants:
            await self.plant(entry)
        self.service.add_organizations()
        self.journal.entries.clear()
        self.queue.faults.clear()

    async def plant(self, entry: dict) -> None:
        """Make a tenant that an entry of the state file describes.

        :raises ValueError: it has something that Pulsar refuses.
        """
        await plant(self.service, self.admin.app, entry)


def _make_app(service: Service, routes: list[Route], needs_cluster: bool) -> Starlette:
    app = Starlette(
        routes=routes,
        exception_handlers={
            Refused: _answer_refusal,
            NotAuthenticated: _answer_html,
            HTTPException: _answer_http_exception,
        },
    )
    app.router.redirect_slashes = False
    app.state.service = service
    app.state.needs_cluster = needs_cluster
    return app


async def _answer_refusal(request: Request, error: Refused) -> Response:
    return _make_envelope(request, error.status, *error.messages)


async def _answer_http_exception(request: Request, error: HTTPException) -> Response:
    return _make_envelope(request, error.status_code, f"{error.detail}.", headers=error.headers)


async def _answer_html(_request: Request, _error: NotAuthenticated) -> Response:
    said = "Authentication required"
    return HTMLResponse(f"<html><head><title>Error 401 {said}</title></head><body><h2>{said}</h2></body></html>", 401)


def _make_envelope(request: Request, status: int, *messages: str, headers: dict | None = None) -> Response:
    if _STREAMING.match(request.scope["path"]):
        return make_json_response({"reason": " ".join(messages)}, status, headers)
    errors = [{"ID": _ERROR_ID + status, "message": message} for message in messages]
    return make_json_response({"errors": errors}, status, headers)


class Front:
    """The ASGI application in front of a server's own: records each request, and lets faults happen to it.

    :ivar listener: the server that it runs on, which must be set before the first request.
    """

    listener: Server

    def __init__(self, name: str, emulation: Emulation, app: Starlette) -> None:
        self.app = app
        self._name = name
        self._emulation = emulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(scope, receive, send)
        if not await exchange.read():
            return
        self._emulation.service.conditions.clock.settle()
        entry = self._emulation.journal.add(self._name, scope, exchange.body, self._find_organization(scope))
        fault = self._emulation.queue.take(entry)
        if latency := self._emulation.service.conditions.settings.latency:
            await asyncio.sleep(latency)
        await self._answer(exchange, fault, entry)
        if self._emulation.is_verbose:
            print(scope["method"], request_target(scope), entry["status"] or "no answer", file=sys.stderr, flush=True)

    def _find_organization(self, scope: Scope) -> str | None:
        """Return the organization in the path, or else the one that the credential belongs to."""
        if match := _ORGANIZATION.match(scope["path"]):
            return match[1].lower()
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        return self._emulation.service.find_owner(authorization)

    async def _answer(self, exchange: Exchange, fault: Fault | None, entry: dict) -> None:
        response = None
        if fault is None or fault.carries_out:
            response = await run_app(self.app, exchange.scope, exchange.body)
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
