# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a call asks for, which answers it takes, and the sentence for every other."""

from __future__ import annotations

import json

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import (
    AlreadyExists,
    AnswerLost,
    AstraError,
    Busy,
    ConnectionFailed,
    NotFound,
    ServiceError,
)
from ansible_collections.datastax.astra.plugins.module_utils._http import Answer, Attempts

from tests.unit.plugins.module_utils.support import APPLICATION_TOKEN, ORGANIZATION

PULSAR_TOKEN = "eyJhbGciOiJub25lIn0.e30.c2ln"

READ = Call("Reading the thing", "GET", "/thing", (200,), (204, 404), {403: "ask for org-audits-read"}, "busy")
POST = Call("Making the thing", "POST", "/thing", (201, 202), conflict="exists", body={"name": "th\u00efng"})
DELETE = Call("Deleting the thing", "DELETE", "/thing", (202,), conflict="busy")
ONCE = POST._replace(replay=False)
CURRENT_ORGANIZATION = "Finding the application token's organization"


class Http:
    """Gives one answer, or raises, and remembers the requests."""

    url_option = "api_url"

    def __init__(self, status=200, body=b"", repeated=False, error=None):
        self.answer = Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), {}, repeated)
        self.error = error
        self.requests = []

    def make_attempts(self):
        return Attempts(5)

    def request(self, method, path, **more):
        self.requests.append((method, path, more))
        if self.error:
            raise self.error
        return self.answer


def api_of(*answer, secrets=(), **more):
    return Api(Http(*answer, **more), APPLICATION_TOKEN, secrets)


def perform(api, call):
    """What a call gives, by the method that is meant for it."""
    if call == CURRENT_ORGANIZATION:
        return api.find_organization()
    return api.read(call) if call.method == "GET" else api.write(call)


def failure(call, *answer, **more):
    """The exception of a call when the service answers so."""
    with pytest.raises(AstraError) as caught:
        perform(api_of(*answer, **more), call)
    return caught.value


class TestRequests:
    def test_what_is_sent(self):
        http = Http(202)
        deadline, attempts = Deadline(5), Attempts(3)
        call = POST._replace(headers={"X-More": "1"}, query={"force": "true"}, replay=False)
        Api(http, f" {APPLICATION_TOKEN}\n").write(call, deadline, attempts)
        [(method, path, more)] = http.requests
        assert (method, path) == ("POST", "/thing")
        assert json.loads(more.pop("body")) == POST.body
        assert more == {
            "headers": {
                "Authorization": f"Bearer {APPLICATION_TOKEN}",
                "Content-Type": "application/json",
                "X-More": "1",
            },
            "query": {"force": "true"},
            "replay": False,
            "deadline": deadline,
            "attempts": attempts,
        }

    def test_without_a_body(self):
        http = Http(200, {})
        Api(http, APPLICATION_TOKEN).read(READ)
        [(_method, _path, more)] = http.requests
        assert more == {
            "headers": {"Authorization": f"Bearer {APPLICATION_TOKEN}"},
            "query": None,
            "body": None,
            "replay": True,
            "deadline": UNBOUNDED,
            "attempts": None,
        }

    @pytest.mark.parametrize("body", [{}, [], "", 0, False], ids=json.dumps)
    def test_every_body_but_none_is_sent(self, body):
        http = Http(202)
        Api(http, APPLICATION_TOKEN).write(POST._replace(body=body))
        assert json.loads(http.requests[0][2]["body"]) == body


