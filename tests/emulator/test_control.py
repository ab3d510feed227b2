# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control API: the journal, the organizations, and the way back to the start."""

from __future__ import annotations

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from emulator.client import EmulatorError
from tests.emulator.support import (
    KAFKA,
    KAFKA_ORGANIZATION,
    NO_ORGANIZATION,
    OAUTH2_STREAM,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    STATE,
    TOKEN_STREAM,
    audit_logs,
    call,
    connect,
    post,
    wait_until,
)


def control(emulator, method: str, path: str, body: bytes | None = None) -> tuple[int, object]:
    """Send a request to the control API; returns the status and the parsed answer."""
    connection = http.client.HTTPConnection(urlsplit(emulator.control_url).netloc, timeout=10)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None
    finally:
        connection.close()


def test_the_journal_tells_what_was_on_the_wire(either):
    before = time.time()
    post(either, TOKEN_STREAM, headers={"X-Extra": "1"})
    call(either, "GET", audit_logs() + "?a=%20b", token=None)
    first, second = either.journal()
    headers = first.pop("headers")
    assert before - 1 <= first.pop("time") <= second["time"] <= time.time() + 1
    assert first == {
        "server": "api",
        "method": "POST",
        "path": audit_logs(),
        "body": {"pulsar": TOKEN_STREAM},
        "status": 202,
        "organization_id": ORGANIZATION,
    }
    assert headers["authorization"] == "Bearer admin"
    assert headers["content-type"] == "application/json"
    assert headers["x-extra"] == "1"
    assert (second["method"], second["path"], second["body"], second["status"]) == (
        "GET",
        audit_logs() + "?a=%20b",
        None,
        401,
    )
    assert "authorization" not in second["headers"]


def test_a_header_that_comes_twice_is_shown_twice(emulator):
    connection = connect(emulator)
    connection.putrequest("GET", "/v2/currentOrg")
    connection.putheader("Authorization", "Bearer admin")
    connection.putheader("Authorization", "Bearer enterprise")
    connection.endheaders()
    connection.getresponse().read()
    connection.close()
    assert emulator.journal()[0]["headers"]["authorization"] == "Bearer admin, Bearer enterprise"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"no JSON", "no JSON"),
        (b"\xff", "\ufffd"),
        (b"[1]", [1]),
        (b'"\\ud800"', "\ud800"),
        (b"x" * 300_000, "x" * 300_000),
    ],
)
def test_the_journal_bears_any_body(emulator, sent, shown):
    call(emulator, "POST", body=sent)
    assert emulator.journal()[0]["body"] == shown


def test_the_journal_of_one_organization(emulator):
    call(emulator, "GET", audit_logs(OTHER_ORGANIZATION), "enterprise")
    call(emulator, "GET", "/v2/currentOrg", "admin")
    call(emulator, "GET", "/v2/currentOrg", "enterprise")
    call(emulator, "GET", audit_logs("no-uuid"), "admin")
    assert [entry["organization_id"] for entry in emulator.journal()] == [
        OTHER_ORGANIZATION,
        ORGANIZATION,
        None,
        "no-uuid",
    ]
    assert [entry["path"] for entry in emulator.journal(ORGANIZATION.upper())] == ["/v2/currentOrg"]
    assert emulator.journal(NO_ORGANIZATION) == []


def test_the_journal_shows_a_request_that_has_no_answer_yet(emulator):
    emulator.fault(delay=1000)
    connection = connect(emulator)
    connection.request("GET", "/v2/currentOrg", headers={"Authorization": "Bearer admin"})
    wait_until(emulator.journal)
    assert emulator.journal()[0]["status"] is None
    connection.close()


def test_a_request_that_breaks_off_is_no_request(emulator):
    connection = connect(emulator)
    connection.putrequest("DELETE", audit_logs(OTHER_ORGANIZATION))
    connection.putheader("Authorization", "Bearer enterprise")
    connection.putheader("Content-Length", "10")
    connection.endheaders(b"12345")
    connection.close()
    assert call(emulator, "GET").status == 404
    assert [entry["method"] for entry in emulator.journal()] == ["GET"]
    assert emulator.organization(OTHER_ORGANIZATION)["audit_logs"]


