# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault at every request, once and for good: what survives it, and what is true afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from ansible_collections.datastax.astra.plugins.module_utils import _convergence, _http
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM

from tests.wire.resources import ROWS, Point, Row
from tests.wire.support import (
    ADMINISTRATOR,
    CREDENTIALS_URL,
    ORGANIZATION,
    PULSAR_TOKEN,
    TOKEN_BODY,
    TOKEN_OPTIONS,
    configure,
    run,
    stored,
)

STREAM_PATH = f"/v2/organizations/{ORGANIZATION}/telemetry/auditLogs$"
ABSENT_BODY = {"pulsar": {**TOKEN_BODY["pulsar"], "topic": "persistent://acme/security/old"}}


class Subject(NamedTuple):
    """What the faults meet.

    :ivar points: the requests that they meet.
    :ivar prepare: makes what has to be there before a run towards a state.
    :ivar find: returns what the service has, or None.
    :ivar is_done: tells whether the service has what the state asks for.
    :ivar secrets: what it was given that must not appear anywhere.
    """

    command: Any
    options: dict
    points: dict[str, Point]
    prepare: Callable[[Any, str], None]
    find: Callable[[Any], Any]
    is_done: Callable[[Any, str], bool]
    secrets: tuple[str, ...] = (ADMINISTRATOR,)


STREAM = Subject(
    AUDIT_LOG_STREAM,
    TOKEN_OPTIONS,
    {
        "currentOrg": Point(
            {"method": "GET", "path": "/v2/currentOrg$"}, options={"organization_id": None}, conflict="busy"
        ),
        "GET before": Point({"method": "GET", "path": STREAM_PATH}, conflict="busy"),
        "POST": Point({"method": "POST", "path": STREAM_PATH}, states=("present",), writes=True, conflict="busy"),
        "DELETE": Point({"method": "DELETE", "path": STREAM_PATH}, states=("absent",), writes=True, conflict="busy"),
        "GET while waiting": Point(
            {"method": "GET", "path": STREAM_PATH}, skip=1, is_after_write=True, conflict="busy"
        ),
    },
    prepare=lambda service, state: configure(service, ABSENT_BODY) if state == "absent" else None,
    find=stored,
    is_done=lambda service, state: stored(service) == (TOKEN_BODY if state == "present" else None),
    secrets=(ADMINISTRATOR, PULSAR_TOKEN, CREDENTIALS_URL),
)


def make_subject(row: Row) -> Subject:
    """What the faults meet of a resource."""

    def prepare(service, state: str) -> None:
        row.prepare(service)
        if state == "absent":
            assert run(service, command=row.command, **row.options)["changed"]

    def is_done(service, state: str) -> bool:
        if state == "absent":
            return row.find(service) is None
        return run(service, command=row.command, check=True, **row.options)["changed"] is False

    return Subject(row.command, row.options, row.points, prepare, row.find, is_done)


SUBJECTS = {"stream": STREAM, **{name: make_subject(row) for name, row in ROWS.items()}}


class Case(NamedTuple):
    """A fault, and where a run gets over it: R(ead) or W(rite), once or always; ? where both are right."""

    fault: dict
    survives: str


def redirect(status, location):
    return {"status": status, "headers": {"Location": location}}


HERE = ""  # relative to where the request went
ELSEWHERE = "https://elsewhere.example.com/v2"

