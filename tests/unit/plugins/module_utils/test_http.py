# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a request is repeated, how long it waits for that, and what bounds it. The rest is seen on the wire."""

from __future__ import annotations

import email.utils
import http.client
import threading
import time
from types import SimpleNamespace

import pytest
import requests
from ansible_collections.datastax.astra.plugins.module_utils import _http
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import AnswerLost, ConnectionFailed, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._http import Attempts, Gate, Http, compute_backoff
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError

REFUSED = requests.ConnectionError(ConnectionRefusedError())
NEVER_REACHED = requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError()))
RESET = requests.ConnectionError(ConnectionResetError())


@pytest.fixture
def tries(monkeypatch):
    """What happens to each try, in order, 200 once it is empty: a status, a status with Retry-After, or an error."""
    tries = SimpleNamespace(coming=[], made=[])

    def request(_session, method, url, **keywords):
        tries.made.append((method, url, keywords))
        answer = tries.coming.pop(0) if tries.coming else 200
        if isinstance(answer, Exception):
            raise answer
        status, retry_after = answer if isinstance(answer, tuple) else (answer, None)
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        raw = SimpleNamespace(stream=lambda *_arguments, **_keywords: [b"body"], headers={})
        return SimpleNamespace(status_code=status, headers=headers, raw=raw)

    monkeypatch.setattr(requests.Session, "request", request)
    return tries


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch):
    monkeypatch.setattr(_http.random, "uniform", lambda _low, high: high)


def make_http(**settings):
    return Http("https://api.example.com/", **settings)


class TestDeadline:
    def test_none(self, clock):
        assert UNBOUNDED.remaining() == Deadline(None).remaining() == float("inf")
        assert not UNBOUNDED.is_due()
        assert UNBOUNDED.bound(5) == 5
        assert UNBOUNDED.sleep(10**6)
        assert clock.slept == [10**6]

    def test_passes(self, clock):
        deadline = Deadline(10)
        assert (deadline.remaining(), deadline.bound(30), deadline.bound(3)) == (10, 10, 3)
        assert deadline.sleep(4)
        assert deadline.remaining() == 6
        clock.now += 5.5
        assert (deadline.is_due(), deadline.bound(30)) == (False, 0.5)
        clock.now += 100
        assert (deadline.is_due(), deadline.remaining(), deadline.bound(30)) == (True, 0, 0)

    @pytest.mark.parametrize("seconds", [10, 11, 10**9])
    def test_nobody_sleeps_past_it(self, clock, seconds):
        assert not Deadline(10).sleep(seconds)
        assert clock.slept == []

    def test_none_at_all(self, clock):
        assert Deadline(0).is_due()
        assert not Deadline(0).sleep(0)


class TestBackoff:
    def test_doubles_up_to_a_limit(self):
        assert [compute_backoff(failures) for failures in (1, 2, 3, 8, 9, 10**9)] == [0.25, 0.5, 1, 30, 30, 30]

    def test_spreads_out(self, monkeypatch):
        monkeypatch.undo()
        assert len({compute_backoff(3) for _time in range(20)}) > 1
        assert all(0.5 <= compute_backoff(3) <= 1 for _time in range(100))


class TestAttempts:
    def test_are_used_up(self, clock):
        attempts = Attempts(2)
        assert [attempts.pause(UNBOUNDED) for _time in range(4)] == [True, True, False, False]
        assert clock.slept == [0.25, 0.5]

    def test_wait_as_long_as_they_are_told(self, clock):
        attempts = Attempts(3)
        assert [attempts.pause(UNBOUNDED, 7), attempts.pause(UNBOUNDED)] == [True, True]
        assert clock.slept == [7, 0.5]

    def test_end_with_the_deadline(self, clock):
        assert not Attempts(3).pause(Deadline(5), 6)
        assert clock.slept == []


