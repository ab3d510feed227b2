# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exporter, and each way in which a topic loses events, on a clock that is moved."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.emulator.support import (
    CLUSTER,
    ENDPOINT,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    STREAMING_HEADERS,
    TOPIC,
    audit_logs,
    call,
    call_admin,
    post,
)

NAMESPACE = "namespaces/acme/audit"
LOG = "persistent/acme/audit/log"
DAY = 86400
GB = 1_000_000_000


@pytest.fixture
def acme(emulator):
    """An emulator with a tenant that has a topic with a durable subscription."""
    topics = [
        {"name": "log", "subscriptions": {"siem": "earliest"}},
        {"name": "bare"},
        {"name": "many", "partitions": 2},
    ]
    emulator.set_tenant(ORGANIZATION, "acme", tokens=[{"id": "t1"}], namespaces=[{"name": "audit", "topics": topics}])
    return emulator


def pulsar_token(emulator) -> str:
    """The token that the tenant has from the start."""
    return emulator.tenant("acme")["tokens"][0]["token"]


def stream(emulator, **changes) -> None:
    """Configure a stream that is right but for the changes."""
    right = {"endpoint": ENDPOINT, "topic": TOPIC, "auth_strategy": "token", "auth_name": "token"}
    assert post(emulator, {**right, "token": pulsar_token(emulator), **changes}).status == 202


def act(emulator) -> None:
    """Do something that is audited: make a role."""
    policy = {"description": "", "actions": ["org-read"], "effect": "allow", "resources": ["drn:astra:org:x"]}
    assert call(emulator, "POST", "/v2/organizations/roles", body={"name": "probe", "policy": policy}).status == 201


def entries(emulator, topic: str = TOPIC) -> list[dict]:
    """What is in a topic."""
    return [entry["payload"] for part in emulator.topic(topic) for entry in part["entries"]]


def test_audited_acts_arrive(acme):
    stream(acme)
    act(acme)
    role_id = acme.roles()[0]["id"]
    call(acme, "DELETE", f"/v2/organizations/roles/{role_id}")
    client_id = call(acme, "POST", "/v2/tokens", body={"roles": ["x"]}).json["clientId"]
    call(acme, "DELETE", f"/v2/clientIdSecrets/{client_id}")
    body = {"tenantName": "more", "userEmail": "a@example.com", "clusterName": CLUSTER}
    call(acme, "POST", "/v2/streaming/tenants", body=body)
    call(acme, "DELETE", f"/v2/streaming/tenants/more/clusters/{CLUSTER}")
    arrived = entries(acme)
    assert [event["eventType"] for event in arrived] == [
        "CREATE_ROLE",
        "DELETE_ROLE",
        "GENERATE_TOKEN_FOR_CLIENT",
        "DELETE_TOKEN_FOR_CLIENT",
        "CREATE_STREAMING_TENANT",
        "DELETE_STREAMING_TENANT",
    ]
    first = arrived[0]
    assert first.keys() == {"typename", "actionResult", "userID", "event", "eventTime", "eventType"}
    assert (first["typename"], first["actionResult"]) == ("AuditEvent", "SUCCESS")
    assert first["event"] == {"roleId": role_id, "roleName": "probe"}
    assert ORGANIZATION not in str(first)
    assert [event["state"] for event in acme.events(ORGANIZATION)] == ["delivered"] * 6
    assert acme.exporter()[ORGANIZATION] == {"connected": True, "reason": None, "delivered": 6, "dropped": 0}
    stats = call_admin(acme, "GET", f"{LOG}/stats").json
    assert (stats["msgInCounter"], stats["subscriptions"]["siem"]["msgBacklog"]) == (6, 6)
    assert len(stats["publishers"]) == 1


def test_acts_that_fail_are_no_events(acme):
    stream(acme)
    assert call(acme, "POST", "/v2/tokens", body={}).status == 400
    assert call(acme, "DELETE", "/v2/clientIdSecrets/nosuch").status == 404
    assert acme.events() == []


def test_without_a_stream_there_is_nothing_to_export(acme):
    act(acme)
    acme.set_organization(ORGANIZATION, {"kafka": {"servers": "x"}})
    assert acme.act(ORGANIZATION) is None
    assert (acme.events(), acme.exporter().get(ORGANIZATION)) == ([], None)
    assert acme.exporter()[OTHER_ORGANIZATION]["reason"].startswith("ConnectError: the broker in memory knows tokens")


