# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planning once for all gives what the role gives on every host: the same results, state, exit status and summary."""

from __future__ import annotations

import json
import re
import time

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_service import ENOUGH_FAILURES

from tests.playbooks.conftest import ADMINISTRATORS, IDS, NAMES, READER
from tests.wire.support import OAUTH2_BODY, OTHER_PULSAR_TOKEN, PULSAR_TOKEN, TOKEN_BODY, jwt

DRIFTED = {"pulsar": {**TOKEN_BODY["pulsar"], "topic": "persistent://acme/security/elsewhere"}}
KAFKA = {"kafka": {"bootstrap_servers": "broker:9092", "topic": "audit", "password": "secret"}}
MIXED = {"acme-1": TOKEN_BODY, "acme-2": DRIFTED, "acme-3": OAUTH2_BODY, "acme-4": KAFKA}  # and two without any
# The options of the two ways, which must not make a difference.
ONCE, PER_HOST = (), ("-e", "audit_log_stream_per_host=true")

RECORDER = """
import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = "name: recorder"


class CallbackModule(CallbackBase):
    CALLBACK_NAME = "recorder"
    CALLBACK_TYPE = "notification"

    def _record(self, result, **_keywords):
        if "audit_log_stream_apply" in result._task.action:
            with open("results", "a") as stream:
                kept = {name: value for name, value in result._result.items() if name in KEPT}
                stream.write(json.dumps([result._host.name, kept]) + "\\n")

    v2_runner_on_ok = v2_runner_on_failed = _record


KEPT = ("action", "changed", "failed", "msg", "organization_id", "stream", "previous", "token_compared", "diff")
KEPT += ("token_fingerprint", "token_expires_at", "http_status", "api_errors")
"""


def variables(**options):
    return {f"audit_log_stream_{name}": value for name, value in options.items()}


class Outcome:
    """All that a run leaves."""

    def __init__(self, fleet, run, status):
        self.status = status
        self.summary = run.report()
        self.statistics = re.findall(r"^\tRUN: (.*)$", run.screen, re.MULTILINE)
        self.failed = sorted(re.findall(r"^(\S+) +: ok=\d+ .* failed=[1-9]", run.screen, re.MULTILINE))
        self.streams = fleet.streams()
        self.differences = sorted(re.findall(r'^[-+ ] {4}".*$', run.screen, re.MULTILINE))
        file = fleet.directory / "results"
        self.results = dict(map(json.loads, file.read_text().splitlines())) if file.exists() else {}
        file.unlink(missing_ok=True)


@pytest.fixture
def both(fleet):
    """Run the playbook in both ways, each from the same beginning; returns the two outcomes, which are equal."""
    fleet.write("callbacks/recorder.py", RECORDER)
    environment = {
        "ANSIBLE_CALLBACKS_ENABLED": "recorder",
        "ANSIBLE_CALLBACK_PLUGINS": "callbacks",
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
    }

    def run(*options, before=None, faults=(), settings=None, status=0, prepare=None, **more):
        outcomes = []
        for way in (ONCE, PER_HOST):
            fleet.service.reset()
            for name, body in (MIXED if before is None else before).items():
                fleet.configure(name, body=body)
            if prepare:
                prepare()
            for fault in faults:
                fleet.service.fault(**fault)
            fleet.service.settings(**(settings or {}))
            outcomes.append(Outcome(fleet, fleet.play(*way, *options, status=status, **environment, **more), status))
        once, per_host = outcomes
        assert once.summary == per_host.summary
        assert once.statistics == per_host.statistics
        assert once.failed == per_host.failed
        assert once.streams == per_host.streams
        assert once.differences == per_host.differences
        # Whatever is as it should be has no result of its own, unless that is wanted.
        left_out = {name: result for name, result in per_host.results.items() if name not in once.results}
        assert once.results == {name: result for name, result in per_host.results.items() if name not in left_out}
        assert {result.get("action") for result in left_out.values()} <= {"none"}
        return once, per_host

    return run


