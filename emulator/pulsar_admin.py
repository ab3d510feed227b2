# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of Pulsar's admin API, answered from memory."""

from __future__ import annotations

import email
import json
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.broker import BrokerTenant, Namespace, list_topics
from emulator.contract import SOME_TEXTS, TEXT_MAP, find_sink_problems
from emulator.policies import DEFAULTS
from emulator.refused import NotAuthenticated, Refused
from emulator.requests import (
    answer_json,
    authorize_streaming,
    content_type,
    get_authorization,
    get_service,
    read_json,
    read_optional_json,
)
from emulator.settings import Settings
from emulator.sinks import CONNECTORS, Sink
from emulator.streaming import CLUSTER_HEADER, ORGANIZATION_HEADER
from emulator.topic import Entry, Subscription, Topic

_ACTIONS = ("produce", "consume", "functions", "sources", "sinks", "packages")


class Caller(NamedTuple):
    """Who asks, and about which tenant.

    :ivar role: of a Pulsar token; None for an application token, which may do everything in the tenant.
    """

    tenant: BrokerTenant
    role: str | None

    @property
    def is_admin(self) -> bool:
        """Whether the caller may do everything in the tenant."""
        return self.role is None or self.role in self.tenant.admins

    def may(self, actions: tuple[str, ...], namespace: str, topic: str) -> bool:
        """Tell whether the caller may do one of these things with a topic."""
        return self.is_admin or any(self.tenant.may(self.role, action, namespace, topic) for action in actions)


# --- Who may ----------------------------------------------------------------------------------------------------------
# Pulsar has a status of its own for each kind of refusal; they were measured.


def _identify(request: Request) -> Caller:
    """Return who asks about the tenant of the path.

    :raises NotAuthenticated: the credential is neither an application token nor a valid Pulsar token.
    :raises Refused: there is no such tenant, which Astra does not tell from a tenant of somebody else.
    """
    service, name = get_service(request), request.path_params["tenant"]
    claims = service.read_pulsar_token(get_authorization(request))
    token = None if claims else service.access.find_token(get_authorization(request))
    if not claims and not token:
        raise NotAuthenticated
    cluster = _find_cluster(request)
    found = [
        tenant
        for (its_cluster, its_name), tenant in service.broker.tenants.items()
        if its_name == name and cluster in (None, its_cluster)
    ]
    if token:
        found = [tenant for tenant in found if token.reaches(_find_owner(request, tenant))]
    elif len(found) > 1:
        found = [tenant for tenant in found if tenant.knows(claims["sub"])]
    if len(found) > 1:
        raise Refused(400, f"There is a tenant {name} on several clusters: the header {CLUSTER_HEADER} is required")
    if not found:
        raise Refused(401, f"Unauthorized: tenant {name} does not exist or belongs to somebody else")
    if token:
        authorize_streaming(request, token, _find_owner(request, found[0]), name)
    return Caller(found[0], claims["sub"] if claims else None)


def _find_owner(request: Request, tenant: BrokerTenant) -> str:
    return get_service(request).tenants.tenants[tenant.cluster, tenant.name].organization_id


def _find_cluster(request: Request) -> str | None:
    cluster = request.headers.get(CLUSTER_HEADER)
    if cluster is None and request.app.state.needs_cluster:
        raise Refused(400, f"The header {CLUSTER_HEADER} is required")
    return cluster


def _administer_tenant(request: Request) -> BrokerTenant:
    caller = _identify(request)
    if not caller.is_admin:
        raise Refused(401, "Don't have permission to administrate resources on this tenant")
    return caller.tenant


def _administer_namespace(request: Request) -> tuple[BrokerTenant, Namespace]:
    caller, name = _identify(request), request.path_params["namespace"]
    if not caller.is_admin:
        raise Refused(403, f"Unauthorized to validateNamespaceOperation on namespace [{name}]")
    return caller.tenant, get_service(request).broker.find_namespace(caller.tenant, name)


