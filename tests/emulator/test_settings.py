# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the vendor leaves open, each way, and how long things take."""

from __future__ import annotations

import statistics
import time

import pytest

from emulator.client import Emulator, EmulatorError
from tests.emulator.support import (
    OAUTH2_STREAM,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    STATE,
    TOKEN_STREAM,
    audit_logs,
    call,
    connect,
    post,
    send,
    wait_until,
)

LONG = 1000  # seconds; no test lasts until a change with this lag is effective


@pytest.mark.parametrize(
    ("variant", "status", "body"),
    [
        ("204", 204, b""),
        ("empty", 200, b"{}"),
        ("null", 200, b"null"),
        ("no-pulsar", 200, b'{"status": "not configured"}'),
    ],
)
def test_get_when_nothing_is_configured(emulator, variant, status, body):
    emulator.settings(get_when_absent=variant)
    shown = call(emulator, "GET")
    assert (shown.status, shown.body) == (status, body)
    assert call(emulator, "GET", audit_logs(OTHER_ORGANIZATION)).status == 404


def test_a_change_is_invisible_before_the_lag(emulator):
    emulator.settings(apply_lag=LONG)
    assert post(emulator, TOKEN_STREAM).status == 202
    assert call(emulator, "GET").status == 404
    assert call(emulator, "DELETE", audit_logs(OTHER_ORGANIZATION), "enterprise").status == 202
    assert call(emulator, "GET", audit_logs(OTHER_ORGANIZATION), "enterprise").status == 200


def test_a_change_is_visible_after_the_lag(emulator):
    emulator.settings(apply_lag=0.2)
    started = time.monotonic()
    assert post(emulator, TOKEN_STREAM).status == 202
    wait_until(lambda: call(emulator, "GET").status == 200)
    assert time.monotonic() - started >= 0.2

    started = time.monotonic()
    assert call(emulator, "DELETE").status == 202
    wait_until(lambda: call(emulator, "GET").status == 404)
    assert time.monotonic() - started >= 0.2


def test_what_is_pending_can_be_seen_behind_the_scenes(emulator):
    emulator.settings(apply_lag=LONG)
    post(emulator, TOKEN_STREAM)
    seen = emulator.organization(ORGANIZATION)
    assert (seen["name"], seen["audit_logs"]) == ("One", None)
    assert seen["pending"]["audit_logs"] == {"pulsar": TOKEN_STREAM}
    assert LONG - 60 < seen["pending"]["seconds"] <= LONG


def test_a_change_replaces_one_that_is_still_being_applied(emulator):
    emulator.settings(apply_lag=LONG)
    post(emulator, TOKEN_STREAM)
    assert post(emulator, OAUTH2_STREAM).status == 202
    assert emulator.organization(ORGANIZATION)["pending"]["audit_logs"] == {"pulsar": OAUTH2_STREAM}
    assert call(emulator, "DELETE").status == 202
    assert emulator.organization(ORGANIZATION)["pending"]["audit_logs"] is None
    assert call(emulator, "DELETE").status == 404


def test_a_change_conflicts_with_one_that_is_still_being_applied(emulator):
    emulator.settings(apply_lag=LONG, post_while_applying="conflict")
    assert post(emulator, TOKEN_STREAM).status == 202
    for refused in (post(emulator, OAUTH2_STREAM), call(emulator, "DELETE")):
        assert (refused.status, len(refused.messages)) == (409, 1)
    assert emulator.organization(ORGANIZATION)["pending"]["audit_logs"] == {"pulsar": TOKEN_STREAM}


def test_a_conflict_clears_with_the_lag(emulator):
    emulator.settings(apply_lag=0.2, post_while_applying="conflict")
    post(emulator, TOKEN_STREAM)
    wait_until(lambda: post(emulator, OAUTH2_STREAM).status == 202)
    wait_until(lambda: emulator.organization(ORGANIZATION)["audit_logs"] == {"pulsar": OAUTH2_STREAM})


@pytest.mark.parametrize("masked", [[], ["oauth2_audience"], ["oauth2_issuer_url", "oauth2_credentials_url"]])
def test_which_fields_are_masked(emulator, masked):
    emulator.settings(masked=masked)
    shown = call(emulator, "GET", audit_logs(OTHER_ORGANIZATION), "enterprise").json["pulsar"]
    assert shown == {**OAUTH2_STREAM, **dict.fromkeys(masked, "********")}


def test_every_answer_takes_the_latency(emulator):
    emulator.settings(latency=0.1)
    for method in ("GET", "DELETE"):
        started = time.monotonic()
        assert call(emulator, method).status == 404
        assert time.monotonic() - started >= 0.1


def test_latency_does_not_serialise(emulator):
    emulator.settings(latency=0.5)
    connections = [connect(emulator) for _number in range(100)]
    started = time.monotonic()
    for connection in connections:
        connection.request("GET", audit_logs(), headers={"Authorization": "Bearer admin"})
    assert {connection.getresponse().status for connection in connections} == {404}
    # One after the other would take 50 seconds.
    assert time.monotonic() - started < 5
    for connection in connections:
        connection.close()


def test_a_connection_is_kept_alive(emulator):
    connection = connect(emulator)
    send(connection, "GET")
    first = connection.sock
    for _number in range(3):
        send(connection, "GET")
    assert connection.sock is first
    connection.close()


def test_an_answer_does_not_wait_for_acknowledgements(emulator):
    post(emulator, TOKEN_STREAM)
    connection = connect(emulator)
    durations = []
    for _number in range(50):
        started = time.monotonic()
        send(connection, "GET")
        durations.append(time.monotonic() - started)
    connection.close()
    # With Nagle's algorithm most would take 40 milliseconds, which no latency setting could explain.
    assert statistics.median(durations) < 0.03


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latency": -1}, "latency must be a number of seconds, 0 or more."),
        ({"apply_lag": "1"}, "apply_lag must be a number of seconds, 0 or more."),
        ({"apply_lag": True}, "apply_lag must be a number of seconds, 0 or more."),
        ({"latency": float("inf")}, "latency must be a number of seconds, 0 or more."),
        ({"get_when_absent": 404}, "get_when_absent must be one of 404, 204, empty, null, no-pulsar."),
        ({"post_while_applying": []}, "post_while_applying must be one of replace, conflict."),
        ({"masked": "token"}, "masked must be a list of fields out of endpoint, topic"),
        ({"masked": ["password"]}, "masked must be a list of fields out of endpoint, topic"),
        ({"speed": 1}, "Unknown key speed; known are apply_lag, latency"),
    ],
)
def test_a_bad_setting_is_refused(emulator, changes, message):
    before = emulator.settings()
    with pytest.raises(EmulatorError) as caught:
        emulator.settings(**changes)
    assert message in str(caught.value)
    assert emulator.settings() == before


def test_settings_at_the_start():
    settings = {
        "apply_lag": 2.5,
        "latency": 0.01,
        "get_when_absent": "null",
        "post_while_applying": "conflict",
        "masked": ["oauth2_scope"],
    }
    with Emulator(**STATE, **settings) as running:
        assert running.settings().items() >= settings.items()
        assert running.settings(latency=0)["latency"] == 0
        running.reset()
        assert running.settings().items() >= settings.items()
    with Emulator(masked=[]) as running:
        assert running.settings()["masked"] == []
