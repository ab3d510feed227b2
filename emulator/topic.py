# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A topic in memory: entries, subscriptions, producers, and what time and policies do to them."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.policies import Policies

_MEBIBYTE = 1024 * 1024
_ledgers = itertools.count(3)


class Blocked(Exception):
    """A producer cannot connect or publish; the message is Pulsar's name for the reason, and words."""


@dataclass
class Entry:
    """One message.

    :ivar size: bytes; may be more than the payload has, so that tests can fill a quota.
    :ivar offset: bytes that came before it.
    :ivar was_read: whether some subscription has acknowledged it after it was received.
    """

    payload: bytes
    size: int
    published_at: float
    producer: str
    properties: dict[str, str]
    offset: int = 0
    was_read: bool = False


@dataclass
class Consumer:
    """A consumer that is connected.

    :ivar take: receives and acknowledges what is there; None for one that does neither.
    """

    name: str
    connected_at: float
    take: Callable[[Entry], None] | None = None


@dataclass
class Subscription:
    """A durable subscription.

    :ivar position: the number of the first entry that is not acknowledged.
    """

    position: int
    active_at: float
    consumers: dict[str, Consumer] = field(default_factory=dict)


@dataclass
class Producer:
    """A producer that is connected.

    :ivar is_allowed: tells whether its token is still good.
    """

    name: str
    connected_at: float
    is_allowed: Callable[[], bool]
    messages: int = 0


