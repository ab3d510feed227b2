# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control API: what tests and demos use to look behind the service and to disturb it."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.access import Token
from emulator.api import Emulation
from emulator.broker import BrokerTenant, MemoryBroker, Namespace
from emulator.faults import parse_fault
from emulator.organizations import Organization
from emulator.refused import Refused
from emulator.service import Service
from emulator.settings import is_count, is_seconds
from emulator.sinks import Sink
from emulator.state import check_audit_logs, parse_organization_id, parse_role, parse_tenant, parse_token
from emulator.tenants import Tenant
from emulator.topic import Blocked, Consumer, Producer, Topic
from emulator.wire import make_json_response


class JournalEndpoint(HTTPEndpoint):
    """/journal"""

    async def get(self, request: Request) -> Response:
        """Return the requests that the servers received: all, or those of one organization or one server."""
        entries = _emulation(request).journal.entries
        if wanted := request.query_params.get("organization_id"):
            entries = [entry for entry in entries if entry["organization_id"] == wanted.lower()]
        if server := request.query_params.get("server"):
            entries = [entry for entry in entries if entry["server"] == server]
        return make_json_response(entries)

    async def delete(self, request: Request) -> Response:
        """Forget them."""
        _emulation(request).journal.entries.clear()
        return Response(status_code=204)


class FaultsEndpoint(HTTPEndpoint):
    """/faults"""

    async def get(self, request: Request) -> Response:
        """Return the faults with their counters."""
        return make_json_response([fault.describe() for fault in _emulation(request).queue.faults])

    async def post(self, request: Request) -> Response:
        """Add a fault."""
        fault = parse_fault(await _read_json(request))
        _emulation(request).queue.faults.append(fault)
        return make_json_response(fault.describe(), 201)

    async def delete(self, request: Request) -> Response:
        """Remove them all."""
        _emulation(request).queue.faults.clear()
        return Response(status_code=204)


class SettingsEndpoint(HTTPEndpoint):
    """/settings"""

    async def get(self, request: Request) -> Response:
        """Return the settings."""
        return make_json_response(dataclasses.asdict(_service(request).conditions.settings))

    async def patch(self, request: Request) -> Response:
        """Change some of them."""
        conditions = _service(request).conditions
        changes = await _read_object(request, [field.name for field in dataclasses.fields(conditions.settings)])
        conditions.settings = dataclasses.replace(conditions.settings, **changes)
        return await self.get(request)


class ClockEndpoint(HTTPEndpoint):
    """/clock"""

    async def get(self, request: Request) -> Response:
        """Return the time, and by how much it was moved."""
        clock = _service(request).conditions.clock
        return make_json_response({"now": clock.text(), "epoch": clock.now(), "advanced": clock.advanced})

    async def post(self, request: Request) -> Response:
        """Move the clock forward."""
        seconds = (await _read_object(request, ["advance"])).get("advance")
        if not is_seconds(seconds):
            raise ValueError("advance must be a number of seconds, 0 or more.")
        _service(request).conditions.clock.advance(seconds)
        # What became due may be a task, which has its turn now.
        await asyncio.sleep(0)
        return await self.get(request)


# --- Organizations, roles and application tokens ----------------------------------------------------------------------


class OrganizationEndpoint(HTTPEndpoint):
    """/organizations/{id}"""

    async def get(self, request: Request) -> Response:
        """Return what is effective now, unmasked, and what is pending."""
        return self._show(request, _find_organization(request))

    async def put(self, request: Request) -> Response:
        """Store a configuration (null for none) at once and drop what was pending; add an organization that is new."""
        organization_id = parse_organization_id(request.path_params["id"], "The organization's id")
        document = await _read_object(request, ["name", "audit_logs"])
        audit_logs = check_audit_logs(document.get("audit_logs"), "audit_logs")
        organizations = _service(request).organizations
        known = organizations.by_id.get(organization_id)
        name = document.get("name", known.name if known else organization_id)
        if not isinstance(name, str):
            raise ValueError("name must be a string.")
        organization = Organization(organization_id, name, audit_logs)
        organizations.put(organization)
        return self._show(request, organization, 200 if known else 201)

    async def delete(self, request: Request) -> Response:
        """Remove the organization."""
        _service(request).organizations.remove(_find_organization(request))
        return Response(status_code=204)

    @staticmethod
    def _show(request: Request, organization: Organization, status: int = 200) -> Response:
        return make_json_response(_service(request).organizations.describe(organization), status)


async def _list_organizations(request: Request) -> Response:
    organizations = _service(request).organizations
    return make_json_response([organizations.describe(each) for each in organizations.by_id.values()])


