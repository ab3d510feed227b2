# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policies of a Pulsar namespace: as people write them, and as Pulsar does. Pure code.

Pulsar refuses a backlog quota that is not below what is retained, and a retention that is not above the backlog quota
(412; ``AdminResource.checkBacklogQuota``), so that the order in which the two are written matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._documents import read_flag, read_keys, read_number
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.units import (
    NO_LIMIT,
    UNLIMITED,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

INACTIVE_MODES = ("delete_when_no_subscriptions", "delete_when_subscriptions_caught_up")
_MEBIBYTE = 2**20

# What sets a policy: the last part of the path, the query, and the body.
Request = tuple[str, "Mapping[str, str] | None", Any]


class Quantity(NamedTuple):
    """A duration or a size, and the unit in which Pulsar counts it.

    :ivar scale: seconds or bytes of this unit.
    :ivar no_limit: what stands for no limit.
    """

    parse: Callable[[str], int]
    format: Callable[[int], str]
    scale: int = 1
    no_limit: int = NO_LIMIT

    def count(self, text: str) -> int:
        """Return what Pulsar counts, never less than what is asked.

        :raises InputError: the text is not such a quantity.
        """
        amount = self.parse(text)
        return self.no_limit if amount < 0 else -(-amount // self.scale)

    def show(self, number: int | None) -> str | None:
        """Return what people write, or None for None; Pulsar takes every negative number for no limit."""
        if number is None:
            return None
        return UNLIMITED if number < 0 or number == self.no_limit else self.format(number * self.scale)

    def normalize(self, text: str) -> str | None:
        """Return a text in the form in which Pulsar's own number is shown."""
        return self.show(self.count(text))


_SECONDS = Quantity(parse_duration, format_duration)
_MINUTES = Quantity(parse_duration, format_duration, 60)
_BYTES = Quantity(parse_size, format_size)
_MEBIBYTES = Quantity(parse_size, format_size, _MEBIBYTE)


class Part(NamedTuple):
    """A part of a policy: a quantity, one of some words, or else a flag.

    :ivar key: Pulsar's name for it.
    """

    key: str
    quantity: Quantity | None = None
    words: tuple[str, ...] = ()

    @property
    def spec(self) -> Mapping[str, Any]:
        """What Ansible takes for it."""
        if self.words:
            return {"type": "str", "choices": list(self.words)}
        return {"type": "str" if self.quantity else "bool"}

    def read(self, shown: Any) -> Any:
        """Return what the policy shows of it, or None."""
        if self.quantity:
            return self.quantity.show(read_number(shown, self.key))
        return read_keys(shown, self.key)[0] if self.words else read_flag(shown, self.key)


class Policy:
    """A policy that is one quantity.

    :arg option: what people call it.
    :arg key: what a namespace shows it as.
    :arg path: the last part of the path under which it is set.
    """

    spec: Mapping[str, Any] = {"type": "str"}  # what Ansible takes for it

    def __init__(self, option: str, key: str, path: str, quantity: Quantity) -> None:
        self.option = option
        self.path = path
        self._key = key
        self._quantity = quantity

    def normalize(self, value: Any) -> Any:
        """Return a value in the form in which it is compared and shown.

        :raises InputError: it has something that is not a quantity.
        """
        return self._quantity.normalize(value)

    def combine(self, before: Any, asked: Any) -> Any:
        """Return what the policy shall be when this is asked."""
        return asked

    def read(self, namespace: Mapping[str, Any]) -> Any:
        """Return what a namespace shows, or None where it is not set.

        :raises ServiceError: it cannot be read.
        """
        return self._quantity.show(read_number(namespace, self._key))

    def find_missing(self, value: Any) -> list[str]:
        """Return the parts that have to be given, because the namespace does not show them."""
        return []

    def make_requests(self, value: Any, before: Any) -> Iterator[Request]:
        """Yield what sets it."""
        yield self.path, None, self._quantity.count(value)


class CompoundPolicy(Policy):
    """A policy of several parts, each of which stays as it is when it is not given.

    :arg parts: by the names that people use.
    :arg unset: parts that keep everything, for what neither is asked nor shown.
    """

    def __init__(
        self, option: str, key: str, path: str, parts: Mapping[str, Part], unset: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(option, key, path, _SECONDS)
        self._unset = unset or {}
        self._parts = parts
        self.spec = {"type": "dict", "options": {name: part.spec for name, part in parts.items()}}

    def normalize(self, value: Any) -> Any:
        """Return a value in the form in which it is compared and shown."""
        given = {name: part for name, part in value.items() if part is not None}
        for name, part in self._parts.items():
            if part.quantity and name in given:
                try:
                    given[name] = part.quantity.normalize(given[name])
                except InputError as error:
                    raise InputError(f"has a {name} that {error.message}") from None
        return given

    def combine(self, before: Any, asked: Any) -> Any:
        """Return what the policy shall be when these parts are asked."""
        return {**self._unset, **{name: part for name, part in (before or {}).items() if part is not None}, **asked}

    def read(self, namespace: Mapping[str, Any]) -> Any:
        """Return what a namespace shows, or None where it is not set."""
        shown = read_keys(namespace, self._key)[0]
        return self._read_parts(shown) if shown else None

    def _read_parts(self, shown: Any) -> dict[str, Any]:
        return {name: part.read(shown) for name, part in self._parts.items()}

    def find_missing(self, value: Any) -> list[str]:
        """Return the parts that have to be given."""
        return [f"{self.option}.{name}" for name in self._parts if value.get(name) is None]

    def make_requests(self, value: Any, before: Any) -> Iterator[Request]:
        """Yield what sets it."""
        written = {
            part.key: part.quantity.count(value[name]) if part.quantity else value[name]
            for name, part in self._parts.items()
        }
        yield self.path, None, written


class Retention(CompoundPolicy):
    """What is kept although every subscription has acknowledged it, or there is none."""

    def combine(self, before: Any, asked: Any) -> Any:
        """Return what is retained when these parts are asked.

        Pulsar refuses one limit of 0 beside another that is not. So where nothing has been retained yet, what is not
        asked becomes unlimited.
        """
        both = super().combine(before, asked)
        other = [name for name in both if name not in asked and both[name] == "0"]
        return {**both, **dict.fromkeys(other, UNLIMITED)} if "0" not in asked.values() else both


class InactiveTopics(CompoundPolicy):
    """Whether and when topics are deleted that nobody uses."""

    def combine(self, before: Any, asked: Any) -> Any:
        """Return what the policy shall be when these parts are asked.

        Pulsar wants all of its parts. Where nothing is deleted, the others do not matter.
        """
        both = super().combine(before, asked)
        return {"after": "2d", "mode": INACTIVE_MODES[0], **both} if both.get("delete") is False else both


class BacklogQuota(CompoundPolicy):
    """How much a subscription may be behind. Pulsar has two of them: one for the size, one for the age."""

    def _read_parts(self, shown: Any) -> dict[str, Any]:
        storage, age = read_keys(shown, "destination_storage", "message_age")
        size, time = read_number(storage, "limitSize"), read_number(age, "limitTime") if age else NO_LIMIT
        if size is None:
            size = read_number(storage, "limit") if storage else NO_LIMIT  # the older name
        quotas = [quota for quota in (storage, age if time != NO_LIMIT else None) if quota]
        # Two that differ are shown both, which equals nothing that can be asked.
        policies = {str(read_keys(quota, "policy")[0]) for quota in quotas}
        return {"size": _BYTES.show(size), "time": _SECONDS.show(time), "policy": ", ".join(sorted(policies)) or None}

    def make_requests(self, value: Any, before: Any) -> Iterator[Request]:
        """Yield what sets those of the two that differ."""
        size, time, policy = _BYTES.count(value["size"]), _SECONDS.count(value["time"]), value["policy"]
        before = before or {}
        if (value["size"], policy) != (before.get("size"), before.get("policy")):
            quota = {"limit": size, "limitSize": size, "limitTime": NO_LIMIT, "policy": policy}
            yield self.path, {"backlogQuotaType": "destination_storage"}, quota
        if value["time"] != before.get("time", UNLIMITED) or (time >= 0 and policy != before.get("policy")):
            quota = {"limit": NO_LIMIT, "limitSize": NO_LIMIT, "limitTime": time, "policy": policy}
            yield self.path, {"backlogQuotaType": "message_age"}, quota


RETENTION = Retention(
    "retention",
    "retention_policies",
    "retention",
    {"time": Part("retentionTimeInMinutes", _MINUTES), "size": Part("retentionSizeInMB", _MEBIBYTES)},
    unset={"time": UNLIMITED, "size": UNLIMITED},
)
BACKLOG_QUOTA = BacklogQuota(
    "backlog_quota",
    "backlog_quota_map",
    "backlogQuota",
    {
        "size": Part("limitSize", _BYTES),
        "time": Part("limitTime", _SECONDS),
        "policy": Part("policy", words=("producer_request_hold", "producer_exception", "consumer_backlog_eviction")),
    },
    unset={"time": UNLIMITED},
)
INACTIVE_TOPICS = InactiveTopics(
    "inactive_topics",
    "inactive_topic_policies",
    "inactiveTopicPolicies",
    {
        "delete": Part("deleteWhileInactive"),
        "after": Part("maxInactiveDurationSeconds", _SECONDS),
        "mode": Part("inactiveTopicDeleteMode", words=INACTIVE_MODES),
    },
)
POLICIES: tuple[Policy, ...] = (
    RETENTION,
    BACKLOG_QUOTA,
    Policy("message_ttl", "message_ttl_in_seconds", "messageTTL", _SECONDS._replace(no_limit=0)),
    INACTIVE_TOPICS,
    Policy(
        "subscription_expiration",
        "subscription_expiration_time_minutes",
        "subscriptionExpirationTime",
        _MINUTES._replace(no_limit=0),
    ),
)


def interpret(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policies that a namespace shows, by their options; one that is not set is left out.

    :raises ServiceError: one of them cannot be read, or what is shown is no namespace.
    """
    if not any(read_keys(namespace, "auth_policies", "bundles", "replication_clusters")):
        raise ServiceError("What Pulsar shows of a namespace cannot be read.")
    shown = {policy.option: policy.read(namespace) for policy in POLICIES}
    return {option: value for option, value in shown.items() if value is not None}


def find_conflict(policies: Mapping[str, Any]) -> str | None:
    """Return why Pulsar would not take policies, as a sentence, or None."""
    missing = [
        part
        for policy in POLICIES
        if policy.option in policies
        for part in policy.find_missing(policies[policy.option])
    ]
    if missing:
        return f"{' and '.join(missing)} must be given, because the namespace does not show what is effective."
    if fits(policies.get("retention"), policies.get("backlog_quota")) is False:
        return (
            "Pulsar retains only what is more than the backlog quota: raise size and time of retention above those of "
            "backlog_quota, make them unlimited, or lower backlog_quota."
        )
    return None


def fits(retention: Mapping[str, str] | None, quota: Mapping[str, str] | None) -> bool | None:
    """Tell whether Pulsar takes the two together; None where that is not known."""
    if not retention or not quota:
        return None
    too_large = 0 < _MEBIBYTES.count(retention["size"]) * _MEBIBYTE <= _BYTES.count(quota["size"])
    too_old = 0 < _MINUTES.count(retention["time"]) * 60 <= _SECONDS.count(quota["time"])
    return not too_large and not too_old


def make_requests(before: Mapping[str, Any], changes: Mapping[str, Any]) -> Iterator[tuple[str, Request]]:
    """Yield the option and what sets it, for every policy that changes, in an order in which Pulsar takes them.

    A retention goes first when it is raised, a backlog quota when it is lowered. Where each would be refused before the
    other, everything is retained for a moment in between.
    """
    order: list[tuple[Policy, Any]] = [
        (policy, changes[policy.option]) for policy in POLICIES if policy.option in changes
    ]
    retention, quota = changes.get("retention"), changes.get("backlog_quota")
    if retention and quota and not fits(retention, before.get("backlog_quota")):
        order[0], order[1] = order[1], order[0]
        if fits(before.get("retention"), quota) is False:
            order.insert(0, (RETENTION, {"time": UNLIMITED, "size": UNLIMITED}))
    for policy, value in order:
        for request in policy.make_requests(value, before.get(policy.option)):
            yield policy.option, request
