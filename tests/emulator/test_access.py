# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles and application tokens: their contract, and that they mean something."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests.emulator.support import ORGANIZATION, OTHER_ORGANIZATION, audit_logs, call

ROLES = "/v2/organizations/roles"
CLIENTS = "/v2/clientIdSecrets"
ADMINISTRATOR = "ad0566b5-2a67-49de-89e8-92258c2f2c98"
HERE = f"drn:astra:org:{ORGANIZATION}"


def role(*actions: str, name: str = "audit", resources: tuple[str, ...] = (HERE, f"{HERE}:stream:*")) -> dict:
    """The body that makes a role."""
    policy = {"description": "d", "actions": list(actions), "effect": "allow", "resources": list(resources)}
    return {"name": name, "policy": policy}


def make_role(emulator, *actions: str, **rest) -> str:
    """Make a role; returns its id."""
    made = call(emulator, "POST", ROLES, body=role(*actions, **rest))
    assert made.status == 201
    return made.json["id"]


def make_token(emulator, *roles: str, **rest) -> str:
    """Make an application token; returns it."""
    made = call(emulator, "POST", "/v2/tokens", body={"roles": list(roles), **rest})
    assert made.status == 200
    return made.json["token"]


def test_a_role_comes_changes_and_goes(emulator):
    made = call(emulator, "POST", ROLES, body=role("org-audits-read"))
    assert made.status == 201
    role_id = made.json["id"]
    assert {key: made.json[key] for key in ("name", "policy")} == role("org-audits-read")
    assert [each["name"] for each in call(emulator, "GET", ROLES).json].count("audit") == 1
    assert call(emulator, "POST", ROLES, body=role("org-read")).status == 409

    changed = call(emulator, "PUT", f"{ROLES}/{role_id}", body=role("org-read", name="other"))
    assert (changed.status, changed.body) == (200, b"")
    assert call(emulator, "GET", f"{ROLES}/{role_id}").json["policy"]["actions"] == ["org-read"]
    assert call(emulator, "DELETE", f"{ROLES}/{role_id}").status == 204
    assert call(emulator, "DELETE", f"{ROLES}/{role_id}").status == 404
    assert emulator.roles() == []


def test_roles_are_an_organization_s_own(emulator):
    emulator.set_token(token="two", organization_id=OTHER_ORGANIZATION)
    role_id = make_role(emulator, "org-read")
    assert "audit" not in [each["name"] for each in call(emulator, "GET", ROLES, "two").json]
    assert call(emulator, "GET", f"{ROLES}/{role_id}", "two").status == 404
    assert call(emulator, "GET", ROLES, "enterprise").status == 403


def test_built_in_roles_are_listed_and_cannot_be_changed(emulator):
    listed = {each["name"]: each["id"] for each in call(emulator, "GET", ROLES).json}
    assert listed["Organization Administrator"] == ADMINISTRATOR
    assert call(emulator, "DELETE", f"{ROLES}/{ADMINISTRATOR}").status == 400
    assert call(emulator, "PUT", f"{ROLES}/{ADMINISTRATOR}", body=role("org-read")).status == 400


@pytest.mark.parametrize(
    ("key_case", "keys"), [("lower", {"id", "name", "policy"}), ("upper", {"ID", "Name", "Policy"})]
)
def test_the_keys_of_roles_have_either_case(emulator, key_case, keys):
    emulator.settings(key_case=key_case)
    made = call(emulator, "POST", ROLES, body=role("org-read")).json
    assert keys <= made.keys()
    assert all(keys <= each.keys() for each in call(emulator, "GET", ROLES).json)


def without(document: dict, *path: str) -> dict:
    """A copy of a document without one of its keys."""
    [name, *rest] = path
    if rest:
        return {**document, name: without(document[name], *rest)}
    return {key: value for key, value in document.items() if key != name}


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (without(role("a"), "name"), ["name is required."]),
        (without(role("a"), "policy"), ["policy is required."]),
        (without(role("a"), "policy", "description"), ["policy.description is required."]),
        ({**role("a"), "id": "x"}, ["Unknown field id."]),
        (role(), ["policy.actions must be a list of strings that is not empty."]),
        ({**role("a"), "policy": []}, ["policy must be an object."]),
        ({"name": "n", "policy": {**role("a")["policy"], "effect": "deny"}}, ["policy.effect must be allow."]),
    ],
)
def test_a_bad_role_is_400(emulator, body, messages):
    refused = call(emulator, "POST", ROLES, body=body)
    assert (refused.status, refused.messages) == (400, messages)
    assert emulator.roles() == []


def test_a_token_is_shown_once_and_works_until_it_is_deleted(emulator):
    made = call(emulator, "POST", "/v2/tokens", body={"roles": [ADMINISTRATOR], "description": "mine"})
    answer = made.json
    digest = hashlib.sha256(answer["secret"].encode()).hexdigest()
    assert answer["token"] == f"AstraCS:{answer['clientId']}:{digest}"
    assert re.fullmatch(r"[A-Za-z]{24}", answer["clientId"])
    assert (answer["orgId"], answer["roles"], answer["description"]) == (ORGANIZATION, [ADMINISTRATOR], "mine")

    assert call(emulator, "GET", "/v2/currentOrg", answer["token"]).json == {"id": ORGANIZATION}
    for path in ("/v2/tokens", CLIENTS):
        [listed] = call(emulator, "GET", path).json["clients"]
        assert (listed["clientId"], listed["description"]) == (answer["clientId"], "mine")
        assert not {"secret", "token"} & listed.keys()
    assert call(emulator, "DELETE", f"{CLIENTS}/{answer['clientId'].swapcase()}").status == 404
    assert call(emulator, "DELETE", f"{CLIENTS}/{answer['clientId']}").status == 204
    assert call(emulator, "DELETE", f"{CLIENTS}/{answer['clientId']}").status == 404
    assert call(emulator, "GET", "/v2/currentOrg", answer["token"]).status == 401


