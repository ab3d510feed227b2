# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs at once, and runs that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.wire.support import (
    OTHER_PULSAR_TOKEN,
    TOKEN_BODY,
    TOKEN_STREAM,
    absent,
    configure,
    present,
    stored,
)

OTHER_TOPIC = "persistent://acme/security/other"

# A run in a process of its own, so that it can be killed.
RUN = """
import sys
from types import SimpleNamespace
sys.path[:0] = sys.argv[2:]
from tests.wire.support import absent, present
service = SimpleNamespace(api_url=sys.argv[1])
"""


@pytest.mark.parametrize("while_applying", ["replace", "conflict"])
@pytest.mark.parametrize("lag", [0, 0.3])
def test_two_runs_at_once_end_in_one_of_the_two_configurations(service, while_applying, lag):
    service.settings(apply_lag=lag, post_while_applying=while_applying, latency=0.02)
    topics = [TOKEN_STREAM["topic"], OTHER_TOPIC]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda topic: present(service, topic=topic, wait_timeout=3), topics))
    assert stored(service)["pulsar"]["topic"] in topics
    for result in results:
        # The slower one may find the other's configuration instead of its own: then it says so.
        assert result["changed"]
        assert "failed" not in result or "GET does not show it (topic)" in result["msg"]
    assert any("failed" not in result for result in results)


@pytest.mark.parametrize("lag", [0, 0.3])
def test_of_two_equal_runs_at_once_one_creates_and_the_other_finds_it_done(service, lag):
    service.settings(apply_lag=lag, post_while_applying="conflict", latency=0.05)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(present, service, wait_timeout=10) for _run in range(2)]
        results = [run.result() for run in runs]
    accepted = [entry["status"] for entry in service.journal() if entry["method"] == "POST"].count(202)
    assert sorted(result["action"] for result in results) == (["created", "none"] if accepted == 1 else ["created"] * 2)
    assert stored(service) == TOKEN_BODY
    if lag:
        assert accepted == 1


def test_creating_and_deleting_at_once(service):
    service.settings(latency=0.02)
    configure(service)
    with ThreadPoolExecutor(2) as pool:
        created = pool.submit(present, service, topic=OTHER_TOPIC, wait_timeout=2)
        deleted = pool.submit(absent, service, wait_timeout=2)
        results = [created.result(), deleted.result()]
    left = stored(service)
    assert left is None or left["pulsar"]["topic"] == OTHER_TOPIC
    assert all(result["changed"] or "failed" not in result for result in results)


@pytest.mark.parametrize("seen", range(4), ids=["at once", "after GET", "after POST", "while waiting"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_killed_run_leaves_nothing_that_a_second_one_does_not_put_right(service, seen, state):
    if state == "absent":
        configure(service)
    service.settings(latency=0.1, apply_lag=0.3)
    call = "present(service)" if state == "present" else "absent(service)"
    paths = [path for path in sys.path if path]
    process = subprocess.Popen([sys.executable, "-c", RUN + call, service.api_url, *paths], env=os.environ)
    deadline = time.monotonic() + 30
    while len(service.journal()) < seen and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    service.settings(latency=0)
    # A change that was accepted just before the kill may still be on its way.
    result = present(service) if state == "present" else absent(service)
    assert "failed" not in result
    assert present(service, pulsar_token=OTHER_PULSAR_TOKEN)["changed"] is (state == "absent")
    assert stored(service)["pulsar"]["topic"] == TOKEN_BODY["pulsar"]["topic"]
