# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.policies import (
    BACKLOG_QUOTA,
    INACTIVE_TOPICS,
    POLICIES,
    RETENTION,
    find_conflict,
    fits,
    interpret,
    make_requests,
)
from hypothesis import given
from hypothesis import strategies as st

BY_OPTION = {policy.option: policy for policy in POLICIES}
NAMESPACE = {"bundles": {"numBundles": 1}}


def namespace(**policies):
    """A namespace as Pulsar shows it."""
    return {**NAMESPACE, **policies}


def quota(size="unlimited", time="unlimited", policy="producer_exception"):
    return {"size": size, "time": time, "policy": policy}


def retention(size, time="unlimited"):
    return {"time": time, "size": size}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({}, {}),
        (
            {"retention_policies": {"retentionTimeInMinutes": 10080, "retentionSizeInMB": -1}},
            {"retention": {"time": "7d", "size": "unlimited"}},
        ),
        (
            {"Retention_Policies": {"RETENTIONTIMEINMINUTES": "0", "retentionSizeInMB": "0"}},
            {"retention": {"time": "0", "size": "0"}},
        ),
        ({"retention_policies": {"retentionSizeInMB": 1}}, {"retention": {"time": None, "size": "1MiB"}}),
        ({"message_ttl_in_seconds": 0}, {"message_ttl": "unlimited"}),
        ({"message_ttl_in_seconds": "172800"}, {"message_ttl": "2d"}),
        ({"subscription_expiration_time_minutes": 60}, {"subscription_expiration": "1h"}),
        (
            {
                "inactive_topic_policies": {
                    "deleteWhileInactive": "true",
                    "maxInactiveDurationSeconds": "172800",
                    "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
                }
            },
            {"inactive_topics": {"delete": True, "after": "2d", "mode": "delete_when_no_subscriptions"}},
        ),
        ({"backlog_quota_map": {}}, {}),
        (
            {"backlog_quota_map": {"destination_storage": {"limitSize": 5000000000, "policy": "producer_exception"}}},
            {"backlog_quota": quota("5GB")},
        ),
        (
            {"backlog_quota_map": {"destination_storage": {"limit": 5000000000, "policy": "producer_exception"}}},
            {"backlog_quota": quota("5GB")},
        ),
        (
            {
                "backlog_quota_map": {
                    "destination_storage": {"limitSize": -1073741824, "policy": "producer_exception"},
                    "message_age": {"limitTime": 3600, "policy": "consumer_backlog_eviction"},
                }
            },
            {"backlog_quota": quota("unlimited", "1h", "consumer_backlog_eviction, producer_exception")},
        ),
        (
            {"backlog_quota_map": {"message_age": {"limitTime": 3600, "policy": "producer_exception"}}},
            {"backlog_quota": quota("unlimited", "1h")},
        ),
    ],
)
def test_what_a_namespace_shows(shown, expected):
    assert interpret(namespace(**shown)) == expected


@pytest.mark.parametrize(
    "shown",
    [
        {"message_ttl_in_seconds": "soon"},
        {"retention_policies": {"retentionTimeInMinutes": [], "retentionSizeInMB": 1}},
        {"inactive_topic_policies": {"deleteWhileInactive": "perhaps"}},
    ],
)
def test_what_cannot_be_read_is_an_error(shown):
    with pytest.raises(ServiceError):
        interpret(namespace(**shown))


def test_what_is_no_namespace_is_an_error():
    with pytest.raises(ServiceError, match="cannot be read"):
        interpret({"message_ttl_in_seconds": 0})


@pytest.mark.parametrize(
    ("option", "given", "expected"),
    [
        ("retention", {"time": "30s", "size": "10GB"}, {"time": "1m", "size": "9537MiB"}),
        ("retention", {"time": "168h", "size": None}, {"time": "7d"}),
        ("backlog_quota", {"size": "5000MB", "time": None, "policy": None}, {"size": "5GB"}),
        ("message_ttl", "48h", "2d"),
        ("subscription_expiration", "unlimited", "unlimited"),
        ("inactive_topics", {"delete": False, "after": None, "mode": None}, {"delete": False}),
    ],
)
def test_what_is_asked_reads_as_pulsar_has_it(option, given, expected):
    assert BY_OPTION[option].normalize(given) == expected
    assert BY_OPTION[option].normalize(expected) == expected


def test_errors_name_the_part():
    with pytest.raises(InputError, match=r"^has a size that is not a size"):
        RETENTION.normalize({"time": "7d", "size": "10"})


@pytest.mark.parametrize(
    ("before", "asked", "expected"),
    [
        (retention("0", "0"), {"time": "7d"}, retention("unlimited", "7d")),
        (retention("0", "0"), {"size": "1GiB"}, retention("1GiB", "unlimited")),
        (retention("1GiB", "7d"), {"size": "2GiB"}, retention("2GiB", "7d")),
        (retention("1GiB", "7d"), {"time": "0", "size": "0"}, retention("0", "0")),
        (retention("1GiB", "7d"), {"size": "0"}, retention("0", "7d")),
        (None, {"size": "1GiB"}, retention("1GiB", "unlimited")),
        ({"time": None, "size": "1GiB"}, {"size": "2GiB"}, retention("2GiB", "unlimited")),
    ],
)
def test_a_part_of_retention(before, asked, expected):
    assert RETENTION.combine(before, asked) == expected


