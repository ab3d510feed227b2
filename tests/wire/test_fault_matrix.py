# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault at every request, once and for good: what survives it, and what is true afterwards."""

from __future__ import annotations

import json
import time
from typing import NamedTuple

import pytest
from ansible_collections.datastax.astra.plugins.module_utils import _http

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


class Point(NamedTuple):
    """A request that a fault meets."""

    match: dict
    skip: int = 0
    states: tuple = ("present", "absent")
    options: dict = {}
    writes: bool = False


POINTS = {
    "currentOrg": Point({"method": "GET", "path": "/v2/currentOrg$"}, options={"organization_id": None}),
    "GET before": Point({"method": "GET", "path": STREAM_PATH}),
    "POST": Point({"method": "POST", "path": STREAM_PATH}, states=("present",), writes=True),
    "DELETE": Point({"method": "DELETE", "path": STREAM_PATH}, states=("absent",), writes=True),
    "GET while waiting": Point({"method": "GET", "path": STREAM_PATH}, skip=1),
}


class Case(NamedTuple):
    """A fault, and where a run gets over it: R(ead) or W(rite), once or always; ? where both are right."""

    fault: dict
    survives: str


def redirect(status, location):
    return {"status": status, "headers": {"Location": location}}


HERE = f"/v2/organizations/{ORGANIZATION}/telemetry/auditLogs"
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

TABLE = [
    pytest.param(point, state, case, times, id=f"{name}-{fault}-{state}-{'once' if times else 'always'}")
    for name, point in POINTS.items()
    for state in point.states
    for fault, case in CASES.items()
    for times in (1, None)
]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    """The right pauses for a run are too long for a table of this size."""
    monkeypatch.setattr(_http, "RETRY_AFTER_LIMIT", 0.05)
    monkeypatch.setattr(_http, "BACKOFF_START", 0.02)


@pytest.mark.parametrize(("point", "state", "case", "times"), TABLE)
def test_every_fault_at_every_request(service, point, state, case, times):
    before = None if state == "present" else ABSENT_BODY
    asked = TOKEN_BODY if state == "present" else None
    if before:
        configure(service, before)
    service.fault(match=point.match, skip=point.skip, times=times, **case.fault)
    options = {**TOKEN_OPTIONS, "state": state, "timeout": 1, "retries": 1, "wait_timeout": 3, **point.options}

    started = time.monotonic()
    result = run(service, **options)
    assert time.monotonic() - started < 30
    assert service.faults()[0]["fired"]
    service.clear_faults()

    text = json.dumps(result)
    assert not any(secret in text for secret in (ADMINISTRATOR, PULSAR_TOKEN, CREDENTIALS_URL))
    moment = f"{'write' if point.writes else 'read'} {'once' if times else 'always'}"
    if f"{moment}?" not in case.survives:
        assert ("failed" not in result) == (moment in case.survives), result.get("msg")
    if "failed" in result:
        assert result["msg"].endswith(".")
        assert "\n" not in result["msg"]
        assert len(result["msg"]) < 400
        if not result["changed"]:
            assert stored(service) == before
        if point is POINTS["GET while waiting"]:
            assert result["changed"]
    else:
        assert result["changed"]
        assert stored(service) == asked

    # Nothing is left behind that a second run does not put right.
    assert "failed" not in run(service, **{**options, "timeout": 5})
    assert stored(service) == asked


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
