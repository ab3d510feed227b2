# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault at the requests around a credential: none is made that a run does not return, use or name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.datastax.astra.plugins.module_utils import _convergence, _http
from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TOKEN, TOKEN

from tests.wire.resources import ROWS
from tests.wire.support import ADMINISTRATOR, run
from tests.wire.test_fault_matrix import CASES

PULSAR, APPLICATION = ROWS["Pulsar token"], ROWS["application token"]
POINTS = {
    "Pulsar token, list": (PULSAR, {"method": "GET", "path": "/tokens$"}, 0),
    "Pulsar token, POST": (PULSAR, {"method": "POST", "path": "/tokens$"}, 0),
    "Pulsar token, look": (PULSAR, {"method": "GET", "path": "/tokens/[0-9a-f]+$"}, 0),
    "application token, list": (APPLICATION, {"method": "GET", "path": "/v2/tokens$"}, 0),
    "application token, POST": (APPLICATION, {"method": "POST", "path": "/v2/tokens$"}, 0),
    "application token, list afterwards": (APPLICATION, {"method": "GET", "path": "/v2/tokens$"}, 1),
}
TABLE = [
    pytest.param(*point, case.fault, times, id=f"{name}-{fault}-{'once' if times else 'always'}")
    for name, point in POINTS.items()
    for fault, case in CASES.items()
    for times in (1, None)
]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(_http, "RETRY_AFTER_LIMIT", 0.05)
    monkeypatch.setattr(_http, "BACKOFF_START", 0.02)
    monkeypatch.setattr(_convergence, "FIRST_INTERVAL", 0.02)


def identifiers(row, service) -> set[str]:
    """What the service has made, by the names that a run can tell."""
    return {each.get("id") or each["client_id"] for each in row.find(service) or ()}


def told(row, result) -> str:
    """Everything that a result says, the secrets that it shall have aside."""
    return json.dumps({name: value for name, value in result.items() if name not in row.command.secret_values})


def perform(row, service, **options):
    return run(service, command=row.command, retries=1, wait_timeout=2, **{**row.options, **options})


@pytest.mark.parametrize(("row", "match", "skip", "fault", "times"), TABLE)
def test_none_is_lost(service, row, match, skip, fault, times):
    row.prepare(service)
    service.fault(match=match, skip=skip, times=times, **fault)
    result = perform(row, service, timeout=1)
    assert service.faults()[0]["fired"]
    service.clear_faults()
    made = identifiers(row, service)
    assert len(made) <= 1
    assert ADMINISTRATOR not in json.dumps(result)
    if "failed" in result:
        assert result["msg"].endswith(".")
        assert "\n" not in result["msg"]
        assert result["changed"] or not made
        assert not any(result.get(name) for name in row.command.secret_values)
    else:
        assert result["action"] == "created"
        assert all(result[name] for name in row.command.secret_values)
        assert next(iter(made)) in told(row, result)

    again = perform(row, service)
    assert "failed" not in again
    assert identifiers(row, service) == made or not made
    assert all(name in told(row, again) for name in made)
    if row is PULSAR:
        assert again["pulsar_token"]
    elif made and result.get("failed"):
        # Its secret is gone for good, and its name leads to it.
        [client_id] = made
        assert perform(row, service, state="absent", client_id=client_id)["action"] == "deleted"
        assert perform(row, service)["token"]


# A run in a process of its own, so that it can be killed.
RUN = """
import sys
from types import SimpleNamespace
sys.path[:0] = sys.argv[3:]
from tests.wire.resources import ROWS
from tests.wire.support import run
row = ROWS[sys.argv[2]]
run(SimpleNamespace(api_url=sys.argv[1]), command=row.command, **row.options)
"""


@pytest.mark.parametrize("seen", range(6))
@pytest.mark.parametrize("kind", ["Pulsar token", "application token"])
def test_a_killed_run_leaves_none_that_the_next_one_does_not_find(service, kind, seen):
    row = ROWS[kind]
    row.prepare(service)
    service.settings(latency=0.1)
    paths = [path for path in sys.path if path]
    process = subprocess.Popen([sys.executable, "-c", RUN, service.api_url, kind, *paths], env=os.environ)
    deadline = time.monotonic() + 30
    while len(service.journal()) < seen and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    service.settings(latency=0)
    # What was on its way when the run was killed is answered before this is.
    result = perform(row, service)
    made = identifiers(row, service)
    assert len(made) == 1
    assert made.pop() in told(row, result)
    if row.command is STREAMING_TOKEN:
        assert result["pulsar_token"]
    else:
        assert row.command is TOKEN
        assert (result["token"] is None) == (result["action"] == "none")
