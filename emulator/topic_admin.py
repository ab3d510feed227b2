# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of Pulsar's admin API for topics, their messages and their subscriptions."""

from __future__ import annotations

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.broker import list_topics
from emulator.callers import Found, administer_namespace, find_topic, look_at, use_namespace
from emulator.contract import TEXT_MAP
from emulator.refused import Refused
from emulator.requests import answer_json, get_service, get_settings, is_forced, read_json, read_optional_json
from emulator.topic import Entry, Topic
from emulator.wire import make_json_response


async def _list_topics(request: Request) -> Response:
    tenant, namespace = use_namespace(request)
    return answer_json(request, list_topics(tenant, namespace))


async def _list_partitioned(request: Request) -> Response:
    tenant, namespace = use_namespace(request)
    return answer_json(
        request, [f"persistent://{tenant.name}/{namespace.name}/{each}" for each in namespace.partitioned]
    )


class OneTopic(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}"""

    async def put(self, request: Request) -> Response:
        """Create a topic that is not partitioned, with properties if the body has some."""
        _tenant, namespace = administer_namespace(request)
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
        administer_namespace(request)
        return find_topic(request, "DELETE_TOPIC")


class Partitions(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}/partitions"""

    async def get(self, request: Request) -> Response:
        """Tell how many partitions a topic has, 0 when it is not partitioned."""
        found = look_at(request, "GET_METADATA")
        return answer_json(request, {"partitions": found.namespace.partitioned.get(found.name, 0), "deleted": False})

    async def put(self, request: Request) -> Response:
        """Create a partitioned topic."""
        _tenant, namespace = administer_namespace(request)
        count = await _read_count(request)
        get_service(request).broker.create_partitioned(namespace, request.path_params["topic"], count)
        return Response(status_code=204)

    async def post(self, request: Request) -> Response:
        """Add partitions."""
        _tenant, namespace = administer_namespace(request)
        get_service(request).broker.grow(namespace, request.path_params["topic"], await _read_count(request))
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a partitioned topic."""
        found = OneTopic._find(request)
        found.need_partitions()
        return _delete_topic(request, found)


async def _read_count(request: Request) -> int:
    count = await read_json(request)
    if not isinstance(count, int) or isinstance(count, bool):
        raise Refused(400, "The body must be a whole number.")
    return count


def _delete_topic(request: Request, found: Found) -> Response:
    busy = any(
        topic.producers or any(each.consumers for each in topic.subscriptions.values()) for topic in found.topics
    )
    if busy and not is_forced(request):
        raise Refused(412, "Topic has active producers/subscriptions")
    found.namespace.remove(found.name)
    return Response(status_code=204)


class Properties(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}/properties"""

    async def get(self, request: Request) -> Response:
        """Show the properties."""
        return make_json_response(look_at(request, "GET_METADATA").topics[0].properties)

    async def put(self, request: Request) -> Response:
        """Merge properties into what is there."""
        found = find_topic(request, "UPDATE_METADATA")
        properties = await read_json(request)
        if not TEXT_MAP[0](properties):
            raise Refused(400, f"The body must be {TEXT_MAP[1]}.")
        for topic in found.topics:
            topic.properties.update(properties)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Remove a property."""
        found = find_topic(request, "DELETE_METADATA")
        for topic in found.topics:
            topic.properties.pop(request.query_params.get("key", ""), None)
        return Response(status_code=204)


async def _get_last_message_id(request: Request) -> Response:
    topic = find_topic(request, "PEEK_MESSAGES", "consume").single()
    return answer_json(request, {"ledgerId": topic.ledger, "entryId": topic.end - 1, "partitionIndex": -1})


async def _examine_message(request: Request) -> Response:
    found = find_topic(request, "PEEK_MESSAGES", "consume")
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
    found = find_topic(request, "PEEK_MESSAGES", "consume")
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


async def _list_subscriptions(request: Request) -> Response:
    found = find_topic(request, "GET_SUBSCRIPTIONS", "consume")
    return answer_json(request, list(dict.fromkeys(name for topic in found.topics for name in topic.subscriptions)))


class OneSubscription(HTTPEndpoint):
    """/admin/v2/persistent/{tenant}/{namespace}/{topic}/subscription/{subscription}"""

    async def put(self, request: Request) -> Response:
        """Create a subscription, on every partition; without a body, or with another one than a word, at the end."""
        found = find_topic(request, "SUBSCRIBE", "consume")
        service, name = get_service(request), request.path_params["subscription"]
        position = await read_optional_json(request, "latest")
        if not isinstance(position, dict) and position not in ("earliest", "latest"):
            raise Refused(400, "The body must be earliest, latest or a message id.")
        if all(name in topic.subscriptions for topic in found.topics):
            if get_settings(request).subscription_exists == "204":
                return Response(status_code=204)
            raise Refused(409, "Subscription already exists for topic")
        for topic in found.topics:
            if len(topic.subscriptions) >= get_settings(request).subscription_limit:
                raise Refused(412, f"Exceed the maximum number of subscriptions of the topic: {found.full_name}")
        for topic in found.topics:
            if name not in topic.subscriptions:
                topic.subscribe(name, position == "earliest", service.conditions.clock.now())
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Delete a subscription without consumers."""
        found = find_topic(request, "UNSUBSCRIBE", "consume")
        name, now = request.path_params["subscription"], get_service(request).conditions.clock.now()
        for topic in found.topics:
            if found.find_subscription(topic, name).consumers and not is_forced(request):
                raise Refused(412, "Subscription has active connected consumers")
        for topic in found.topics:
            topic.unsubscribe(name, now)
        return Response(status_code=204)


async def _skip_all(request: Request) -> Response:
    found = find_topic(request, "SKIP", "consume")
    now = get_service(request).conditions.clock.now()
    for topic in found.topics:
        topic.consume(found.find_subscription(topic, request.path_params["subscription"]), None, now)
    return Response(status_code=204)


_TOPICS = "/admin/v2/persistent/{tenant}/{namespace}"
_TOPIC = f"{_TOPICS}/{{topic}}"
_SUBSCRIPTION = f"{_TOPIC}/subscription/{{subscription:path}}"

ROUTES = [
    Route(_TOPICS, _list_topics),
    Route(f"{_TOPICS}/", _list_topics),
    Route(f"{_TOPICS}/partitioned", _list_partitioned),
    Route(_TOPIC, OneTopic),
    Route(f"{_TOPIC}/partitions", Partitions),
    Route(f"{_TOPIC}/properties", Properties),
    Route(f"{_TOPIC}/lastMessageId", _get_last_message_id),
    Route(f"{_TOPIC}/examinemessage", _examine_message),
    Route(f"{_TOPIC}/subscriptions", _list_subscriptions),
    Route(f"{_SUBSCRIPTION}/position/{{position}}", _peek),
    Route(f"{_SUBSCRIPTION}/skip_all", _skip_all, methods=["POST"]),
    Route(_SUBSCRIPTION, OneSubscription),
]
