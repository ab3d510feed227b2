# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control API: what tests and demos use to look behind the service and to disturb it."""

from __future__ import annotations

import asyncio
import dataclasses

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator import control_streaming
from emulator.access import Token
from emulator.api import Emulation
from emulator.control_requests import get_emulation, get_service, read_json, read_object
from emulator.faults import parse_fault
from emulator.organizations import Organization
from emulator.refused import Refused
from emulator.settings import is_count, is_seconds
from emulator.state import check_audit_logs, parse_organization_id, parse_role, parse_token
from emulator.wire import make_json_response


class JournalEndpoint(HTTPEndpoint):
    """/journal"""

    async def get(self, request: Request) -> Response:
        """Return the requests that the servers received: all, or those of one organization or one server."""
        entries = get_emulation(request).journal.entries
        if wanted := request.query_params.get("organization_id"):
            entries = [entry for entry in entries if entry["organization_id"] == wanted.lower()]
        if server := request.query_params.get("server"):
            entries = [entry for entry in entries if entry["server"] == server]
        return make_json_response(entries)

    async def delete(self, request: Request) -> Response:
        """Forget them."""
        get_emulation(request).journal.entries.clear()
        return Response(status_code=204)


class FaultsEndpoint(HTTPEndpoint):
    """/faults"""

    async def get(self, request: Request) -> Response:
        """Return the faults with their counters."""
        return make_json_response([fault.describe() for fault in get_emulation(request).queue.faults])

    async def post(self, request: Request) -> Response:
        """Add a fault."""
        fault = parse_fault(await read_json(request))
        get_emulation(request).queue.faults.append(fault)
        return make_json_response(fault.describe(), 201)

    async def delete(self, request: Request) -> Response:
        """Remove them all."""
        get_emulation(request).queue.faults.clear()
        return Response(status_code=204)


class SettingsEndpoint(HTTPEndpoint):
    """/settings"""

    async def get(self, request: Request) -> Response:
        """Return the settings."""
        return make_json_response(dataclasses.asdict(get_service(request).conditions.settings))

    async def patch(self, request: Request) -> Response:
        """Change some of them."""
        conditions = get_service(request).conditions
        changes = await read_object(request, [field.name for field in dataclasses.fields(conditions.settings)])
        conditions.settings = dataclasses.replace(conditions.settings, **changes)
        return await self.get(request)


class ClockEndpoint(HTTPEndpoint):
    """/clock"""

    async def get(self, request: Request) -> Response:
        """Return the time, and by how much it was moved."""
        clock = get_service(request).conditions.clock
        return make_json_response({"now": clock.text(), "epoch": clock.now(), "advanced": clock.advanced})

    async def post(self, request: Request) -> Response:
        """Move the clock forward."""
        seconds = (await read_object(request, ["advance"])).get("advance")
        if not is_seconds(seconds):
            raise ValueError("advance must be a number of seconds, 0 or more.")
        get_service(request).conditions.clock.advance(seconds)
        # What became due may be a task, which has its turn now.
        await asyncio.sleep(0)
        return await self.get(request)


class OrganizationEndpoint(HTTPEndpoint):
    """/organizations/{id}"""

    async def get(self, request: Request) -> Response:
        """Return what is effective now, unmasked, and what is pending."""
        return self._show(request, _find_organization(request))

    async def put(self, request: Request) -> Response:
        """Store a configuration (null for none) at once and drop what was pending; add an organization that is new."""
        organization_id = parse_organization_id(request.path_params["id"], "The organization's id")
        document = await read_object(request, ["name", "audit_logs"])
        audit_logs = check_audit_logs(document.get("audit_logs"), "audit_logs")
        organizations = get_service(request).organizations
        known = organizations.by_id.get(organization_id)
        name = document.get("name", known.name if known else organization_id)
        if not isinstance(name, str):
            raise ValueError("name must be a string.")
        organization = Organization(organization_id, name, audit_logs)
        organizations.put(organization)
        return self._show(request, organization, 200 if known else 201)

    async def delete(self, request: Request) -> Response:
        """Remove the organization."""
        get_service(request).organizations.remove(_find_organization(request))
        return Response(status_code=204)

    @staticmethod
    def _show(request: Request, organization: Organization, status: int = 200) -> Response:
        return make_json_response(get_service(request).organizations.describe(organization), status)


async def _list_organizations(request: Request) -> Response:
    organizations = get_service(request).organizations
    return make_json_response([organizations.describe(each) for each in organizations.by_id.values()])