def test_the_journal_can_be_cleared(emulator):
    call(emulator, "GET")
    emulator.clear_journal()
    assert emulator.journal() == []


def test_organizations_can_be_listed(emulator):
    assert [(each["id"], each["name"], each["audit_logs"]) for each in emulator.organizations()] == [
        (ORGANIZATION, "One", None),
        (OTHER_ORGANIZATION, "Two", {"pulsar": OAUTH2_STREAM}),
        (KAFKA_ORGANIZATION, "Three", KAFKA),
    ]


def test_an_organization_can_be_changed_behind_the_scenes(emulator):
    emulator.settings(apply_lag=1000)
    post(emulator, OAUTH2_STREAM)
    seen = emulator.set_organization(ORGANIZATION, {"pulsar": TOKEN_STREAM})
    assert seen == {"id": ORGANIZATION, "name": "One", "audit_logs": {"pulsar": TOKEN_STREAM}, "pending": None}
    assert call(emulator, "GET").json["pulsar"]["topic"] == TOKEN_STREAM["topic"]
    assert emulator.set_organization(ORGANIZATION, None)["audit_logs"] is None
    assert call(emulator, "GET").status == 404


def test_an_organization_can_be_added_and_removed(emulator):
    assert call(emulator, "GET", audit_logs(NO_ORGANIZATION), "lost").status == 404
    assert emulator.set_organization(NO_ORGANIZATION, KAFKA)["name"] == NO_ORGANIZATION
    assert call(emulator, "GET", audit_logs(NO_ORGANIZATION), "lost").json == KAFKA
    emulator.delete_organization(NO_ORGANIZATION)
    assert call(emulator, "GET", audit_logs(NO_ORGANIZATION), "lost").status == 404
    for refused in (emulator.organization, emulator.delete_organization):
        with pytest.raises(EmulatorError, match=r"There is no such organization\."):
            refused(NO_ORGANIZATION)


def test_reset_goes_back_to_the_start(emulator):
    before = emulator.organizations(), emulator.settings()
    post(emulator, TOKEN_STREAM)
    emulator.set_organization(OTHER_ORGANIZATION, None)
    emulator.set_organization(NO_ORGANIZATION, None)
    emulator.delete_organization(KAFKA_ORGANIZATION)
    emulator.settings(latency=0.01, apply_lag=3)
    emulator.fault(status=500)
    emulator.reset()
    assert (emulator.organizations(), emulator.settings()) == before
    assert (emulator.journal(), emulator.faults()) == ([], [])
    assert call(emulator, "GET").status == 404


POLICY = {
    "description": "",
    "actions": ["org-audits-read"],
    "effect": "allow",
    "resources": [f"drn:astra:org:{ORGANIZATION}"],
}


def test_roles_and_tokens_can_be_set(emulator):
    role_id = emulator.set_role(organization_id=ORGANIZATION, name="reader", policy=POLICY)
    assert [(role["id"], role["name"]) for role in emulator.roles()] == [(role_id, "reader")]
    token = emulator.set_token(token="AstraCS:abc:def", organization_id=ORGANIZATION, roles=["reader"])
    assert (token["client_id"], token["roles"]) == ("abc", ["reader"])
    assert call(emulator, "GET", token="AstraCS:abc:def").status == 404
    assert call(emulator, "GET", "/v2/tokens").json["clients"][0]["roles"] == [role_id]
    emulator.delete_role(role_id)
    assert call(emulator, "GET", token="AstraCS:abc:def").status == 403
    emulator.delete_token("AstraCS:abc:def")
    assert call(emulator, "GET", token="AstraCS:abc:def").status == 401
    with pytest.raises(EmulatorError, match=r"There is no such role\."):
        emulator.delete_role(role_id)
    with pytest.raises(EmulatorError, match=r"There is no such token\."):
        emulator.delete_token("AstraCS:abc:def")
    assert [each["token"] for each in emulator.tokens()] == [each["token"] for each in STATE["tokens"]]