class Found(NamedTuple):
    """A topic of the path: one that is not partitioned, or all partitions."""

    tenant: BrokerTenant
    namespace: Namespace
    name: str
    topics: list[Topic]

    @property
    def is_partitioned(self) -> bool:
        """Whether it has partitions."""
        return self.name in self.namespace.partitioned

    @property
    def full_name(self) -> str:
        """Its name with tenant and namespace."""
        return f"persistent://{self.tenant.name}/{self.namespace.name}/{self.name}"

    def single(self) -> Topic:
        """Return the topic if it has no partitions."""
        if self.is_partitioned:
            raise Refused(404, f"Topic {self.full_name} not found")
        return self.topics[0]

    def find_subscription(self, topic: Topic, name: str) -> Subscription:
        """Return a subscription of the topic."""
        if name not in topic.subscriptions:
            raise Refused(404, f"Subscription {name} not found for topic {self.full_name}")
        return topic.subscriptions[name]


def _find_topic(request: Request, operation: str, *actions: str) -> Found:
    """Return the topic, if the caller may do one of these things with it; an administrator may do all."""
    caller = _identify(request)
    names = request.path_params["namespace"], request.path_params["topic"]
    if not caller.may(actions, *names):
        topic = f"persistent://{caller.tenant.name}/{names[0]}/{names[1]}"
        raise Refused(401, f"Unauthorized to validateTopicOperation for operation [{operation}] on topic [{topic}]")
    namespace = get_service(request).broker.find_namespace(caller.tenant, names[0])
    topics = namespace.find(names[1])
    if not topics:
        raise Refused(404, f"Topic persistent://{caller.tenant.name}/{names[0]}/{names[1]} not found")
    return Found(caller.tenant, namespace, names[1], topics)


def _look_at(request: Request, operation: str) -> Found:
    return _find_topic(request, operation, "produce", "consume")


# --- Namespaces -------------------------------------------------------------------------------------------------------


async def _list_namespaces(request: Request) -> Response:
    tenant = _administer_tenant(request)
    return answer_json(request, [f"{tenant.name}/{name}" for name in tenant.namespaces])


class OneNamespace(HTTPEndpoint):
    """/admin/v2/namespaces/{tenant}/{namespace}"""

    async def get(self, request: Request) -> Response:
        """Show the policies."""
        tenant, namespace = _administer_namespace(request)
        return answer_json(
            request,
            {
                "auth_policies": {
                    "namespace_auth": _show_grants(namespace.permissions),
                    "destination_auth": {
                        f"persistent://{tenant.name}/{namespace.name}/{topic.name}": _show_grants(topic.permissions)
                        for topic in namespace.topics.values()
                        if topic.permissions
                    },
                    "subscription_auth_roles": {},
                },
                "replication_clusters": [tenant.cluster],
                "bundles": {"boundaries": ["0x00000000", "0xffffffff"], "numBundles": 1},
                **namespace.policies.show(_shows_effective(request)),
                "deleted": False,
                "encryption_required": False,
                "schema_compatibility_strategy": "UNDEFINED",
                "schema_validation_enforced": False,
            },
        )

    async def put(self, request: Request) -> Response:
        """Create a namespace; policies in the body are overridden by Astra's own."""
        tenant = _administer_tenant(request)
        if not isinstance(await read_optional_json(request, {}), dict):
            raise Refused(400, "The body must be a JSON object.")
        get_service(request).broker.create_namespace(tenant, request.path_params["namespace"])
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a namespace without topics."""
        tenant = _administer_tenant(request)
        if _is_forced(request):
            raise Refused(405, "Broker doesn't allow forced deletion of namespaces")
        get_service(request).broker.delete_namespace(tenant, request.path_params["namespace"])
        return Response(status_code=204)


class OnePolicy(HTTPEndpoint):
    """/admin/v2/namespaces/{tenant}/{namespace}/{policy}"""

    async def get(self, request: Request) -> Response:
        """Show what is effective, or nothing for what is not set."""
        name = _check_policy(request, {"backlogQuotaMap": "backlogQuota"}, "backlogQuota")
        _tenant, namespace = _administer_namespace(request)
        if namespace.policies.is_set(name) or _shows_effective(request):
            return answer_json(request, namespace.policies.get(name))
        if name == "backlogQuota":
            return answer_json(request, {})
        return Response(status_code=204 if _settings(request).policies_unset == "204" else 200)

    async def post(self, request: Request) -> Response:
        """Set a policy."""
        name = _check_policy(request, {}, "backlogQuotaMap")
        _tenant, namespace = _administer_namespace(request)
        namespace.policies.set(name, await read_json(request), _quota_type(request))
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Let a policy have its default again."""
        name = _check_policy(request, {}, "backlogQuotaMap")
        _tenant, namespace = _administer_namespace(request)
        namespace.policies.remove(name, _quota_type(request))
        return Response(status_code=204)


