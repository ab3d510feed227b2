# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pulsar tokens: one that lasts is found, and only otherwise one is made."""

from __future__ import annotations

import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TOKEN, STREAMING_TOKEN_INFO
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import read_options
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import read_jwt

from tests.wire.streaming import CLUSTER, TENANT, make_tenant, perform, wire
from tests.wire.support import ADMINISTRATOR, ENDPOINT, ORGANIZATION, READER

TENANT_PATH = f"/v2/streaming/tenants/{TENANT}"
TOKENS = f"{TENANT_PATH}/tokens"
MAKE = f"POST /v3/streaming/tenants/{TENANT}/tokens"
DAY = 86400


@pytest.fixture
def acme(service):
    """The service with a tenant that has no token."""
    make_tenant(service)
    return service


def token(service, **options):
    return perform(service, STREAMING_TOKEN, **{"validity": "90d", **options})


def ids(service) -> list[str]:
    return [each["id"] for each in service.tenant(TENANT)["tokens"]]


def have(service, *tokens: tuple[str, str]) -> None:
    """Have tokens, each given by id and validity."""
    make_tenant(service, tokens=[{"id": name, **({"exp": exp} if exp else {})} for name, exp in tokens])


def test_makes_one(acme):
    result = token(acme)
    assert wire(acme) == [f"GET {TENANT_PATH}", f"GET {TOKENS}", MAKE, f"GET {TOKENS}/{ids(acme)[0]}"]
    assert (result["changed"], result["action"], result["previous"]) == (True, "created", None)
    assert [result["token_id"]] == ids(acme)
    claims = read_jwt(result["pulsar_token"])
    assert claims["tokenid"] == result["token_id"]
    assert claims["exp"] - claims["iat"] == 90 * DAY
    assert result["streaming_token"].keys() == {"token_id", "issued_at", "expires_at"}
    assert result["expires_at"] == result["streaming_token"]["expires_at"]
    assert result["diff"] == {"before": {}, "after": {"validity": "90d"}}


def test_the_request(acme):
    token(acme)
    [made] = [entry for entry in acme.journal() if entry["method"] == "POST"]
    assert made["body"] == {"exp": "90d", "type": "admin"}
    assert made["headers"]["x-datastax-pulsar-cluster"] == CLUSTER
    assert made["headers"]["x-datastax-current-org"] == ORGANIZATION
    assert made["headers"]["authorization"] == f"Bearer {ADMINISTRATOR}"


@pytest.mark.parametrize(("validity", "sent"), [("unlimited", None), ("2160h", "90d"), ("52w", "364d"), ("36h", "36h")])
def test_validity(acme, validity, sent):
    result = token(acme, validity=validity, min_validity="1d")
    [made] = [entry for entry in acme.journal() if entry["method"] == "POST"]
    assert made["body"].get("exp") == sent
    assert (result["expires_at"] is None) == (sent is None)


def test_the_client_conf_says_the_same(acme):
    result = token(acme)
    lines = result["client_conf"].splitlines()
    assert len(lines) == 10
    assert lines[:4] == [
        f"webServiceUrl={acme.admin_url}",
        f"brokerServiceUrl={ENDPOINT}",
        "authPlugin=org.apache.pulsar.client.impl.auth.AuthenticationToken",
        f"authParams=token:{result['pulsar_token']}",
    ]
    assert read_options(result["client_conf"], {}) == {
        "web_service_url": acme.admin_url,
        "endpoint": ENDPOINT,
        "auth_strategy": "token",
        "auth_name": "token",
        "pulsar_token": result["pulsar_token"],
    }


def test_again_costs_three_requests(acme):
    made = token(acme)
    wire(acme)
    again = token(acme)
    assert wire(acme) == [f"GET {TENANT_PATH}", f"GET {TOKENS}", f"GET {TOKENS}/{made['token_id']}"]
    assert (again["changed"], again["action"]) == (False, "none")
    assert again["streaming_token"] == again["previous"] == made["streaming_token"]
    assert {again[name] == made[name] for name in ("token_id", "expires_at", "pulsar_token", "client_conf")} == {True}


def test_check_mode(acme):
    checked = token(acme, check=True)
    assert wire(acme) == [f"GET {TENANT_PATH}", f"GET {TOKENS}"]
    assert ids(acme) == []
    real = token(acme)
    made = ("token_id", "expires_at", "pulsar_token", "client_conf")
    assert checked == {**real, "streaming_token": {"validity": "90d"}, **dict.fromkeys(made)}
    assert token(acme, check=True) == token(acme)


