# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault, as the client sees it, and what the service did about the request."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections import Counter
from urllib.parse import urlsplit

import pytest

from emulator.client import EmulatorError
from tests.emulator.support import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    TOKEN_STREAM,
    audit_logs,
    call,
    connect,
    post,
    send,
    wait_until,
)

CURRENT_ORG = json.dumps({"id": ORGANIZATION}).encode()


def get_current_org(emulator):
    """Send the request that the faults of a test meet."""
    return call(emulator, "GET", "/v2/currentOrg")


def read_to_end(emulator) -> bytes:
    """Send that request and return every byte that comes back before the connection ends in order."""
    with open_socket(emulator) as sock:
        parts = []
        while part := sock.recv(65536):
            parts.append(part)
        return b"".join(parts)


def open_socket(emulator) -> socket.socket:
    """Send that request over a socket; a TLS connection that does not end in order is an error."""
    address = urlsplit(emulator.api_url)
    sock = socket.create_connection((address.hostname, address.port), timeout=10)
    if emulator.ca_path:
        context = ssl.create_default_context(cafile=emulator.ca_path)
        sock = context.wrap_socket(sock, server_hostname=address.hostname, suppress_ragged_eofs=False)
    sock.sendall(b"GET /v2/currentOrg HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n")
    return sock


def was_stored(emulator) -> bool:
    """Whether the POST of a test was carried out."""
    return emulator.organization(ORGANIZATION)["audit_logs"] is not None


def test_an_answer_replaces_the_services_own(either):
    either.fault(status=429, headers={"Retry-After": "7", "Content-Type": "text/html"}, body="<h1>Slow down</h1>")
    answer = post(either, TOKEN_STREAM)
    assert (answer.status, answer.body) == (429, b"<h1>Slow down</h1>")
    assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("7", "text/html")
    assert not was_stored(either)
    assert either.journal()[0]["status"] == 429


@pytest.mark.parametrize(
    ("body", "sent", "content_type"),
    [
        ({"errors": []}, b'{"errors": []}', "application/json"),
        ([1], b"[1]", "application/json"),
        (None, b"null", "application/json"),
        (5, b"5", "application/json"),
        ('{"pulsar": ', b'{"pulsar": ', "text/plain; charset=utf-8"),
        ("ü", "ü".encode(), "text/plain; charset=utf-8"),
        ("", b"", "text/plain; charset=utf-8"),
    ],
)
def test_a_body_is_text_or_json(emulator, body, sent, content_type):
    emulator.fault(status=200, body=body)
    answer = get_current_org(emulator)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, sent, content_type)


@pytest.mark.parametrize("status", [200, 204, 304, 307, 500, 599])
def test_an_answer_without_a_body(emulator, status):
    emulator.fault(status=status)
    connection = connect(emulator)
    answer = send(connection, "GET")
    assert (answer.status, answer.body) == (status, b"")
    assert "content-type" not in answer.headers
    # Nothing is left on the connection that would garble the next answer.
    assert send(connection, "GET", "/v2/currentOrg").body == CURRENT_ORG
    connection.close()


def test_a_huge_body(emulator):
    emulator.fault(status=200, body="x" * 3_000_000)
    assert len(get_current_org(emulator).body) == 3_000_000


def test_a_change_can_be_made_although_the_answer_is_an_error(emulator):
    emulator.fault(status=504, apply=True)
    assert post(emulator, TOKEN_STREAM).status == 504
    assert was_stored(emulator)


def test_a_request_that_is_refused_changes_nothing_although_it_is_carried_out(emulator):
    emulator.fault(status=202, apply=True)
    assert post(emulator, {**TOKEN_STREAM, "topic": 1}).status == 202
    assert not was_stored(emulator)


@pytest.mark.parametrize(("moment", "stored"), [("before", False), ("after", True)])
@pytest.mark.parametrize("manner", ["drop", "close"])
def test_a_connection_that_ends_without_an_answer(either, manner, moment, stored):
    either.fault(**{manner: moment})
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        post(either, TOKEN_STREAM)
    assert was_stored(either) is stored
    assert either.journal()[0]["status"] is None


def test_drop_resets_the_connection(emulator):
    emulator.fault(drop="before")
    with pytest.raises(ConnectionResetError):
        read_to_end(emulator)


def test_drop_does_not_end_tls_in_order(either):
    either.fault(drop="after")
    # Python's ssl shows a reset as an end that violates the protocol.
    with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
        read_to_end(either)


def test_close_ends_the_connection_in_order(either):
    either.fault(close="before")
    assert read_to_end(either) == b""


def test_raw_bytes_instead_of_an_answer(either):
    every_byte = bytes(range(256))
    either.fault(raw=every_byte.decode("latin-1"))
    assert read_to_end(either) == every_byte
    assert either.journal()[0]["status"] is None