def test_a_stream_exports_once_it_is_effective(acme):
    acme.settings(apply_lag=60)
    stream(acme)
    acme.act(ORGANIZATION)
    assert call_admin(acme, "GET", f"{LOG}/stats").json["publishers"] == []
    acme.advance(61)
    assert len(call_admin(acme, "GET", f"{LOG}/stats").json["publishers"]) == 1
    acme.act(ORGANIZATION, count=2)
    call(acme, "DELETE")
    acme.act(ORGANIZATION)
    assert len(entries(acme)) == 3
    acme.advance(61)
    acme.act(ORGANIZATION)
    assert len(entries(acme)) == 3
    assert call_admin(acme, "GET", f"{LOG}/stats").json["publishers"] == []


def test_it_may_connect_with_the_first_event(acme):
    acme.settings(exporter_connects="with-event")
    stream(acme)
    assert call_admin(acme, "GET", f"{LOG}/stats").json["publishers"] == []
    acme.act(ORGANIZATION)
    assert len(call_admin(acme, "GET", f"{LOG}/stats").json["publishers"]) == 1


def test_events_are_spread_over_partitions(acme):
    stream(acme, topic="persistent://acme/audit/many")
    call_admin(acme, "PUT", "persistent/acme/audit/many/subscription/siem", body="earliest")
    acme.act(ORGANIZATION, count=4, event_type="DB_CREATED", event={"db": "x"})
    many = acme.topic("persistent://acme/audit/many")
    assert [len(part["entries"]) for part in many] == [2, 2]
    assert many[0]["entries"][0]["payload"]["event"] == {"number": 0, "db": "x"}


