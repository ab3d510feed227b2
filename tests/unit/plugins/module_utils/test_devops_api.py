# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each call asks for, which answers it takes, and the sentence for every other."""

from __future__ import annotations

import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils.devops_api import DevopsApi
from ansible_collections.datastax.astra.plugins.module_utils.errors import (
    AnswerLost,
    Conflict,
    ConnectionFailed,
    NotFound,
    ServiceError,
)
from ansible_collections.datastax.astra.plugins.module_utils.transport import Answer

ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000001"
PATH = f"/v2/organizations/{ORGANIZATION}/telemetry/auditLogs"
BODY = {"pulsar": {"topic": "persistent://acme/security/aud\u00eft", "token": "t"}}
APPLICATION_TOKEN = f"AstraCS:{'a' * 24}:{'0123456789abcdef' * 4}"
PULSAR_TOKEN = "eyJhbGciOiJub25lIn0.e30.c2ln"

CALLS = {
    "currentOrg": lambda api: api.current_organization(),
    "GET": lambda api: api.read_audit_logs(ORGANIZATION),
    "POST": lambda api: api.write_audit_logs(ORGANIZATION, BODY),
    "DELETE": lambda api: api.delete_audit_logs(ORGANIZATION),
}
PURPOSES = {
    "currentOrg": "Finding the application token's organization",
    "GET": f"Reading the audit log configuration of organization {ORGANIZATION}",
    "POST": f"Configuring audit log streaming of organization {ORGANIZATION}",
    "DELETE": f"Deleting the audit log configuration of organization {ORGANIZATION}",
}
ACCEPTED = {"currentOrg": (200,), "GET": (200, 204, 404), "POST": (202,), "DELETE": (202,)}


class Transport:
    """Gives one answer, or raises, and remembers the requests."""

    def __init__(self, status=200, body=b"", retried=False, error=None):
        self.answer = Answer(status, body, retried)
        self.error = error
        self.requests = []

    def request(self, method, path, body=None):
        self.requests.append((method, path, body))
        if self.error:
            raise self.error
        return self.answer


