# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pulsar's admin API in memory: who may what, namespaces and policies, topics and subscriptions."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from emulator.client import EmulatorError
from tests.emulator.support import (
    CLUSTER_HEADER,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    STREAMING_HEADERS,
    TOPIC,
    call,
    call_admin,
)

NAMESPACE = "namespaces/acme/audit"
LOG = "persistent/acme/audit/log"
MANY = "persistent/acme/audit/many"
GIB = 1024  # MiB


@pytest.fixture
def acme(emulator):
    """An emulator with a tenant that has a topic of either kind."""
    topics = [{"name": "log"}, {"name": "many", "partitions": 2}]
    emulator.set_tenant(ORGANIZATION, "acme", namespaces=[{"name": "audit", "topics": topics}])
    return emulator


def make_token(emulator, *actions: str, kind: str = "non-admin", expires: str = "1d") -> str:
    """Make a Pulsar token whose role may do these things in the namespace; returns the token."""
    body = {"type": kind, "exp": expires}
    made = call(emulator, "POST", "/v3/streaming/tenants/acme/tokens", body=body, headers=STREAMING_HEADERS).json
    if actions:
        path = f"{NAMESPACE}/permissions/{quote(made['rolename'])}"
        assert call_admin(emulator, "POST", path, body=list(actions)).status == 204
    return made["token"]


# --- Who may what, as it was measured on a real broker ----------------------------------------------------------------

TABLE = {
    # path: tenant admin, produce-only, consume-only, no grant
    "namespaces/acme": (200, 401, 401, 401),
    NAMESPACE: (200, 403, 403, 403),
    f"{NAMESPACE}/permissions": (200, 403, 403, 403),
    f"{NAMESPACE}/retention": (200, 403, 403, 403),
    f"{NAMESPACE}/backlogQuotaMap": (200, 403, 403, 403),
    f"{NAMESPACE}/messageTTL": (200, 403, 403, 403),
    "persistent/acme/audit": (200, 200, 200, 403),
    f"{LOG}/stats": (200, 200, 200, 401),
    f"{LOG}/internalStats": (200, 200, 200, 401),
    f"{LOG}/partitions": (200, 200, 200, 401),
    f"{LOG}/properties": (200, 200, 200, 401),
    f"{MANY}/partitioned-stats": (200, 200, 200, 401),
    "/lookup/v2/topic/persistent/acme/audit/log": (200, 200, 200, 401),
    "persistent/acme/audit/nosuch/stats": (404, 404, 404, 401),
    f"{LOG}/subscriptions": (200, 401, 200, 401),
    f"{LOG}/lastMessageId": (200, 401, 200, 401),
    f"{LOG}/examinemessage": (200, 401, 200, 401),
    f"{LOG}/permissions": (200, 401, 401, 401),
    "namespaces/acme/nosuch": (404, 403, 403, 403),
    "persistent/acme/nosuch": (404, 403, 403, 403),
    "persistent/acme/nosuch/log/stats": (404, 401, 401, 401),
    "persistent/other/audit/log/stats": (401, 401, 401, 401),
    "persistent/nosuch/audit/log/stats": (401, 401, 401, 401),
    "brokers/health": (401, 401, 401, 401),
    "clusters": (401, 401, 401, 401),
}


def test_who_may_look_at_what(acme):
    acme.set_tenant(OTHER_ORGANIZATION, "other", namespaces=[{"name": "audit", "topics": [{"name": "log"}]}])
    call_admin(acme, "PUT", f"{LOG}/subscription/keeper", body="earliest")
    acme.publish(TOPIC, "kept")
    callers = [
        make_token(acme, kind="admin"),
        make_token(acme, "produce"),
        make_token(acme, "consume"),
        make_token(acme),
    ]
    seen = {}
    for path in TABLE:
        answers = [call_admin(acme, "GET", path, token) for token in callers]
        seen[path] = tuple(answer.status for answer in answers)
        assert all(answer.reason for answer in answers if answer.status >= 400)
    assert seen == TABLE
    # An application token may what an administrator of the tenant may.
    assert {path: call_admin(acme, "GET", path).status for path in TABLE} == {
        path: row[0] for path, row in TABLE.items()
    }