def _check_policy(request: Request, names: dict[str, str], refused: str) -> str:
    """Return the policy's name; that of the backlog quota differs from method to method."""
    asked = request.path_params["policy"]
    name = names.get(asked, asked)
    if asked == refused:
        raise Refused(405, "HTTP 405 Method Not Allowed")
    if name not in DEFAULTS:
        raise Refused(404, "HTTP 404 Not Found")
    return name


def _quota_type(request: Request) -> str:
    quota_type = request.query_params.get("backlogQuotaType", "destination_storage")
    if quota_type not in ("destination_storage", "message_age"):
        raise Refused(400, "backlogQuotaType must be destination_storage or message_age")
    return quota_type


def _shows_effective(request: Request) -> bool:
    return _settings(request).policies_unset == "effective"


def _settings(request: Request) -> Settings:
    return get_service(request).conditions.settings


def _is_forced(request: Request) -> bool:
    return request.query_params.get("force") == "true"


# --- Permissions of namespaces and topics -----------------------------------------------------------------------------


async def _get_namespace_permissions(request: Request) -> Response:
    _tenant, namespace = _administer_namespace(request)
    return answer_json(request, _show_grants(namespace.permissions))


async def _get_topic_permissions(request: Request) -> Response:
    found = _find_topic(request, "GET_PERMISSION")
    grants = {**found.namespace.permissions}
    for role, actions in found.topics[0].permissions.items():
        grants[role] = grants.get(role, set()) | actions
    return answer_json(request, _show_grants(grants))


class NamespacePermission(HTTPEndpoint):
    """/admin/v2/namespaces/{tenant}/{namespace}/permissions/{role}"""

    async def post(self, request: Request) -> Response:
        """Grant actions on all topics to a role."""
        _tenant, namespace = _administer_namespace(request)
        return await _grant(request, [namespace.permissions])

    async def delete(self, request: Request) -> Response:
        """Take them from it."""
        _tenant, namespace = _administer_namespace(request)
        return _revoke(request, [namespace.permissions])


