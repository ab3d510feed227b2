# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Astra Streaming's control plane: tenants, clusters and Pulsar tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import quote

import pytest

from emulator.client import Emulator, EmulatorError
from tests.emulator.support import (
    CLUSTER,
    CLUSTER_HEADER,
    NO_ORGANIZATION,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    STATE,
    STREAMING_HEADERS,
    call,
    call_admin,
    wait_until,
)

TENANTS = "/v2/streaming/tenants"
ACME = f"{TENANTS}/acme"
EAST = "pulsar-aws-useast1"
BODY = {"tenantName": "acme", "userEmail": "ops@example.com", "cloudProvider": "aws", "cloudRegion": "useast2"}


def create(emulator, **changes):
    """Ask for a tenant."""
    return call(emulator, "POST", TENANTS, body={**BODY, **changes})


def on(cluster: str) -> dict:
    """The changes that ask for a cluster by its name."""
    return {"cloudProvider": "", "cloudRegion": "", "clusterName": cluster}


def read_jwt(token: str) -> dict:
    """The claims of a JWT."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_a_tenant_comes_and_goes(either):
    made = create(either)
    assert made.status == 200
    shown = call(either, "GET", ACME, headers=CLUSTER_HEADER).json
    for answer in (made.json, shown):
        assert (answer["tenantName"], answer["clusterName"], answer["status"]) == ("acme", CLUSTER, "active")
        assert answer["webServiceUrl"] == either.admin_url
        assert answer["brokerServiceUrl"] == "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651"
        assert (answer["astraOrgGUID"], answer["cloudRegion"], answer["Email"]) == (ORGANIZATION, "useast2", "")
    assert made.json["pulsarToken"] != shown["pulsarToken"]
    assert [each["tenantName"] for each in call(either, "GET", TENANTS).json] == ["acme"]
    assert call(either, "HEAD", ACME).status == 200
    assert call_admin(either, "GET", "namespaces/acme").json == ["acme/default"]

    gone = call(either, "DELETE", f"{ACME}/clusters/{CLUSTER}")
    assert (gone.status, gone.body) == (202, b"")
    assert call(either, "GET", ACME, headers=CLUSTER_HEADER).status == 404
    assert call(either, "DELETE", f"{ACME}/clusters/{CLUSTER}").status == 404
    assert call(either, "HEAD", ACME).status == 404
    assert call_admin(either, "GET", "namespaces/acme").status == 401
    assert create(either).status == 200


def test_one_name_on_two_clusters_is_two_tenants(emulator):
    create(emulator)
    assert create(emulator).reason == "Tenant already exists"
    assert create(emulator, **on(EAST)).status == 200
    east = {"X-DataStax-Pulsar-Cluster": EAST}
    call_admin(emulator, "PUT", "namespaces/acme/audit", headers=east)
    assert call_admin(emulator, "GET", "namespaces/acme", headers=east).json == ["acme/default", "acme/audit"]
    assert call_admin(emulator, "GET", "namespaces/acme", headers=CLUSTER_HEADER).json == ["acme/default"]
    # Nothing but the header tells them apart here, where the service has a host for each.
    assert call_admin(emulator, "GET", "namespaces/acme").status == 400
    assert call(emulator, "DELETE", f"{ACME}/clusters/{EAST}").status == 202
    assert call(emulator, "GET", ACME, headers=CLUSTER_HEADER).status == 200
    assert call(emulator, "GET", ACME, headers=east).status == 404


def test_a_tenant_of_somebody_else_is_taken_and_unseen(emulator):
    emulator.set_tenant(OTHER_ORGANIZATION, "acme")
    assert create(emulator).status == 409
    assert call(emulator, "HEAD", ACME).status == 200
    assert call(emulator, "GET", TENANTS).json == []
    assert call(emulator, "GET", ACME, headers=CLUSTER_HEADER).status == 404
    assert call(emulator, "DELETE", f"{ACME}/clusters/{CLUSTER}").status == 404
    refused = call_admin(emulator, "GET", "namespaces/acme")
    assert (refused.status, refused.headers["content-type"]) == (401, "application/json")
    headers = {**CLUSTER_HEADER, "X-DataStax-Current-Org": OTHER_ORGANIZATION}
    assert call(emulator, "GET", ACME, headers=headers).status == 401
    assert call(emulator, "GET", ACME, "small-enterprise", headers=headers).status == 200
    assert call(emulator, "GET", ACME, "small-enterprise", headers=CLUSTER_HEADER).status == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        (f"?cluster={CLUSTER}", 200),
        (f"?cluster={EAST}", 404),
        ("?provider=aws&region=useast2", 200),
        ("?provider=aws&region=useast1", 404),
        ("?provider=aws", 400),
        ("?provider=aws&region=nowhere", 400),
    ],
)
def test_head_asks_about_a_place(emulator, query, status):
    create(emulator)
    answer = call(emulator, "HEAD", ACME + query)
    assert (answer.status, answer.body) == (status, b"")


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"tenantName": "Acme"}, 422, "tenantName must begin with a letter"),
        ({"tenantName": "acme-"}, 422, "tenantName must begin with a letter"),
        ({"tenantName": ""}, 400, "tenantName must be a string that is not empty."),
        ({"userEmail": "nobody"}, 422, "userEmail is not an email address"),
        ({"cloudRegion": "useast9"}, 422, "There is no cluster in aws useast9"),
        ({"cloudRegion": ""}, 400, "clusterName, or cloudProvider and cloudRegion, is required"),
        ({"clusterName": "pulsar-x"}, 422, "There is no cluster pulsar-x"),
        ({"clusterName": EAST}, 422, f"The cluster {EAST} is not in aws useast2"),
        ({"orgID": OTHER_ORGANIZATION}, 401, "The organization is not the token's own"),
        ({"topic": "x"}, 400, "Unknown field topic."),
        ({"orgName": 1}, 400, "orgName must be a string."),
    ],
)
def test_a_bad_tenant_is_refused(emulator, changes, status, reason):
    refused = create(emulator, **changes)
    assert refused.status == status
    assert refused.reason.startswith(reason)
    assert emulator.tenants() == []


def test_what_is_missing_is_named(emulator):
    refused = call(emulator, "POST", TENANTS, body={"tenantName": "acme"})
    assert (refused.status, refused.reason) == (400, "userEmail is required.")
    refused = call(emulator, "POST", TENANTS, body=BODY, headers={"Content-Type": "text/plain"})
    assert (refused.status, refused.reason) == (400, "The Content-Type must be application/json.")
    assert call(emulator, "POST", TENANTS, body=b"{").status == 400


@pytest.mark.parametrize(
    ("shown", "accepted", "region", "status"),
    [
        ("useast2", "either", "useast2", 200),
        ("useast2", "either", "us-east-2", 200),
        ("us-east-2", "useast2", "useast2", 200),
        ("useast2", "useast2", "us-east-2", 422),
        ("useast2", "us-east-2", "useast2", 422),
        ("us-east-2", "us-east-2", "us-east-2", 200),
    ],
)
def test_regions_are_written_in_either_way(emulator, shown, accepted, region, status):
    emulator.settings(region_shown=shown, region_accepted=accepted)
    made = create(emulator, cloudProvider="AWS", cloudRegion=region)
    assert made.status == status
    if status == 200:
        assert (made.json["clusterName"], made.json["cloudRegion"]) == (CLUSTER, shown)
    assert shown in call(emulator, "GET", "/v2/streaming/providers").json["aws"]


def test_a_cluster_of_one_s_own_has_any_name():
    clusters = [{"name": "pulsar-dedicated", "provider": "aws", "region": "us-east-2"}]
    with Emulator(**STATE, state={"clusters": clusters}) as emulator:
        assert create(emulator).json["clusterName"] == "pulsar-dedicated"
        listed = call(emulator, "GET", "/v2/streaming/clusters?provider=aws&region=useast2").json
        assert [each["clusterName"] for each in listed] == ["pulsar-dedicated", CLUSTER]
        assert call(emulator, "GET", "/v2/streaming/clusters?provider=none").status == 404


def test_ten_tenants_are_the_limit(emulator):
    for number in range(10):
        assert create(emulator, tenantName=f"t{number}").status == 200
    refused = create(emulator)
    assert (refused.status, "limit" in refused.reason) == (409, True)
    call(emulator, "DELETE", f"{TENANTS}/t0/clusters/{CLUSTER}")
    assert create(emulator).status == 200


def test_limits_show_what_is_used(emulator):
    emulator.set_tenant(ORGANIZATION, "acme", namespaces=[{"name": "audit", "topics": [{"name": "log"}]}])
    shown = call(emulator, "GET", f"{ACME}/limits", headers=CLUSTER_HEADER).json
    assert (shown["namespace_limit"], shown["topic_per_namespace_limit"]) == (20, 100)
    assert shown["usage"][1] == {"namespace": "acme/audit", "topics": ["persistent://acme/audit/log"]}


def test_a_tenant_is_active_and_gone_after_a_while(emulator):
    emulator.settings(tenant_create_lag=100, tenant_delete_lag=100)
    assert create(emulator).json["status"] == "creating"
    assert call_admin(emulator, "GET", "namespaces/acme").status == 401
    emulator.advance(101)
    assert call(emulator, "GET", ACME, headers=CLUSTER_HEADER).json["status"] == "active"
    assert call_admin(emulator, "GET", "namespaces/acme").status == 200
    assert call(emulator, "DELETE", f"{ACME}/clusters/{CLUSTER}").status == 202
    assert call(emulator, "GET", ACME, headers=CLUSTER_HEADER).json["status"] == "deleting"
    assert create(emulator).status == 409
    emulator.advance(101)
    assert call(emulator, "GET", ACME, headers=CLUSTER_HEADER).status == 404


def test_a_tenant_may_only_be_marked_as_deleted(emulator):
    create(emulator)
    assert call(emulator, "DELETE", f"{ACME}/clusters/{CLUSTER}?opt=hard").status == 400
    assert call(emulator, "DELETE", f"{ACME}/clusters/{CLUSTER}?opt=soft").status == 202
    assert call(emulator, "GET", ACME, headers=CLUSTER_HEADER).json["status"] == "deleted"
    assert call_admin(emulator, "GET", "namespaces/acme").status == 200


def test_lags_pass_by_themselves(emulator):
    emulator.settings(tenant_delete_lag=0.2)
    create(emulator)
    call(emulator, "DELETE", f"{ACME}/clusters/{CLUSTER}")
    wait_until(lambda: emulator.tenants() == [])


def test_a_name_may_be_gone_for_good(emulator):
    emulator.settings(tenant_name_reuse=False)
    create(emulator)
    call(emulator, "DELETE", f"{ACME}/clusters/{CLUSTER}")
    assert call(emulator, "HEAD", ACME).status == 200
    assert create(emulator).status == 409


@pytest.mark.parametrize(("variant", "status"), [("403", 403), ("401", 401)])
def test_a_token_without_the_permission(emulator, variant, status):
    emulator.settings(missing_permission=variant)
    for method, path in (("GET", TENANTS), ("HEAD", ACME), ("GET", ACME), ("DELETE", f"{ACME}/clusters/{CLUSTER}")):
        assert call(emulator, method, path, "custom-role", headers=CLUSTER_HEADER).status == status
    emulator.set_tenant(ORGANIZATION, "acme")
    assert call_admin(emulator, "GET", "namespaces/acme", "custom-role").status == status


@pytest.mark.parametrize("path", [TENANTS, ACME, f"{ACME}/limits", f"{ACME}/tokens", "/v2/streaming/clusters"])
def test_an_unknown_token_is_401(emulator, path):
    for token in (None, "nobody"):
        refused = call(emulator, "GET", path, token, headers=STREAMING_HEADERS)
        assert (refused.status, bool(refused.reason)) == (401, True)
    assert call(emulator, "GET", TENANTS, "lost").status == 401
    assert NO_ORGANIZATION not in [each["id"] for each in emulator.organizations()]


# --- Pulsar tokens ----------------------------------------------------------------------------------------------------


def make(emulator, headers=None, **body):
    """Ask for a Pulsar token (v3)."""
    return call(
        emulator,
        "POST",
        "/v3/streaming/tenants/acme/tokens",
        body=body,
        headers=STREAMING_HEADERS if headers is None else headers,
    )


def test_a_pulsar_token_comes_and_goes(emulator):
    create(emulator)
    made = make(emulator, exp="90d", type="admin")
    assert made.status == 201
    claims = read_jwt(made.json["token"])
    token_id = made.json["id"]
    encoded = base64.b64encode(b"acme").decode()
    assert claims == {
        "iat": claims["iat"],
        "iss": "datastax",
        "sub": f"client;{ORGANIZATION};{encoded};{token_id}",
        "tokenid": token_id,
        "exp": claims["iat"] + 90 * 86400,
    }
    assert made.json["rolename"] == claims["sub"]
    path = f"{ACME}/tokens"
    assert call(emulator, "GET", path, headers=STREAMING_HEADERS).json == [claims]
    shown = call(emulator, "GET", f"{path}/{token_id}", headers=STREAMING_HEADERS)
    assert shown.body.decode() == made.json["token"]
    assert shown.headers["content-type"].startswith("text/plain")
    assert call_admin(emulator, "GET", "namespaces/acme", made.json["token"]).status == 200

    assert call(emulator, "DELETE", f"{path}/{token_id}", headers=STREAMING_HEADERS).status == 200
    for method in ("GET", "DELETE"):
        assert call(emulator, method, f"{path}/{token_id}", headers=STREAMING_HEADERS).status == 404
    assert call_admin(emulator, "GET", "namespaces/acme", made.json["token"]).status == 401
    assert call(emulator, "GET", path, headers=STREAMING_HEADERS).json == []


def test_the_older_way_answers_with_text(emulator):
    create(emulator)
    made = call(emulator, "POST", f"{ACME}/tokens?exp=2h", headers=STREAMING_HEADERS)
    assert made.status == 201
    claims = read_jwt(made.body.decode())
    assert claims["exp"] == claims["iat"] + 7200
    unlimited = call(emulator, "POST", f"{ACME}/tokens", headers=STREAMING_HEADERS)
    assert "exp" not in read_jwt(unlimited.body.decode())
    assert call(emulator, "POST", f"{ACME}/tokens?exp=soon", headers=STREAMING_HEADERS).status == 400


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"exp": "90"}, "exp must be a number and a unit, such as 5m, 2h or 10d."),
        ({"exp": "0d"}, "exp must be a number and a unit, such as 5m, 2h or 10d."),
        ({"exp": 90}, "exp must be a number and a unit, such as 5m, 2h or 10d."),
        ({"type": "root"}, "type must be admin or non-admin."),
        ({"ttl": "5m"}, "Unknown field ttl."),
    ],
)
def test_a_bad_pulsar_token_is_400(emulator, body, reason):
    create(emulator)
    refused = make(emulator, **body)
    assert (refused.status, refused.reason) == (400, reason)


@pytest.mark.parametrize("missing", STREAMING_HEADERS)
def test_both_headers_are_needed(emulator, missing):
    create(emulator)
    refused = make(emulator, {name: value for name, value in STREAMING_HEADERS.items() if name != missing})
    assert (refused.status, refused.reason) == (400, f"The header {missing.lower()} is required")


def test_tokens_have_a_limit(emulator):
    emulator.settings(token_limit=2)
    create(emulator)
    assert [make(emulator).status for _number in range(3)] == [201, 201, 409]


def test_a_token_s_text_may_change(emulator):
    create(emulator)
    emulator.settings(pulsar_token_text="changing")
    token_id = make(emulator).json["id"]
    path = f"{ACME}/tokens/{token_id}"
    texts = [call(emulator, "GET", path, headers=STREAMING_HEADERS).body.decode() for _number in range(2)]
    assert texts[0] != texts[1]
    assert [read_jwt(text)["tokenid"] for text in texts] == [token_id, token_id]


def test_numbers_may_come_as_strings(emulator):
    create(emulator)
    make(emulator, exp="1d")
    emulator.settings(numbers_as_strings=True)
    [claims] = call(emulator, "GET", f"{ACME}/tokens", headers=STREAMING_HEADERS).json
    assert isinstance(claims["exp"], str)
    assert call(emulator, "GET", f"{ACME}/limits", headers=CLUSTER_HEADER).json["namespace_limit"] == "20"


def test_a_role_can_be_shared_by_tokens(emulator):
    create(emulator)
    one, two = (make(emulator, type="non-admin", role="exporter").json for _number in range(2))
    assert one["rolename"] == two["rolename"]
    assert one["rolename"].endswith(";exporter")
    grants = "persistent/acme/default/log/permissions/" + quote(one["rolename"])
    call_admin(emulator, "PUT", "persistent/acme/default/log")
    assert call_admin(emulator, "POST", grants, body=["produce"]).status == 204
    call(emulator, "DELETE", f"{ACME}/tokens/{one['id']}", headers=STREAMING_HEADERS)
    assert call_admin(emulator, "GET", "persistent/acme/default/log/stats", two["token"]).status == 200
    call(emulator, "DELETE", f"{ACME}/tokens/{two['id']}", headers=STREAMING_HEADERS)
    assert call_admin(emulator, "GET", "persistent/acme/default/log/stats", two["token"]).status == 401


def test_tokens_are_signed_with_the_key_that_is_given(tmp_path):
    key = tmp_path / "secret.key"
    key.write_bytes(bytes(range(32)))
    with Emulator(**STATE, arguments=[f"--signing-key={key}"]) as emulator:
        create(emulator)
        token = make(emulator).json["token"]
    signed, _dot, signature = token.rpartition(".")
    expected = hmac.new(bytes(range(32)), signed.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(expected).decode().rstrip("=") == signature


def test_tokens_are_signed_with_a_private_key(tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    private = rsa.generate_private_key(65537, 2048)
    encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    key = tmp_path / "private.key"
    key.write_bytes(private.private_bytes(encoding, form, serialization.NoEncryption()))
    with Emulator(**STATE, arguments=[f"--signing-key={key}"]) as emulator:
        create(emulator)
        token = make(emulator).json["token"]
        assert call_admin(emulator, "GET", "namespaces/acme", token).status == 200
    signed, _dot, signature = token.rpartition(".")
    private.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(), SHA256()
    )


@pytest.mark.parametrize("content", [None, b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"])
def test_a_bad_key_is_refused(tmp_path, content):
    key = tmp_path / "key"
    if content:
        key.write_bytes(content)
    with pytest.raises(EmulatorError, match="key"), Emulator(**STATE, arguments=[f"--signing-key={key}"]):
        pass


# --- The seed ---------------------------------------------------------------------------------------------------------

SEED = {
    "organization_id": ORGANIZATION,
    "name": "acme",
    "tokens": [{"id": "t1", "exp": "10d"}],
    "namespaces": [
        {
            "name": "audit",
            "retention": {"retentionTimeInMinutes": -1, "retentionSizeInMB": -1},
            "inactiveTopicPolicies": {
                "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
                "maxInactiveDurationSeconds": 60,
                "deleteWhileInactive": False,
            },
            "topics": [
                {"name": "log", "subscriptions": {"siem": "earliest"}, "properties": {"a": "b"}},
                {"name": "many", "partitions": 2},
            ],
        }
    ],
    "sinks": [
        {
            "namespace": "audit",
            "name": "siem",
            "archive": "builtin://kafka",
            "inputs": ["persistent://acme/audit/log"],
            "configs": {"bootstrapServers": "k:9092", "topic": "audit"},
        }
    ],
}


def test_the_state_file_makes_tenants():
    roles = [{"organization_id": ORGANIZATION, "id": "r1", "name": "reader", "policy": {**POLICY}}]
    tokens = [*STATE["tokens"], {"token": "reader", "organization_id": ORGANIZATION, "roles": ["reader"]}]
    with Emulator(STATE["organizations"], tokens, state={"roles": roles, "tenants": [SEED]}) as emulator:
        for _number in range(2):
            tenant = emulator.tenant("acme")
            [_default, audit] = tenant["namespaces"]
            assert [token["id"] for token in tenant["tokens"]] == ["t1"]
            assert [topic["name"] for topic in audit["topics"]] == ["log", "many-partition-0", "many-partition-1"]
            assert audit["topics"][0]["properties"] == {"a": "b"}
            assert tenant["sinks"][0]["running"] is True
            assert call_admin(emulator, "GET", "namespaces/acme", tenant["tokens"][0]["token"]).status == 200
            assert call(emulator, "GET", "/v2/organizations/roles", "reader").status == 200
            assert call(emulator, "GET", token="reader").status == 403
            emulator.delete_tenant("acme")
            emulator.reset()


POLICY = {
    "description": "",
    "actions": ["org-role-read"],
    "effect": "allow",
    "resources": [f"drn:astra:org:{ORGANIZATION}"],
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 1}, r"tenants\[0\]\.name must be a string"),
        ({"cluster": "x"}, r"tenants\[0\]\.cluster must be one of pulsar-aws-useast2"),
        ({"tokens": [{"exp": "x"}]}, r"tenants\[0\]\.tokens\[0\]: exp must be"),
        ({"namespaces": [{"name": "a", "ttl": 1}]}, r"namespaces\[0\] has the unknown key ttl"),
        ({"namespaces": [{"name": "a b"}]}, "the tenant acme cannot be made: PUT /admin/v2/namespaces/acme/a%20b was"),
        ({"sinks": [{"namespace": "audit", "name": "x"}]}, r"archive is required"),
    ],
)
def test_a_bad_tenant_in_the_state_file(changes, message):
    state = {"tenants": [{**SEED, **changes}]}
    with pytest.raises(EmulatorError, match=message), Emulator(**STATE, state=state):
        pass