class RolesEndpoint(HTTPEndpoint):
    """/roles"""

    async def get(self, request: Request) -> Response:
        """Return the custom roles of all organizations, as in the state file."""
        roles = get_service(request).access.roles
        return make_json_response(
            [
                {"organization_id": organization_id, "id": role.id, "name": role.name, "policy": role.policy}
                for organization_id, its_roles in roles.items()
                for role in its_roles.values()
            ]
        )

    async def post(self, request: Request) -> Response:
        """Add a custom role, or replace the one with its id."""
        organization_id, role = parse_role(await read_json(request), "The role")
        get_service(request).access.roles.setdefault(organization_id, {})[role.id] = role
        return make_json_response({"id": role.id}, 201)


async def _delete_role(request: Request) -> Response:
    for roles in get_service(request).access.roles.values():
        if roles.pop(request.path_params["id"], None):
            return Response(status_code=204)
    raise HTTPException(404, "There is no such role")


class TokensEndpoint(HTTPEndpoint):
    """/tokens"""

    async def get(self, request: Request) -> Response:
        """Return the application tokens of all organizations, with what is secret."""
        return make_json_response([self._show(token) for token in get_service(request).access.tokens.values()])

    async def post(self, request: Request) -> Response:
        """Add an application token, or replace it."""
        token = parse_token(await read_json(request), "The token")
        get_service(request).access.add_token(token)
        return make_json_response(self._show(token), 201)

    @staticmethod
    def _show(token: Token) -> dict:
        shown = dataclasses.asdict(token) | {"client_id": token.client_id}
        return shown | {"organizations": None if token.organizations is None else sorted(token.organizations)}


async def _delete_token(request: Request) -> Response:
    if get_service(request).access.tokens.pop(request.path_params["token"], None) is None:
        raise HTTPException(404, "There is no such token")
    return Response(status_code=204)


async def _get_exporter(request: Request) -> Response:
    return make_json_response(get_service(request).exporter.describe())


async def _list_events(request: Request) -> Response:
    events = list(get_service(request).exporter.events)
    if wanted := request.query_params.get("organization_id"):
        events = [event for event in events if event["organization_id"] == wanted.lower()]
    return make_json_response(events)


async def _export(request: Request) -> Response:
    """Let something audited happen in an organization, so many times."""
    organization = _find_organization(request)
    document = await read_object(request, ["event_type", "event", "count"])
    count, event = document.get("count", 1), document.get("event", {})
    if not is_count(count) or not isinstance(event, dict) or not isinstance(document.get("event_type", ""), str):
        raise ValueError("count must be a number, event an object, and event_type a string.")
    exporter = get_service(request).exporter
    for number in range(count):
        event_type = document.get("event_type", "DB_CREATED")
        exporter.export(organization, "00000000-0000-4000-8000-000000000000", event_type, {"number": number, **event})
    return make_json_response(exporter.describe().get(organization.id))


async def _reset(request: Request) -> Response:
    await get_emulation(request).reset()
    return Response(status_code=204)


def make_control(emulation: Emulation) -> Starlette:
    """Return the control API of an emulated service."""

    async def answer_bad_value(_request: Request, error: ValueError) -> Response:
        return make_json_response({"error": str(error)}, 400)

    async def answer_refusal(_request: Request, error: Refused) -> Response:
        return make_json_response({"error": " ".join(error.messages)}, error.status)

    async def answer_http_exception(_request: Request, error: HTTPException) -> Response:
        return make_json_response({"error": f"{error.detail}."}, error.status_code, error.headers)

    control = Starlette(
        routes=[
            Route("/journal", JournalEndpoint),
            Route("/faults", FaultsEndpoint),
            Route("/settings", SettingsEndpoint),
            Route("/clock", ClockEndpoint),
            Route("/organizations", _list_organizations),
            Route("/organizations/{id}", OrganizationEndpoint),
            Route("/organizations/{id}/events", _export, methods=["POST"]),
            Route("/roles", RolesEndpoint),
            Route("/roles/{id}", _delete_role, methods=["DELETE"]),
            Route("/tokens", TokensEndpoint),
            Route("/tokens/{token}", _delete_token, methods=["DELETE"]),
            Route("/exporter", _get_exporter),
            Route("/events", _list_events),
            *control_streaming.ROUTES,
            Route("/reset", _reset, methods=["POST"]),
        ],
        exception_handlers={
            ValueError: answer_bad_value,
            Refused: answer_refusal,
            HTTPException: answer_http_exception,
        },
    )
    control.state.emulation = emulation
    return control


def _find_organization(request: Request) -> Organization:
    organization = get_service(request).organizations.by_id.get(request.path_params["id"].lower())
    if organization is None:
        raise HTTPException(404, "There is no such organization")
    return organization
