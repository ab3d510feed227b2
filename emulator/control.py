# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control API: what tests and demos use to look behind the service and to disturb it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.api import Api
from emulator.faults import parse_fault
from emulator.service import Organization, Service
from emulator.state import check_audit_logs, parse_organization_id
from emulator.wire import make_json_response


class JournalEndpoint(HTTPEndpoint):
    """/journal"""

    async def get(self, request: Request) -> Response:
        """Return the requests that the API received, all or those of one organization."""
        entries = _api(request).journal.entries
        if wanted := request.query_params.get("organization_id"):
            entries = [entry for entry in entries if entry["organization_id"] == wanted.lower()]
        return make_json_response(entries)

    async def delete(self, request: Request) -> Response:
        """Forget them."""
        _api(request).journal.entries.clear()
        return Response(status_code=204)


class FaultsEndpoint(HTTPEndpoint):
    """/faults"""

    async def get(self, request: Request) -> Response:
        """Return the faults with their counters."""
        return make_json_response([fault.describe() for fault in _api(request).queue.faults])

    async def post(self, request: Request) -> Response:
        """Add a fault."""
        fault = parse_fault(await _read_json(request))
        _api(request).queue.faults.append(fault)
        return make_json_response(fault.describe(), 201)

    async def delete(self, request: Request) -> Response:
        """Remove them all."""
        _api(request).queue.faults.clear()
        return Response(status_code=204)


class SettingsEndpoint(HTTPEndpoint):
    """/settings"""

    async def get(self, request: Request) -> Response:
        """Return the settings."""
        return make_json_response(dataclasses.asdict(_service(request).settings))

    async def patch(self, request: Request) -> Response:
        """Change some of them."""
        service = _service(request)
        changes = await _read_object(request, [field.name for field in dataclasses.fields(service.settings)])
        service.settings = dataclasses.replace(service.settings, **changes)
        return await self.get(request)


class OrganizationEndpoint(HTTPEndpoint):
    """/organizations/{id}"""

    async def get(self, request: Request) -> Response:
        """Return what is effective now, unmasked, and what is pending."""
        return make_json_response(self._find(request).describe())

    async def put(self, request: Request) -> Response:
        """Store a configuration (null for none) at once and drop what was pending; add an organization that is new."""
        organization_id = parse_organization_id(request.path_params["id"], "The organization's id")
        document = await _read_object(request, ["name", "audit_logs"])
        audit_logs = check_audit_logs(document.get("audit_logs"), "audit_logs")
        organizations = _service(request).organizations
        known = organizations.get(organization_id)
        name = document.get("name", known.name if known else organization_id)
        if not isinstance(name, str):
            raise ValueError("name must be a string.")
        organizations[organization_id] = Organization(organization_id, name, audit_logs)
        return make_json_response(organizations[organization_id].describe(), 200 if known else 201)

    async def delete(self, request: Request) -> Response:
        """Remove the organization."""
        del _service(request).organizations[self._find(request).id]
        return Response(status_code=204)

    def _find(self, request: Request) -> Organization:
        organization = _service(request).organizations.get(request.path_params["id"].lower())
        if organization is None:
            raise HTTPException(404, "There is no such organization")
        return organization


async def _list_organizations(request: Request) -> Response:
    return make_json_response([each.describe() for each in _service(request).organizations.values()])


async def _reset(request: Request) -> Response:
    await _api(request).reset()
    return Response(status_code=204)


def make_control(api: Api) -> Starlette:
    """Return the control API of an emulated service."""

    async def answer_bad_value(_request: Request, error: ValueError) -> Response:
        return make_json_response({"error": str(error)}, 400)

    async def answer_http_exception(_request: Request, error: HTTPException) -> Response:
        return make_json_response({"error": f"{error.detail}."}, error.status_code, error.headers)

    control = Starlette(
        routes=[
            Route("/journal", JournalEndpoint),
            Route("/faults", FaultsEndpoint),
            Route("/settings", SettingsEndpoint),
            Route("/organizations", _list_organizations),
            Route("/organizations/{id}", OrganizationEndpoint),
            Route("/reset", _reset, methods=["POST"]),
        ],
        exception_handlers={ValueError: answer_bad_value, HTTPException: answer_http_exception},
    )
    control.state.api = api
    return control


def _api(request: Request) -> Api:
    return request.app.state.api


def _service(request: Request) -> Service:
    return request.app.state.api.service


async def _read_json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        raise ValueError("The body is not valid JSON.") from None


async def _read_object(request: Request, known: list[str]) -> dict:
    document = await _read_json(request)
    if not isinstance(document, dict):
        raise ValueError("The body must be an object.")
    for name in document:
        if name not in known:
            raise ValueError(f"Unknown key {name}; known are {', '.join(known)}.")
    return document
