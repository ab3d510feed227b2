# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of the API: who may do what, what is accepted, and what comes back."""

from __future__ import annotations

import pytest

from tests.emulator.support import (
    KAFKA,
    KAFKA_ORGANIZATION,
    NO_ORGANIZATION,
    OAUTH2_STREAM,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    TOKEN_STREAM,
    audit_logs,
    call,
    connect,
    post,
    send,
)

METHODS = ("GET", "POST", "DELETE")


def test_a_configuration_comes_and_goes(either):
    connection = connect(either)
    assert send(connection, "GET").status == 404

    accepted = send(connection, "POST", body={"pulsar": TOKEN_STREAM})
    assert (accepted.status, accepted.body) == (202, b"")
    shown = send(connection, "GET")
    assert (shown.status, shown.headers["content-type"]) == (200, "application/json")
    assert shown.json == {"pulsar": {**TOKEN_STREAM, "token": "********"}}

    accepted = send(connection, "DELETE")
    assert (accepted.status, accepted.body) == (202, b"")
    assert send(connection, "GET").status == 404
    assert send(connection, "DELETE").status == 404
    connection.close()


def test_post_replaces_the_whole(emulator):
    post(emulator, OAUTH2_STREAM)
    post(emulator, TOKEN_STREAM)
    assert emulator.organization(ORGANIZATION)["audit_logs"] == {"pulsar": TOKEN_STREAM}


def test_organizations_are_apart(emulator):
    post(emulator, TOKEN_STREAM)
    call(emulator, "DELETE", audit_logs(OTHER_ORGANIZATION), "enterprise")
    assert emulator.organization(ORGANIZATION)["audit_logs"] == {"pulsar": TOKEN_STREAM}
    assert emulator.organization(OTHER_ORGANIZATION)["audit_logs"] is None
    assert emulator.organization(KAFKA_ORGANIZATION)["audit_logs"] == KAFKA


def test_another_destination_than_pulsar_is_shown_as_it_is(emulator):
    shown = call(emulator, "GET", audit_logs(KAFKA_ORGANIZATION), "enterprise")
    assert shown.json == KAFKA


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "admin", "Basic admin", "Bearer", "Bearer nobody", "Bearer admin x", "Bearer ADMIN"],
)
def test_a_bad_authorization_is_401(emulator, method, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    refused = call(emulator, method, token=None, headers=headers)
    assert refused.status == 401
    assert len(refused.messages) == 1


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_authorization_scheme_has_no_case(emulator, scheme):
    assert call(emulator, "GET", "/v2/currentOrg", None, headers={"Authorization": f"{scheme} admin"}).status == 200


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_role_is_403(emulator, method):
    refused = call(emulator, method, token="no-role")
    assert refused.status == 403
    assert "org-audits-read" in refused.messages[0]


@pytest.mark.parametrize("token", ["admin", "custom-role", "enterprise"])
def test_a_role_a_permission_or_the_enterprise_is_enough(emulator, token):
    assert post(emulator, TOKEN_STREAM, token=token).status == 202


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("token", "organization_id"),
    [
        ("admin", OTHER_ORGANIZATION),
        ("admin", NO_ORGANIZATION),
        ("admin", "no-uuid"),
        ("enterprise", NO_ORGANIZATION),
        ("small-enterprise", ORGANIZATION),
        ("lost", NO_ORGANIZATION),
    ],
)
def test_an_organization_out_of_reach_is_404(emulator, method, token, organization_id):
    refused = call(emulator, method, audit_logs(organization_id), token)
    assert refused.status == 404
    assert refused.messages == ["The organization was not found."]


def test_an_enterprise_token_reaches_its_organizations(emulator):
    assert call(emulator, "GET", audit_logs(OTHER_ORGANIZATION), "small-enterprise").status == 200
    assert call(emulator, "GET", audit_logs(OTHER_ORGANIZATION), "enterprise").status == 200


def test_an_organization_id_has_no_case(emulator):
    emulator.set_organization("abcdefab-0000-4000-8000-000000000000", KAFKA)
    shown = call(emulator, "GET", audit_logs("ABCDEFAB-0000-4000-8000-000000000000"), "enterprise")
    assert shown.json == KAFKA


@pytest.mark.parametrize("token", ["admin", "custom-role", "no-role"])
def test_current_org(emulator, token):
    shown = call(emulator, "GET", "/v2/currentOrg", token)
    assert (shown.status, shown.json) == (200, {"id": ORGANIZATION})


@pytest.mark.parametrize(("token", "status"), [("enterprise", 403), ("lost", 404), ("nobody", 401), (None, 401)])
def test_current_org_of_a_token_without_one(emulator, token, status):
    refused = call(emulator, "GET", "/v2/currentOrg", token)
    assert (refused.status, len(refused.messages)) == (status, 1)