class RolesEndpoint(HTTPEndpoint):
    """/roles"""

    async def get(self, request: Request) -> Response:
        """Return the custom roles of all organizations, as in the state file."""
        roles = _service(request).access.roles
        return make_json_response(
            [
                {"organization_id": organization_id, "id": role.id, "name": role.name, "policy": role.policy}
                for organization_id, its_roles in roles.items()
                for role in its_roles.values()
            ]
        )

    async def post(self, request: Request) -> Response:
        """Add a custom role, or replace the one with its id."""
        organization_id, role = parse_role(await _read_json(request), "The role")
        _service(request).access.roles.setdefault(organization_id, {})[role.id] = role
        return make_json_response({"id": role.id}, 201)


async def _delete_role(request: Request) -> Response:
    for roles in _service(request).access.roles.values():
        if roles.pop(request.path_params["id"], None):
            return Response(status_code=204)
    raise HTTPException(404, "There is no such role")


class TokensEndpoint(HTTPEndpoint):
    """/tokens"""

    async def get(self, request: Request) -> Response:
        """Return the application tokens of all organizations, with what is secret."""
        return make_json_response([self._show(token) for token in _service(request).access.tokens.values()])

    async def post(self, request: Request) -> Response:
        """Add an application token, or replace it."""
        token = parse_token(await _read_json(request), "The token")
        _service(request).access.add_token(token)
        return make_json_response(self._show(token), 201)

    @staticmethod
    def _show(token: Token) -> dict:
        shown = dataclasses.asdict(token) | {"client_id": token.client_id}
        return shown | {"organizations": None if token.organizations is None else sorted(token.organizations)}


async def _delete_token(request: Request) -> Response:
    if _service(request).access.tokens.pop(request.path_params["token"], None) is None:
        raise HTTPException(404, "There is no such token")
    return Response(status_code=204)


# --- The exporter -----------------------------------------------------------------------------------------------------


async def _get_exporter(request: Request) -> Response:
    return make_json_response(_service(request).exporter.describe())


async def _list_events(request: Request) -> Response:
    events = list(_service(request).exporter.events)
    if wanted := request.query_params.get("organization_id"):
        events = [event for event in events if event["organization_id"] == wanted.lower()]
    return make_json_response(events)


async def _export(request: Request) -> Response:
    """Let something audited happen in an organization, so many times."""
    organization = _find_organization(request)
    document = await _read_object(request, ["event_type", "event", "count"])
    count, event = document.get("count", 1), document.get("event", {})
    if not is_count(count) or not isinstance(event, dict) or not isinstance(document.get("event_type", ""), str):
        raise ValueError("count must be a number, event an object, and event_type a string.")
    exporter = _service(request).exporter
    for number in range(count):
        event_type = document.get("event_type", "DB_CREATED")
        exporter.export(organization, "00000000-0000-4000-8000-000000000000", event_type, {"number": number, **event})
    return make_json_response(exporter.describe().get(organization.id))


# --- Astra Streaming --------------------------------------------------------------------------------------------------


class TenantEndpoint(HTTPEndpoint):
    """/tenants/{cluster}/{tenant}"""

    async def get(self, request: Request) -> Response:
        """Return a tenant with all that it holds."""
        return make_json_response(_show_tenant(request, _find_tenant(request)))

    async def put(self, request: Request) -> Response:
        """Make a tenant as an entry of the state file would, instead of the one that is there."""
        service = _service(request)
        document = await _read_json(request)
        if isinstance(document, dict):
            document = {**document, "cluster": request.path_params["cluster"], "name": request.path_params["tenant"]}
        entry = parse_tenant(document, "The tenant", list(service.tenants.clusters))
        key = entry["cluster"], entry["name"]
        if known := service.tenants.tenants.get(key):
            await service.tenants.remove(known)
        await _emulation(request).plant(entry)
        return make_json_response(_show_tenant(request, service.tenants.tenants[key]), 200 if known else 201)

    async def delete(self, request: Request) -> Response:
        """Remove a tenant at once."""
        await _service(request).tenants.remove(_find_tenant(request))
        return Response(status_code=204)


async def _list_tenants(request: Request) -> Response:
    tenants = _service(request).tenants.tenants.values()
    return make_json_response([_show_tenant(request, tenant) for tenant in tenants])


async def _sign(request: Request) -> Response:
    """Return a JWT with any claims, signed with the key of Astra Streaming."""
    claims = await _read_json(request)
    if not isinstance(claims, dict):
        raise ValueError("The body must be an object.")
    return make_json_response({"token": _service(request).signer.sign(claims)})