CASES = {
    "reset": Case({"drop": "before"}, "read once, write once"),
    "reset after the change": Case({"drop": "after"}, "read once, write once, write always"),
    "closed": Case({"close": "before"}, "read once, write once"),
    "closed after the change": Case({"close": "after"}, "read once, write once, write always"),
    "slow headers": Case({"drip": {"what": "headers", "interval": 0.2}}, "read once, write once, write always"),
    "slow answer": Case({"delay": 3}, "read once, write once, write always?"),
    "slow body": Case({"status": 200, "body": " " * 99, "drip": {"what": "body", "interval": 0.2}}, "read once"),
    "endless body": Case({"status": 200, "endless": True}, ""),
    "endless error": Case({"status": 503, "endless": True}, "read once, write once"),
    "huge body": Case({"status": 200, "body": " " * 2_000_000}, ""),
    "cut-off body": Case({"status": 200, "body": '{"pulsar": {}}', "truncate": 5}, "read once"),
    "not HTTP": Case({"raw": "SSH-2.0-OpenSSH_9.6\r\n\r\n"}, "read once, write once"),
    "429": Case({"status": 429}, "read once, write once"),
    "429 with Retry-After": Case({"status": 429, "headers": {"Retry-After": "1"}}, "read once, write once"),
    "absurd Retry-After": Case({"status": 429, "headers": {"Retry-After": "99999999"}}, "read once, write once"),
    "Retry-After in the past": Case(
        {"status": 503, "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}}, "read once, write once"
    ),
    "senseless Retry-After": Case({"status": 503, "headers": {"Retry-After": "soon"}}, "read once, write once"),
    "500": Case({"status": 500}, ""),
    "500 after the change": Case({"status": 500, "apply": True}, ""),
    "502": Case({"status": 502, "body": "<html>Bad Gateway</html>"}, "read once, write once"),
    "503": Case({"status": 503}, "read once, write once"),
    "504": Case({"status": 504}, "read once, write once"),
    "504 after the change": Case({"status": 504, "apply": True}, "read once, write once"),
    "400": Case({"status": 400, "body": {"errors": [{"ID": 7, "message": f"bad {PULSAR_TOKEN}"}]}}, ""),
    "401": Case({"status": 401, "body": {"errors": [{"id": 8, "message": f"bad {ADMINISTRATOR}"}]}}, ""),
    "403": Case({"status": 403}, ""),
    "409": Case({"status": 409}, "read once, write once"),
    "HTML": Case({"status": 200, "body": "<html>Log in</html>"}, ""),
    "empty": Case({"status": 200, "body": ""}, ""),
    "truncated JSON": Case({"status": 200, "body": '{"pulsar": {"endpoint": "puls'}, ""),
    "a list": Case({"status": 200, "body": []}, ""),
    "wrong type": Case({"status": 200, "body": {"id": 5, "pulsar": {"endpoint": 5}}}, ""),
    "pulsar is a list": Case({"status": 200, "body": {"id": [], "pulsar": ["x"]}}, ""),
    "errors": Case({"status": 200, "body": {"errors": [{"ID": 1, "message": "no"}]}}, ""),
    "302 here": Case(redirect(302, HERE), "read once?"),
    "307 here": Case(redirect(307, HERE), "read once?, write once"),
    "308 here": Case(redirect(308, HERE), "read once?, write once"),
    "302 elsewhere": Case(redirect(302, ELSEWHERE), ""),
    "307 elsewhere": Case(redirect(307, ELSEWHERE), ""),
    "redirect to nowhere": Case({"status": 307}, ""),
}

# What the layers below treat alike for all need not be met by every resource.
TELLING = (
    "reset",
    "reset after the change",
    "slow answer",
    "cut-off body",
    "429 with Retry-After",
    "500",
    "500 after the change",
    "504 after the change",
    "400",
    "401",
    "403",
    "409",
    "HTML",
    "empty",
    "a list",
    "wrong type",
    "errors",
    "307 here",
    "307 elsewhere",
)


def choose_times(point: Point, fault: str) -> tuple[int | None, ...]:
    """How often to meet a fault: once and always, or once where a write that is believed is not sent again."""
    is_lie = CASES[fault].fault.get("status") == 200 and not {"drip", "truncate", "endless"} & CASES[fault].fault.keys()
    return (1,) if point.writes and is_lie else (1, None)


TABLE = [
    pytest.param(
        subject, point, state, fault, times, id=f"{kind}-{name}-{fault}-{state}-{'once' if times else 'always'}"
    )
    for kind, subject in SUBJECTS.items()
    for name, point in subject.points.items()
    for state in point.states
    for fault in (CASES if subject is STREAM else TELLING)
    if fault not in point.omits
    for times in choose_times(point, fault)
]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    """The right pauses for a run are too long for a table of this size."""
    monkeypatch.setattr(_http, "RETRY_AFTER_LIMIT", 0.05)
    monkeypatch.setattr(_http, "BACKOFF_START", 0.02)
    monkeypatch.setattr(_convergence, "FIRST_INTERVAL", 0.02)


def expect(point: Point, fault: str, times: int | None) -> bool | None:
    """Whether a run gets over a fault; None where both are right."""
    moment = f"{'write' if point.writes else 'read'} {'once' if times else 'always'}"
    if fault in point.differs:
        return point.differs[fault]
    if fault == "409":
        return bool(times) and point.conflict is not None
    return None if f"{moment}?" in CASES[fault].survives else moment in CASES[fault].survives


@pytest.mark.parametrize(("subject", "point", "state", "fault", "times"), TABLE)
def test_every_fault_at_every_request(service, subject, point, state, fault, times):
    subject.prepare(service, state)
    before = subject.find(service)
    service.clear_journal()
    service.fault(match=point.match, skip=point.skip, times=times, **CASES[fault].fault)
    # What is answered at once and never comes about is not worth a longer wait.
    is_lie = point.writes and CASES[fault].fault.get("status") == 200
    wait_timeout = 1 if is_lie or fault == "409" else 3
    options = {**subject.options, "state": state, "timeout": 1, "retries": 1, **point.options}

    started = time.monotonic()
    result = run(service, command=subject.command, wait_timeout=wait_timeout, **options)
    assert time.monotonic() - started < 30
    assert service.faults()[0]["fired"]
    service.clear_faults()

    text = json.dumps(result)
    assert not any(secret in text for secret in subject.secrets)
    survives = expect(point, fault, times)
    if survives is not None:
        assert ("failed" not in result) == survives, result.get("msg")
    if "failed" in result:
        assert result["msg"].endswith(".")
        assert "\n" not in result["msg"]
        assert len(result["msg"]) < 400
        if not result["changed"]:
            assert subject.find(service) == before
        if point.is_after_write:
            assert result["changed"]
    else:
        assert result["changed"]
        assert subject.is_done(service, state)

    # Nothing is left behind that a second run does not put right.
    assert "failed" not in run(service, command=subject.command, **{**options, "timeout": 5})
    assert subject.is_done(service, state)


@pytest.mark.parametrize(("status", "advice"), [(401, "token"), (403, "role"), (404, "organization_id"), (409, "wait")])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_errors_say_what_the_service_said_and_what_to_do(service, state, status, advice):
    if state == "absent":
        configure(service)
    method = "POST" if state == "present" else "DELETE"
    envelope = {"errors": [{"ID": 4711, "message": "the service's own words"}]}
    service.fault(match={"method": method}, times=None, status=status, body=envelope)
    result = run(service, **{**TOKEN_OPTIONS, "state": state, "wait_timeout": 0})
    assert (result["failed"], result["changed"], result["http_status"]) == (True, False, status)
    assert result["api_errors"] == [{"id": 4711, "message": "the service's own words"}]
    assert ORGANIZATION in result["msg"]
    assert f"the service answered {status}, the service's own words (ID 4711)" in result["msg"]
    assert advice in result["msg"]
    assert result["organization_id"] == ORGANIZATION