class TopicPermission(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}/permissions/{role}"""

    async def post(self, request: Request) -> Response:
        """Grant actions on a topic to a role."""
        found = _find_topic(request, "GRANT_PERMISSION")
        return await _grant(request, [topic.permissions for topic in found.topics])

    async def delete(self, request: Request) -> Response:
        """Take them from it."""
        found = _find_topic(request, "REVOKE_PERMISSION")
        return _revoke(request, [topic.permissions for topic in found.topics])


async def _grant(request: Request, places: list[dict[str, set[str]]]) -> Response:
    actions = await read_json(request)
    if not SOME_TEXTS[0](actions) or not set(actions) <= set(_ACTIONS):
        raise Refused(400, f"The body must be a list out of {', '.join(_ACTIONS)}.")
    for grants in places:
        grants[_find_role(request)] = set(actions)
    return Response(status_code=204)


def _revoke(request: Request, places: list[dict[str, set[str]]]) -> Response:
    for grants in places:
        grants.pop(_find_role(request), None)
    return Response(status_code=204)


def _find_role(request: Request) -> str:
    # Pulsar's web server takes a bare semicolon for the end of the name, and roles of Astra have three of them.
    segment = request.scope["raw_path"].decode("latin-1").rsplit("/", 1)[1]
    return unquote(segment.partition(";")[0])


def _show_grants(grants: dict[str, set[str]]) -> dict[str, list[str]]:
    return {role: sorted(actions) for role, actions in grants.items()}


# --- Topics -----------------------------------------------------------------------------------------------------------


async def _list_topics(request: Request) -> Response:
    tenant, namespace = _find_any(request)
    return answer_json(request, list_topics(tenant, namespace))


async def _list_partitioned(request: Request) -> Response:
    tenant, namespace = _find_any(request)
    return answer_json(
        request, [f"persistent://{tenant.name}/{namespace.name}/{each}" for each in namespace.partitioned]
    )


def _find_any(request: Request) -> tuple[BrokerTenant, Namespace]:
    """Return a namespace in which the caller may do something."""
    caller, name = _identify(request), request.path_params["namespace"]
    if not caller.is_admin and not caller.tenant.has_grant(caller.role, name):
        raise Refused(403, f"Unauthorized to validateNamespaceOperation on namespace [{name}]")
    return caller.tenant, get_service(request).broker.find_namespace(caller.tenant, name)


class OneTopic(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}"""

    async def put(self, request: Request) -> Response:
        """Create a topic that is not partitioned, with properties if the body has some."""
        _tenant, namespace = _administer_namespace(request)
        properties = await read_optional_json(request, {})
        if not TEXT_MAP[0](properties):
            raise Refused(400, f"The body must be {TEXT_MAP[1]}.")
        get_service(request).broker.create_topic(namespace, request.path_params["topic"], properties)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a topic that is not partitioned."""
        found = self._find(request)
        if found.is_partitioned:
            raise Refused(409, f"{found.full_name} is a partitioned topic, please call delete-partitioned-topic.")
        return _delete_topic(request, found)

    @staticmethod
    def _find(request: Request) -> Found:
        _administer_namespace(request)
        return _find_topic(request, "DELETE_TOPIC")


class Partitions(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}/partitions"""

    async def get(self, request: Request) -> Response:
        """Tell how many partitions a topic has, 0 when it is not partitioned."""
        found = _look_at(request, "GET_METADATA")
        return answer_json(request, {"partitions": found.namespace.partitioned.get(found.name, 0), "deleted": False})

    async def put(self, request: Request) -> Response:
        """Create a partitioned topic."""
        _tenant, namespace = _administer_namespace(request)
        count = await _read_count(request)
        get_service(request).broker.create_partitioned(namespace, request.path_params["topic"], count)
        return Response(status_code=204)

    async def post(self, request: Request) -> Response:
        """Add partitions."""
        _tenant, namespace = _administer_namespace(request)
        get_service(request).broker.grow(namespace, request.path_params["topic"], await _read_count(request))
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a partitioned topic."""
        found = OneTopic._find(request)
        _need_partitioned(found)
        return _delete_topic(request, found)


async def _read_count(request: Request) -> int:
    count = await read_json(request)
    if not isinstance(count, int) or isinstance(count, bool):
        raise Refused(400, "The body must be a whole number.")
    return count


def _need_partitioned(found: Found) -> None:
    if not found.is_partitioned:
        raise Refused(404, f"Partitioned Topic not found: {found.full_name} has zero partitions")


def _delete_topic(request: Request, found: Found) -> Response:
    busy = any(
        topic.producers or any(each.consumers for each in topic.subscriptions.values()) for topic in found.topics
    )
    if busy and not _is_forced(request):
        raise Refused(412, "Topic has active producers/subscriptions")
    found.namespace.remove(found.name)
    return Response(status_code=204)


class Properties(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}/properties"""

    async def get(self, request: Request) -> Response:
        """Show the properties."""
        return make_untouched(_look_at(request, "GET_METADATA").topics[0].properties)

    async def put(self, request: Request) -> Response:
        """Merge properties into what is there."""
        found = _find_topic(request, "UPDATE_METADATA")
        properties = await read_json(request)
        if not TEXT_MAP[0](properties):
            raise Refused(400, f"The body must be {TEXT_MAP[1]}.")
        for topic in found.topics:
            topic.properties.update(properties)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Remove a property."""
        found = _find_topic(request, "DELETE_METADATA")
        for topic in found.topics:
            topic.properties.pop(request.query_params.get("key", ""), None)
        return Response(status_code=204)


def make_untouched(document: Any) -> Response:
    """Return an answer in JSON with strings that no setting may change."""
    return Response(json.dumps(document), media_type="application/json")


# --- What goes on at a topic ------------------------------------------------------------------------------------------


async def _get_stats(request: Request) -> Response:
    return answer_json(request, _show_stats(request, _look_at(request, "GET_STATS").single()))


async def _get_partitioned_stats(request: Request) -> Response:
    found = _look_at(request, "GET_STATS")
    _need_partitioned(found)
    each = {f"{found.full_name}-partition-{n}": _show_stats(request, t) for n, t in enumerate(found.topics)}
    total = _sum_stats(list(each.values()))
    total["metadata"] = {"partitions": len(each), "deleted": False}
    total["partitions"] = each if request.query_params.get("perPartition", "true") == "true" else {}
    return answer_json(request, total)


def _sum_stats(all_of_them: list[dict]) -> dict:
    total = {
        name: sum(stats[name] for stats in all_of_them)
        for name, value in all_of_them[0].items()
        if isinstance(value, (int, float))
    }
    total["publishers"] = [publisher for stats in all_of_them for publisher in stats["publishers"]]
    total["subscriptions"] = {}
    for stats in all_of_them:
        for name, shown in stats["subscriptions"].items():
            merged = total["subscriptions"].setdefault(
                name, {**shown, "msgBacklog": 0, "backlogSize": 0, "consumers": []}
            )
            merged["msgBacklog"] += shown["msgBacklog"]
            merged["backlogSize"] += shown["backlogSize"]
            merged["consumers"] = [*merged["consumers"], *shown["consumers"]]
    return total


def _show_stats(request: Request, topic: Topic) -> dict:
    clock = get_service(request).conditions.clock
    oldest = min((each.position for each in topic.subscriptions.values()), default=topic.end)
    return {
        "msgRateIn": 0.0,
        "msgThroughputIn": 0.0,
        "msgRateOut": 0.0,
        "msgThroughputOut": 0.0,
        "bytesInCounter": topic.bytes_in,
        "msgInCounter": topic.end,
        "bytesOutCounter": 0,
        "msgOutCounter": 0,
        "averageMsgSize": 0.0,
        "msgChunkPublished": False,
        "storageSize": topic.size_from(topic.first),
        "backlogSize": topic.size_from(oldest),
        "publishRateLimitedTimes": 0,
        "publishers": [
            {
                "accessMode": "Shared",
                "producerName": producer.name,
                "producerId": number,
                "msgRateIn": 0.0,
                "msgThroughputIn": 0.0,
                "averageMsgSize": 0.0,
                "supportsPartialProducer": False,
                "address": "/127.0.0.1:50000",
                "connectedSince": clock.text(producer.connected_at),
                "metadata": {},
            }
            for number, producer in enumerate(topic.producers.values())
        ],
        "waitingPublishers": 0,
        "subscriptions": {name: _show_subscription(request, topic, each) for name, each in topic.subscriptions.items()},
        "replication": {},
        "deduplicationStatus": "Disabled",
        "nonContiguousDeletedMessagesRanges": 0,
    }


def _show_subscription(request: Request, topic: Topic, subscription: Subscription) -> dict:
    clock = get_service(request).conditions.clock
    return {
        "msgRateOut": 0.0,
        "msgBacklog": topic.end - subscription.position,
        "backlogSize": topic.size_from(subscription.position),
        "blockedSubscriptionOnUnackedMsgs": False,
        "unackedMessages": 0,
        "type": "Shared",
        "msgRateExpired": 0.0,
        "lastConsumedTimestamp": int(subscription.active_at * 1000) if subscription.consumers else 0,
        "consumers": [
            {
                "consumerName": consumer.name,
                "availablePermits": 1000,
                "unackedMessages": 0,
                "address": "/127.0.0.1:50001",
                "connectedSince": clock.text(consumer.connected_at),
                "metadata": {},
            }
            for consumer in subscription.consumers.values()
        ],
        "isDurable": True,
        "isReplicated": False,
    }


async def _get_internal_stats(request: Request) -> Response:
    found = _look_at(request, "GET_STATS")
    topic = found.single()
    clock = get_service(request).conditions.clock
    last = f"{topic.ledger}:{topic.end - 1}"
    return answer_json(
        request,
        {
            "entriesAddedCounter": topic.end,
            "numberOfEntries": len(topic.entries),
            "totalSize": topic.size_from(topic.first),
            "currentLedgerEntries": len(topic.entries),
            "currentLedgerSize": topic.size_from(topic.first),
            "lastLedgerCreatedTimestamp": clock.text(topic.created_at),
            "waitingCursorsCount": 0,
            "pendingAddEntriesCount": 0,
            "lastConfirmedEntry": last,
            "state": "LedgerOpened",
            "ledgers": [
                {"ledgerId": topic.ledger, "entries": 0, "size": 0, "offloaded": False, "underReplicated": False}
            ],
            "cursors": {
                name: {
                    "markDeletePosition": f"{topic.ledger}:{subscription.position - 1}",
                    "readPosition": f"{topic.ledger}:{subscription.position}",
                    "messagesConsumedCounter": subscription.position,
                    "active": bool(subscription.consumers),
                    "state": "Open",
                }
                for name, subscription in topic.subscriptions.items()
            },
            "schemaLedgers": [],
            "compactedLedger": {
                "ledgerId": -1,
                "entries": -1,
                "size": -1,
                "offloaded": False,
                "underReplicated": False,
            },
        },
    )


async def _get_last_message_id(request: Request) -> Response:
    topic = _find_topic(request, "PEEK_MESSAGES", "consume").single()
    return answer_json(request, {"ledgerId": topic.ledger, "entryId": topic.end - 1, "partitionIndex": -1})


async def _examine_message(request: Request) -> Response:
    found = _find_topic(request, "PEEK_MESSAGES", "consume")
    if found.is_partitioned:
        raise Refused(
            405,
            "Examine messages on a partitioned topic is not allowed, try it on a partition",
        )
    position = _read_position(request.query_params.get("messagePosition", "1"))
    topic = found.single()
    if not topic.entries:
        raise Refused(412, "Could not examine messages due to the total message is zero")
    count = len(topic.entries)
    is_earliest = request.query_params.get("initialPosition") == "earliest"
    index = min(position, count) - 1 if is_earliest else max(count - position, 0)
    return _show_entry(request, topic, topic.first + index)


async def _peek(request: Request) -> Response:
    found = _find_topic(request, "PEEK_MESSAGES", "consume")
    if found.is_partitioned:
        raise Refused(405, "Peek messages on a partitioned topic is not allowed")
    topic = found.single()
    subscription = found.find_subscription(topic, request.path_params["subscription"])
    number = subscription.position + _read_position(request.path_params["position"]) - 1
    if number >= topic.end:
        raise Refused(404, "Message not found")
    return _show_entry(request, topic, number)


def _read_position(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise Refused(412, "Message position must be a number above 0")
    return int(text)


def _show_entry(request: Request, topic: Topic, number: int) -> Response:
    entry: Entry = topic.entries[number - topic.first]
    headers = {
        "X-Pulsar-Message-ID": f"{topic.ledger}:{number}",
        "X-Pulsar-producer-name": entry.producer,
        "X-Pulsar-sequence-id": str(number),
        "X-Pulsar-publish-time": get_service(request).conditions.clock.text(entry.published_at),
        **{f"X-Pulsar-PROPERTY-{name}": value for name, value in entry.properties.items()},
    }
    return Response(entry.payload, headers=headers, media_type="application/octet-stream")


# --- Subscriptions ----------------------------------------------------------------------------------------------------


async def _list_subscriptions(request: Request) -> Response:
    found = _find_topic(request, "GET_SUBSCRIPTIONS", "consume")
    return answer_json(request, list(dict.fromkeys(name for topic in found.topics for name in topic.subscriptions)))


class OneSubscription(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}/subscription/{subscription}"""

    async def put(self, request: Request) -> Response:
        """Create a subscription, on every partition; without a body, or with another one than a word, at the end."""
        found = _find_topic(request, "SUBSCRIBE", "consume")
        service, name = get_service(request), request.path_params["subscription"]
        position = await read_optional_json(request, "latest")
        if not isinstance(position, dict) and position not in ("earliest", "latest"):
            raise Refused(400, "The body must be earliest, latest or a message id.")
        if all(name in topic.subscriptions for topic in found.topics):
            if _settings(request).subscription_exists == "204":
                return Response(status_code=204)
            raise Refused(409, "Subscription already exists for topic")
        for topic in found.topics:
            if len(topic.subscriptions) >= _settings(request).subscription_limit:
                raise Refused(412, f"Exceed the maximum number of subscriptions of the topic: {found.full_name}")
        for topic in found.topics:
            if name not in topic.subscriptions:
                topic.subscribe(name, position == "earliest", service.conditions.clock.now())
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a subscription without consumers."""
        found = _find_topic(request, "UNSUBSCRIBE", "consume")
        name, now = request.path_params["subscription"], get_service(request).conditions.clock.now()
        for topic in found.topics:
            if found.find_subscription(topic, name).consumers and not _is_forced(request):
                raise Refused(412, "Subscription has active connected consumers")
        for topic in found.topics:
            topic.unsubscribe(name, now)
        return Response(status_code=204)


async def _skip_all(request: Request) -> Response:
    found = _find_topic(request, "SKIP", "consume")
    now = get_service(request).conditions.clock.now()
    for topic in found.topics:
        topic.consume(found.find_subscription(topic, request.path_params["subscription"]), None, now)
    return Response(status_code=204)


# --- Lookup, schemas, Astra's own statistics --------------------------------------------------------------------------


async def _look_up(request: Request) -> Response:
    found = _look_at(request, "LOOKUP")
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
    _look_at(request, "GET_METADATA")
    raise Refused(404, "Schema not found")


async def _get_topic_usage(request: Request) -> Response:
    tenant = _administer_tenant(request)
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


# --- Sinks ------------------------------------------------------------------------------------------------------------


async def _list_builtin(request: Request) -> Response:
    service = get_service(request)
    authorization = get_authorization(request)
    if not service.read_pulsar_token(authorization) and not service.access.find_token(authorization):
        raise NotAuthenticated
    _find_cluster(request)
    return answer_json(
        request,
        [
            {"name": name, "description": connector.description, "sinkClass": connector.sink_class}
            for name, connector in CONNECTORS.items()
        ],
    )


async def _list_sinks(request: Request) -> Response:
    tenant, namespace = _administer_tenant(request), request.path_params["namespace"]
    get_service(request).broker.find_namespace(tenant, namespace)
    return answer_json(request, [name for in_namespace, name in tenant.sinks if in_namespace == namespace])


class OneSink(HTTPEndpoint):
    """/admin/v3/sinks/{tenant}/{namespace}/{sink}: Pulsar's own form"""

    deleted = 204

    async def get(self, request: Request) -> Response:
        """Show the configuration."""
        self._check(request)
        settings = _settings(request)
        shown = _find_sink(request).show(settings.sink_secrets == "shown", settings.numbers_as_strings)
        return answer_json(request, shown)

    async def post(self, request: Request) -> Response:
        """Create a sink."""
        self._check(request, ORGANIZATION_HEADER)
        tenant = _administer_tenant(request)
        names = request.path_params["namespace"], request.path_params["sink"]
        config = _check_config(request, await self._read(request), ("archive",))
        get_service(request).broker.create_sink(tenant, *names, config)
        return Response(status_code=204)

    async def put(self, request: Request) -> Response:
        """Change a sink."""
        self._check(request, ORGANIZATION_HEADER)
        tenant = _administer_tenant(request)
        names = request.path_params["namespace"], request.path_params["sink"]
        config = _check_config(request, await self._read(request), ())
        get_service(request).broker.update_sink(tenant, *names, config)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a sink."""
        self._check(request, ORGANIZATION_HEADER)
        tenant = _administer_tenant(request)
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
    tenant = _administer_tenant(request)
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
    tenant, sink, broker = _administer_tenant(request), _find_sink(request), get_service(request).broker
    command = request.path_params["command"]
    if command not in ("start", "stop", "restart"):
        raise Refused(404, "HTTP 404 Not Found")
    if command != "start":
        broker.stop_sink(tenant, sink)
    if command != "stop":
        broker.start_sink(tenant, sink)
    return Response(status_code=204)


async def _refuse_rest(request: Request) -> Response:
    """Refuse what Astra does not let through, such as the administration of clusters, tenants and brokers."""
    service = get_service(request)
    authorization = get_authorization(request)
    if not service.read_pulsar_token(authorization) and not service.access.find_token(authorization):
        raise NotAuthenticated
    if request.path_params["kind"] in ("clusters", "tenants", "brokers", "broker-stats", "bookies", "worker"):
        raise Refused(401, "Unauthorized: this command is not supported")
    raise Refused(404, "HTTP 404 Not Found")


_NAMESPACE = "/admin/v2/namespaces/{tenant}/{namespace}"
_TOPICS = "/admin/v2/persistent/{tenant}/{namespace}"
_TOPIC = f"{_TOPICS}/{{topic}}"
_SUBSCRIPTION = f"{_TOPIC}/subscription/{{subscription:path}}"
_SINKS = "/admin/v3/sinks/{tenant}/{namespace}"

ROUTES = [
    Route("/admin/v2/namespaces/{tenant}", _list_namespaces),
    Route(_NAMESPACE, OneNamespace),
    Route(f"{_NAMESPACE}/permissions", _get_namespace_permissions),
    Route(f"{_NAMESPACE}/permissions/{{role}}", NamespacePermission),
    Route(f"{_NAMESPACE}/{{policy}}", OnePolicy),
    Route(_TOPICS, _list_topics),
    Route(f"{_TOPICS}/", _list_topics),
    Route(f"{_TOPICS}/partitioned", _list_partitioned),
    Route(_TOPIC, OneTopic),
    Route(f"{_TOPIC}/partitions", Partitions),
    Route(f"{_TOPIC}/properties", Properties),
    Route(f"{_TOPIC}/permissions", _get_topic_permissions),
    Route(f"{_TOPIC}/permissions/{{role}}", TopicPermission),
    Route(f"{_TOPIC}/stats", _get_stats),
    Route(f"{_TOPIC}/partitioned-stats", _get_partitioned_stats),
    Route(f"{_TOPIC}/internalStats", _get_internal_stats),
    Route(f"{_TOPIC}/lastMessageId", _get_last_message_id),
    Route(f"{_TOPIC}/examinemessage", _examine_message),
    Route(f"{_TOPIC}/subscriptions", _list_subscriptions),
    Route(f"{_SUBSCRIPTION}/position/{{position}}", _peek),
    Route(f"{_SUBSCRIPTION}/skip_all", _skip_all, methods=["POST"]),
    Route(_SUBSCRIPTION, OneSubscription),
    Route("/admin/v2/schemas/{tenant}/{namespace}/{topic}/schema", _get_schema),
    Route("/admin/v2/stats/topics/{tenant}", _get_topic_usage),
    Route("/admin/v2/stats/topics/{tenant}/{namespace}", _get_topic_usage),
    Route("/lookup/v2/topic/persistent/{tenant}/{namespace}/{topic}", _look_up),
    Route("/admin/v3/sinks/builtinsinks", _list_builtin),
    Route(_SINKS, _list_sinks),
    Route(f"{_SINKS}/{{sink}}", OneSink),
    Route(f"{_SINKS}/{{sink}}/status", _get_sink_status),
    Route(f"{_SINKS}/{{sink}}/{{instance}}/status", _get_instance_status),
    Route(f"{_SINKS}/{{sink}}/{{command}}", _command_sink, methods=["POST"]),
    Route("/admin/v3/astrasinks/{tenant}/{namespace}/{sink}", OneAstraSink),
    Route("/admin/{version}/{kind}", _refuse_rest, methods=["GET", "POST", "PUT", "DELETE"]),
    Route("/admin/{version}/{kind}/{rest:path}", _refuse_rest, methods=["GET", "POST", "PUT", "DELETE"]),
]