def failure(call, status=200, body=b"", secrets=(), **answer):
    """The exception of a call when the service answers so."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ServiceError) as caught:
        CALLS[call](DevopsApi(Transport(status, content, **answer), secrets))
    return caught.value


class TestRequests:
    def test_current_organization(self):
        transport = Transport(200, json.dumps({"id": ORGANIZATION.upper(), "name": "Acme"}).encode())
        assert DevopsApi(transport).current_organization() == ORGANIZATION
        assert transport.requests == [("GET", "/v2/currentOrg", None)]

    @pytest.mark.parametrize(
        "document", [{}, {"pulsar": None}, {"pulsar": {"topic": "t\u00f6pic"}}, None], ids=json.dumps
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_read(self, document, encoding):
        transport = Transport(200, json.dumps(document, ensure_ascii=False).encode(encoding))
        assert DevopsApi(transport).read_audit_logs(ORGANIZATION) == document
        assert transport.requests == [("GET", PATH, None)]

    @pytest.mark.parametrize("status", [204, 404])
    @pytest.mark.parametrize("body", [b"", b"<html>", b'{"errors": [{"ID": 1, "message": "not found"}]}'])
    def test_read_when_the_status_says_that_nothing_is_configured(self, status, body):
        assert DevopsApi(Transport(status, body)).read_audit_logs(ORGANIZATION) is None

    @pytest.mark.parametrize("body", [b"", b"accepted", b"{", b'{"pulsar": {}}', b"\xff"])
    def test_the_body_of_a_202_does_not_matter(self, body):
        transport = Transport(202, body)
        assert DevopsApi(transport).write_audit_logs(ORGANIZATION, BODY) is None
        assert DevopsApi(transport).delete_audit_logs(ORGANIZATION) is None
        (_post, path, sent), delete = transport.requests
        assert (path, json.loads(sent)) == (PATH, BODY)
        assert delete == ("DELETE", PATH, None)


ADVICE = {
    400: "check the options against the service's message",
    401: "check the application token: it may be wrong, expired or revoked",
    403: "the application token needs the role Organization Administrator or the permission org-audits-read",
    404: "check organization_id",
    409: "an earlier change is still being applied, so raise wait_timeout or try again later",
    418: "check api_url",
    429: "the service limits the rate of requests, so raise retries or lower throttle or forks",
    500: "try again later",
    502: "try again later",
    503: "try again later",
    599: "try again later",
}
STATUSES = [*ADVICE, 200, 201, 202, 204, 304]
UNEXPECTED = [(call, status) for call in CALLS for status in STATUSES if status not in ACCEPTED[call]]


class TestRefusals:
    @pytest.mark.parametrize(("call", "status"), UNEXPECTED)
    def test_every_status_that_a_call_does_not_expect(self, call, status):
        error = failure(call, status, {"errors": [{"ID": 123, "message": "Something is broken"}]})
        assert error.message.startswith(
            f"{PURPOSES[call]} failed: the service answered {status}, Something is broken (ID 123): "
        )
        own = {403: "give organization_id", 404: "give organization_id"} if call == "currentOrg" else {}
        assert {**ADVICE, **own}.get(status, "check api_url") in error.message
        assert error.message.endswith(".")
        assert error.result == {"http_status": status, "api_errors": [{"id": 123, "message": "Something is broken"}]}
        assert error.__class__ is {404: NotFound, 409: Conflict}.get(status, ServiceError)

    @pytest.mark.parametrize(
        ("status", "retried", "maybe_applied"),
        [
            (400, False, False),
            (401, False, False),
            (403, False, False),
            (404, False, False),
            (409, False, False),
            (429, False, False),
            (404, True, True),
            (409, True, True),
            (500, False, True),
            (502, False, True),
            (504, False, True),
            (200, False, True),
            (201, False, True),
            (204, False, True),
        ],
    )
    @pytest.mark.parametrize("call", ["POST", "DELETE"])
    def test_whether_the_change_may_have_been_made_all_the_same(self, call, status, retried, maybe_applied):
        assert failure(call, status, retried=retried).maybe_applied is maybe_applied

    def test_a_document_with_errors_is_a_refusal_whatever_the_status(self):
        error = failure("GET", 200, {"errors": [{"ID": 5, "message": "no"}], "pulsar": {}})
        assert "the service answered 200, no (ID 5)" in error.message


def api_errors(errors):
    return failure("GET", 400, {"errors": errors}).result["api_errors"]


class TestEnvelope:
    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            ({"ID": 123, "message": "no"}, {"id": 123, "message": "no"}),
            ({"id": 123, "message": "no"}, {"id": 123, "message": "no"}),
            ({"ID": 0, "id": 5, "message": "no"}, {"id": 0, "message": "no"}),
            ({"ID": -1, "message": "no"}, {"id": -1, "message": "no"}),
            ({"message": "no"}, {"id": None, "message": "no"}),
            ({"ID": None, "message": "no"}, {"id": None, "message": "no"}),
            ({"ID": "123", "message": "no"}, {"id": None, "message": "no"}),
            ({"ID": True, "message": "no"}, {"id": None, "message": "no"}),
            ({"ID": 1.5, "message": "no"}, {"id": None, "message": "no"}),
            ({"ID": [1], "message": "no"}, {"id": None, "message": "no"}),
            ({"ID": 7}, {"id": 7, "message": ""}),
            ({"ID": 7, "message": None}, {"id": 7, "message": ""}),
            ({"ID": 7, "message": {"text": "no"}}, {"id": 7, "message": ""}),
            ({"ID": 7, "message": " two\r\n lines\t\x00\x1b[31m\u2028 "}, {"id": 7, "message": "two lines [31m"}),
            ({"ID": 7, "message": "Zoë ☃"}, {"id": 7, "message": "Zoë ☃"}),
            ({"ID": 7, "message": "x" * 300}, {"id": 7, "message": "x" * 300}),
            ({"ID": 7, "message": "x" * 301}, {"id": 7, "message": "x" * 300 + "..."}),
            ({"ID": 7, "message": "x" * 900_000}, {"id": 7, "message": "x" * 300 + "..."}),
        ],
        ids=lambda value: f"{value!r:.40}",
    )
    def test_entries(self, entry, expected):
        assert api_errors([entry]) == [expected]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html><body>Bad gateway</body></html>",
            b'{"errors": [{"ID": 1, "mess',
            b"null",
            b"[]",
            b'"errors"',
            b"7",
            b"{}",
            b'{"errors": null}',
            b'{"errors": {}}',
            b'{"errors": "none"}',
            b'{"errors": [null, 1, "text", []]}',
            b'{"error": "none"}',
            b"\xff\xfe\x00",
            b"[" * 100_000,
            b"9" * 100_000,
        ],
        ids=lambda body: f"{body!r:.40}",
    )
    @pytest.mark.parametrize("call", CALLS)
    def test_bodies_without_an_envelope(self, call, body):
        error = failure(call, 500, body)
        assert error.message == f"{PURPOSES[call]} failed: the service answered 500: try again later."
        assert error.result == {"http_status": 500, "api_errors": []}

    def test_several_entries(self):
        error = failure("POST", 400, {"errors": [{"ID": 1, "message": "one"}, "x", {"id": 2, "message": "two"}]})
        assert "the service answered 400, one (ID 1); two (ID 2): " in error.message
        assert error.result["api_errors"] == [{"id": 1, "message": "one"}, {"id": 2, "message": "two"}]

    def test_entries_that_say_little_leave_no_gaps(self):
        error = failure("POST", 400, {"errors": [{"ID": 7}, {}, {"message": "no"}, {"ID": 8, "message": ""}]})
        said = error.message.partition("answered 400")[2].partition(": check")[0]
        assert "  " not in said
        assert not {"", ","} & {part.strip() for part in said.removeprefix(", ").split(";")}

    def test_what_is_repeated_is_limited(self):
        error = failure("POST", 400, {"errors": [{"ID": 10**4000, "message": "x" * 1000}] * 1000})
        assert len(error.result["api_errors"]) == 10
        assert len(error.message) < 5000

    def test_secrets_that_the_service_repeats_are_masked(self):
        message = f"token {APPLICATION_TOKEN} ({PULSAR_TOKEN},{PULSAR_TOKEN}) is wrong"
        error = failure(
            "POST", 401, {"errors": [{"ID": 1, "message": message}]}, [APPLICATION_TOKEN, None, PULSAR_TOKEN]
        )
        assert error.result["api_errors"] == [{"id": 1, "message": "token ******** (********,********) is wrong"}]
        assert "token ******** (********,********) is wrong (ID 1)" in error.message

    def test_a_secret_at_the_end_of_what_is_repeated(self):
        message = "x" * 290 + APPLICATION_TOKEN
        error = failure("POST", 401, {"errors": [{"ID": 1, "message": message}]}, [APPLICATION_TOKEN])
        assert "AstraCS" not in error.message

    @pytest.mark.parametrize("given", [f"{APPLICATION_TOKEN}\n", f" {APPLICATION_TOKEN}", f"\t{APPLICATION_TOKEN}\r\n"])
    def test_a_secret_is_sent_without_white_space_around_it_and_masked_so(self, given):
        error = failure("POST", 401, {"errors": [{"ID": 1, "message": f"bad {APPLICATION_TOKEN}!"}]}, [given])
        assert error.result["api_errors"] == [{"id": 1, "message": "bad ********!"}]

    def test_a_secret_within_another(self):
        error = failure("POST", 401, {"errors": [{"ID": 1, "message": "bad abcdef!"}]}, ["cd", "abcdef"])
        assert error.result["api_errors"] == [{"id": 1, "message": "bad ********!"}]

    @pytest.mark.parametrize("secret", ["", " ", None])
    def test_no_secret(self, secret):
        error = failure("POST", 401, {"errors": [{"ID": 1, "message": "bad token"}]}, [secret])
        assert error.result["api_errors"] == [{"id": 1, "message": "bad token"}]


class TestUnreadable:
    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "that is not JSON"),
            (b" ", "that is not JSON"),
            (b"<html>", "that is not JSON"),
            (b'{"pulsar": {', "that is not JSON"),
            (b"{} {}", "that is not JSON"),
            (b"\xff\xfe\x00", "that is not JSON"),
            (b"[" * 100_000, "that is not JSON"),
            (b"9" * 100_000, "that is not JSON"),
            (b"[]", "that is not a JSON object"),
            (b'"text"', "that is not a JSON object"),
            (b"0", "that is not a JSON object"),
            (b"false", "that is not a JSON object"),
        ],
        ids=lambda value: f"{value!r:.30}",
    )
    @pytest.mark.parametrize("call", ["currentOrg", "GET"])
    def test_a_200_that_is_no_document(self, call, body, reason):
        error = failure(call, 200, body)
        assert error.message == (
            f"{PURPOSES[call]} failed: the service answered 200 with a body {reason}: "
            "check api_url and any proxy in between."
        )
        assert error.result == {"http_status": 200, "api_errors": []}

    @pytest.mark.parametrize(
        "document",
        [None, {}, {"name": "Acme"}, {"id": None}, {"id": 7}, {"id": ["a"]}, {"id": {}}, {"id": ""}, {"id": "acme"}],
        ids=json.dumps,
    )
    def test_a_current_organization_without_an_id(self, document):
        error = failure("currentOrg", 200, document)
        assert "the service answered 200 with a body without an organization's UUID" in error.message


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "maybe_applied"),
    [
        (ConnectionFailed("host refused the connection: check api_url and the network."), False),
        (AnswerLost("host did not answer in time: check the network or raise timeout."), True),
        (ServiceError("the service redirects in circles (307): check api_url.", http_status=307), False),
    ],
    ids=["ConnectionFailed", "AnswerLost", "ServiceError"],
)
def test_failures_of_the_transport_say_what_was_asked(call, error, maybe_applied):
    with pytest.raises(type(error)) as caught:
        CALLS[call](DevopsApi(Transport(error=error)))
    assert caught.value.message == f"{PURPOSES[call]} failed: {error.message}"
    assert caught.value.maybe_applied is maybe_applied
    assert caught.value.result == error.result
