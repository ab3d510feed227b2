# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of Pulsar's admin API, answered from memory."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator import namespace_admin, sink_admin, topic_admin, topic_stats
from emulator.callers import administer_tenant, authenticate, look_at
from emulator.refused import Refused
from emulator.requests import answer_json, get_service


async def _look_up(request: Request) -> Response:
    found = look_at(request, "LOOKUP")
    service = get_service(request)
    broker_url = service.tenants.clusters[found.tenant.cluster].broker_service_url
    web_url = service.tenants.admin_url
    return answer_json(
        request,
        {
            "brokerUrl": None,
            "brokerUrlTls": broker_url,
            "httpUrl": web_url,
            "httpUrlTls": web_url,
            "nativeUrl": broker_url,
        },
    )


async def _get_schema(request: Request) -> Response:
    look_at(request, "GET_METADATA")
    raise Refused(404, "Schema not found")


async def _get_topic_usage(request: Request) -> Response:
    tenant = administer_tenant(request)
    service = get_service(request)
    wanted = request.path_params.get("namespace")
    if wanted is not None:
        service.broker.find_namespace(tenant, wanted)
    return answer_json(
        request,
        {
            f"persistent://{tenant.name}/{namespace.name}/{topic.name}": {
                "name": f"persistent://{tenant.name}/{namespace.name}/{topic.name}",
                "totalMessagesIn": topic.end,
                "totalBytesIn": topic.bytes_in,
                "msgBacklogNumber": sum(topic.end - each.position for each in topic.subscriptions.values()),
                "producerCount": len(topic.producers),
                "consumerCount": sum(len(each.consumers) for each in topic.subscriptions.values()),
                "subscriptionCount": len(topic.subscriptions),
                "storageSize": topic.size_from(topic.first),
                "updatedAt": service.conditions.clock.text(),
            }
            for namespace in service.broker.settled(tenant)
            if wanted in (None, namespace.name)
            for topic in namespace.topics.values()
        },
    )


async def _refuse_rest(request: Request) -> Response:
    """Refuse what Astra does not let through, such as the administration of clusters, tenants and brokers."""
    authenticate(request)
    if request.path_params["kind"] in ("clusters", "tenants", "brokers", "broker-stats", "bookies", "worker"):
        raise Refused(401, "Unauthorized: this command is not supported")
    raise Refused(404, "HTTP 404 Not Found")


_METHODS = ["GET", "POST", "PUT", "DELETE"]

ROUTES = [
    *namespace_admin.ROUTES,
    *topic_admin.ROUTES,
    *topic_stats.ROUTES,
    *sink_admin.ROUTES,
    Route("/admin/v2/schemas/{tenant}/{namespace}/{topic}/schema", _get_schema),
    Route("/admin/v2/stats/topics/{tenant}", _get_topic_usage),
    Route("/admin/v2/stats/topics/{tenant}/{namespace}", _get_topic_usage),
    Route("/lookup/v2/topic/persistent/{tenant}/{namespace}/{topic}", _look_up),
    Route("/admin/{version}/{kind}", _refuse_rest, methods=_METHODS),
    Route("/admin/{version}/{kind}/{rest:path}", _refuse_rest, methods=_METHODS),
]
