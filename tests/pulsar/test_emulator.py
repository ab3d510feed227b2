# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator in front of a real broker: it rules as Astra does, Pulsar answers, and events arrive or do not."""

from __future__ import annotations

import uuid
from urllib.parse import quote

import pytest

from emulator.client import Emulator, EmulatorError
from tests.emulator.support import (
    CLUSTER,
    CLUSTER_HEADER,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    STATE,
    STREAMING_HEADERS,
    call,
    call_admin,
    post,
    wait_until,
)
from tests.emulator.test_pulsar_admin import TABLE
from tests.pulsar.support import access

# What Astra answers in its own way, whatever Pulsar does.
ASTRA_S_OWN = ("persistent/nosuch/audit/log/stats", "brokers/health", "clusters")


@pytest.fixture(scope="module")
def _running(broker):
    with Emulator(**STATE, pulsar=access(broker, admin_url=broker.admin_tls_url)) as running:
        yield running
        running.reset()


@pytest.fixture
def emulator(_running):
    """The emulator, without tenants."""
    _running.reset()
    return _running


@pytest.fixture
def tenant(emulator):
    """The name of a tenant that has a topic of either kind."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    topics = [{"name": "log", "subscriptions": {"keeper": "earliest"}}, {"name": "many", "partitions": 2}]
    emulator.set_tenant(ORGANIZATION, name, tokens=[{"id": "t1"}], namespaces=[{"name": "audit", "topics": topics}])
    return name


def make_token(emulator, tenant: str, *actions: str, kind: str = "non-admin") -> str:
    """Make a Pulsar token whose role may do these things in the namespace; returns the token."""
    path = f"/v3/streaming/tenants/{tenant}/tokens"
    made = call(emulator, "POST", path, body={"type": kind, "exp": "1d"}, headers=STREAMING_HEADERS).json
    if actions:
        path = f"namespaces/{tenant}/audit/permissions/{quote(made['rolename'])}"
        assert call_admin(emulator, "POST", path, body=list(actions)).status == 204
    return made["token"]


def test_pulsar_lets_in_whom_the_memory_lets_in(emulator, tenant, broker):
    emulator.set_tenant(
        OTHER_ORGANIZATION, f"{tenant}-other", namespaces=[{"name": "audit", "topics": [{"name": "log"}]}]
    )
    stream(emulator, tenant, broker)
    emulator.act(ORGANIZATION)
    outcome(emulator)
    callers = [
        make_token(emulator, tenant, kind="admin"),
        make_token(emulator, tenant, "produce"),
        make_token(emulator, tenant, "consume"),
        make_token(emulator, tenant),
    ]
    seen, expected = {}, {}
    for path, statuses in TABLE.items():
        real = path.replace("acme", tenant).replace("/other/", f"/{tenant}-other/")
        if path not in ASTRA_S_OWN:
            seen[path] = tuple(call_admin(emulator, "GET", real, token).status for token in callers)
            expected[path] = statuses
        assert call_admin(emulator, "GET", real).status == statuses[0], path
        refused = call_admin(emulator, "GET", real, "nobody")
        assert (refused.status, refused.headers["content-type"][:9]) == (401, "text/html")
    assert seen == expected


def test_a_tenant_comes_and_goes_in_the_broker(emulator, tenant):
    assert call_admin(emulator, "GET", f"namespaces/{tenant}").json == [f"{tenant}/audit", f"{tenant}/default"]
    limits = call(emulator, "GET", f"/v2/streaming/tenants/{tenant}/limits", headers=CLUSTER_HEADER).json
    assert {len(each["topics"]) for each in limits["usage"]} == {0, 3}
    assert call(emulator, "GET", f"/admin/v2/namespaces/{tenant}", headers=CLUSTER_HEADER).status == 200
    assert call(emulator, "GET", f"/admin/v2/namespaces/{tenant}").status == 400
    assert call_admin(emulator, "GET", f"namespaces/{tenant}", "no-role").status == 403
    with pytest.raises(EmulatorError, match="Only a broker in memory can be looked into"):
        emulator.topic(f"persistent://{tenant}/audit/log")
    assert call(emulator, "DELETE", f"/v2/streaming/tenants/{tenant}/clusters/{CLUSTER}").status == 202
    assert call_admin(emulator, "GET", f"namespaces/{tenant}").status == 401
    body = {"tenantName": tenant, "userEmail": "a@example.com", "clusterName": CLUSTER}
    assert call(emulator, "POST", "/v2/streaming/tenants", body=body).status == 200
    assert call_admin(emulator, "GET", f"namespaces/{tenant}").json == [f"{tenant}/default"]
    assert (
        call(emulator, "POST", "/v2/streaming/tenants", body={**body, "clusterName": "pulsar-aws-useast1"}).status
        == 422
    )


def test_a_revoked_token_has_no_rights(emulator, tenant):
    token = emulator.tenant(tenant)["tokens"][0]["token"]
    assert call_admin(emulator, "GET", f"namespaces/{tenant}", token).status == 200
    path = f"/v2/streaming/tenants/{tenant}/tokens"
    assert call(emulator, "DELETE", f"{path}/t1", headers=STREAMING_HEADERS).status == 200
    refused = call_admin(emulator, "GET", f"namespaces/{tenant}", token)
    assert (refused.status, refused.headers["content-type"]) == (401, "application/json")

    producer = make_token(emulator, tenant, "produce")
    granted = call_admin(emulator, "GET", f"namespaces/{tenant}/audit/permissions").json
    assert len(granted) == 1
    for listed in call(emulator, "GET", path, headers=STREAMING_HEADERS).json:
        call(emulator, "DELETE", f"{path}/{listed['tokenid']}", headers=STREAMING_HEADERS)
    assert call_admin(emulator, "GET", f"namespaces/{tenant}/audit/permissions").json == {}
    assert call_admin(emulator, "GET", f"persistent/{tenant}/audit/log/stats", producer).status == 401


# --- The exporter -----------------------------------------------------------------------------------------------------


def stream(emulator, tenant: str, broker, **changes) -> None:
    """Configure a stream that is right but for the changes."""
    right = {
        "endpoint": broker.broker_tls_url,
        "topic": f"persistent://{tenant}/audit/log",
        "auth_strategy": "token",
        "auth_name": "token",
        "token": emulator.tenant(tenant)["tokens"][0]["token"],
    }
    assert post(emulator, {**right, **changes}).status == 202


def outcome(emulator) -> tuple[str, str | None]:
    """What became of the latest event, and why."""
    wait_until(lambda: emulator.events()[-1]["state"] != "pending", 40)
    return emulator.events()[-1]["state"], emulator.events()[-1]["reason"]


def test_audited_acts_arrive(emulator, tenant, broker):
    stream(emulator, tenant, broker)
    wait_until(lambda: emulator.exporter()[ORGANIZATION]["connected"], 20)
    path = f"persistent/{tenant}/audit/log"
    assert len(call_admin(emulator, "GET", f"{path}/stats").json["publishers"]) == 1
    assert call(emulator, "POST", "/v2/tokens", body={"roles": ["x"], "description": "probe"}).status == 200
    assert outcome(emulator) == ("delivered", None)
    last = call_admin(emulator, "GET", f"{path}/examinemessage?initialPosition=latest&messagePosition=1")
    assert last.json == emulator.events()[-1]["event"]
    assert last.json["eventType"] == "GENERATE_TOKEN_FOR_CLIENT"
    assert emulator.events()[-1]["message_id"].startswith(last.headers["x-pulsar-message-id"])
    assert call_admin(emulator, "GET", f"{path}/stats").json["subscriptions"]["keeper"]["msgBacklog"] == 1
    emulator.act(ORGANIZATION, count=20)
    wait_until(lambda: emulator.exporter()[ORGANIZATION]["delivered"] == 21, 20)
    numbers = [
        call_admin(emulator, "GET", f"{path}/subscription/keeper/position/{position}").json["event"]["number"]
        for position in range(2, 22)
    ]
    assert numbers == list(range(20))
    call(emulator, "DELETE")
    wait_until(lambda: call_admin(emulator, "GET", f"{path}/stats").json["publishers"] == [], 20)


WRONG = {
    "topic missing": (lambda tenant, broker: {"topic": f"persistent://{tenant}/audit/nosuch"}, "TopicNotFound"),
    "namespace missing": (lambda tenant, broker: {"topic": f"persistent://{tenant}/nosuch/log"}, ""),
    "plain text to a TLS port": (
        lambda tenant, broker: {"endpoint": broker.broker_tls_url.replace("+ssl", "")},
        "",
    ),
    "nobody listens": (lambda tenant, broker: {"endpoint": "pulsar+ssl://127.0.0.1:1"}, ""),
    "another signature": (lambda tenant, broker: {"token": broker.superuser_token[:-4] + "AAAA"}, ""),
    "another tenant's token": (lambda tenant, broker: {"token": broker.make_token("stranger")}, "AuthorizationError"),
    "an expired token": (lambda tenant, broker: {"token": broker.make_token("admin", exp=1)}, ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_does_not_arrive(emulator, tenant, broker, case):
    emulator.settings(exporter_connects="with-event")
    change, reason = WRONG[case]
    stream(emulator, tenant, broker, **change(tenant, broker))
    emulator.act(ORGANIZATION)
    state, said = outcome(emulator)
    assert state == "dropped"
    assert said
    assert said.startswith(reason)
    assert call_admin(emulator, "GET", f"persistent/{tenant}/audit/log/stats").json["msgInCounter"] == 0


def test_a_token_must_be_allowed_to_produce(emulator, tenant, broker):
    for actions, expected in ((("consume",), "dropped"), (("produce",), "delivered")):
        stream(emulator, tenant, broker, token=make_token(emulator, tenant, *actions))
        emulator.act(ORGANIZATION)
        assert outcome(emulator)[0] == expected


# --- Sinks ------------------------------------------------------------------------------------------------------------


def test_sinks_in_astra_s_form(emulator, tenant):
    if call_admin(emulator, "GET", "/admin/v3/sinks/builtinsinks").status != 200:
        pytest.skip("the broker runs without the functions worker")
    path = f"/admin/v3/astrasinks/{tenant}/audit/siem"
    config = {
        "archive": "builtin://http",
        "inputs": [f"persistent://{tenant}/audit/log"],
        "configs": {"url": "http://127.0.0.1:1/ingest"},
        "sourceSubscriptionName": "siem",
    }
    assert call_admin(emulator, "POST", path, body=config).status == 400
    for _number in range(2):
        answer = call_admin(emulator, "POST", path, body=config, headers=STREAMING_HEADERS)
    assert (answer.status, answer.reason) == (400, "Sink siem already exists")
    assert call_admin(emulator, "GET", path, headers=STREAMING_HEADERS).json["archive"] == "builtin://http"
    assert call_admin(emulator, "GET", f"/admin/v3/sinks/{tenant}/audit/siem/status").status == 200
    assert call_admin(emulator, "DELETE", path, headers=STREAMING_HEADERS).status == 200
    assert call_admin(emulator, "DELETE", path, headers=STREAMING_HEADERS).status == 404