@pytest.mark.parametrize(
    "stream",
    [
        TOKEN_STREAM,
        {**TOKEN_STREAM, "endpoint": "pulsar://one:6650,two:6650"},
        OAUTH2_STREAM,
        {name: OAUTH2_STREAM[name] for name in OAUTH2_STREAM if name not in ("oauth2_audience", "oauth2_scope")},
    ],
)
def test_a_good_configuration_is_stored_as_it_is(emulator, stream):
    assert post(emulator, stream).status == 202
    assert emulator.organization(ORGANIZATION)["audit_logs"] == {"pulsar": stream}


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"endpoint": None}, ["pulsar.endpoint must be a string that is not empty."]),
        ({"topic": 1}, ["pulsar.topic must be a string that is not empty."]),
        ({"topic": ""}, ["pulsar.topic must be a string that is not empty."]),
        ({"token": ["x"]}, ["pulsar.token must be a string that is not empty."]),
        ({"auth_name": "admin"}, ["pulsar.auth_name must be token."]),
        ({"auth_strategy": "basic"}, ["pulsar.auth_strategy must be token or oauth2."]),
        ({"auth_strategy": None}, ["pulsar.auth_strategy must be token or oauth2."]),
        ({"auth_strategy": {}}, ["pulsar.auth_strategy must be token or oauth2."]),
        ({"surprise": "x"}, ["Unknown field pulsar.surprise."]),
        (
            {"surprise": "x", "topic": 1},
            ["pulsar.topic must be a string that is not empty.", "Unknown field pulsar.surprise."],
        ),
        ({"oauth2_scope": "x"}, ["pulsar.oauth2_scope cannot be used with auth_strategy token."]),
        ({"endpoint": "ssl://broker:6651"}, ["pulsar.endpoint must be a URL with the scheme pulsar or pulsar+ssl."]),
        ({"endpoint": "broker:6651"}, ["pulsar.endpoint must be a URL with the scheme pulsar or pulsar+ssl."]),
        (
            {"endpoint": "pulsar+pulsar+ssl://broker:6651"},
            ["pulsar.endpoint must be a URL with the scheme pulsar or pulsar+ssl."],
        ),
        ({"endpoint": "pulsar+ssl://"}, ["pulsar.endpoint must be a URL with the scheme pulsar or pulsar+ssl."]),
        (
            {"auth_strategy": "oauth2", "oauth2_credentials_url": "x", "oauth2_issuer_url": "x"},
            [
                "pulsar.auth_name cannot be used with auth_strategy oauth2.",
                "pulsar.token cannot be used with auth_strategy oauth2.",
            ],
        ),
    ],
)
def test_a_bad_value_is_400(emulator, changes, messages):
    refused = post(emulator, {**TOKEN_STREAM, **changes})
    assert refused.status == 400
    assert sorted(refused.messages) == sorted(messages)
    assert emulator.organization(ORGANIZATION)["audit_logs"] is None


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        *((TOKEN_STREAM, name) for name in ("endpoint", "topic", "auth_name", "token")),
        *((OAUTH2_STREAM, name) for name in ("endpoint", "topic", "oauth2_credentials_url", "oauth2_issuer_url")),
    ],
)
def test_a_missing_field_is_400(emulator, stream, name):
    refused = post(emulator, {key: stream[key] for key in stream if key != name})
    assert (refused.status, refused.messages) == (400, [f"pulsar.{name} is required."])


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (b"", ["The body is not valid JSON."]),
        (b"{", ["The body is not valid JSON."]),
        (b"\xff", ["The body is not valid JSON."]),
        (b"[" * 100_000, ["The body is not valid JSON."]),
        ([], ["The body must be a JSON object."]),
        (b"null", ["The body must be a JSON object."]),
        ({}, ["pulsar must be an object."]),
        ({"pulsar": "x"}, ["pulsar must be an object."]),
        (KAFKA, ["Unknown field kafka.", "pulsar must be an object."]),
        ({"pulsar": TOKEN_STREAM, "kafka": {}}, ["Unknown field kafka."]),
    ],
)
def test_a_bad_body_is_400(emulator, body, messages):
    refused = call(emulator, "POST", body=body)
    assert (refused.status, refused.messages) == (400, messages)
    assert len(emulator.journal()) == 1


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 202),
        ("Application/JSON; charset=utf-8", 202),
        ("application/x-www-form-urlencoded", 400),
        ("text/json", 400),
        ("", 400),
    ],
)
def test_the_content_type_must_be_json(emulator, content_type, status):
    assert post(emulator, TOKEN_STREAM, headers={"Content-Type": content_type}).status == status


def test_what_is_wrong_with_the_token_comes_before_what_is_wrong_with_the_body(emulator):
    assert call(emulator, "POST", token="nobody", body={}).status == 401
    assert call(emulator, "POST", token="no-role", body={}).status == 403
    assert call(emulator, "POST", audit_logs(NO_ORGANIZATION), "enterprise", body={}).status == 404


@pytest.mark.parametrize("path", ["/", "/v2/currentOrg/", "/v2/organizations", audit_logs() + "/", "/v2/tokens/"])
def test_an_unknown_path_is_404(emulator, path):
    refused = call(emulator, "GET", path)
    assert (refused.status, refused.messages) == (404, ["Not Found."])


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", audit_logs()), ("PATCH", audit_logs()), ("POST", "/v2/currentOrg")]
)
def test_a_wrong_method_is_405(emulator, method, path):
    refused = call(emulator, method, path)
    assert (refused.status, refused.messages) == (405, ["Method Not Allowed."])
    assert "GET" in refused.headers["allow"]