def test_a_tenant_can_be_set_and_removed(emulator):
    emulator.set_tenant(ORGANIZATION, "acme", namespaces=[{"name": "a"}])
    shown = emulator.set_tenant(ORGANIZATION, "acme", namespaces=[{"name": "b", "messageTTL": 0}])
    assert [each["name"] for each in shown["namespaces"]] == ["default", "b"]
    assert shown["namespaces"][1]["messageTTL"] == 0
    assert [each["name"] for each in emulator.tenants()] == ["acme"]
    emulator.delete_tenant("acme")
    for refused in (emulator.tenant, emulator.delete_tenant):
        with pytest.raises(EmulatorError, match=r"There is no such tenant\."):
            refused("acme")
    with pytest.raises(EmulatorError, match=r"There is no such tenant\."):
        emulator.topic("persistent://acme/a/b")
    emulator.set_tenant(ORGANIZATION, "acme")
    with pytest.raises(EmulatorError, match="Namespace does not exist"):
        emulator.topic("persistent://acme/a/b")
    with pytest.raises(EmulatorError, match=r"There is no such topic\."):
        emulator.topic("persistent://acme/default/b")
    with pytest.raises(EmulatorError, match="Sink b doesn't exist"):
        emulator.sink("acme", "a", "b")


TOPIC_PATH = "/topics/pulsar-aws-useast2/acme/default/log"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/clock", b'{"advance": -1}', "advance must be a number of seconds, 0 or more."),
        ("POST", "/clock", b'{"back": 1}', "Unknown key back; known are advance."),
        ("POST", "/roles", b'{"organization_id": "x"}', "The role.organization_id must be a UUID."),
        ("POST", "/tokens", b'{"token": ""}', "The token.token must be a string without spaces."),
        ("PUT", "/tenants/nowhere/acme", b"[]", "The tenant must be an object."),
        ("POST", TOPIC_PATH, b"{}", "The body must have one of publish, consume, connect and disconnect."),
        ("POST", TOPIC_PATH, b'{"publish": 1}', "publish must be an object."),
        (
            "POST",
            TOPIC_PATH,
            b'{"publish": {"n": 1}}',
            "Unknown key n; known are payload, count, size, properties, producer.",
        ),
        ("POST", TOPIC_PATH, b'{"publish": {"count": "1"}}', "count and size must be numbers, 0 or more."),
        ("POST", TOPIC_PATH, b'{"consume": {"subscription": "x"}}', "There is no such subscription."),
        ("POST", TOPIC_PATH, b'{"connect": {}}', "There is no such subscription."),
        ("POST", "/sign", b"[]", "The body must be an object."),
        (
            "POST",
            f"/organizations/{ORGANIZATION}/events",
            b'{"count": -1}',
            "count must be a number, event an object, and event_type a string.",
        ),
    ],
)
def test_a_mistake_about_streaming_gets_one_clear_sentence(emulator, method, path, body, message):
    emulator.set_tenant(ORGANIZATION, "acme", namespaces=[{"name": "default", "topics": [{"name": "log"}]}])
    assert control(emulator, method, path, body) == (400, {"error": message})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("PUT", "/organizations/x", b"{}", 400, "The organization's id must be a UUID."),
        ("PUT", f"/organizations/{ORGANIZATION}", b"{", 400, "The body is not valid JSON."),
        ("PUT", f"/organizations/{ORGANIZATION}", b"[]", 400, "The body must be an object."),
        ("PUT", f"/organizations/{ORGANIZATION}", b'{"x": 1}', 400, "Unknown key x; known are name, audit_logs."),
        ("PUT", f"/organizations/{ORGANIZATION}", b'{"name": 1}', 400, "name must be a string."),
        (
            "PUT",
            f"/organizations/{ORGANIZATION}",
            b'{"audit_logs": {"pulsar": 1}}',
            400,
            'audit_logs must be null or an object such as {"pulsar": {...}}.',
        ),
        ("GET", "/nowhere", None, 404, "Not Found."),
        ("GET", "/reset", None, 405, "Method Not Allowed."),
    ],
)
def test_a_mistake_gets_one_clear_sentence(emulator, method, path, body, status, message):
    assert control(emulator, method, path, body) == (status, {"error": message})


def test_the_control_api_is_not_in_the_journal(emulator):
    emulator.organizations()
    emulator.settings()
    assert emulator.journal() == []