class TopicEndpoint(HTTPEndpoint):
    """/topics/{cluster}/{tenant}/{namespace}/{topic}"""

    async def get(self, request: Request) -> Response:
        """Return a topic with all its entries."""
        return make_json_response([_show_topic(topic) for topic in _find_topics(request)])

    async def post(self, request: Request) -> Response:
        """Publish messages, or let a subscription's messages be consumed, or a consumer connect or go."""
        document = await _read_object(request, ["publish", "consume", "connect", "disconnect"])
        if len(document) != 1:
            raise ValueError("The body must have one of publish, consume, connect and disconnect.")
        [(action, what)] = document.items()
        if not isinstance(what, dict):
            raise ValueError(f"{action} must be an object.")
        return make_json_response(_ACTIONS[action](request, what))


def _publish(request: Request, what: dict) -> dict:
    _refuse_unknown(what, ["payload", "count", "size", "properties", "producer"])
    payload = what.get("payload", "")
    payload = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    count, size, properties = what.get("count", 1), what.get("size", len(payload)), what.get("properties", {})
    if not is_count(count) or not is_count(size):
        raise ValueError("count and size must be numbers, 0 or more.")
    broker, names = _broker(request), request.path_params
    full_name = f"persistent://{names['tenant']}/{names['namespace']}/{names['topic']}"
    producer = Producer(what.get("producer", "control"), _service(request).conditions.clock.now(), lambda: True)
    ids, reason, topic = [], None, None
    try:
        for _number in range(count):
            topic = broker.connect(names["cluster"], full_name, producer)
            connected = topic.producers[producer.name]
            ids.append(broker.publish(topic, connected, payload, properties, size))
    except Blocked as error:
        reason = str(error)
    if "producer" not in what:
        broker.disconnect(producer.name)
    return {"message_ids": ids, "reason": reason}


def _consume(request: Request, what: dict) -> list[str]:
    _refuse_unknown(what, ["subscription", "count"])
    now = _service(request).conditions.clock.now()
    taken = []
    for topic in _find_topics(request):
        subscription = topic.subscriptions.get(what.get("subscription"))
        if subscription is None:
            raise ValueError("There is no such subscription.")
        taken += topic.consume(subscription, what.get("count"), now)
    return [entry.payload.decode("utf-8", "replace") for entry in taken]


def _connect(request: Request, what: dict) -> dict:
    _refuse_unknown(what, ["subscription", "consumer"])
    now = _service(request).conditions.clock.now()
    name = str(what.get("consumer", "control"))
    for topic in _find_topics(request):
        subscription = topic.subscriptions.get(what.get("subscription"))
        if subscription is None:
            raise ValueError("There is no such subscription.")
        subscription.consumers[name] = Consumer(name, now)
    return {"consumer": name}


def _disconnect(request: Request, what: dict) -> dict:
    _refuse_unknown(what, ["subscription", "consumer", "producer"])
    now = _service(request).conditions.clock.now()
    for topic in _find_topics(request):
        if "producer" in what:
            topic.disconnect(what["producer"], now)
        if subscription := topic.subscriptions.get(what.get("subscription")):
            subscription.consumers.pop(str(what.get("consumer", "control")), None)
            subscription.active_at = topic.active_at = now
    return {}


_ACTIONS = {"publish": _publish, "consume": _consume, "connect": _connect, "disconnect": _disconnect}


class SinkEndpoint(HTTPEndpoint):
    """/sinks/{cluster}/{tenant}/{namespace}/{sink}"""

    async def get(self, request: Request) -> Response:
        """Return a sink with its secrets and with what arrived at its target."""
        return make_json_response(_show_sink(self._find(request)[1]))

    async def patch(self, request: Request) -> Response:
        """Let its target refuse connections, or take them again."""
        tenant, sink = self._find(request)
        refuses = (await _read_object(request, ["refuses"])).get("refuses")
        if not isinstance(refuses, bool):
            raise ValueError("refuses must be true or false.")
        broker = _broker(request)
        broker.stop_sink(tenant, sink)
        sink.refuses = refuses
        broker.start_sink(tenant, sink)
        return make_json_response(_show_sink(sink))

    @staticmethod
    def _find(request: Request) -> tuple[BrokerTenant, Sink]:
        tenant = _find_broker_tenant(request)
        names = request.path_params
        return tenant, _broker(request).find_sink(tenant, names["namespace"], names["sink"])