class Topic:
    """A topic that is not partitioned, or one partition.

    :ivar first: the number of the oldest entry that is stored.
    :ivar lost: how many entries are gone that nobody has read.
    :ivar active_at: when it was last used, for the deletion of inactive topics.
    """

    def __init__(self, name: str, policies: Policies, now: float) -> None:
        self.name = name
        self.policies = policies
        self.properties: dict[str, str] = {}
        self.permissions: dict[str, set[str]] = {}
        self.entries: deque[Entry] = deque()
        self.first = 0
        self.lost = 0
        self.bytes_in = 0
        self.subscriptions: dict[str, Subscription] = {}
        self.producers: dict[str, Producer] = {}
        self.ledger = next(_ledgers)
        self.created_at = self.active_at = now

    @property
    def end(self) -> int:
        """The number that the next entry gets, so the number of entries that were ever added."""
        return self.first + len(self.entries)

    def backlog(self, subscription: Subscription) -> list[Entry]:
        """Return the entries that a subscription has not acknowledged."""
        return list(itertools.islice(self.entries, subscription.position - self.first, None))

    def size_from(self, position: int) -> int:
        """Return the bytes of this entry and of all that follow."""
        return self.bytes_in - self.entries[position - self.first].offset if position < self.end else 0

    def publish(self, entry: Entry) -> str:
        """Store an entry and return its message id.

        :raises Blocked: the backlog quota is used up.
        """
        self._make_room(entry.published_at)
        entry.offset = self.bytes_in
        self.entries.append(entry)
        self.bytes_in += entry.size
        self.active_at = entry.published_at
        message_id = f"{self.ledger}:{self.end - 1}:-1"
        self.settle(entry.published_at)
        return message_id

    def subscribe(self, name: str, earliest: bool, now: float) -> Subscription:
        """Make a durable subscription."""
        self.subscriptions[name] = Subscription(self.first if earliest else self.end, now)
        self.active_at = now
        return self.subscriptions[name]

    def unsubscribe(self, name: str, now: float) -> None:
        """Remove a subscription, and with it the claim on its backlog."""
        del self.subscriptions[name]
        self.active_at = now
        self.settle(now)

    def consume(self, subscription: Subscription, count: int | None, now: float) -> list[Entry]:
        """Receive and acknowledge so many entries, or all."""
        taken = self.backlog(subscription)[:count]
        for entry in taken:
            entry.was_read = True
        subscription.position += len(taken)
        subscription.active_at = self.active_at = now
        self.settle(now)
        return taken

    def settle(self, now: float) -> None:
        """Let time and policies have their effect on what is in the topic."""
        for name in [each.name for each in self.producers.values() if not each.is_allowed()]:
            self.disconnect(name, now)
        for subscription in self.subscriptions.values():
            self._deliver(subscription, now)
        self._expire(now)
        self._trim(now)

    def disconnect(self, producer: str, now: float) -> None:
        """Let a producer go, if it is connected."""
        if self.producers.pop(producer, None):
            self.active_at = now

    def is_inactive(self, now: float) -> bool:
        """Tell whether the broker deletes the topic because nobody uses it."""
        policy = self.policies.get("inactiveTopicPolicies")
        if not policy["deleteWhileInactive"] or self.producers:
            return False
        if policy["inactiveTopicDeleteMode"] == "delete_when_no_subscriptions":
            in_use = bool(self.subscriptions)
        else:
            in_use = any(each.consumers or each.position < self.end for each in self.subscriptions.values())
        return not in_use and now - self.active_at > policy["maxInactiveDurationSeconds"]

    def _deliver(self, subscription: Subscription, now: float) -> None:
        taker = next((each for each in subscription.consumers.values() if each.take), None)
        if subscription.consumers:
            subscription.active_at = self.active_at = now
        if taker:
            for entry in self.backlog(subscription):
                taker.take(entry)
                entry.was_read = True
            subscription.position = self.end

    def _expire(self, now: float) -> None:
        minutes = self.policies.get("subscriptionExpirationTime")
        for name, subscription in list(self.subscriptions.items()):
            expires_at = subscription.active_at + minutes * 60
            if minutes and not subscription.consumers and now > expires_at:
                del self.subscriptions[name]
                self.active_at = max(self.active_at, expires_at)
        seconds = self.policies.get("messageTTL")
        if seconds:
            expired = sum(
                1 for _entry in itertools.takewhile(lambda each: now - each.published_at > seconds, self.entries)
            )
            for subscription in self.subscriptions.values():
                subscription.position = max(subscription.position, self.first + expired)

    def _trim(self, now: float) -> None:
        """Drop entries that every subscription has acknowledged, unless retention keeps them."""
        retention = self.policies.get("retention")
        minutes, size = retention["retentionTimeInMinutes"], retention["retentionSizeInMB"]
        needed_from = min((each.position for each in self.subscriptions.values()), default=self.end)
        needed = self.size_from(needed_from)
        while self.first < needed_from:
            too_old = minutes >= 0 and now - self.entries[0].published_at >= minutes * 60
            too_much = size == 0 or (size > 0 and self.size_from(self.first) - needed > size * _MEBIBYTE)
            if not (too_old or too_much):
                return
            self.lost += not self.entries.popleft().was_read
            self.first += 1

    def _make_room(self, now: float) -> None:
        """Do what the backlog quota says before another entry is stored.

        :raises Blocked: it says that the producer has to stop.
        """
        for kind, quota in self.policies.get("backlogQuota").items():
            while (slowest := self._slowest_over(kind, quota, now)) is not None:
                if quota["policy"] != "consumer_backlog_eviction":
                    raise Blocked(
                        "ProducerBlockedQuotaExceededException: Cannot create producer on topic with backlog quota "
                        f"exceeded ({quota['policy']})"
                    )
                slowest.position += 1
                self._trim(now)

    def _slowest_over(self, kind: str, quota: dict, now: float) -> Subscription | None:
        """Return the subscription with the largest backlog, if that is over a quota."""
        if not self.subscriptions:
            return None
        slowest = min(self.subscriptions.values(), key=lambda each: each.position)
        if slowest.position == self.end:
            return None
        if kind == "message_age":
            over = 0 < quota["limitTime"] < now - self.entries[slowest.position - self.first].published_at
        else:
            over = 0 <= quota["limitSize"] <= self.size_from(slowest.position)
        return slowest if over else None