class TestRead:
    @pytest.mark.parametrize(
        "document", [{}, {"pulsar": None}, {"pulsar": {"topic": "t\u00f6pic"}}, None, [], "text", 7], ids=json.dumps
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_a_document(self, document, encoding):
        assert api_of(200, json.dumps(document, ensure_ascii=False).encode(encoding)).read(READ) == document

    @pytest.mark.parametrize("body", [b"", b"<html>", b'{"errors": []}'])
    def test_a_204_says_that_there_is_nothing(self, body):
        assert api_of(204, body).read(READ) is None
        assert api_of(204, body).read(READ._replace(expected=(200, 204), absent=())) is None

    @pytest.mark.parametrize(
        "body",
        [{"errors": [{"ID": 1, "message": "not found"}]}, {"errors": []}, {"reason": "Topic not found"}],
        ids=json.dumps,
    )
    def test_a_404_of_the_api_itself_says_that_there_is_nothing(self, body):
        assert api_of(404, body).read(READ) is None
        assert api_of(404, body).read_text(READ) is None

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>Not Found</html>", b"404", b"null", b"[]", b'{"errors": [', {}, {"errors": None}, {"reason": 7}],
        ids=lambda body: f"{body!r:.30}",
    )
    @pytest.mark.parametrize("read", [Api.read, Api.read_text], ids=["read", "read_text"])
    def test_a_404_of_somebody_else_is_a_failure(self, read, body):
        with pytest.raises(ServiceError) as caught:
            read(api_of(404, body), READ)
        assert caught.value.message == (
            "Reading the thing failed: the service answered 404 with a body that is not the API's own: "
            "check api_url and any proxy in between."
        )
        assert caught.value.result == {"http_status": 404, "api_errors": []}

    def test_a_404_to_head_has_no_body_to_be_told_by(self):
        assert api_of(404).read(READ._replace(method="HEAD")) is None

    def test_text(self):
        assert api_of(200, "  t\u00f6ken\n".encode()).read_text(READ) == "t\u00f6ken"
        assert api_of(200, b"a\xff").read_text(READ) == "a\ufffd"


class TestWrite:
    @pytest.mark.parametrize("call", [POST, DELETE], ids=["POST", "DELETE"])
    @pytest.mark.parametrize("body", [b"", b"accepted", b"{", b"\xff", b"[" * 100_000], ids=lambda body: repr(body[:9]))
    def test_a_body_that_cannot_be_read_does_not_matter(self, call, body):
        assert api_of(202, body).write(call) is None

    def test_a_document_is_returned(self):
        assert api_of(201, {"token": "t"}).write(POST) == {"token": "t"}


class TestFindOrganization:
    def test_it_is_asked_for_once(self):
        http = Http(200, {"id": ORGANIZATION.upper(), "name": "Acme"})
        api = Api(http, APPLICATION_TOKEN)
        assert [api.find_organization(), api.find_organization()] == [ORGANIZATION, ORGANIZATION]
        assert [request[:2] for request in http.requests] == [("GET", "/v2/currentOrg")]

    @pytest.mark.parametrize("status", [403, 404])
    def test_an_enterprises_token(self, status):
        error = failure(CURRENT_ORGANIZATION, status, {"errors": []})
        assert error.result["http_status"] == status
        assert error.message.startswith(f"{CURRENT_ORGANIZATION} failed: the service answered {status}")
        assert "give organization_id, which the token of an enterprise needs" in error.message

    @pytest.mark.parametrize(
        "document",
        [
            None,
            [],
            "acme",
            {},
            {"name": "Acme"},
            {"id": None},
            {"id": 7},
            {"id": ["a"]},
            {"id": {}},
            {"id": ""},
            {"id": "acme"},
        ],
        ids=json.dumps,
    )
    def test_without_an_id(self, document):
        error = failure(CURRENT_ORGANIZATION, 200, document)
        assert "the service answered 200 with a body without an organization's UUID" in error.message
        assert error.result == {"http_status": 200, "api_errors": []}


ADVICE = {
    400: "check the options against the service's message",
    401: "check the application token: it may be wrong, expired or revoked",
    403: "the application token lacks a permission",
    404: "check api_url",
    409: "check the options against the service's message",
    412: "check the options against the service's message",
    418: "check api_url",
    429: "the service limits the rate of requests, so raise retries or lower throttle or forks",
    500: "try again later",
    502: "try again later",
    503: "try again later",
    599: "try again later",
}
UNEXPECTED = [
    (call, status)
    for call in (READ, POST, DELETE)
    for status in (*ADVICE, 200, 201, 202, 204, 304)
    if status not in (*call.expected, *call.absent)
]