class TestGate:
    def test_without_a_rate_everybody_passes(self, clock):
        gate = Gate()
        assert all(gate.wait(UNBOUNDED) for _time in range(1000))
        assert clock.slept == []

    def test_a_rate(self, clock):
        gate = Gate(rate=4)
        passed = [gate.wait(UNBOUNDED) and clock.now for _time in range(41)]
        assert passed[-1] - passed[0] >= 39 / 4
        # No second has more than its share and the one that a pause leaves over.
        for start in passed:
            assert sum(start <= moment < start + 1 for moment in passed) <= 5

    def test_a_pause_is_not_made_up_for_by_a_burst(self, clock):
        gate = Gate(rate=4)
        gate.wait(UNBOUNDED)
        clock.now += 1000
        passed = [gate.wait(UNBOUNDED) and clock.now for _time in range(10)]
        assert passed[-1] - passed[0] >= 8 / 4

    def test_closed_for_a_while(self, clock):
        gate = Gate()
        gate.close(7)
        gate.close(3)  # a shorter time opens it no earlier
        assert gate.wait(UNBOUNDED)
        assert clock.slept == [7]
        assert gate.wait(UNBOUNDED)

    def test_a_turn_that_comes_too_late(self, clock):
        gate = Gate()
        gate.close(7)
        assert not gate.wait(Deadline(5))
        assert clock.slept == []
        assert gate.wait(Deadline(8))

    def test_a_rate_that_leaves_no_time(self, clock):
        gate = Gate(rate=0.1)
        assert [gate.wait(Deadline(5)) for _time in range(3)] == [True, True, False]

    def test_threads_take_turns(self):
        """In real time: 21 requests, at 100 a second, by four threads."""
        gate = Gate(rate=100)
        numbers = iter(range(21))
        start = time.monotonic()

        def work():
            while next(numbers, None) is not None:
                assert gate.wait(UNBOUNDED)

        threads = [threading.Thread(target=work) for _number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - start >= 0.19


class TestRepeats:
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_statuses_that_pass(self, clock, tries, method, status):
        tries.coming = [status, status]
        answer = make_http().request(method, "/thing")
        assert (answer.status, answer.body, answer.repeated) == (200, b"body", True)
        assert clock.slept == [0.25, 0.5]

    @pytest.mark.parametrize("status", [200, 202, 204, 400, 401, 403, 404, 409, 500, 501])
    def test_all_others_are_answers(self, clock, tries, status):
        tries.coming = [status]
        answer = make_http().request("POST", "/thing")
        assert (answer.status, answer.repeated) == (status, False)
        assert len(tries.made) == 1

    @pytest.mark.parametrize("retries", [0, 1, 3])
    def test_as_often_as_retries_says(self, clock, tries, retries):
        tries.coming = [503] * 10
        answer = make_http(retries=retries).request("POST", "/thing")
        assert (answer.status, answer.repeated) == (503, retries > 0)
        assert len(tries.made) == retries + 1

    def test_whatever_it_is_that_fails(self, clock, tries):
        tries.coming = [503, NEVER_REACHED, 429, RESET, 502, 200]
        assert make_http(retries=4).request("GET", "/thing").status == 502
        assert len(tries.made) == 5

    def test_shared_with_others(self, clock, tries):
        http = make_http(retries=3)
        attempts = http.make_attempts()
        tries.coming = [503, 503, 200, 503, 503, 200]
        assert http.request("PUT", "/thing", attempts=attempts).status == 200
        assert http.request("PUT", "/thing", attempts=attempts).status == 503
        assert len(tries.made) == 5
        assert not attempts.pause(UNBOUNDED)

    @pytest.mark.parametrize("status", [502, 503, 504])
    def test_what_would_do_harm_twice_is_sent_once(self, clock, tries, status):
        tries.coming = [status]
        answer = make_http().request("POST", "/thing", replay=False)
        assert (answer.status, answer.repeated) == (status, False)
        assert len(tries.made) == 1

    @pytest.mark.parametrize("failure", [429, NEVER_REACHED])
    def test_what_certainly_did_not_arrive_does_no_harm(self, clock, tries, failure):
        tries.coming = [failure]
        assert make_http().request("POST", "/thing", replay=False).status == 200
        assert len(tries.made) == 2

    @pytest.mark.parametrize("replay", [True, False])
    @pytest.mark.parametrize(
        "failure", [RESET, requests.ReadTimeout(), requests.ConnectionError(http.client.IncompleteRead(b""))]
    )
    def test_what_may_have_arrived_is_for_the_caller_to_find_out(self, clock, tries, failure, replay):
        tries.coming = [failure]
        with pytest.raises(AnswerLost) as caught:
            make_http().request("POST", "/thing", replay=replay)
        assert caught.value.maybe_applied
        assert len(tries.made) == 1

    @pytest.mark.parametrize("failure", [NEVER_REACHED, RESET, REFUSED, requests.ReadTimeout()])
    def test_reading_is_harmless(self, clock, tries, failure):
        tries.coming = [failure] * 10
        with pytest.raises(ConnectionFailed) as caught:
            make_http(retries=2).request("GET", "/thing")
        assert not caught.value.maybe_applied
        assert len(tries.made) == 3


IN_THE_PAST = "Wed, 21 Oct 2015 07:28:00 GMT"


class TestRetryAfter:
    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [("0", 0), ("3", 3), ("60", 60), ("61", 60), ("99999999999", 60), (IN_THE_PAST, 0), (" 3 ", 3)],
    )
    def test_is_waited_for_up_to_a_limit(self, clock, tries, status, value, seconds):
        tries.coming = [(status, value)]
        make_http().request("GET", "/thing")
        assert sum(clock.slept) == seconds

    def test_a_date(self, clock, tries):
        tries.coming = [(503, email.utils.formatdate(time.time() + 20, usegmt=True))]
        make_http().request("GET", "/thing")
        assert 15 < sum(clock.slept) <= 20

    @pytest.mark.parametrize("value", [None, "", "soon", "-5", "nan", "1e3", "Wed, 99 Oct 2015", "9" * 5000])
    def test_without_one_that_makes_sense_the_usual_pause(self, clock, tries, value):
        tries.coming = [(503, value)]
        make_http().request("GET", "/thing")
        assert clock.slept == [0.25]

    def test_longer_than_there_is_time(self, clock, tries):
        tries.coming = [(503, "30")]
        assert make_http().request("GET", "/thing", deadline=Deadline(20)).status == 503
        assert (clock.slept, len(tries.made)) == ([], 1)

    def test_pauses_end_with_the_deadline(self, clock, tries):
        tries.coming = [503] * 100
        make_http(retries=100).request("GET", "/thing", deadline=Deadline(10))
        assert sum(clock.slept) < 10