WRONG = {
    "another region": ({"endpoint": ENDPOINT.replace("useast2", "useast1")}, "ConnectError: the exporter reaches"),
    "another host": ({"endpoint": "pulsar+ssl://pulsar.example.com:6651"}, "ConnectError: no broker listens"),
    "another port": ({"endpoint": ENDPOINT.replace("6651", "6650")}, "ConnectError: no broker listens"),
    "no TLS": ({"endpoint": ENDPOINT.replace("+ssl", "")}, "ConnectError: no broker listens"),
    "no number for a port": ({"endpoint": ENDPOINT.replace("6651", "x")}, "ConnectError: no broker listens"),
    "topic missing": ({"topic": "persistent://acme/audit/nosuch"}, "TopicNotFoundException"),
    "namespace missing": ({"topic": "persistent://acme/nosuch/log"}, "TopicNotFoundException"),
    "tenant missing": ({"topic": "persistent://nosuch/audit/log"}, "AuthorizationError"),
    "no topic": ({"topic": "acme/audit/log"}, "AuthorizationError"),
    "no JWT": ({"token": "AstraCS:x:y"}, "AuthenticationError: the token's signature is wrong"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_does_not_arrive(acme, case):
    changes, reason = WRONG[case]
    stream(acme, **changes)
    acme.act(ORGANIZATION, count=2)
    shown = acme.exporter()[ORGANIZATION]
    assert (shown["connected"], shown["delivered"], shown["dropped"]) == (False, 0, 2)
    assert shown["reason"].startswith(reason)
    assert [event["state"] for event in acme.events()] == ["dropped", "dropped"]
    assert entries(acme) == []


@pytest.mark.parametrize(("actions", "arrives"), [(["produce"], True), (["consume"], False), ([], False)])
def test_a_token_must_be_allowed_to_produce(acme, actions, arrives):
    made = call(
        acme, "POST", "/v3/streaming/tenants/acme/tokens", body={"type": "non-admin"}, headers=STREAMING_HEADERS
    ).json
    if actions:
        call_admin(acme, "POST", f"{LOG}/permissions/{quote(made['rolename'])}", body=actions)
    stream(acme, token=made["token"])
    acme.act(ORGANIZATION)
    assert bool(entries(acme)) is arrives
    if not arrives:
        assert acme.exporter()[ORGANIZATION]["reason"].startswith("AuthorizationError")


def test_other_tokens_do_not_arrive(acme):
    acme.set_tenant(OTHER_ORGANIZATION, "other", tokens=[{"id": "t2"}])
    claims = acme.tenant("acme")["tokens"][0]["claims"]
    for token, reason in (
        (acme.sign(**claims, exp=1), "AuthenticationError: the token has expired"),
        (acme.tenant("other")["tokens"][0]["token"], "AuthorizationError"),
        (acme.sign(sub=claims["sub"])[:-3] + "AAA", "AuthenticationError"),
    ):
        stream(acme, token=token)
        acme.act(ORGANIZATION)
        assert acme.exporter()[ORGANIZATION]["reason"].startswith(reason)
    assert entries(acme) == []


def test_a_token_that_ends_ends_the_export(acme):
    made = call(acme, "POST", "/v3/streaming/tenants/acme/tokens", body={"exp": "1d"}, headers=STREAMING_HEADERS).json
    stream(acme, token=made["token"])
    acme.act(ORGANIZATION)
    acme.advance(DAY + 1)
    assert call_admin(acme, "GET", f"{LOG}/stats").json["publishers"] == []
    acme.act(ORGANIZATION)
    assert len(entries(acme)) == 1
    assert acme.exporter()[ORGANIZATION]["reason"] == "AuthenticationError: the token has expired"


def test_a_token_that_is_revoked_ends_the_export(acme):
    stream(acme)
    acme.act(ORGANIZATION)
    call(acme, "DELETE", "/v2/streaming/tenants/acme/tokens/t1", headers=STREAMING_HEADERS)
    assert call_admin(acme, "GET", f"{LOG}/stats").json["publishers"] == []
    acme.act(ORGANIZATION)
    assert len(entries(acme)) == 1


def test_a_topic_takes_so_many_producers(acme):
    acme.settings(producer_limit=1)
    stream(acme)
    organization = {"pulsar": {**acme.organization(ORGANIZATION)["audit_logs"]["pulsar"]}}
    acme.set_organization(OTHER_ORGANIZATION, organization)
    assert acme.exporter()[OTHER_ORGANIZATION]["reason"].startswith("ProducerBusyException")
    acme.act(OTHER_ORGANIZATION)
    call(acme, "DELETE")
    acme.act(OTHER_ORGANIZATION)
    states = [event["state"] for event in acme.events()]
    assert states == ["dropped", "delivered"]


def test_an_organization_that_is_gone_exports_nothing(acme):
    stream(acme)
    acme.delete_organization(ORGANIZATION)
    assert ORGANIZATION not in acme.exporter()
    assert acme.topic(TOPIC)[0]["producers"] == []
    assert call(acme, "GET", audit_logs()).status == 404


# --- How an audit log gets lost ---------------------------------------------------------------------------------------


def set_policy(emulator, name: str, value) -> None:
    """Set a policy of the namespace."""
    assert call_admin(emulator, "POST", f"{NAMESPACE}/{name}", body=value).status == 204


BARE = "persistent://acme/audit/bare"


def test_without_a_subscription_nothing_is_kept(acme):
    acme.publish(BARE, count=3)
    [topic] = acme.topic(BARE)
    assert (topic["added"], topic["lost"], topic["entries"]) == (3, 3, [])
    call_admin(acme, "PUT", "persistent/acme/audit/bare/subscription/late", body="earliest")
    assert acme.consume(BARE, "late") == []


def test_retention_keeps_for_a_while(acme):
    set_policy(acme, "retention", {"retentionTimeInMinutes": 60, "retentionSizeInMB": -1})
    acme.publish(BARE, "kept", count=3)
    acme.advance(59 * 60)
    call_admin(acme, "PUT", "persistent/acme/audit/bare/subscription/late", body="earliest")
    assert acme.consume(BARE, "late", 1) == ["kept"]
    acme.advance(120)
    # What the subscription has not read stays; what it has read is past its time.
    [topic] = acme.topic(BARE)
    assert (len(topic["entries"]), topic["lost"]) == (2, 0)


def test_retention_by_size(acme):
    limit = {"limitSize": 1000, "limitTime": -1, "policy": "producer_exception"}
    set_policy(acme, "backlogQuota", limit)
    set_policy(acme, "retention", {"retentionTimeInMinutes": -1, "retentionSizeInMB": 1})
    acme.publish(BARE, "x", count=3, size=400_000)
    [topic] = acme.topic(BARE)
    assert (len(topic["entries"]), topic["lost"]) == (2, 1)


def test_a_topic_that_nobody_uses_is_deleted_after_two_days(acme):
    acme.publish(BARE)
    acme.advance(2 * DAY - 60)
    assert call_admin(acme, "GET", "persistent/acme/audit/bare/stats").status == 200
    acme.advance(120)
    assert call_admin(acme, "GET", "persistent/acme/audit/bare/stats").status == 404
    assert call_admin(acme, "GET", "persistent/acme/audit/many/partitions").status == 404
    assert call_admin(acme, "GET", f"{LOG}/stats").status == 200
    lost = next(each["lost"] for each in acme.tenant("acme")["namespaces"] if each["name"] == "audit")
    assert lost == 1
    # It does not come back by itself, because topics are not created automatically.
    stream(acme, topic=BARE)
    acme.act(ORGANIZATION)
    assert acme.exporter()[ORGANIZATION]["reason"].startswith("TopicNotFoundException")
    set_policy(acme, "autoTopicCreation", {"allowAutoTopicCreation": True, "topicType": "non-partitioned"})
    acme.act(ORGANIZATION)
    assert acme.exporter()[ORGANIZATION]["delivered"] == 1


def test_a_producer_a_subscription_or_the_policy_keeps_a_topic(acme):
    stream(acme, topic=BARE)
    set_policy(acme, "subscriptionExpirationTime", 60)
    acme.advance(5 * DAY)
    # The exporter is connected to one; the other's subscription has expired, and with it the topic.
    assert call_admin(acme, "GET", "persistent/acme/audit/bare/stats").status == 200
    assert call_admin(acme, "GET", f"{LOG}/stats").status == 404
    never = {
        "deleteWhileInactive": False,
        "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
        "maxInactiveDurationSeconds": 60,
    }
    set_policy(acme, "inactiveTopicPolicies", never)
    call(acme, "DELETE")
    acme.advance(5 * DAY)
    assert call_admin(acme, "GET", "persistent/acme/audit/bare/stats").status == 200
    set_policy(acme, "inactiveTopicPolicies", {**never, "deleteWhileInactive": True})
    assert call_admin(acme, "GET", "persistent/acme/audit/bare/stats").status == 404


def test_topics_may_be_deleted_when_all_is_read(acme):
    caught_up = {
        "deleteWhileInactive": True,
        "inactiveTopicDeleteMode": "delete_when_subscriptions_caught_up",
        "maxInactiveDurationSeconds": 60,
    }
    set_policy(acme, "inactiveTopicPolicies", caught_up)
    acme.publish(TOPIC)
    acme.advance(100)
    assert call_admin(acme, "GET", f"{LOG}/stats").status == 200
    acme.consume(TOPIC, "siem")
    acme.advance(100)
    assert call_admin(acme, "GET", f"{LOG}/stats").status == 404


def test_a_full_backlog_stops_the_producer(acme):
    stream(acme)
    filled = acme.publish(TOPIC, size=5_000_000, count=2000)
    assert len(filled["message_ids"]) == 1000
    assert filled["reason"].startswith("ProducerBlockedQuotaExceededException")
    acme.act(ORGANIZATION, count=3)
    shown = acme.exporter()[ORGANIZATION]
    assert (shown["connected"], shown["delivered"], shown["dropped"]) == (False, 0, 3)
    assert call_admin(acme, "GET", f"{LOG}/stats").json["publishers"] == []
    acme.consume(TOPIC, "siem", 1)
    acme.act(ORGANIZATION)
    assert acme.exporter()[ORGANIZATION]["delivered"] == 1


def test_a_full_backlog_may_drop_the_oldest(acme):
    evict = {"limitSize": 3 * GB, "limitTime": -1, "policy": "consumer_backlog_eviction"}
    set_policy(acme, "backlogQuota", evict)
    assert acme.publish(TOPIC, size=GB, count=5)["reason"] is None
    [topic] = acme.topic(TOPIC)
    assert (topic["lost"], topic["subscriptions"]["siem"]["backlog"]) == (2, 3)


def test_a_backlog_may_be_too_old(acme):
    limit = {"limitSize": -1, "limitTime": 3600, "policy": "producer_exception"}
    assert call_admin(acme, "POST", f"{NAMESPACE}/backlogQuota?backlogQuotaType=message_age", body=limit).status == 204
    acme.publish(TOPIC)
    acme.advance(3700)
    assert acme.publish(TOPIC)["reason"].startswith("ProducerBlockedQuotaExceededException")


def test_a_quota_may_be_none(acme):
    set_policy(acme, "backlogQuota", {"limitSize": -1, "limitTime": -1, "policy": "producer_exception"})
    assert acme.publish(TOPIC, size=10 * GB, count=3)["reason"] is None


def test_messages_that_are_too_old_are_lost_unread(acme):
    set_policy(acme, "messageTTL", 3 * DAY)
    acme.publish(TOPIC, "old")
    acme.advance(2 * DAY)
    acme.publish(TOPIC, "new")
    acme.advance(DAY + 60)
    assert acme.consume(TOPIC, "siem") == ["new"]
    assert acme.topic(TOPIC)[0]["lost"] == 1


def test_the_clock_goes_back_with_a_reset(emulator):
    before = emulator.clock()["epoch"]
    assert emulator.advance(1000)["advanced"] == 1000
    assert emulator.clock()["epoch"] - before >= 1000
    emulator.reset()
    assert emulator.clock()["advanced"] == 0
