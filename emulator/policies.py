# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policies of a namespace: what Astra Streaming sets by default, and what Pulsar refuses."""

from __future__ import annotations

from typing import Any

from emulator.contract import find_policy_problems
from emulator.refused import Refused

_TWO_DAYS = 172800  # seconds
_STORAGE = "destination_storage"

# By the last part of their paths in Pulsar's admin API. Numbers: the vendor's page on limits.
DEFAULTS: dict[str, Any] = {
    "retention": {"retentionTimeInMinutes": 0, "retentionSizeInMB": 0},
    "backlogQuota": {
        _STORAGE: {"limit": 5_000_000_000, "limitSize": 5_000_000_000, "limitTime": -1, "policy": "producer_exception"}
    },
    "messageTTL": 0,
    "inactiveTopicPolicies": {
        "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
        "maxInactiveDurationSeconds": _TWO_DAYS,
        "deleteWhileInactive": True,
    },
    "subscriptionExpirationTime": 0,
    "autoTopicCreation": {"allowAutoTopicCreation": False, "topicType": "non-partitioned"},
}
_IN_NAMESPACE = {
    "retention": "retention_policies",
    "backlogQuota": "backlog_quota_map",
    "messageTTL": "message_ttl_in_seconds",
    "inactiveTopicPolicies": "inactive_topic_policies",
    "subscriptionExpirationTime": "subscription_expiration_time_minutes",
    "autoTopicCreation": "autoTopicCreationOverride",
}


class Policies:
    """What has been set for one namespace; everything else has its default."""

    def __init__(self) -> None:
        self._set: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """Return what is effective."""
        if name == "backlogQuota":
            return {**DEFAULTS[name], **self._set.get(name, {})}
        return self._set.get(name, DEFAULTS[name])

    def is_set(self, name: str) -> bool:
        """Tell whether a policy has been set for this namespace."""
        return name in self._set

    def values(self) -> dict[str, Any]:
        """Return what has been set."""
        return dict(self._set)

    def show(self, all_of_them: bool) -> dict:
        """Return the policies as the namespace itself shows them: the effective ones, or only those that are set."""
        return {shown: self.get(name) for name, shown in _IN_NAMESPACE.items() if all_of_them or self.is_set(name)}

    def set(self, name: str, value: Any, quota_type: str = _STORAGE) -> None:
        """POST of a policy.

        :raises Refused: 400 for a body of another form, 412 for what Pulsar or Astra do not take.
        """
        if problems := find_policy_problems(name, value):
            raise Refused(400, *problems)
        if name == "backlogQuota":
            size = value.get("limitSize", value.get("limit", 0))
            sizes = {"limit": size, "limitSize": size, "limitTime": value.get("limitTime", 0)}
            value = {**sizes, "policy": value["policy"]}
            _check_backlog({**self.get(name), quota_type: value}, self.get("retention"), _BACKLOG_EXCEEDS)
            self._set.setdefault(name, {})[quota_type] = value
            return
        _CHECKS.get(name, _accept)(value)
        if name == "retention":
            _check_backlog(self.get("backlogQuota"), value, _RETENTION_TOO_SMALL)
        self._set[name] = value

    def remove(self, name: str, quota_type: str = _STORAGE) -> None:
        """DELETE of a policy, after which it has its default again."""
        if name == "backlogQuota":
            kept = {each: value for each, value in self._set.get(name, {}).items() if each != quota_type}
            if kept:
                self._set[name] = kept
                return
        self._set.pop(name, None)


_RETENTION_TOO_SMALL = "Retention Quota must exceed configured backlog quota for namespace."
_BACKLOG_EXCEEDS = (
    "Backlog Quota exceeds configured retention quota for namespace. Please increase retention quota and retry."
)


def _check_backlog(quotas: dict[str, dict], retention: dict, message: str) -> None:
    """Refuse a backlog that may become larger or older than what is retained (Pulsar's checkBacklogQuota)."""
    size, minutes = retention["retentionSizeInMB"], retention["retentionTimeInMinutes"]
    for quota in quotas.values():
        too_large = size > 0 and quota["limitSize"] >= size * 1024 * 1024
        too_old = minutes > 0 and quota["limitTime"] >= minutes * 60
        if too_large or too_old:
            raise Refused(412, message)


def _check_retention(value: dict) -> None:
    size, minutes = value["retentionSizeInMB"], value["retentionTimeInMinutes"]
    if size < -1 or minutes < -1:
        raise Refused(400, "Invalid retention policy: a limit must be >= -1.")
    if (size == 0) != (minutes == 0):
        raise Refused(400, "Invalid retention policy: Setting a single time or size limit to 0 is invalid.")


def _check_ttl(value: int) -> None:
    if value < 0 or 0 < value < _TWO_DAYS:
        raise Refused(412, "Invalid value for message TTL: it must be 0 or at least 2 days.")


def _check_expiration(value: int) -> None:
    if value < 0:
        raise Refused(412, "Invalid value for subscription expiration time.")


def _check_inactive(value: dict) -> None:
    if value["deleteWhileInactive"] and value["maxInactiveDurationSeconds"] < 1:
        raise Refused(412, "maxInactiveDurationSeconds must be > 0.")


def _accept(_value: object) -> None:
    pass


_CHECKS = {
    "retention": _check_retention,
    "messageTTL": _check_ttl,
    "subscriptionExpirationTime": _check_expiration,
    "inactiveTopicPolicies": _check_inactive,
}
