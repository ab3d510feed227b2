# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the control API that looks into Astra Streaming: tenants, topics and sinks."""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.broker import BrokerTenant, MemoryBroker, Namespace
from emulator.control_requests import get_emulation, get_service, read_json, read_object, refuse_unknown
from emulator.settings import is_count
from emulator.sinks import Sink
from emulator.state import parse_tenant
from emulator.tenants import Tenant
from emulator.topic import Blocked, Consumer, Producer, Topic
from emulator.wire import make_json_response


class TenantEndpoint(HTTPEndpoint):
    """/tenants/{cluster}/{tenant}"""

    async def get(self, request: Request) -> Response:
        """Return a tenant with all that it holds."""
        return make_json_response(_show_tenant(request, _find_tenant(request)))

    async def put(self, request: Request) -> Response:
        """Make a tenant as an entry of the state file would, instead of the one that is there."""
        service = get_service(request)
        document = await read_json(request)
        if isinstance(document, dict):
            document = {**document, "cluster": request.path_params["cluster"], "name": request.path_params["tenant"]}
        entry = parse_tenant(document, "The tenant", list(service.tenants.clusters))
        key = entry["cluster"], entry["name"]
        if known := service.tenants.tenants.get(key):
            await service.tenants.remove(known)
        await get_emulation(request).plant(entry)
        return make_json_response(_show_tenant(request, service.tenants.tenants[key]), 200 if known else 201)

    async def delete(self, request: Request) -> Response:
        """Remove a tenant at once."""
        await get_service(request).tenants.remove(_find_tenant(request))
        return Response(status_code=204)


async def _list_tenants(request: Request) -> Response:
    tenants = get_service(request).tenants.tenants.values()
    return make_json_response([_show_tenant(request, tenant) for tenant in tenants])


async def _sign(request: Request) -> Response:
    """Return a JWT with any claims, signed with the key of Astra Streaming."""
    claims = await read_json(request)
    if not isinstance(claims, dict):
        raise ValueError("The body must be an object.")
    return make_json_response({"token": get_service(request).signer.sign(claims)})


class TopicEndpoint(HTTPEndpoint):
    """/topics/{cluster}/{tenant}/{namespace}/{topic}"""

    async def get(self, request: Request) -> Response:
        """Return a topic with all its entries."""
        return make_json_response([_show_topic(topic) for topic in _find_topics(request)])

    async def post(self, request: Request) -> Response:
        """Publish messages, or let a subscription's messages be consumed, or a consumer connect or go."""
        document = await read_object(request, ["publish", "consume", "connect", "disconnect"])
        if len(document) != 1:
            raise ValueError("The body must have one of publish, consume, connect and disconnect.")
        [(action, what)] = document.items()
        if not isinstance(what, dict):
            raise ValueError(f"{action} must be an object.")
        return make_json_response(_ACTIONS[action](request, what))


def _publish(request: Request, what: dict) -> dict:
    refuse_unknown(what, ["payload", "count", "size", "properties", "producer"])
    payload = what.get("payload", "")
    payload = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    count, size, properties = what.get("count", 1), what.get("size", len(payload)), what.get("properties", {})
    if not is_count(count) or not is_count(size):
        raise ValueError("count and size must be numbers, 0 or more.")
    broker, names = _broker(request), request.path_params
    full_name = f"persistent://{names['tenant']}/{names['namespace']}/{names['topic']}"
    producer = Producer(what.get("producer", "control"), get_service(request).conditions.clock.now(), lambda: True)
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
    refuse_unknown(what, ["subscription", "count"])
    now = get_service(request).conditions.clock.now()
    taken = []
    for topic in _find_topics(request):
        subscription = topic.subscriptions.get(what.get("subscription"))
        if subscription is None:
            raise ValueError("There is no such subscription.")
        taken += topic.consume(subscription, what.get("count"), now)
    return [entry.payload.decode("utf-8", "replace") for entry in taken]


def _connect(request: Request, what: dict) -> dict:
    refuse_unknown(what, ["subscription", "consumer"])
    now = get_service(request).conditions.clock.now()
    name = str(what.get("consumer", "control"))
    for topic in _find_topics(request):
        subscription = topic.subscriptions.get(what.get("subscription"))
        if subscription is None:
            raise ValueError("There is no such subscription.")
        subscription.consumers[name] = Consumer(name, now)
    return {"consumer": name}


def _disconnect(request: Request, what: dict) -> dict:
    refuse_unknown(what, ["subscription", "consumer", "producer"])
    now = get_service(request).conditions.clock.now()
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
        refuses = (await read_object(request, ["refuses"])).get("refuses")
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
    service = get_service(request)
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


def _find_tenant(request: Request) -> Tenant:
    tenant = get_service(request).tenants.tenants.get((request.path_params["cluster"], request.path_params["tenant"]))
    if tenant is None:
        raise HTTPException(404, "There is no such tenant")
    return tenant


def _broker(request: Request) -> MemoryBroker:
    broker = get_service(request).broker
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


ROUTES = [
    Route("/tenants", _list_tenants),
    Route("/tenants/{cluster}/{tenant}", TenantEndpoint),
    Route("/topics/{cluster}/{tenant}/{namespace}/{topic}", TopicEndpoint),
    Route("/sinks/{cluster}/{tenant}/{namespace}/{sink}", SinkEndpoint),
    Route("/sign", _sign, methods=["POST"]),
]