class TestTooManyRequests:
    """A 429 is the service's word to all who ask it through this connection."""

    @pytest.mark.parametrize(("value", "seconds"), [("7", 7), (None, 0.25), ("soon", 0.25)])
    def test_holds_back_everybody(self, clock, tries, value, seconds):
        gate = Gate()
        tries.coming = [(429, value)]
        make_http(gate=gate, retries=0).request("GET", "/thing")
        assert clock.slept == []
        make_http(gate=gate).request("GET", "/other")
        assert clock.slept == [seconds]

    def test_a_503_does_not(self, clock, tries):
        http = make_http(retries=0)
        tries.coming = [(503, "7")]
        http.request("GET", "/thing")
        http.request("GET", "/other")
        assert clock.slept == []

    def test_is_not_waited_for_twice(self, clock, tries):
        tries.coming = [(429, "7")]
        make_http().request("GET", "/thing")
        assert clock.slept == [7]

    def test_longer_than_there_is_time(self, clock, tries):
        http = make_http()
        tries.coming = [(429, "30")]
        assert http.request("GET", "/thing", deadline=Deadline(20)).status == 429
        with pytest.raises(ServiceError, match=r"longer than there is time: .*raise wait_timeout") as caught:
            http.request("GET", "/other", deadline=Deadline(20))
        assert caught.value.result == {"http_status": 429, "api_errors": []}
        assert (clock.slept, len(tries.made)) == ([], 1)

    def test_a_rate_counts_each_try(self, clock, tries):
        tries.coming = [503] * 5
        make_http(gate=Gate(rate=0.1)).request("GET", "/thing")
        assert sum(clock.slept) >= 40


class TestTimeout:
    @pytest.mark.parametrize(("seconds", "timeout"), [(None, 30), (100, 30), (20, 20), (1.5, 1.5), (0.5, 1), (0, 1)])
    def test_of_a_try_is_what_is_left_but_at_least_a_second(self, clock, tries, seconds, timeout):
        make_http(timeout=30).request("GET", "/thing", deadline=Deadline(seconds))
        assert tries.made[0][2]["timeout"] == (timeout, timeout)


def test_what_is_sent(tries):
    make_http().request("PUT", "/thing", headers={"X-More": "1"}, query={"a": "b c"}, body=b"body")
    [(method, url, keywords)] = tries.made
    assert (method, url) == ("PUT", "https://api.example.com/thing")
    assert (keywords["headers"], keywords["params"], keywords["data"]) == ({"X-More": "1"}, {"a": "b c"}, b"body")
    assert keywords["allow_redirects"] is False