def test_a_text_that_changes_is_no_change(acme):
    """The vendor's Terraform provider compares texts, and replaced tokens for nothing."""
    acme.settings(pulsar_token_text="changing")
    first, second = token(acme), token(acme)
    assert first["pulsar_token"] != second["pulsar_token"]
    assert (second["changed"], second["token_id"]) == (False, first["token_id"])


@pytest.mark.parametrize("strings", [False, True])
def test_the_newest_that_lasts_is_taken(acme, strings):
    have(acme, ("older", "90d"), ("short", "5d"))
    acme.settings(numbers_as_strings=strings)
    assert token(acme, min_validity="30d")["token_id"] == "older"
    assert token(acme, min_validity="2d")["token_id"] in ("older", "short")
    result = token(acme, min_validity="unlimited", validity="unlimited")
    assert (result["action"], result["expires_at"]) == ("created", None)


def test_the_given_one_is_preferred(acme):
    have(acme, ("first", "90d"), ("second", "90d"), ("third", "90d"))
    assert token(acme, token_id="second")["token_id"] == "second"


@pytest.mark.parametrize("gone", ["removed", "ending"])
def test_one_that_is_gone_or_about_to_end_is_replaced_once(acme, gone):
    """The vendor's Terraform provider took the error for the token."""
    have(acme, *([("old", "10d")] if gone == "ending" else []))
    result = token(acme, token_id="old")
    assert result["action"] == "created"
    assert read_jwt(result["pulsar_token"])["tokenid"] == result["token_id"] != "old"
    again = token(acme, token_id="old")
    assert (again["action"], again["token_id"]) == ("none", result["token_id"])


def test_one_that_goes_between_list_and_look_is_replaced(acme):
    have(acme, ("old", "90d"))
    acme.fault(match={"path": f"{TOKENS}/old"}, status=404, body={"reason": "token not found"})
    result = token(acme)
    assert result["action"] == "created"
    assert "token not found" not in json.dumps(result)


def test_rotation_by_a_minimum_that_only_a_fresh_one_has(acme):
    old = token(acme)
    acme.advance(2 * DAY)
    # Seen from the controller, whose clock did not move, the old one lasts 90 days and a new one 97.
    new = token(acme, min_validity="91d", validity="95d")
    assert (new["action"], len(ids(acme))) == ("created", 2)
    assert token(acme, state="absent", token_id=old["token_id"])["action"] == "deleted"
    assert ids(acme) == [new["token_id"]]


@pytest.mark.parametrize("check", [True, False])
def test_absent_revokes_the_one_and_no_other(acme, check):
    have(acme, ("first", "90d"), ("second", "90d"))
    result = token(acme, state="absent", token_id="first", check=check)
    assert (result["changed"], result["action"], result["streaming_token"]) == (True, "deleted", None)
    assert result["previous"]["token_id"] == "first"
    deleted = [] if check else [f"DELETE {TOKENS}/first", f"GET {TOKENS}"]
    assert wire(acme) == [f"GET {TENANT_PATH}", f"GET {TOKENS}", *deleted]
    assert ids(acme) == (["first", "second"] if check else ["second"])
    again = token(acme, state="absent", token_id="gone")
    assert (again["changed"], again["action"]) == (False, "none")


def test_absent_without_the_tenant(service):
    assert token(service, state="absent", token_id="any")["action"] == "none"


def test_without_the_tenant_the_real_run_fails_and_check_mode_warns(service):
    result = token(service)
    assert result["msg"].startswith("There is no tenant acme on cluster pulsar-aws-useast2: make it first")
    checked = token(service, check=True)
    assert checked["action"] == "created"
    assert checked["warnings"] == [result["msg"]]
    assert "POST" not in " ".join(wire(service))


