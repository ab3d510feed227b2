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


class TopicFacts(NamedTuple):
    """What is known of a topic.

    :ivar stats: statistics of its partitions, or of the topic itself as the only element; ``publishers``,
        ``subscriptions`` and others, as Pulsar names them.
    :ivar internal: the same for what is stored: ``entriesAddedCounter``, ``lastConfirmedEntry``, ``numberOfEntries``.
    :ivar last_message: a LastMessage, or None where none is stored.
    :ivar inactive_topics: the effective policy, with ``deleteWhileInactive``, ``inactiveTopicDeleteMode`` and
        ``maxInactiveDurationSeconds``.
    :ivar retention: the effective policy, with ``retentionTimeInMinutes`` and ``retentionSizeInMB``.
    :ivar backlog_quotas: the effective policies by type, ``destination_storage`` and ``message_age``.
    :ivar max_producers: the effective limit; 0 for none.
    :ivar message_ttl: the effective policy in seconds; 0 or None for none.
    :ivar subscription_expiration: the namespace's policy in minutes; 0 or None for none.
    """

    stats: Reading
    internal: Reading
    last_message: Reading
    inactive_topics: Reading
    retention: Reading
    backlog_quotas: Reading
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
    stats, internal = _read_statistics(get, path, partitions)
    namespace = path.rpartition("/")[0].replace("/persistent/", "/namespaces/")
    policies = _read_document(get, namespace)
    return TopicFacts(
        stats,
        internal,
        _read_last_message(get, path, partitions),
        _read_policy(get, f"{path}/inactiveTopicPolicies", policies, "inactive_topic_policies"),
        _read_policy(get, f"{path}/retention", policies, "retention_policies"),
        _read_policy(get, f"{path}/backlogQuotaMap", policies, "backlog_quota_map"),
        _read_policy(get, f"{path}/maxProducers", policies, "max_producers_per_topic"),
        _read_policy(get, f"{path}/messageTTL", policies, "message_ttl_in_seconds"),
        _pick(policies, "subscription_expiration_time_minutes"),
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


def _read_statistics(get: Get, path: str, partitions: int) -> tuple[Reading, Reading]:
    # How old the oldest unread message is, a broker says only when it is asked to look.
    query = "?getEarliestTimeInBacklog=true"
    if not partitions:
        return tuple(  # type: ignore[return-value]
            reading._replace(value=[reading.value]) if reading.is_known else reading
            for reading in (_read_document(get, f"{path}/stats{query}"), _read_document(get, f"{path}/internalStats"))
        )
    readings = (
        _read_document(get, f"{path}/partitioned-stats{query}"),
        _read_document(get, f"{path}/partitioned-internalStats"),
    )
    return tuple(_split_partitions(reading, partitions) for reading in readings)  # type: ignore[return-value]


def _split_partitions(reading: Reading, partitions: int) -> Reading:
    if not reading.is_known:
        return reading
    parts = [part for part in _mapping(reading.value.get("partitions")).values() if isinstance(part, Mapping)]
    # Partitions that were never used are left out, and would be taken for partitions without producer or subscription.
    if len(parts) != partitions:
        return Reading(problem=f"the admin API shows {len(parts)} of {partitions} partitions")
    return Reading(parts)


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


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