class TestRefusals:
    @pytest.mark.parametrize(("call", "status"), UNEXPECTED, ids=lambda value: getattr(value, "method", value))
    def test_every_status_that_a_call_does_not_expect(self, call, status):
        error = failure(call, status, {"errors": [{"ID": 123, "message": "Something is broken"}]})
        assert error.message.startswith(
            f"{call.purpose} failed: the service answered {status}, Something is broken (ID 123): "
        )
        assert {**ADVICE, **call.advice}.get(status, "check api_url") in error.message
        assert error.message.endswith(".")
        assert error.result == {"http_status": status, "api_errors": [{"id": 123, "message": "Something is broken"}]}
        conflict = Busy if call.conflict == "busy" else AlreadyExists
        assert error.__class__ is {404: NotFound, 409: conflict}.get(status, ServiceError)

    def test_a_409_that_a_call_says_nothing_about(self):
        assert failure(POST._replace(conflict=None), 409).__class__ is ServiceError

    def test_the_option_that_has_the_address_is_named(self):
        http = Http(418)
        http.url_option = "admin_url"
        with pytest.raises(ServiceError, match=r"check admin_url\.$"):
            Api(http, APPLICATION_TOKEN).read(READ)

    @pytest.mark.parametrize(
        ("status", "repeated", "maybe_applied"),
        [
            (400, False, False),
            (401, False, False),
            (403, False, False),
            (404, False, False),
            (409, False, False),
            (429, False, False),
            (503, False, False),
            (404, True, True),
            (409, True, True),
            (503, True, True),
            (500, False, True),
            (502, False, True),
            (504, False, True),
            (200, False, True),
            (204, False, True),
        ],
    )
    @pytest.mark.parametrize("call", [POST, DELETE], ids=["POST", "DELETE"])
    def test_whether_the_change_may_have_been_made_all_the_same(self, call, status, repeated, maybe_applied):
        assert failure(call, status, repeated=repeated).maybe_applied is maybe_applied

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, ServiceError),
            (409, AlreadyExists),
            (429, ServiceError),
            (500, AnswerLost),
            (502, AnswerLost),
            (503, AnswerLost),
            (504, AnswerLost),
        ],
    )
    def test_what_must_not_arrive_twice_may_have_arrived(self, status, kind):
        """What has made a credential is looked for in the list, not made again."""
        assert failure(ONCE, status).__class__ is kind
        assert failure(POST, 504).__class__ is ServiceError

    @pytest.mark.parametrize(("said", "kind"), [("Box exists ALREADY", AlreadyExists), ("no", ServiceError)])
    def test_what_a_service_has_no_status_for_is_told_by_its_words(self, said, kind):
        call = POST._replace(phrases={"exists already": "exists", "no change": "done"})
        assert failure(call, 400, {"reason": said}).__class__ is kind
        assert perform(api_of(400, {"reason": "Contains no change"}), call) == {"reason": "Contains no change"}

    def test_a_document_with_errors_is_a_refusal_whatever_the_status(self):
        error = failure(READ, 200, {"errors": [{"ID": 5, "message": "no"}], "pulsar": {}})
        assert "the service answered 200, no (ID 5)" in error.message


def api_errors(errors):
    return failure(READ, 400, {"errors": errors}).result["api_errors"]


class TestEnvelopes:
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

    def test_the_reason_of_pulsar_and_of_astra_streaming(self):
        error = failure(DELETE, 412, {"reason": f"Topic has {PULSAR_TOKEN}\n active producers"}, secrets=[PULSAR_TOKEN])
        assert error.message == (
            "Deleting the thing failed: the service answered 412, Topic has ******** active producers: "
            "check the options against the service's message."
        )
        assert error.result["api_errors"] == [{"id": None, "message": "Topic has ******** active producers"}]

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
            b'{"reason": ["none"]}',
            b"\xff\xfe\x00",
            b"[" * 100_000,
            b"9" * 100_000,
        ],
        ids=lambda body: f"{body!r:.40}",
    )
    @pytest.mark.parametrize("call", [READ, POST, DELETE], ids=["GET", "POST", "DELETE"])
    def test_bodies_without_an_envelope(self, call, body):
        error = failure(call, 500, body)
        assert error.message == f"{call.purpose} failed: the service answered 500: try again later."
        assert error.result == {"http_status": 500, "api_errors": []}

    def test_several_entries(self):
        error = failure(POST, 400, {"errors": [{"ID": 1, "message": "one"}, "x", {"id": 2, "message": "two"}]})
        assert "the service answered 400, one (ID 1); two (ID 2): " in error.message
        assert error.result["api_errors"] == [{"id": 1, "message": "one"}, {"id": 2, "message": "two"}]

    def test_entries_that_say_little_leave_no_gaps(self):
        error = failure(POST, 400, {"errors": [{"ID": 7}, {}, {"message": "no"}, {"ID": 8, "message": ""}]})
        said = error.message.partition("answered 400")[2].partition(": check")[0]
        assert "  " not in said
        assert not {"", ","} & {part.strip() for part in said.removeprefix(", ").split(";")}

    def test_what_is_repeated_is_limited(self):
        error = failure(POST, 400, {"errors": [{"ID": 10**4000, "message": "x" * 1000}] * 1000})
        assert len(error.result["api_errors"]) == 10
        assert len(error.message) < 5000