def test_a_list_without_descriptions(emulator):
    make_token(emulator, ADMINISTRATOR, description="mine")
    emulator.settings(token_descriptions=False)
    [listed] = call(emulator, "GET", CLIENTS).json["clients"]
    assert "description" not in listed


def test_a_token_may_what_its_roles_allow(emulator):
    role_id = make_role(emulator, "org-audits-read")
    token = make_token(emulator, role_id)
    assert call(emulator, "GET", token=token).status == 404
    assert call(emulator, "GET", ROLES, token).status == 403
    assert call(emulator, "POST", "/v2/tokens", token, body={"roles": [role_id]}).status == 403
    assert call(emulator, "GET", "/v2/streaming/tenants", token).status == 403
    # A role's change takes effect on its tokens, and so does its end.
    call(emulator, "PUT", f"{ROLES}/{role_id}", body=role("org-role-read", "org-stream-manage"))
    assert call(emulator, "GET", token=token).status == 403
    assert call(emulator, "GET", ROLES, token).status == 200
    assert call(emulator, "GET", "/v2/streaming/tenants", token).status == 200
    call(emulator, "DELETE", f"{ROLES}/{role_id}")
    assert call(emulator, "GET", ROLES, token).status == 403
    assert call(emulator, "GET", "/v2/currentOrg", token).status == 200


def test_one_role_by_its_id_takes_more_than_the_list(emulator):
    role_id = make_role(emulator, "org-role-read")
    token = make_token(emulator, role_id)
    assert call(emulator, "GET", ROLES, token).status == 200
    assert call(emulator, "GET", f"{ROLES}/{role_id}", token).status == 403


def test_a_role_s_name_makes_a_useless_token(emulator):
    make_role(emulator, "org-audits-read")
    for name in ("audit", "Organization Administrator", "no-such-role"):
        assert call(emulator, "GET", token=make_token(emulator, name)).status == 403


def test_a_role_counts_for_its_resources_only(emulator):
    elsewhere = make_role(emulator, "org-audits-read", resources=(f"drn:astra:org:{OTHER_ORGANIZATION}",))
    assert call(emulator, "GET", token=make_token(emulator, elsewhere)).status == 403
    one = make_role(emulator, "org-stream-manage", name="one", resources=(f"{HERE}:stream:acme",))
    token = make_token(emulator, one)
    body = {"tenantName": "acme", "userEmail": "a@example.com", "clusterName": "pulsar-aws-useast2"}
    assert call(emulator, "POST", "/v2/streaming/tenants", token, body={**body, "tenantName": "other"}).status == 403
    assert call(emulator, "POST", "/v2/streaming/tenants", token, body=body).status == 200


def test_a_token_ends(emulator):
    expiry = emulator.clock()["epoch"] + 3600
    for bad in ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00", "soon"):
        assert call(emulator, "POST", "/v2/tokens", body={"roles": [ADMINISTRATOR], "tokenExpiry": bad}).status == 400
    from datetime import UTC, datetime

    token = make_token(emulator, ADMINISTRATOR, tokenExpiry=datetime.fromtimestamp(expiry, UTC).isoformat())
    assert call(emulator, "GET", token=token).status == 404
    emulator.advance(3601)
    assert call(emulator, "GET", token=token).status == 401


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 400, "roles is required."),
        ({"roles": []}, 400, "roles must be a list of strings that is not empty."),
        ({"roles": ["x"], "name": "x"}, 400, "Unknown field name."),
        ({"roles": ["x"], "orgId": OTHER_ORGANIZATION}, 403, "The organization is not the token's own."),
    ],
)
def test_a_bad_token_is_refused(emulator, body, status, message):
    refused = call(emulator, "POST", "/v2/tokens", body=body)
    assert (refused.status, refused.messages) == (status, [message])


def test_an_enterprise_makes_tokens_for_its_organizations(emulator):
    assert call(emulator, "POST", "/v2/tokens", "enterprise", body={"roles": [ADMINISTRATOR]}).status == 403
    body = {"roles": [ADMINISTRATOR], "orgId": OTHER_ORGANIZATION}
    made = call(emulator, "POST", "/v2/tokens", "enterprise", body=body)
    assert call(emulator, "GET", "/v2/currentOrg", made.json["token"]).json == {"id": OTHER_ORGANIZATION}


def test_only_an_administrator_may_write_where_that_is_set(emulator):
    emulator.settings(write_needs="administrator")
    assert call(emulator, "GET", token="custom-role").status == 404
    assert call(emulator, "DELETE", token="custom-role").status == 403
    assert call(emulator, "DELETE", token="admin").status == 404
    assert call(emulator, "DELETE", audit_logs(OTHER_ORGANIZATION), "enterprise").status == 202


@pytest.mark.parametrize("status", [200, 201])
def test_what_creates_answers_either_status(emulator, status):
    emulator.settings(creation_status=str(status))
    assert call(emulator, "POST", ROLES, body=role("org-read")).status == status
    assert call(emulator, "POST", "/v2/tokens", body={"roles": ["x"]}).status == status
