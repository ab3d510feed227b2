# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Application tokens: found by what they show, made once, and never lost without a name."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._command import TOKEN, TOKEN_INFO

from tests.wire.streaming import wire
from tests.wire.support import ADMINISTRATOR, ORGANIZATION, READER, run

ADMINISTRATOR_ID = "a" * 24
ROLE = "audit-log-streaming"
POLICY = {
    "description": ROLE,
    "actions": ["org-audits-read"],
    "effect": "allow",
    "resources": [f"drn:astra:org:{ORGANIZATION}"],
}
DAILY = {"roles": [ROLE], "description": "daily"}
FOUND = ["GET /v2/organizations/roles", "GET /v2/tokens"]


@pytest.fixture
def role(service):
    """The service with a custom role; its id."""
    return service.set_role(organization_id=ORGANIZATION, name=ROLE, policy=POLICY)


def token(service, **options):
    return run(service, command=TOKEN, **{**DAILY, **options})


def made(service) -> dict[str, dict]:
    """The tokens that the tests' own are not among, by client id."""
    return {each["client_id"]: each for each in service.tokens() if each["roles"] and each["generated_on"]}


def test_makes_one(service, role):
    result = token(service, validity="90d")
    journal = service.journal()
    assert wire(service) == [*FOUND, "GET /v2/currentOrg", "POST /v2/tokens", *FOUND]
    [(client_id, stored)] = made(service).items()
    assert (result["changed"], result["action"], result["previous"]) == (True, "created", None)
    assert result["token"] == stored["token"]
    assert re.fullmatch(r"AstraCS:\w{24}:[0-9a-f]{64}", result["token"])
    assert result["client"]["client_id"] == client_id
    assert (result["client"]["roles"], result["client"]["description"]) == ([role], "daily")
    body = journal[3]["body"]
    assert body.pop("tokenExpiry") == result["client"]["expires_at"].replace(".000Z", "Z")
    assert body == {"roles": [role], "orgId": ORGANIZATION, "description": "daily"}
    ends = datetime.fromisoformat(result["client"]["expires_at"]).timestamp()
    assert 90 * 86400 - 60 < ends - time.time() < 90 * 86400 + 60


@pytest.mark.parametrize("validity", [None, "unlimited"])
def test_without_an_end(service, role, validity):
    assert token(service, validity=validity)["client"]["expires_at"] is None
    assert "tokenExpiry" not in next(entry["body"] for entry in service.journal() if entry["method"] == "POST")


def test_again_shows_no_secret(service, role):
    first = token(service)
    wire(service)
    again = token(service)
    assert wire(service) == FOUND
    assert (again["changed"], again["action"], again["token"]) == (False, "none", None)
    assert again["client"] == again["previous"] == first["client"]


def test_check_mode(service, role):
    checked = token(service, check=True, validity="90d")
    assert wire(service) == [*FOUND, "GET /v2/currentOrg"]
    assert made(service) == {}
    real = token(service, validity="90d")
    assert checked == {**real, "client": checked["client"], "token": None}
    assert checked["client"] == {"roles": [role], "description": "daily", "validity": "90d"}
    assert token(service, check=True) == token(service)


@pytest.mark.parametrize("key_case", ["lower", "upper"])
@pytest.mark.parametrize("by", ["name", "id"])
def test_roles_are_sent_by_id(service, role, by, key_case):
    """The API takes a name as well, and then makes a token that may do nothing."""
    service.settings(key_case=key_case)
    token(service, roles=[ROLE, "Organization Administrator"] if by == "name" else [role, "Organization Administrator"])
    [stored] = made(service).values()
    assert sorted(stored["roles"]) == sorted([role, "ad0566b5-2a67-49de-89e8-92258c2f2c98"])


def test_a_role_that_does_not_exist(service, role):
    result = token(service, roles=[ROLE, "auditor"])
    assert (result["failed"], result["msg"]) == (True, "The organization has no role auditor.")
    assert made(service) == {}


