# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Pulsar's admin API tells about a topic: who produces and reads, what has arrived, and which policies hold.

Nothing here changes the topic or leaves a trace at it: all requests are GETs, and none makes a subscription. How much
is told depends on the token, so every answer is a ``Reading``, which says why there is nothing where that is so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple
from urllib.parse import quote

from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError

# Sends a GET with a credential to a path; returns status, headers and body, or raises an AstraError without an answer.
Get = Callable[[str], "tuple[int, Mapping[str, str], bytes]"]

_EXAMINED_LIMIT = 50  # messages that are looked into each time
_POSITION = re.compile(r"(-?\d+):(-?\d+)")

NO_RIGHT = "the token has no right to see it"


class Reading(NamedTuple):
    """The answer to one question.

    :ivar value: what was read; None may be an answer too.
    :ivar problem: why nothing was read, as the end of a sentence; empty when it was.
    """

    value: Any = None
    problem: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there was an answer."""
        return not self.problem


class LastMessage(NamedTuple):
    """The newest message that is stored at a topic, or at the partition of a topic.

    :ivar published_at: when, RFC 3339 in UTC; None when the broker does not say.
    """

    message_id: str
    published_at: str | None


class Publisher(NamedTuple):
    """A producer that is connected.

    :ivar since: when it connected, RFC 3339 in UTC; empty when the broker does not say.
    """

    name: str
    since: str


class SubscriptionStats(NamedTuple):
    """A subscription of a partition.

    :ivar backlog: how many messages were not acknowledged.
    :ivar consumers: how many are connected.
    :ivar unread_since: when the oldest of these messages was published, in seconds since the epoch; None when there is
        none, or the broker does not say.
    """

    is_durable: bool
    backlog: int
    consumers: int
    unread_since: float | None


class PartitionStats(NamedTuple):
    """Who uses a partition, or a topic that has none.

    :ivar backlog_size: bytes of the largest backlog.
    """

    publishers: tuple[Publisher, ...]
    subscriptions: Mapping[str, SubscriptionStats]
    backlog_size: int


class PartitionStore(NamedTuple):
    """What a partition stores, or a topic that has none. An entry holds a message, or a batch of them.

    :ivar added: how many entries came since the broker loaded it.
    :ivar stored: how many are there.
    :ivar last_entry: number of the last one in its ledger; -1 when there is none.
    """

    added: int
    stored: int
    last_entry: int


class InactiveTopics(NamedTuple):
    """What happens to a topic that nobody uses.

    :ivar mode: ``delete_when_no_subscriptions`` or ``delete_when_subscriptions_caught_up``.
    :ivar after: seconds.
    """

    are_deleted: bool
    mode: str
    after: int


class Retention(NamedTuple):
    """How long messages are kept that no subscription holds: until one limit is reached. -1 means without a limit."""

    minutes: int
    megabytes: int


class Quota(NamedTuple):
    """How much a backlog may hold. Not above 0 means without a limit.

    :ivar size: bytes.
    :ivar time: seconds.
    :ivar policy: of ``size``; ``producer_exception``, ``producer_request_hold`` or ``consumer_backlog_eviction``.
    :ivar time_policy: the same of ``time``.
    """

    size: int
    policy: str
    time: int
    time_policy: str


class TopicFacts(NamedTuple):
    """What is known of a topic, as Readings.

    :ivar stats: a tuple of PartitionStats; just one for a topic without partitions.
    :ivar stores: a tuple of PartitionStore.
    :ivar last_message: a LastMessage, or None where none is stored.
    :ivar inactive_topics: an InactiveTopics, the effective policy.
    :ivar retention: a Retention, the effective policy.
    :ivar backlog_quota: a Quota, the effective policy.
    :ivar max_producers: the effective limit; 0 for none.
    :ivar message_ttl: the effective policy in seconds; 0 for none.
    :ivar subscription_expiration: the namespace's policy in minutes; 0 for none.
    """

    stats: Reading
    stores: Reading
    last_message: Reading
    inactive_topics: Reading
    retention: Reading
    backlog_quota: Reading
    max_producers: Reading
    message_ttl: Reading
    subscription_expiration: Reading


def make_unread_facts(problem: str) -> TopicFacts:
    """Return the facts when nothing could be asked.

    :arg problem: why, as the end of a sentence.
    """
    return TopicFacts(*[Reading(problem=problem)] * len(TopicFacts._fields))


def read_topic(get: Get, topic: str, partitions: int | None = None) -> TopicFacts:
    """Ask for all that concerns a topic, in 9 requests; one more for each further partition.

    :arg topic: full name, ``persistent://tenant/namespace/topic``.
    :arg partitions: how many it has, if that is known already.
    """
    path = _path(topic)
    if partitions is None:
        count = _count_partitions(get, path)
        if not count.is_known:
            return make_unread_facts(count.problem)
        partitions = int(count.value)
    policies = _read_document(get, path.rpartition("/")[0].replace("/persistent/", "/namespaces/"))

    def read_policy(name: str, key: str, parse: Callable[[Any], Any]) -> Reading:
        return _parse(_read_policy(get, f"{path}/{name}", policies, key), parse)

    return TopicFacts(
        # How old the oldest unread message is, a broker says only when it is asked to look.
        _read_partitions(get, path, partitions, "stats?getEarliestTimeInBacklog=true", _parse_stats),
        _read_partitions(get, path, partitions, "internalStats", _parse_store),
        _read_last_message(get, path, partitions),
        read_policy("inactiveTopicPolicies", "inactive_topic_policies", _parse_inactive_topics),
        read_policy("retention", "retention_policies", _parse_retention),
        read_policy("backlogQuotaMap", "backlog_quota_map", _parse_quota),
        read_policy("maxProducers", "max_producers_per_topic", _number),
        read_policy("messageTTL", "message_ttl_in_seconds", _number),
        _parse(_pick(policies, "subscription_expiration_time_minutes"), _number),
    )


class Watch:
    """Looks for a message that arrives at a topic from now on.

    :arg get: asks the admin API.
    :arg topic: full name.
    :ivar problem: why it cannot be watched, as the end of a sentence; empty when it can.
    :ivar is_readable: whether messages can be looked into. Otherwise any message that arrives is taken.
    """

    def __init__(self, get: Get, topic: str) -> None:
        self._get = get
        path = _path(topic)
        count = _count_partitions(get, path)
        self.problem = count.problem
        self.is_readable = True
        self._positions: dict[str, tuple[int, int]] = {}
        for name in _name_partitions(path, count.value or 0) if count.is_known else ():
            position = self._read_position(name)
            if position is None:
                self.problem = self.problem or "the admin API does not show what arrives at the topic"
            else:
                self._positions[name] = position

    def find(self, word: str) -> str | None:
        """Return the id of a message that has arrived and holds this word, or None.

        Messages of producers that compress or encrypt cannot be recognised. Where messages cannot be looked into, the
        position of any new one is returned.
        """
        for name, before in self._positions.items():
            position = self._read_position(name)
            if position is None or position <= before:
                continue
            found = self._examine(name, before, word.encode()) if self.is_readable else None
            if not self.is_readable:
                return f"{position[0]}:{position[1]}"
            if found:
                return found
            self._positions[name] = position
        return None

    def _read_position(self, name: str) -> tuple[int, int] | None:
        internal = _read_document(self._get, f"{name}/internalStats")
        return _parse_position(internal.value.get("lastConfirmedEntry")) if internal.is_known else None

    def _examine(self, name: str, before: tuple[int, int], word: bytes) -> str | None:
        """Look into the messages after a position, from the newest to the oldest."""
        last = ""
        for number in range(1, _EXAMINED_LIMIT + 1):
            answer = _ask(self._get, f"{name}/examinemessage?initialPosition=latest&messagePosition={number}")
            if isinstance(answer, str):
                return None
            status, headers, body = answer
            if status in (401, 403):
                self.is_readable = False
                return None
            message_id = _read_headers(headers).get("x-pulsar-message-id", "")
            position = _parse_position(":".join(message_id.split(":")[:2]))
            # What is asked for beyond the oldest message is answered with that one again.
            if status != 200 or position is None or position <= before or message_id == last:
                return None
            if word in body:
                return message_id
            last = message_id
        return None


def _path(topic: str) -> str:
    return f"/admin/v2/persistent/{'/'.join(quote(part, safe='') for part in topic.partition('://')[2].split('/', 2))}"


def _name_partitions(path: str, partitions: int) -> list[str]:
    return [f"{path}-partition-{number}" for number in range(partitions)] or [path]


def _count_partitions(get: Get, path: str) -> Reading:
    metadata = _read_document(get, f"{path}/partitions")
    return Reading(_number(metadata.value.get("partitions"))) if metadata.is_known else metadata


def _parse_position(text: object) -> tuple[int, int] | None:
    """Return ledger and entry of a position such as ``3:-1``."""
    match = _POSITION.fullmatch(str(text))
    return (int(match.group(1)), int(match.group(2))) if match else None


def _read_partitions(get: Get, path: str, partitions: int, page: str, parse: Callable[[Any], Any]) -> Reading:
    if not partitions:
        return _parse(_read_document(get, f"{path}/{page}"), lambda part: (parse(part),))
    # The same with another name: partitioned-stats, partitioned-internalStats.
    reading = _read_document(get, f"{path}/partitioned-{page}")
    if not reading.is_known:
        return reading
    parts = tuple(parse(part) for part in _mapping(reading.value.get("partitions")).values())
    # What is left out would be taken for a partition that has whatever all others have.
    if len(parts) != partitions:
        return Reading(problem=f"the admin API shows {len(parts)} of {partitions} partitions")
    return Reading(parts)


def _parse(reading: Reading, parse: Callable[[Any], Any]) -> Reading:
    return Reading(parse(reading.value)) if reading.is_known else reading


def _parse_stats(part: object) -> PartitionStats:
    stats = _mapping(part)
    publishers = [_mapping(publisher) for publisher in _list(stats.get("publishers"))]
    return PartitionStats(
        tuple(Publisher(_text(each.get("producerName")), _text(each.get("connectedSince"))) for each in publishers),
        {name: _parse_subscription(each) for name, each in _mapping(stats.get("subscriptions")).items()},
        _number(stats.get("backlogSize")),
    )


def _parse_subscription(value: object) -> SubscriptionStats:
    stats = _mapping(value)
    backlog, published = _number(stats.get("msgBacklog")), _number(stats.get("earliestMsgPublishTimeInBacklog"))
    return SubscriptionStats(
        # Before Pulsar 2.11 it has the second name.
        is_durable=stats.get("isDurable", stats.get("durable")) is True,
        backlog=backlog,
        consumers=len(_list(stats.get("consumers"))),
        unread_since=published / 1000 if backlog and published > 0 else None,
    )


def _parse_store(part: object) -> PartitionStore:
    store = _mapping(part)
    position = _parse_position(store.get("lastConfirmedEntry"))
    added, stored = _number(store.get("entriesAddedCounter")), _number(store.get("numberOfEntries"))
    return PartitionStore(added, stored, position[1] if position else -1)


def _parse_inactive_topics(value: object) -> InactiveTopics:
    policy = _mapping(value)
    return InactiveTopics(
        # What cannot be read is not taken for safe.
        policy.get("deleteWhileInactive") is not False,
        _text(policy.get("inactiveTopicDeleteMode")),
        _number(policy.get("maxInactiveDurationSeconds")),
    )


def _parse_retention(value: object) -> Retention:
    policy = _mapping(value)
    return Retention(_number(policy.get("retentionTimeInMinutes")), _number(policy.get("retentionSizeInMB")))


def _parse_quota(value: object) -> Quota:
    quotas = _mapping(value)
    size, age = _mapping(quotas.get("destination_storage")), _mapping(quotas.get("message_age"))
    return Quota(
        # Before Pulsar 2.11 it has the second name.
        _number(size.get("limitSize", size.get("limit"))),
        _text(size.get("policy")),
        _number(age.get("limitTime")),
        _text(age.get("policy")),
    )


def _read_last_message(get: Get, path: str, partitions: int) -> Reading:
    """Return the newest message of all partitions."""
    newest: LastMessage | None = None
    for name in _name_partitions(path, partitions):
        reading = _examine_newest(get, name)
        if not reading.is_known:
            return reading
        found = reading.value
        if found and (newest is None or (found.published_at or "") > (newest.published_at or "")):
            newest = found
    return Reading(newest)


def _examine_newest(get: Get, path: str) -> Reading:
    answer = _ask(get, f"{path}/examinemessage?initialPosition=latest&messagePosition=1")
    if isinstance(answer, str):
        return Reading(problem=answer)
    status, headers, body = answer
    if status == 200:
        known = _read_headers(headers)
        return Reading(LastMessage(known.get("x-pulsar-message-id", ""), known.get("x-pulsar-publish-time")))
    if status == 412 and b"message is zero" in body:
        return Reading(None)
    return Reading(problem=_explain(status, body))


def _read_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _read_policy(get: Get, path: str, policies: Reading, key: str) -> Reading:
    """Return the policy that holds for the topic, or else the namespace's where that sets one.

    What neither topic nor namespace sets is the broker's own, which only the first of the two requests tells.
    """
    effective = _read_json(get, f"{path}?applied=true")
    if effective.is_known and effective.value is not None:
        return effective
    of_namespace = _pick(policies, key)
    if of_namespace.is_known and of_namespace.value not in (None, {}):
        return of_namespace
    return Reading(problem=effective.problem or of_namespace.problem or "the broker's default is not shown")


def _pick(document: Reading, key: str) -> Reading:
    return Reading(document.value.get(key)) if document.is_known else document


def _read_document(get: Get, path: str) -> Reading:
    reading = _read_json(get, path)
    if reading.is_known and not isinstance(reading.value, Mapping):
        return Reading(problem="the admin API gives no answer that can be read")
    return reading


def _read_json(get: Get, path: str) -> Reading:
    answer = _ask(get, path)
    if isinstance(answer, str):
        return Reading(problem=answer)
    status, _headers, body = answer
    if status == 204 or (status == 200 and not body.strip()):
        return Reading(None)
    if status != 200:
        return Reading(problem=_explain(status, body))
    try:
        return Reading(json.loads(body))
    except (ValueError, RecursionError):
        return Reading(problem="the admin API gives no answer that can be read")


def _ask(get: Get, path: str) -> tuple[int, Mapping[str, str], bytes] | str:
    """Return an answer, or why there was none."""
    try:
        return get(path)
    except AstraError as error:
        return f"the admin API cannot be asked: {error.message.rstrip('.')}"


def _explain(status: int, body: bytes) -> str:
    """Return what a status means.

    401 means two things: with a ``reason`` it is Pulsar's word for a right that is missing; without one, a page of the
    web server in HTML or in JSON as it was asked for, it is that the token is not accepted. The same goes for 404.
    """
    try:
        has_reason = bool(_mapping(json.loads(body)).get("reason"))
    except (ValueError, RecursionError):
        has_reason = False
    if status == 403 or (status == 401 and has_reason):
        return NO_RIGHT
    if status == 401:
        return "the admin API does not accept the token"
    if status == 404 and has_reason:
        return "the admin API knows no such topic"
    return f"the admin API answers {status}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