def _show_tenant(request: Request, tenant: Tenant) -> dict:
    service = _service(request)
    shown = {
        "organization_id": tenant.organization_id,
        "name": tenant.name,
        "cluster": tenant.cluster.name,
        "status": tenant.status,
        "tokens": [
            {"id": token.id, "claims": token.claims, "token": service.tenants.make_text(token)}
            for token in tenant.tokens.values()
        ],
    }
    if not isinstance(service.broker, MemoryBroker):
        return shown  # a real broker says itself what it holds
    held = service.broker.tenants.get((tenant.cluster.name, tenant.name))
    return {
        **shown,
        "namespaces": [_show_namespace(each) for each in service.broker.settled(held)] if held else [],
        "sinks": [_show_sink(sink) for sink in held.sinks.values()] if held else [],
    }


def _show_namespace(namespace: Namespace) -> dict:
    return {
        "name": namespace.name,
        **namespace.policies.values(),
        "permissions": {role: sorted(actions) for role, actions in namespace.permissions.items()},
        "partitioned": namespace.partitioned,
        "topics": [_show_topic(topic) for topic in namespace.topics.values()],
        "lost": namespace.lost,
    }


def _show_topic(topic: Topic) -> dict:
    return {
        "name": topic.name,
        "properties": topic.properties,
        "permissions": {role: sorted(actions) for role, actions in topic.permissions.items()},
        "producers": list(topic.producers),
        "subscriptions": {
            name: {"backlog": topic.end - each.position, "consumers": list(each.consumers)}
            for name, each in topic.subscriptions.items()
        },
        "added": topic.end,
        "lost": topic.lost,
        "entries": [
            {
                "message_id": f"{topic.ledger}:{number}",
                "payload": _show_payload(entry.payload),
                "size": entry.size,
                "producer": entry.producer,
                "properties": entry.properties,
            }
            for number, entry in enumerate(topic.entries, topic.first)
        ],
    }


def _show_sink(sink: Sink) -> dict:
    return {
        "namespace": sink.namespace,
        "name": sink.name,
        "config": sink.config,
        "running": sink.is_running,
        "error": sink.error,
        "refuses": sink.refuses,
        "written": [_show_payload(payload) for payload in sink.written],
    }


def _show_payload(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        pass
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode()}


async def _reset(request: Request) -> Response:
    await _emulation(request).reset()
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
            Route("/tenants", _list_tenants),
            Route("/tenants/{cluster}/{tenant}", TenantEndpoint),
            Route("/topics/{cluster}/{tenant}/{namespace}/{topic}", TopicEndpoint),
            Route("/sinks/{cluster}/{tenant}/{namespace}/{sink}", SinkEndpoint),
            Route("/sign", _sign, methods=["POST"]),
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


def _emulation(request: Request) -> Emulation:
    return request.app.state.emulation


def _service(request: Request) -> Service:
    return request.app.state.emulation.service


def _find_organization(request: Request) -> Organization:
    organization = _service(request).organizations.by_id.get(request.path_params["id"].lower())
    if organization is None:
        raise HTTPException(404, "There is no such organization")
    return organization


def _find_tenant(request: Request) -> Tenant:
    tenant = _service(request).tenants.tenants.get((request.path_params["cluster"], request.path_params["tenant"]))
    if tenant is None:
        raise HTTPException(404, "There is no such tenant")
    return tenant


def _broker(request: Request) -> MemoryBroker:
    broker = _service(request).broker
    if not isinstance(broker, MemoryBroker):
        raise HTTPException(404, "Only a broker in memory can be looked into")
    return broker


def _find_broker_tenant(request: Request) -> BrokerTenant:
    key = request.path_params["cluster"], request.path_params["tenant"]
    if key not in _broker(request).tenants:
        raise HTTPException(404, "There is no such tenant")
    return _broker(request).tenants[key]


def _find_topics(request: Request) -> list[Topic]:
    broker = _broker(request)
    topics = broker.find_namespace(_find_broker_tenant(request), request.path_params["namespace"]).find(
        request.path_params["topic"]
    )
    if not topics:
        raise HTTPException(404, "There is no such topic")
    return topics


async def _read_json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        raise ValueError("The body is not valid JSON.") from None


async def _read_object(request: Request, known: list[str]) -> dict:
    document = await _read_json(request)
    if not isinstance(document, dict):
        raise ValueError("The body must be an object.")
    _refuse_unknown(document, known)
    return document


def _refuse_unknown(document: dict, known: list[str]) -> None:
    for name in document:
        if name not in known:
            raise ValueError(f"Unknown key {name}; known are {', '.join(known)}.")