class TestFinding:
    """By client id, else by description where it is shown, else by the set of roles."""

    def test_by_client_id(self, service, role):
        one, _two = token(service), token(service, description="other")
        found = token(service, client_id=one["client"]["client_id"], description=None, roles=None)
        assert (found["action"], found["client"]) == ("none", one["client"])

    def test_one_that_is_gone_is_made_again_and_then_found(self, service, role):
        result = token(service, client_id="gone")
        assert result["action"] == "created"
        again = token(service, client_id="gone")
        assert (again["action"], again["client"]) == ("none", result["client"])

    def test_by_description(self, service, role):
        one, two = token(service), token(service, description="other")
        assert one["client"]["client_id"] != two["client"]["client_id"]
        assert token(service, description="other", roles=None)["client"] == two["client"]

    @pytest.mark.parametrize("roles", [[ROLE, "Admin User"], ["Admin User", ROLE]])
    def test_by_the_set_of_roles_where_no_descriptions_are_shown(self, service, role, roles):
        service.settings(token_descriptions=False)
        token(service)
        one = token(service, roles=[ROLE, "Admin User"])
        assert one["action"] == "created"
        again = token(service, roles=roles)
        assert (again["action"], again["client"]["client_id"]) == ("none", one["client"]["client_id"])

    def test_one_that_has_ended_is_not_there(self, service, role):
        token(service, validity="1s")
        deadline = time.monotonic() + 10
        while token(service, check=True)["action"] != "created":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert token(service)["action"] == "created"

    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_several_that_fit_are_refused_by_name(self, service, role, state):
        for _number in range(2):
            service.set_token(
                token=f"AstraCS:{'bc'[_number] * 24}:00", organization_id=ORGANIZATION, description="daily"
            )
        result = token(service, state=state)
        assert "2 application tokens fit" in result["msg"]
        assert "b" * 24 in result["msg"]
        assert "c" * 24 in result["msg"]
        assert "give the client_id" in result["msg"]
        assert not {"POST", "DELETE"} & {request.split()[0] for request in wire(service)}

    @pytest.mark.parametrize("change", [{"roles": ["Admin User"]}, {"description": "other"}])
    def test_what_cannot_be_changed_is_refused(self, service, role, change):
        one = token(service)
        options = {"client_id": one["client"]["client_id"], **change}
        if "roles" in change:
            options["client_id"] = None
        result = token(service, **options)
        assert f"{next(iter(change))} of application token" in result["msg"]
        assert "cannot be changed" in result["msg"]
        assert len(made(service)) == 1

    def test_a_description_that_is_not_shown_cannot_differ(self, service, role):
        service.settings(token_descriptions=False)
        one = token(service)
        assert token(service, client_id=one["client"]["client_id"], description="other")["changed"] is False


class TestAbsent:
    @pytest.mark.parametrize("check", [True, False])
    @pytest.mark.parametrize("by", ["client_id", "description", "roles"])
    def test_removes_it(self, service, role, check, by):
        service.settings(token_descriptions=by != "roles")
        one = token(service)
        wire(service)
        options = {"client_id": None, "description": None, "roles": None}
        options[by] = {"client_id": one["client"]["client_id"], "description": "daily", "roles": [ROLE]}[by]
        result = token(service, state="absent", check=check, **options)
        assert (result["changed"], result["action"], result["client"]) == (True, "deleted", None)
        assert len(made(service)) == int(check)
        sent = wire(service)
        assert (f"DELETE /v2/clientIdSecrets/{one['client']['client_id']}" in sent) == (not check)
        assert token(service, state="absent", **options)["changed"] is check

    def test_a_client_id_alone_decides(self, service, role):
        token(service)
        assert token(service, state="absent", client_id="gone")["action"] == "none"
        assert len(made(service)) == 1

    def test_the_token_in_use_is_removed_only_by_name(self, service):
        options = {"state": "absent", "roles": ["Organization Administrator"], "description": None}
        assert "this run uses" in token(service, **options)["msg"]
        assert token(service, check=True, client_id=ADMINISTRATOR_ID, **options)["action"] == "deleted"

    def test_a_refused_removal_fails(self, service, role):
        """The vendor's Terraform provider says 'Destroy complete'."""
        token(service)
        service.fault(match={"method": "DELETE"}, times=None, status=403)
        result = token(service, state="absent")
        assert (result["failed"], result["changed"], result["http_status"]) == (True, False, 403)
        assert "org-token-write" in result["msg"]

    def test_descriptions_that_are_not_shown(self, service, role):
        service.settings(token_descriptions=False)
        result = token(service, state="absent", roles=None)
        assert result["msg"] == "The service shows no descriptions of application tokens: give client_id."


