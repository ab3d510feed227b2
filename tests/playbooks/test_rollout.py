# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not change how the playbooks end: settings from outside, and plays that follow."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.playbooks.conftest import APPLY, GROUP, READER

BATCHES_OF_TWO = ("-e", "audit_log_stream_serial=2")
STOPPED = "Stopped: too many organizations of this batch failed, so the next ones were left alone."


def counts(run):
    """The numbers of the summary, which comes last."""
    numbers = (part.split(" ", 1) for part in run.headline().rpartition(": ")[2].split(", "))
    return {name: int(number) for number, name in numbers}


def test_a_strategy_set_for_all_playbooks(fleet):
    """They have tasks that run once for all, which the strategy free does not know."""
    fleet.describe(hosts={"acme-2": READER})
    run = fleet.play(status=2, ANSIBLE_STRATEGY="free")
    assert counts(run) == {"created": 5, "failed": 1}
    run = fleet.play(playbook=f"{APPLY}_info", status=2, ANSIBLE_STRATEGY="free")
    assert len(run.reports()) == 1


@pytest.mark.parametrize("where", ["extra", "inventory"])
def test_the_limit_of_failures_works_from_wherever_it_is_set(fleet, where):
    limit = {"audit_log_stream_max_fail_percentage": 10}
    fleet.describe(hosts={"acme-4": READER}, **(limit if where == "inventory" else {}))
    options = ("-e", json.dumps(limit)) if where == "extra" else ()
    run = fleet.play(*BATCHES_OF_TWO, *options, status=2)
    assert counts(run) == {"created": 3, "failed": 1, "not run": 2}
    assert STOPPED in " ".join(run.report())
    assert {name for name, methods in fleet.requests().items() if "POST" in methods} == {"acme-1", "acme-2", "acme-3"}


@pytest.mark.parametrize("limit", [0, 0.0, "0", "49.9"])
def test_one_failure_is_more_than_a_limit_of_none(fleet, limit):
    fleet.describe(hosts={"acme-2": READER})
    run = fleet.play(*BATCHES_OF_TWO, "-e", json.dumps({"audit_log_stream_max_fail_percentage": limit}), status=2)
    assert counts(run) == {"created": 1, "failed": 1, "not run": 4}


@pytest.mark.parametrize(
    "arguments",
    [(), ("-e", "audit_log_stream_max_fail_percentage=50"), ("-e", "audit_log_stream_max_fail_percentage=")],
    ids=["none", "50", "empty"],
)
def test_a_limit_that_is_kept_stops_nothing(fleet, arguments):
    fleet.describe(hosts={"acme-2": READER, "acme-5": READER})
    run = fleet.play(*BATCHES_OF_TWO, *arguments, status=2)
    assert counts(run) == {"created": 4, "failed": 2}
    assert STOPPED not in " ".join(run.report())


def test_failures_of_earlier_batches_do_not_count(fleet):
    """The limit is one of each batch, as with Ansible's own max_fail_percentage."""
    fleet.describe(hosts=dict.fromkeys(["acme-1", "acme-4", "acme-5"], READER))
    run = fleet.play(*BATCHES_OF_TWO, "-e", "audit_log_stream_max_fail_percentage=50", status=2)
    assert counts(run) == {"created": 3, "failed": 3}


def test_a_stop_is_one_for_the_plays_that_follow(fleet):
    follow = {"hosts": GROUP, "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": "It went on."}}]}
    path = fleet.write("own.yml", yaml.safe_dump([{"import_playbook": APPLY}, follow]))
    fleet.describe(hosts={"acme-2": READER})
    limit = ("-e", "audit_log_stream_max_fail_percentage=0")
    run = fleet.play(*BATCHES_OF_TWO, *limit, playbook=str(path), status=2)
    assert counts(run) == {"created": 1, "failed": 1, "not run": 4}
    assert "It went on." not in run.screen
    run = fleet.play(*BATCHES_OF_TWO, playbook=str(path), status=2)
    assert run.screen.count("It went on.") == 5


def test_a_limit_that_is_no_number_stops_before_anything_is_sent(fleet):
    run = fleet.play("-e", "audit_log_stream_max_fail_percentage=some", status=2)
    assert "audit_log_stream_max_fail_percentage must be a number, such as 25." in run.screen
    assert fleet.requests() == {}


def test_answers_left_empty_in_a_survey_count_as_not_given(fleet):
    names = ("hosts", "serial", "max_fail_percentage", "concurrency", "rate", "on_problem", "per_host", "throttle")
    empty = ("-e", json.dumps({f"audit_log_stream_{name}": "" for name in names}))
    assert fleet.play(*empty).headline().endswith(": all 6 organizations created")
    empty = ("-e", json.dumps({"audit_log_stream_hosts": "", "audit_log_stream_info_json": ""}))
    assert "acme-6" in fleet.play(*empty, playbook=f"{APPLY}_info").screen


def test_nothing_is_taken_for_a_machine(fleet):
    """An inventory may say how to reach its hosts; nothing listens there."""
    fleet.describe(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    assert fleet.play().headline().endswith(": all 6 organizations created")
    assert "all 6 organizations streamed" in fleet.play(playbook=f"{APPLY}_info").headline()


def test_a_warning_that_all_share_is_shown_once(fleet):
    """Otherwise a fleet with one client.conf begins each run with a screen full of it."""
    fleet.describe(audit_log_stream_api_url="http://astra.example.com")
    run = fleet.play(playbook=f"{APPLY}_preflight")
    assert run.screen.count("not https") == 1
    warning = "acme-1, acme-2, acme-3, acme-4, acme-5 and 1 more: audit_log_stream_api_url is not https: "
    assert warning in " ".join(run.report())