@pytest.mark.parametrize("apply", [False, True])
def test_raw_bytes_before_or_after_the_change(emulator, apply):
    emulator.fault(raw="SSH-2.0\r\n\r\n", apply=apply)
    with pytest.raises(http.client.BadStatusLine):
        post(emulator, TOKEN_STREAM)
    assert was_stored(emulator) is apply


def test_a_delayed_answer_is_the_right_one(either):
    either.fault(delay=0.2)
    started = time.monotonic()
    assert get_current_org(either).body == CURRENT_ORG
    assert time.monotonic() - started >= 0.2


def test_a_change_is_made_before_its_answer_is_delayed(emulator):
    emulator.fault(delay=1000)
    connection = connect(emulator)
    connection.request(
        "POST",
        audit_logs(),
        json.dumps({"pulsar": TOKEN_STREAM}),
        {
            "Authorization": "Bearer admin",
            "Content-Type": "application/json",
        },
    )
    wait_until(lambda: was_stored(emulator))
    connection.close()
    assert emulator.journal()[0]["status"] is None


def test_a_delayed_error(emulator):
    emulator.fault(delay=0.2, status=503, body="later")
    started = time.monotonic()
    answer = get_current_org(emulator)
    assert (answer.status, answer.body) == (503, b"later")
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("what", ["headers", "body"])
def test_a_dripping_answer_is_slow_and_right(either, what):
    either.fault(drip={"what": what, "interval": 0.002})
    started = time.monotonic()
    answer = get_current_org(either)
    assert (answer.status, answer.body) == (200, CURRENT_ORG)
    assert time.monotonic() - started >= 0.002 * len(CURRENT_ORG)


@pytest.mark.parametrize(("what", "start"), [("headers", b"H"), ("body", b"{")])
def test_a_dripping_answer_comes_byte_by_byte(either, what, start):
    either.fault(drip={"what": what, "interval": 1000})
    with open_socket(either) as sock:
        received = sock.recv(65536)
        while what == "body" and not received.endswith(b"\r\n\r\n" + start):
            received += sock.recv(65536)
        assert received.endswith(start)
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_an_endless_body(either):
    either.fault(endless=True)
    connection = connect(either)
    connection.request("GET", "/v2/currentOrg", headers={"Authorization": "Bearer admin"})
    response = connection.getresponse()
    assert response.status == 200
    assert response.getheader("Content-Length") is None
    start = response.read(3_000_000)
    assert len(start) == 3_000_000
    assert json.loads(start) == {"id": ORGANIZATION}
    connection.close()
    # It does not go on without its reader, nor keep others from their answers.
    assert get_current_org(either).body == CURRENT_ORG


def test_an_endless_error(emulator):
    emulator.fault(endless=True, status=502, body="<html>")
    connection = connect(emulator)
    connection.request("GET", "/v2/currentOrg")
    response = connection.getresponse()
    assert (response.status, response.read(10)) == (502, b"<html>    ")
    connection.close()


@pytest.mark.parametrize("count", [0, 5])
def test_a_truncated_body(either, count):
    either.fault(truncate=count)
    with pytest.raises(http.client.IncompleteRead) as caught:
        get_current_org(either)
    assert caught.value.partial == CURRENT_ORG[:count]
    assert caught.value.expected == len(CURRENT_ORG) - count


def test_connections_are_refused_for_a_while(either):
    either.fault(refuse_after=0.5)
    started = time.monotonic()
    assert get_current_org(either).headers["connection"] == "close"

    def accepted() -> bool:
        try:
            return get_current_org(either).status == 200
        except ConnectionRefusedError:
            return False

    wait_until(accepted)
    assert time.monotonic() - started >= 0.5
    assert len(either.journal()) == 2


def test_a_reset_ends_the_refusal_of_connections(either):
    either.fault(refuse_after=1000, times=2)
    get_current_org(either)
    either.reset()
    assert get_current_org(either).status == 200
    either.fault(refuse_after=1000)
    get_current_org(either)
    with pytest.raises(ConnectionRefusedError):
        get_current_org(either)
    either.reset()
    assert get_current_org(either).status == 200


def test_a_fault_strikes_once_by_default(emulator):
    emulator.fault(status=500)
    assert [get_current_org(emulator).status for _number in range(2)] == [500, 200]


def test_how_often_a_fault_strikes(emulator):
    emulator.fault(status=500, times=2, skip=1)
    emulator.fault(status=503, times=None)
    assert [get_current_org(emulator).status for _number in range(5)] == [503, 500, 500, 503, 503]
    first, second = emulator.faults()
    assert first == {"status": 500, "times": 2, "skip": 1, "matched": 3, "fired": 2}
    assert second == {"status": 503, "times": None, "matched": 3, "fired": 3}
    emulator.clear_faults()
    assert emulator.faults() == []
    assert get_current_org(emulator).status == 200