def test_info(service, role):
    one = token(service)
    listed = run(service, command=TOKEN_INFO)
    assert one["client"] in listed["clients"]
    shown = run(service, command=TOKEN_INFO, client_id=one["client"]["client_id"])
    assert shown == {"changed": False, "exists": True, "client": one["client"]}
    assert run(service, command=TOKEN_INFO, client_id="gone") == {"changed": False, "exists": False, "client": None}
    assert one["token"] not in json.dumps([listed, shown])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"roles": None, "description": None}, "client_id, description or roles must be given"),
        ({"roles": None}, "roles must be given to create application token daily."),
        ({"validity": "soon"}, "validity is not a duration"),
    ],
)
def test_mistakes(service, role, options, problem):
    assert problem in token(service, **options)["msg"]


def test_a_token_without_the_permission_is_told_what_it_needs(service, role):
    assert "org-role-read" in token(service, application_token=READER)["msg"]
    assert "org-token-read" in run(service, command=TOKEN_INFO, application_token=READER)["msg"]


MADE = {
    "reset": {"drop": "after"},
    "closed": {"close": "after"},
    "500": {"status": 500, "apply": True},
    "504": {"status": 504, "apply": True},
    "another answer": {"status": 200, "body": "made", "apply": True},
}
NOT_MADE = {"reset": {"drop": "before"}, "closed": {"close": "before"}, "500": {"status": 500}, "503": {"status": 503}}


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("descriptions", [True, False])
@pytest.mark.parametrize("fault", MADE.values(), ids=MADE)
def test_a_lost_secret_is_named_and_can_be_removed(service, role, fault, descriptions, wait):
    service.settings(token_descriptions=descriptions)
    service.fault(match={"method": "POST"}, **fault)
    result = token(service, wait=wait)
    [client_id] = made(service)
    assert (result["failed"], result["changed"]) == (True, True)
    assert (
        f"the only answer that shows its secret was lost: remove it (client_id {client_id}) and run again"
        in (result["msg"])
    )
    assert token(service)["client"]["client_id"] == client_id
    assert token(service, state="absent", client_id=client_id)["action"] == "deleted"
    assert token(service)["token"]


@pytest.mark.parametrize("fault", NOT_MADE.values(), ids=NOT_MADE)
def test_a_request_that_did_not_arrive_is_repeated(service, role, fault):
    service.fault(match={"method": "POST"}, **fault)
    result = token(service)
    assert (result["action"], list(made(service))) == ("created", [result["client"]["client_id"]])
    assert result["token"]
    assert "the answer was lost" in result["warnings"][0]
    assert wire(service).count("GET /v2/tokens") == 5  # before, three looks for what may have been made, and afterwards


def test_one_that_is_listed_late_is_not_made_twice(service, role):
    empty = {"clients": []}
    service.fault(match={"method": "POST"}, drop="after")
    service.fault(match={"method": "GET", "path": "/v2/tokens$"}, skip=1, times=2, status=200, body=empty)
    result = token(service)
    [client_id] = made(service)
    assert client_id in result["msg"]


def test_no_secret_of_the_service_is_in_what_it_says(service, role):
    said = f"{ADMINISTRATOR} may not do that"
    service.fault(match={"method": "POST"}, status=400, body={"errors": [{"ID": 1, "message": said}]})
    result = token(service)
    assert ADMINISTRATOR not in json.dumps(result)
    assert "******** may not do that" in result["msg"]