@pytest.mark.parametrize("options", [(), ("--check",), ("--diff",), ("--check", "--diff")], ids=" ".join)
def test_a_mixed_fleet(fleet, both, options):
    fleet.describe(hosts={"acme-3": variables(state="absent"), "acme-6": READER})
    once, _per_host = both(*options, status=2)
    assert set(once.results) == set(NAMES) - {"acme-1"}
    assert once.failed == ["acme-6"]


@pytest.mark.parametrize("options", [(), ("--check",)], ids=["run", "check"])
def test_all_is_as_it_should_be(both, options):
    once, _per_host = both(*options, before=dict.fromkeys(NAMES, TOKEN_BODY))
    assert once.results == {}


def test_nothing_is_configured(both):
    both(before={})


@pytest.mark.parametrize("limit", ["acme-1", "acme-2", "acme-1,acme-6", "all:!acme-2"])
def test_limit(fleet, both, limit):
    fleet.describe(hosts={"acme-6": READER})
    both("--limit", limit, status=2 if "6" in limit or "all" in limit else 0)


@pytest.mark.parametrize("start", range(3))
def test_slices(fleet, both, start):
    fleet.describe(names=NAMES[start::3], hosts={"acme-6": READER})
    both(before={name: MIXED[name] for name in NAMES[start::3] if name in MIXED}, status=2 if start == 2 else 0)


def test_retirement(fleet, both):
    fleet.describe(audit_log_stream_state="absent")
    both()


def test_duplicates(fleet, both):
    fleet.describe(hosts={"acme-2": variables(organization_id=IDS["acme-1"])})
    both(status=2)
    both("-e", "audit_log_stream_on_problem=skip", status=2)


@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_problems(fleet, both, policy):
    fleet.describe(
        hosts={
            "acme-1": variables(topic="nonsense"),
            "acme-4": variables(application_token="{{ there_is_no_such_variable }}"),
            "acme-5": variables(pulsar_token="{{ vault_expired }}", stat="absent"),
        }
    )
    fleet.keep_secret(vault_administrators=ADMINISTRATORS, vault_expired=jwt(exp=1))
    once, _per_host = both("-e", f"audit_log_stream_on_problem={policy}", status=2)
    assert once.failed == ["acme-1", "acme-4", "acme-5"]
    assert (once.streams["acme-6"] is None) == (policy == "stop")


@pytest.mark.parametrize("serial", [2, [1, "50%"], "100%"])
@pytest.mark.parametrize("limit", ["", 0, 49, 50])
def test_batches(fleet, both, serial, limit):
    """With all organizations to be created, so that they are the same in both ways."""
    fleet.describe(hosts={"acme-2": READER})
    answers = {"audit_log_stream_serial": serial, "audit_log_stream_max_fail_percentage": limit}
    both("-e", json.dumps(answers), before={}, status=2)


@pytest.mark.parametrize("names", [["acme-1"], ["acme-3"], NAMES], ids=["first", "middle", "all"])
def test_any_errors_fatal(fleet, both, names):
    """A failure of one ends the run, and does not make what was created a failure."""
    fleet.describe(hosts=dict.fromkeys(names, READER))
    once, _per_host = both(before={}, status=2, ANSIBLE_ANY_ERRORS_FATAL="1")
    assert json.loads(once.statistics[0])["audit_log_stream_failed"] == names


def test_a_fingerprint_store(fleet, both):
    fleet.describe(audit_log_stream_fingerprint_store="store", hosts={"acme-4": variables(state="absent")})
    stores = []

    def prepare():
        """One is remembered, one is remembered wrongly, one is damaged, and the rest is not known."""
        directory = fleet.directory / "store" / "audit_log_stream"
        stores.append(sorted((path.name, path.read_text()) for path in directory.glob("*")))
        for path in directory.glob("*"):
            path.unlink()
        fleet.write(f"store/audit_log_stream/{IDS['acme-5']}.json", "{")

    both(prepare=prepare)
    prepare()
    _nothing, *after = stores
    assert after[0] == after[1]