@pytest.mark.parametrize("path", [*TABLE, "/admin/v3/sinks/builtinsinks", "/admin/v3/sinks/acme/audit/x"])
def test_a_bad_token_is_told_in_html(acme, path):
    expired = make_token(acme, kind="admin", expires="5m")
    acme.advance(301)
    forged = make_token(acme, kind="admin")[:-4] + "AAAA"
    for token in (None, "nobody", forged, expired, acme.sign(sub="x", exp=1)):
        refused = call_admin(acme, "GET", path, token)
        assert refused.status == 401
        assert refused.headers["content-type"].startswith("text/html")
        assert b"Authentication required" in refused.body


WRITES = [
    # method, path, body, status for the producer
    ("PUT", "namespaces/acme/new", {}, 401),
    ("DELETE", NAMESPACE, None, 401),
    ("POST", f"{NAMESPACE}/messageTTL", 0, 403),
    ("PUT", "persistent/acme/audit/new", None, 403),
    ("DELETE", LOG, None, 403),
    ("PUT", f"{LOG}/properties", {"a": "b"}, 401),
    ("PUT", f"{LOG}/subscription/s", "earliest", 401),
    ("POST", f"{LOG}/permissions/r", ["produce"], 401),
    ("POST", "/admin/v3/astrasinks/acme/audit/s", {"archive": "builtin://kafka"}, 401),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
def test_a_producer_may_change_nothing(acme, method, path, body, status):
    refused = call_admin(acme, method, path, make_token(acme, "produce"), body=body, headers=STREAMING_HEADERS)
    assert (refused.status, bool(refused.reason)) == (status, True)


def test_the_api_s_host_serves_it_with_the_cluster_s_header(acme):
    assert call(acme, "GET", "/admin/v2/namespaces/acme", headers=CLUSTER_HEADER).json == ["acme/default", "acme/audit"]
    refused = call(acme, "GET", "/admin/v2/namespaces/acme")
    assert (refused.status, refused.reason) == (400, "The header x-datastax-pulsar-cluster is required")
    assert call(acme, "GET", "/admin/v2/namespaces/acme", headers={"X-DataStax-Pulsar-Cluster": "x"}).status == 401
    assert [entry["server"] for entry in acme.journal()] == ["api", "api", "api"]


def test_the_journal_and_faults_know_the_server(acme):
    token = make_token(acme, kind="admin")
    acme.clear_journal()
    acme.fault(status=503, match={"server": "admin"}, times=None)
    assert call_admin(acme, "GET", "namespaces/acme", token).status == 503
    assert call(acme, "GET", "/admin/v2/namespaces/acme", token, headers=CLUSTER_HEADER).status == 200
    assert [(entry["server"], entry["status"]) for entry in acme.journal()] == [("admin", 503), ("api", 200)]
    assert {entry["organization_id"] for entry in acme.journal()} == {ORGANIZATION}
    assert len(acme.journal(server="admin")) == 1
    acme.fault(drop="before", match={"server": "admin", "method": "POST"})
    with pytest.raises(EmulatorError, match=r"match\.server must be api or admin\."):
        acme.fault(status=500, match={"server": "x"})


def test_an_unknown_path_is_404(acme):
    for path in ("/admin/v2/nothing", "/admin/v2/namespaces/acme/audit/nothing", "/nothing"):
        assert call_admin(acme, "GET", path).status == 404


# --- Namespaces -------------------------------------------------------------------------------------------------------


def test_a_namespace_comes_and_goes(acme):
    assert call_admin(acme, "PUT", "namespaces/acme/new").status == 204
    assert call_admin(acme, "PUT", "namespaces/acme/new", body={}).reason == "Namespace already exists"
    assert call_admin(acme, "PUT", "namespaces/acme/new", body={}).status == 409
    assert call_admin(acme, "PUT", "namespaces/acme/a%20b").status == 412
    assert call_admin(acme, "PUT", "namespaces/acme/more", body=[]).status == 400
    assert call_admin(acme, "DELETE", "namespaces/acme/new").status == 204
    assert call_admin(acme, "DELETE", "namespaces/acme/new").status == 404
    assert call_admin(acme, "DELETE", NAMESPACE).status == 409
    assert call_admin(acme, "DELETE", f"{NAMESPACE}?force=true").status == 405


def test_a_tenant_has_at_most_so_many_namespaces_and_topics(acme):
    acme.settings(namespace_limit=3, topic_limit=4)
    assert call_admin(acme, "PUT", "namespaces/acme/three").status == 204
    assert call_admin(acme, "PUT", "namespaces/acme/four").status == 412
    assert call_admin(acme, "PUT", f"{MANY}-more/partitions", body=2).status == 412
    assert call_admin(acme, "PUT", "persistent/acme/audit/four").status == 204
    assert call_admin(acme, "PUT", "persistent/acme/audit/five").status == 412
    assert call_admin(acme, "POST", f"{MANY}/partitions", body=3).status == 412


QUOTA = {"limit": 5_000_000_000, "limitSize": 5_000_000_000, "limitTime": -1, "policy": "producer_exception"}
POLICIES = {
    # policy: default, another value, what a namespace calls it
    "retention": (
        {"retentionTimeInMinutes": 0, "retentionSizeInMB": 0},
        {"retentionTimeInMinutes": 10080, "retentionSizeInMB": -1},
        "retention_policies",
    ),
    "messageTTL": (0, 259200, "message_ttl_in_seconds"),
    "inactiveTopicPolicies": (
        {
            "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
            "maxInactiveDurationSeconds": 172800,
            "deleteWhileInactive": True,
        },
        {
            "inactiveTopicDeleteMode": "delete_when_subscriptions_caught_up",
            "maxInactiveDurationSeconds": 60,
            "deleteWhileInactive": False,
        },
        "inactive_topic_policies",
    ),
    "subscriptionExpirationTime": (0, 5, "subscription_expiration_time_minutes"),
    "autoTopicCreation": (
        {"allowAutoTopicCreation": False, "topicType": "non-partitioned"},
        {"allowAutoTopicCreation": True, "topicType": "non-partitioned"},
        "autoTopicCreationOverride",
    ),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_set_and_removed(acme, name):
    default, other, in_namespace = POLICIES[name]
    path = f"{NAMESPACE}/{name}"
    assert call_admin(acme, "GET", path).json == default
    assert call_admin(acme, "GET", NAMESPACE).json[in_namespace] == default
    assert call_admin(acme, "POST", path, body=other).status == 204
    assert call_admin(acme, "GET", path).json == other
    assert call_admin(acme, "GET", NAMESPACE).json[in_namespace] == other
    assert call_admin(acme, "DELETE", path).status == 204
    assert call_admin(acme, "GET", path).json == default
    assert call_admin(acme, "GET", f"namespaces/acme/default/{name}").json == default


def test_the_backlog_quota_has_two_names(acme):
    shown = f"{NAMESPACE}/backlogQuotaMap"
    assert call_admin(acme, "GET", shown).json == {"destination_storage": QUOTA}
    by_age = {"limitSize": -1, "limitTime": 3600, "policy": "consumer_backlog_eviction"}
    path = f"{NAMESPACE}/backlogQuota?backlogQuotaType=message_age"
    assert call_admin(acme, "POST", path, body=by_age).status == 204
    assert call_admin(acme, "GET", shown).json == {"destination_storage": QUOTA, "message_age": {**by_age, "limit": -1}}
    assert call_admin(acme, "DELETE", path).status == 204
    assert call_admin(acme, "GET", shown).json == {"destination_storage": QUOTA}
    assert call_admin(acme, "GET", f"{NAMESPACE}/backlogQuota").status == 405
    assert call_admin(acme, "POST", shown, body=QUOTA).status == 405
    assert call_admin(acme, "POST", f"{NAMESPACE}/backlogQuota?backlogQuotaType=x", body=QUOTA).status == 400


@pytest.mark.parametrize(("variant", "status"), [("empty", 200), ("204", 204)])
def test_what_nobody_has_set_may_be_empty(acme, variant, status):
    acme.settings(policies_unset=variant)
    for name in POLICIES:
        shown = call_admin(acme, "GET", f"{NAMESPACE}/{name}")
        assert (shown.status, shown.body) == (status, b"")
    assert call_admin(acme, "GET", f"{NAMESPACE}/backlogQuotaMap").json == {}
    assert "retention_policies" not in call_admin(acme, "GET", NAMESPACE).json


def retain(acme, size: int, minutes: int):
    """Ask for a retention."""
    body = {"retentionSizeInMB": size, "retentionTimeInMinutes": minutes}
    return call_admin(acme, "POST", f"{NAMESPACE}/retention", body=body)


def limit(acme, size: int, seconds: int = -1):
    """Ask for a backlog quota."""
    body = {"limitSize": size, "limitTime": seconds, "policy": "producer_exception"}
    return call_admin(acme, "POST", f"{NAMESPACE}/backlogQuota", body=body)


@pytest.mark.parametrize(
    ("size", "minutes", "status"),
    [
        (1024, 10080, 412),
        (4768, -1, 412),
        (4769, -1, 204),
        (-1, -1, 204),
        (-1, 1, 204),
        (0, 0, 204),
        (0, 10, 400),
        (10240, 0, 400),
        (-2, -1, 400),
    ],
)
def test_retention_must_exceed_the_backlog(acme, size, minutes, status):
    # The default is a backlog of 5 GB, which is 4768.4 MiB.
    assert retain(acme, size, minutes).status == status


def test_the_interlock_works_in_both_directions(acme):
    assert limit(acme, 100 * 1024 * 1024, 3600).status == 204
    assert retain(acme, 100, -1).reason == "Retention Quota must exceed configured backlog quota for namespace."
    assert retain(acme, 101, 60).status == 412
    assert retain(acme, 101, 61).status == 204
    assert limit(acme, 101 * 1024 * 1024).status == 412
    assert limit(acme, 1, 3660).status == 412
    assert limit(acme, -1).status == 204
    # A real broker was seen not to look when a quota is removed, so that 5 GB of backlog meet 101 MiB of retention.
    assert call_admin(acme, "DELETE", f"{NAMESPACE}/backlogQuota").status == 204
    assert retain(acme, 101, 61).status == 412
    assert retain(acme, -1, -1).status == 204


@pytest.mark.parametrize(
    ("policy", "body", "status"),
    [
        ("messageTTL", 3600, 412),
        ("messageTTL", -1, 412),
        ("messageTTL", "0", 400),
        ("messageTTL", True, 400),
        ("subscriptionExpirationTime", -1, 412),
        ("subscriptionExpirationTime", {}, 400),
        ("retention", {"retentionTimeInMinutes": 1}, 400),
        ("retention", {"retentionTimeInMinutes": 1, "retentionSizeInMB": "1"}, 400),
        ("retention", {"retentionTimeInMinutes": 1, "retentionSizeInMB": 1, "x": 1}, 400),
        ("backlogQuota", {"limitSize": 1}, 400),
        ("backlogQuota", {"limitSize": 1, "policy": "drop"}, 400),
        ("inactiveTopicPolicies", {"deleteWhileInactive": False}, 400),
        ("inactiveTopicPolicies", {**POLICIES["inactiveTopicPolicies"][0], "maxInactiveDurationSeconds": 0}, 412),
        ("inactiveTopicPolicies", {**POLICIES["inactiveTopicPolicies"][1], "maxInactiveDurationSeconds": 0}, 204),
        ("autoTopicCreation", {"allowAutoTopicCreation": "no", "topicType": "non-partitioned"}, 400),
        ("autoTopicCreation", [], 400),
    ],
)
def test_what_a_policy_may_be(acme, policy, body, status):
    answer = call_admin(acme, "POST", f"{NAMESPACE}/{policy}", body=body)
    assert answer.status == status
    assert status == 204 or answer.reason


def test_a_policy_needs_a_content_type(acme):
    refused = call_admin(acme, "POST", f"{NAMESPACE}/messageTTL", body=b"0", headers={"Content-Type": "text/plain"})
    assert refused.status == 415


# --- Topics -----------------------------------------------------------------------------------------------------------


def test_a_topic_comes_and_goes(acme):
    new = "persistent/acme/audit/new"
    assert call_admin(acme, "PUT", new, headers={"Content-Type": "application/json"}).status == 204
    assert call_admin(acme, "PUT", new).status == 409
    assert call_admin(acme, "PUT", f"{new}/partitions", body=2).status == 409
    listed = call_admin(acme, "GET", "persistent/acme/audit/").json
    assert listed == [
        f"persistent://acme/audit/{name}" for name in ("log", "many-partition-0", "many-partition-1", "new")
    ]
    assert call_admin(acme, "GET", f"{new}/partitions").json["partitions"] == 0
    assert call_admin(acme, "DELETE", f"{new}/partitions").status == 404
    assert call_admin(acme, "DELETE", new).status == 204
    assert call_admin(acme, "DELETE", new).status == 404
    for path in (f"{new}/stats", f"{new}/partitions", f"{new}/internalStats", f"{new}/properties"):
        assert call_admin(acme, "GET", path).status == 404
    assert call_admin(acme, "PUT", "persistent/acme/audit/9new").status == 412
    assert call_admin(acme, "PUT", "persistent/acme/audit/new-partition-1").status == 412
    assert call_admin(acme, "PUT", "persistent/acme/nosuch/new").status == 404


def test_a_partitioned_topic_is_another_kind(acme):
    assert call_admin(acme, "GET", "persistent/acme/audit/partitioned").json == ["persistent://acme/audit/many"]
    assert call_admin(acme, "GET", f"{MANY}/partitions").json == {"partitions": 2, "deleted": False}
    assert call_admin(acme, "GET", f"{MANY}/stats").status == 404
    assert call_admin(acme, "GET", f"{LOG}/partitioned-stats").status == 404
    assert call_admin(acme, "GET", f"{MANY}-partition-1/stats").status == 200
    assert call_admin(acme, "GET", f"{MANY}/examinemessage").status == 405
    assert call_admin(acme, "DELETE", MANY).status == 409
    assert call_admin(acme, "POST", f"{MANY}/partitions", body=3).status == 204
    assert call_admin(acme, "POST", f"{MANY}/partitions", body=2).status == 422
    assert call_admin(acme, "POST", f"{LOG}/partitions", body=2).status == 409
    assert call_admin(acme, "POST", "persistent/acme/audit/nosuch/partitions", body=2).status == 404
    assert call_admin(acme, "DELETE", f"{MANY}/partitions").status == 204
    assert call_admin(acme, "GET", "persistent/acme/audit").json == ["persistent://acme/audit/log"]


@pytest.mark.parametrize(
    ("body", "status"), [(b"0", 406), (b"-1", 406), (b"129", 406), (b'"3"', 400), (b"null", 400), (b"128", 412)]
)
def test_the_number_of_partitions(acme, body, status):
    # 128 partitions are within their limit and over that of topics.
    assert call_admin(acme, "PUT", "persistent/acme/audit/p/partitions", body=body).status == status


def test_properties_are_merged(acme):
    for path in (LOG, MANY):
        assert call_admin(acme, "GET", f"{path}/properties").json == {}
        call_admin(acme, "PUT", f"{path}/properties", body={"a": "1", "b": "2"})
        assert call_admin(acme, "PUT", f"{path}/properties", body={"b": "3"}).status == 204
        assert call_admin(acme, "GET", f"{path}/properties").json == {"a": "1", "b": "3"}
        assert call_admin(acme, "DELETE", f"{path}/properties?key=a").status == 204
        assert call_admin(acme, "GET", f"{path}/properties").json == {"b": "3"}
        assert call_admin(acme, "PUT", f"{path}/properties", body={"a": 1}).status == 400
    call_admin(acme, "DELETE", LOG)
    call_admin(acme, "PUT", LOG)
    assert call_admin(acme, "GET", f"{LOG}/properties").json == {}


def test_grants_are_of_topics_and_namespaces(acme):
    path = f"{LOG}/permissions"
    assert call_admin(acme, "POST", f"{path}/siem", body=["consume"]).status == 204
    assert call_admin(acme, "POST", f"{NAMESPACE}/permissions/siem", body=["produce"]).status == 204
    assert call_admin(acme, "GET", path).json == {"siem": ["consume", "produce"]}
    assert call_admin(acme, "GET", f"{NAMESPACE}/permissions").json == {"siem": ["produce"]}
    shown = call_admin(acme, "GET", NAMESPACE).json["auth_policies"]
    assert shown["destination_auth"] == {TOPIC: {"siem": ["consume"]}}
    assert call_admin(acme, "POST", f"{path}/siem", body=["everything"]).status == 400
    assert call_admin(acme, "DELETE", f"{path}/siem").status == 204
    assert call_admin(acme, "DELETE", f"{path}/siem").status == 204
    assert call_admin(acme, "GET", path).json == {"siem": ["produce"]}
    # As Pulsar's web server does it, with which a role of Astra has to be encoded.
    assert call_admin(acme, "POST", f"{path}/a;b;c", body=["consume"]).status == 204
    assert call_admin(acme, "POST", f"{path}/d%3Be", body=["consume"]).status == 204
    assert call_admin(acme, "GET", path).json.keys() == {"siem", "a", "d;e"}


def test_statistics_count_what_was_published(acme):
    call_admin(acme, "PUT", f"{LOG}/subscription/siem", body="earliest")
    before = call_admin(acme, "GET", f"{LOG}/internalStats").json
    assert (before["entriesAddedCounter"], before["lastConfirmedEntry"].split(":")[1]) == (0, "-1")
    acme.publish(TOPIC, "hello", count=3, producer="exporter")
    stats = call_admin(acme, "GET", f"{LOG}/stats").json
    assert (stats["msgInCounter"], stats["bytesInCounter"], stats["storageSize"]) == (3, 15, 15)
    assert [publisher["producerName"] for publisher in stats["publishers"]] == ["exporter"]
    assert stats["subscriptions"]["siem"]["msgBacklog"] == 3
    after = call_admin(acme, "GET", f"{LOG}/internalStats").json
    assert (after["entriesAddedCounter"], after["lastConfirmedEntry"].split(":")[1]) == (3, "2")
    assert acme.consume(TOPIC, "siem", 2) == ["hello", "hello"]
    assert call_admin(acme, "GET", f"{LOG}/stats").json["subscriptions"]["siem"]["msgBacklog"] == 1
    usage = call_admin(acme, "GET", "stats/topics/acme/audit").json[TOPIC]
    assert (usage["totalMessagesIn"], usage["producerCount"], usage["msgBacklogNumber"]) == (3, 1, 1)
    acme.publish("persistent://acme/audit/many", "x", count=5)
    many = call_admin(acme, "GET", f"{MANY}/partitioned-stats").json
    assert (many["metadata"]["partitions"], many["msgInCounter"], len(many["partitions"])) == (2, 5, 2)


def test_messages_can_be_looked_at(acme):
    assert call_admin(acme, "GET", f"{LOG}/examinemessage").status == 412
    call_admin(acme, "PUT", f"{LOG}/subscription/siem", body="earliest")
    for number in range(3):
        acme.publish(TOPIC, f"m{number}", properties={"kind": "audit"})
    last = call_admin(acme, "GET", f"{LOG}/examinemessage?initialPosition=latest&messagePosition=1")
    assert last.body == b"m2"
    assert last.headers["x-pulsar-property-kind"] == "audit"
    last_id = call_admin(acme, "GET", f"{LOG}/lastMessageId").json
    assert last.headers["x-pulsar-message-id"] == f"{last_id['ledgerId']}:{last_id['entryId']}"
    assert last.headers["x-pulsar-publish-time"].endswith("Z")
    assert call_admin(acme, "GET", f"{LOG}/examinemessage?initialPosition=earliest&messagePosition=2").body == b"m1"
    assert call_admin(acme, "GET", f"{LOG}/subscription/siem/position/1").body == b"m0"
    assert call_admin(acme, "GET", f"{LOG}/subscription/siem/position/4").status == 404
    assert call_admin(acme, "GET", f"{LOG}/subscription/nosuch/position/1").status == 404
    assert call_admin(acme, "GET", f"{LOG}/stats").json["subscriptions"].keys() == {"siem"}


def test_schemas_and_lookup(acme):
    assert call_admin(acme, "GET", "schemas/acme/audit/log/schema").status == 404
    found = call_admin(acme, "GET", "/lookup/v2/topic/persistent/acme/audit/log").json
    assert found["brokerUrlTls"] == "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651"
    assert call_admin(acme, "GET", "/lookup/v2/topic/persistent/acme/audit/nosuch").status == 404


# --- Subscriptions ----------------------------------------------------------------------------------------------------


def test_a_subscription_comes_and_goes(acme):
    path = f"{LOG}/subscription/siem"
    assert call_admin(acme, "PUT", path, body="earliest").status == 204
    assert call_admin(acme, "PUT", path, body="earliest").status == 409
    acme.settings(subscription_exists="204")
    assert call_admin(acme, "PUT", path).status == 204
    assert call_admin(acme, "GET", f"{LOG}/subscriptions").json == ["siem"]
    acme.connect_consumer(TOPIC, "siem")
    assert len(call_admin(acme, "GET", f"{LOG}/stats").json["subscriptions"]["siem"]["consumers"]) == 1
    assert call_admin(acme, "DELETE", path).reason == "Subscription has active connected consumers"
    assert call_admin(acme, "DELETE", path).status == 412
    assert call_admin(acme, "DELETE", LOG).status == 412
    acme.disconnect(TOPIC, subscription="siem")
    assert call_admin(acme, "DELETE", path).status == 204
    assert call_admin(acme, "DELETE", path).status == 404


def test_a_subscription_with_consumers_can_be_forced(acme):
    call_admin(acme, "PUT", f"{LOG}/subscription/siem")
    acme.connect_consumer(TOPIC, "siem")
    assert call_admin(acme, "DELETE", f"{LOG}/subscription/siem?force=true").status == 204
    acme.publish(TOPIC, producer="p")
    assert call_admin(acme, "DELETE", LOG).status == 412
    assert call_admin(acme, "DELETE", f"{LOG}?force=true").status == 204


@pytest.mark.parametrize(("body", "backlog"), [("earliest", 2), ("latest", 0), (None, 0), ({"messageId": "latest"}, 0)])
def test_where_a_subscription_begins(acme, body, backlog):
    call_admin(acme, "PUT", f"{LOG}/subscription/keeper", body="earliest")
    acme.publish(TOPIC, count=2)
    assert call_admin(acme, "PUT", f"{LOG}/subscription/siem", body=body).status == 204
    assert call_admin(acme, "GET", f"{LOG}/stats").json["subscriptions"]["siem"]["msgBacklog"] == backlog
    assert call_admin(acme, "PUT", f"{LOG}/subscription/x", body="middle").status == 400


def test_a_subscription_is_of_every_partition(acme):
    assert call_admin(acme, "PUT", f"{MANY}/subscription/siem", body="earliest").status == 204
    assert call_admin(acme, "GET", f"{MANY}-partition-1/subscriptions").json == ["siem"]
    call_admin(acme, "POST", f"{MANY}/partitions", body=3)
    assert call_admin(acme, "GET", f"{MANY}-partition-2/subscriptions").json == ["siem"]
    acme.publish("persistent://acme/audit/many", count=6)
    shown = call_admin(acme, "GET", f"{MANY}/partitioned-stats").json
    assert shown["subscriptions"]["siem"]["msgBacklog"] == 6
    assert call_admin(acme, "POST", f"{MANY}/subscription/siem/skip_all").status == 204
    assert call_admin(acme, "DELETE", f"{MANY}/subscription/siem").status == 204
    assert call_admin(acme, "GET", f"{MANY}/subscriptions").json == []


def test_subscriptions_have_a_limit(acme):
    acme.settings(subscription_limit=1)
    assert call_admin(acme, "PUT", f"{LOG}/subscription/a%2Fb").status == 204
    assert call_admin(acme, "PUT", f"{LOG}/subscription/two").status == 412
    assert call_admin(acme, "DELETE", f"{LOG}/subscription/a%2Fb").status == 204