def test_how_likely_a_fault_is(emulator):
    emulator.fault(status=500, times=None, probability=0.3)
    emulator.fault(status=503, times=None, probability=0)
    connection = connect(emulator)
    seen = Counter(send(connection, "GET", "/v2/currentOrg").status for _number in range(400))
    connection.close()
    assert seen.keys() == {200, 500}
    # Ten standard deviations: once in the age of the universe.
    assert 30 < seen[500] < 210


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({}, {"one", "other", "current", "post"}),
        ({"method": "POST"}, {"post"}),
        ({"method": "get"}, {"one", "other", "current"}),
        ({"path": "auditLogs$"}, {"one", "other", "post"}),
        ({"path": "^/v2/currentOrg$"}, {"current"}),
        ({"path": "currentorg"}, set()),
        ({"organization_id": OTHER_ORGANIZATION.upper()}, {"other"}),
        ({"organization_id": ORGANIZATION}, {"one", "current", "post"}),
        ({"organization_id": ORGANIZATION, "method": "GET", "path": "telemetry"}, {"one"}),
    ],
)
def test_which_requests_a_fault_meets(emulator, match, struck):
    emulator.fault(match=match, status=599, times=None)
    answers = {
        "one": call(emulator, "GET"),
        "other": call(emulator, "GET", audit_logs(OTHER_ORGANIZATION), "enterprise"),
        "current": get_current_org(emulator),
        "post": post(emulator, TOKEN_STREAM),
    }
    assert {name for name, answer in answers.items() if answer.status == 599} == struck


def test_a_fault_meets_a_bad_token_and_an_unknown_path_as_well(emulator):
    emulator.fault(status=599, times=2)
    assert call(emulator, "GET", token=None).status == 599
    assert call(emulator, "GET", "/nowhere").status == 599


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "A fault needs status or one of delay, drop,"),
        ({"stauts": 500}, "A fault has the unknown key stauts; known are match, times,"),
        ({"drop": "before", "close": "after"}, "A fault cannot have drop and close together."),
        ({"drop": "before", "status": 500}, "drop sends no answer, so status cannot be given."),
        ({"drop": "later"}, "drop must be before or after."),
        ({"delay": -1}, "delay must be a number of seconds, 0 or more."),
        ({"raw": "\u20ac"}, "raw must be text of characters up to U+00FF, one for each byte."),
        ({"drip": {"what": "body"}}, "drip must be an object with what (headers or body) and interval (seconds)."),
        ({"endless": False}, "endless must be true."),
        ({"truncate": 1.5}, "truncate must be the number of bytes of the body that are sent."),
        ({"refuse_after": None}, "refuse_after must be a number of seconds, 0 or more."),
        ({"status": 100}, "status must be a number from 200 to 599."),
        ({"status": "500"}, "status must be a number from 200 to 599."),
        ({"status": True}, "status must be a number from 200 to 599."),
        ({"status": 500, "headers": {"A": 1}}, "headers must be an object of strings (Latin-1, no line breaks)."),
        ({"status": 500, "headers": {"A": "\r\nB: 1"}}, "headers must be an object of strings"),
        ({"status": 500, "headers": {"A B": "1"}}, "headers must be an object of strings"),
        (
            {"status": 500, "headers": {"Content-Length": "9"}},
            "headers cannot hold Content-Length: use truncate or raw",
        ),
        ({"status": 204, "body": "x"}, "An answer with status 204 cannot have a body."),
        ({"delay": 1, "body": "x"}, "body needs status."),
        ({"delay": 1, "headers": {}}, "headers needs status."),
        ({"delay": 1, "apply": True}, "apply belongs to status or raw."),
        ({"status": 500, "apply": 1}, "apply must be true or false."),
        ({"status": 500, "times": 0}, "times must be a number above 0, or null."),
        ({"status": 500, "skip": -1}, "skip must be a number, 0 or more."),
        ({"status": 500, "probability": 1.1}, "probability must be a number from 0 to 1."),
        ({"status": 500, "match": []}, "match must be an object."),
        ({"status": 500, "match": {"host": "x"}}, "match has the unknown key host; known are method, path,"),
        ({"status": 500, "match": {"method": 1}}, "match.method must be a string."),
        ({"status": 500, "match": {"path": "("}}, "match.path is not a regular expression:"),
    ],
)
def test_a_bad_fault_is_refused(emulator, fault, message):
    with pytest.raises(EmulatorError) as caught:
        emulator.fault(**fault)
    assert message in str(caught.value)
    assert emulator.faults() == []