def test_info(acme):
    have(acme, ("first", "90d"), ("second", None))
    listed = perform(acme, STREAMING_TOKEN_INFO)["streaming_tokens"]
    assert {each["token_id"]: each["expires_at"] is None for each in listed} == {"first": False, "second": True}
    one = perform(acme, STREAMING_TOKEN_INFO, token_id="second")
    assert (one["exists"], one["streaming_token"]["token_id"]) == (True, "second")
    assert perform(acme, STREAMING_TOKEN_INFO, token_id="third") == {
        "changed": False,
        "exists": False,
        "streaming_token": None,
    }
    assert "eyJ" not in json.dumps([listed, one])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"validity": None}, "validity must be given to create a Pulsar token of tenant acme."),
        ({"validity": "soon"}, "validity is not a duration"),
        ({"min_validity": "later"}, "min_validity is not a duration"),
        ({"validity": "7d"}, "min_validity must be shorter than validity"),
        ({"min_validity": "unlimited"}, "min_validity must be shorter than validity"),
        ({"state": "absent"}, "token_id is needed to remove a token."),
        ({"tenant": "No Tenant"}, "tenant is not a tenant's name"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_mistakes(acme, check, options, problem):
    result = token(acme, check=check, **options)
    assert problem in result["msg"]
    assert ids(acme) == []


def test_the_limit_is_said_with_what_to_do(acme):
    acme.settings(token_limit=1)
    have(acme, ("old", "1d"))
    result = token(acme)
    assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 409)
    assert "Exceeded the token limit for this tenant: the tenant has as many tokens as it may have" in result["msg"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_removal_fails(acme, status):
    """The vendor's Terraform provider says 'Destroy complete'."""
    have(acme, ("first", "90d"))
    acme.fault(match={"method": "DELETE"}, times=None, status=status, body={"reason": "no"})
    result = token(acme, state="absent", token_id="first")
    assert (result["failed"], result["changed"], result["http_status"]) == (True, False, status)


def test_a_token_without_the_permission_is_told_what_it_needs(acme):
    result = token(acme, application_token=READER)
    assert "org-stream-manage" in result["msg"]


def test_the_same_name_on_two_clusters_is_two_tenants(acme):
    other = "pulsar-gcp-uscentral1"
    acme.set_tenant(ORGANIZATION, TENANT, other)
    made = token(acme, cluster=other)
    assert ids(acme) == []
    assert [each["id"] for each in acme.tenant(TENANT, other)["tokens"]] == [made["token_id"]]
    assert other in made["client_conf"]


LOST = {
    "reset": {"drop": "before"},
    "reset after it was made": {"drop": "after"},
    "closed after it was made": {"close": "after"},
    "500 after it was made": {"status": 500, "apply": True},
    "502": {"status": 502, "body": "<html>Bad Gateway</html>"},
    "503": {"status": 503},
    "504 after it was made": {"status": 504, "apply": True},
    "another answer": {"status": 201, "body": "made", "apply": True},
}


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_lost_answer_leaves_one_token_that_is_used(acme, fault, wait):
    acme.fault(match={"method": "POST"}, **fault)
    result = token(acme, wait=wait)
    assert (result["changed"], result["action"]) == (True, "created")
    assert ids(acme) == [result["token_id"]]
    assert read_jwt(result["pulsar_token"])["tokenid"] == result["token_id"]
    assert result["pulsar_token"] in result["client_conf"]


@pytest.mark.parametrize("fault", ["reset after it was made", "504 after it was made", "500 after it was made"])
def test_an_answer_that_is_always_lost_makes_no_second_token(acme, fault):
    acme.fault(match={"method": "POST"}, times=None, **LOST[fault])
    assert token(acme)["action"] == "created"
    assert len(ids(acme)) == 1


def test_a_run_that_fails_after_the_request_leaves_a_token_that_the_next_one_uses(acme):
    acme.fault(match={"method": "GET", "path": "/tokens/[0-9a-f]+$"}, times=None, status=500)
    failed = token(acme)
    assert (failed["failed"], failed["changed"]) == (True, True)
    acme.clear_faults()
    result = token(acme)
    assert (result["action"], [result["token_id"]]) == ("none", ids(acme))


def test_a_tenant_that_is_not_ready_says_so(acme):
    record = {"tenantName": TENANT, "clusterName": CLUSTER, "astraOrgGUID": ORGANIZATION, "status": "creating"}
    acme.fault(match={"path": f"{TENANT_PATH}$"}, times=None, status=200, body=record)
    result = token(acme, wait_timeout=0)
    assert result["msg"] == "Astra shows no URLs for tenant acme: it may not be ready yet."
    assert ids(acme) == []
    acme.clear_faults()
    acme.fault(match={"path": f"{TENANT_PATH}$"}, times=1, status=200, body=record)
    assert token(acme)["action"] == "created"