def test_a_part_leaves_the_rest_as_it_is():
    before = {"delete": True, "after": "2d", "mode": "delete_when_no_subscriptions"}
    assert INACTIVE_TOPICS.combine(before, {"delete": False}) == {**before, "delete": False}
    assert BACKLOG_QUOTA.combine(quota("5GB", "1h"), {"size": "1GB"}) == quota("1GB", "1h")


def test_what_is_not_shown_and_does_not_matter_need_not_be_given():
    complete = {"delete": False, "after": "2d", "mode": "delete_when_no_subscriptions"}
    assert INACTIVE_TOPICS.combine(None, {"delete": False}) == complete
    assert INACTIVE_TOPICS.combine(None, {"delete": True}) == {"delete": True}
    assert BACKLOG_QUOTA.combine(None, {"size": "1GB"}) == {"time": "unlimited", "size": "1GB"}


@pytest.mark.parametrize(
    ("kept", "allowed", "expected"),
    [
        (retention("6GB"), quota("5GB"), True),
        (retention("1GB"), quota("5GB"), False),
        (retention("954MiB"), quota("954MiB"), False),  # Pulsar: limitSize >= size
        (retention("unlimited"), quota("5GB"), True),
        (retention("0", "0"), quota("5GB"), True),
        (retention("1GB"), quota("unlimited"), True),
        (retention("unlimited", "7d"), quota("5GB", "7d"), False),
        (retention("unlimited", "8d"), quota("5GB", "7d"), True),
        (None, quota("5GB"), None),
        (retention("1GB"), None, None),
    ],
)
def test_what_pulsar_takes_together(kept, allowed, expected):
    assert fits(kept, allowed) is expected


@pytest.mark.parametrize(
    ("before", "changes", "order"),
    [
        # Raised: the retention first. Lowered: the quota first.
        ((retention("1GB"), quota("500MB")), (retention("9GB"), quota("5GB")), ["retention", "backlogQuota"]),
        ((retention("9GB"), quota("5GB")), (retention("1GB"), quota("500MB")), ["backlogQuota", "retention"]),
        # A new namespace retains nothing, which goes with every quota.
        ((retention("0", "0"), quota("5GB")), (retention("1GB", "7d"), quota("500MB")), ["backlogQuota", "retention"]),
        ((None, None), (retention("1GB", "7d"), quota("500MB")), ["backlogQuota", "retention"]),
        # Smaller and older: each alone would be refused.
        (
            (retention("9GB", "1d"), quota("5GB", "1h")),
            (retention("1GB", "9d"), quota("500MB", "5d")),
            ["retention", "backlogQuota", "backlogQuota", "retention"],
        ),
    ],
)
def test_the_order_of_retention_and_quota(before, changes, order):
    names = ("retention", "backlog_quota")
    before = {name: value for name, value in zip(names, before, strict=False) if value}
    requests = list(make_requests(before, dict(zip(names, changes, strict=False))))
    assert [path for _option, (path, _query, _body) in requests] == order


sizes = st.sampled_from(["0", "100MB", "1GB", "5GB", "10GB", "unlimited"])
times = st.sampled_from(["0", "1h", "1d", "7d", "unlimited"])
kept = st.builds(retention, sizes, times).map(RETENTION.normalize)
allowed = st.builds(quota, sizes, times).map(BACKLOG_QUOTA.normalize)


@given(kept, allowed, kept, allowed)
def test_pulsar_takes_every_step_of_the_order(old_retention, old_quota, new_retention, new_quota):
    if fits(old_retention, old_quota) is False or fits(new_retention, new_quota) is False:
        return
    before = {"retention": old_retention, "backlog_quota": old_quota}
    changes = {"retention": new_retention, "backlog_quota": new_quota}
    [(_path, _query, body)] = RETENTION.make_requests(old_retention, None)
    pulsar = {"retention_policies": body, "backlog_quota_map": {}}
    for _path, query, body in BACKLOG_QUOTA.make_requests(old_quota, None):
        pulsar["backlog_quota_map"][query["backlogQuotaType"]] = body
    for option, (_path, query, body) in make_requests(before, changes):
        if option == "retention":
            pulsar["retention_policies"] = body
        else:
            pulsar["backlog_quota_map"][query["backlogQuotaType"]] = body
        shown = interpret(namespace(**pulsar))
        assert fits(shown["retention"], shown["backlog_quota"]), shown
    assert interpret(namespace(**pulsar)) == changes


@pytest.mark.parametrize(
    ("before", "asked", "requests"),
    [
        (quota("5GB"), quota("9GB"), [("destination_storage", 9 * 10**9, -1)]),
        (quota("5GB"), quota("5GB", "1h"), [("message_age", -1, 3600)]),
        (quota("5GB", "1h"), quota("5GB"), [("message_age", -1, -1)]),
        (
            quota("5GB", "1h", "a, b"),
            quota("5GB", "1h"),
            [("destination_storage", 5 * 10**9, -1), ("message_age", -1, 3600)],
        ),
    ],
)
def test_only_the_quota_that_differs_is_set(before, asked, requests):
    made = [
        (query["backlogQuotaType"], body["limitSize"], body["limitTime"])
        for _path, query, body in BACKLOG_QUOTA.make_requests(asked, before)
    ]
    assert made == requests


def test_what_is_not_shown_has_to_be_given():
    problem = find_conflict({"inactive_topics": {"delete": True}, "message_ttl": "2d"})
    assert problem.startswith("inactive_topics.after and inactive_topics.mode must be given")