def refusal(message, *secrets):
    """What is repeated of a refusal with this message."""
    error = failure(POST, 401, {"errors": [{"ID": 1, "message": message}]}, secrets=secrets)
    [entry] = error.result["api_errors"]
    assert entry["message"] in error.message
    return entry["message"]


class TestSecrets:
    def test_those_that_the_service_repeats_are_masked(self):
        message = f"token {APPLICATION_TOKEN} ({PULSAR_TOKEN},{PULSAR_TOKEN}) is wrong"
        assert refusal(message, PULSAR_TOKEN) == "token ******** (********,********) is wrong"

    @pytest.mark.parametrize("given", [f"{PULSAR_TOKEN}\n", f" {PULSAR_TOKEN}", f"\t{PULSAR_TOKEN}\r\n"])
    def test_white_space_around_a_secret_does_not_hide_it(self, given):
        assert refusal(f"bad {PULSAR_TOKEN}!", given) == "bad ********!"

    def test_a_secret_at_the_end_of_what_is_repeated(self):
        assert "AstraCS" not in refusal("x" * 290 + APPLICATION_TOKEN)

    def test_a_secret_within_another(self):
        assert refusal("bad abcdef!", "cd", "abcdef") == "bad ********!"

    def test_no_secret(self):
        assert refusal("bad token", "") == "bad token"


class TestUnreadable:
    @pytest.mark.parametrize(
        "body",
        [b"", b" ", b"<html>", b'{"pulsar": {', b"{} {}", b"\xff\xfe\x00", b"[" * 100_000, b"9" * 100_000],
        ids=lambda value: f"{value!r:.30}",
    )
    @pytest.mark.parametrize(
        ("call", "purpose"), [(CURRENT_ORGANIZATION, CURRENT_ORGANIZATION), (READ, READ.purpose)], ids=["ORG", "GET"]
    )
    def test_a_200_that_is_no_document(self, call, purpose, body):
        error = failure(call, 200, body)
        assert error.message == (
            f"{purpose} failed: the service answered 200 with a body that is not JSON: "
            "check api_url and any proxy in between."
        )
        assert error.result == {"http_status": 200, "api_errors": []}


@pytest.mark.parametrize(
    ("call", "purpose"),
    [(CURRENT_ORGANIZATION, CURRENT_ORGANIZATION), (READ, READ.purpose), (POST, POST.purpose)],
    ids=["ORG", "GET", "POST"],
)
@pytest.mark.parametrize(
    ("error", "maybe_applied"),
    [
        (ConnectionFailed("host refused the connection: check api_url and the network."), False),
        (AnswerLost("host did not answer in time: check the network or raise timeout."), True),
        (ServiceError("the service redirects in circles (307): check api_url.", http_status=307), False),
    ],
    ids=["ConnectionFailed", "AnswerLost", "ServiceError"],
)
def test_failures_of_the_connection_say_what_was_asked(call, purpose, error, maybe_applied):
    caught = failure(call, error=error)
    assert caught.__class__ is error.__class__
    assert caught.message == f"{purpose} failed: {error.message}"
    assert caught.maybe_applied is maybe_applied
    assert caught.result == error.result