def test_a_rotated_token(fleet, both):
    fleet.describe(audit_log_stream_update_token="always", hosts={"acme-1": variables(update_token="on_create")})
    fleet.write_client_conf(OTHER_PULSAR_TOKEN)
    once, _per_host = both(before=dict.fromkeys(NAMES, TOKEN_BODY))
    assert once.streams["acme-1"]["pulsar"]["token"] == PULSAR_TOKEN
    assert once.streams["acme-2"]["pulsar"]["token"] == OTHER_PULSAR_TOKEN


def test_no_token_is_given(fleet, both):
    fleet.describe(
        audit_log_stream_client_conf=None, audit_log_stream_endpoint=TOKEN_BODY["pulsar"]["endpoint"], hosts={}
    )
    both(before={**dict.fromkeys(NAMES, TOKEN_BODY), "acme-2": DRIFTED}, status=2)
    both("--check", before={**dict.fromkeys(NAMES, TOKEN_BODY), "acme-2": DRIFTED})


def of(name, method):
    return {"organization_id": IDS[name], "method": method}


FAULTS = {
    "one is refused": [{"match": of("acme-2", "GET"), "times": None, "status": 403}],
    "one is unknown": [{"match": of("acme-2", "GET"), "times": None, "status": 401}],
    "one has an error": [{"match": of("acme-2", "GET"), "times": None, "status": 500}],
    "one gets nonsense": [{"match": of("acme-2", "GET"), "times": None, "status": 200, "body": "<html>"}],
    "one gets a web server's 404": [{"match": of("acme-5", "GET"), "times": None, "status": 404, "body": "<html>"}],
    "one is down": [{"match": of("acme-2", "GET"), "times": None, "status": 503}],
    "one is down for a moment": [{"match": of("acme-2", "GET"), "times": 1, "status": 503}],
    "one waits": [{"match": of("acme-2", "GET"), "times": 1, "status": 429, "headers": {"Retry-After": "1"}}],
    "one may not write": [{"match": of("acme-2", "POST"), "times": None, "status": 403}],
    "one is in conflict": [{"match": of("acme-2", "POST"), "times": 1, "status": 409}],
    "one is in conflict for long": [{"match": of("acme-2", "POST"), "times": None, "status": 409}],
    "the service is down": [{"match": {"method": "GET"}, "times": None, "status": 503}],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_faults(fleet, both, faults):
    fleet.describe(audit_log_stream_retries=1, audit_log_stream_wait_timeout=1)
    passing = [fault.get("times") == 1 for fault in faults]
    both(faults=faults, status=0 if all(passing) else 2)


@pytest.mark.parametrize("answer", ["404", "204", "empty", "null", "no-pulsar"])
def test_variants_of_the_service(both, answer):
    both(settings={"get_when_absent": answer})


def test_a_service_that_cannot_be_reached(fleet, both):
    fleet.describe(audit_log_stream_api_url="http://127.0.0.1:1", audit_log_stream_retries=0)
    # After so many failures the plan may not ask about the next one.
    both("--limit", ",".join(NAMES[:ENOUGH_FAILURES]), status=2)


def test_what_changes_between_plan_and_apply_is_judged_anew(fleet):
    """Somebody else mends the second organization while the first one is written."""
    fleet.configure(*NAMES[:2], body=DRIFTED)
    fleet.configure(*NAMES[2:])
    fleet.service.fault(match=of("acme-1", "POST"), times=1, delay=5)
    process = fleet.start("-e", "audit_log_stream_serial=1")
    deadline = time.monotonic() + 60
    while not any(entry["method"] == "POST" for entry in fleet.service.journal()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    fleet.configure("acme-2")
    screen, errors = process.communicate(timeout=120)
    assert process.returncode == 0, screen + errors
    assert "Audit log streaming: 6 organizations: 1 updated, 5 unchanged" in screen
    assert fleet.requests()["acme-2"] == ["GET", "GET"]
