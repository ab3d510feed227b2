# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: by ansible-runner, in slices, on other nodes, and cancelled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress

import ansible_runner
import psutil
import pytest
import yaml

from tests.conftest import ROOT
from tests.playbooks.awx_api import complaint_about_answer
from tests.playbooks.conftest import ENTERPRISE, GROUP, IDS, NAMES, READERS
from tests.playbooks.traces import leaks
from tests.wire.support import PULSAR_TOKEN, TOKEN_BODY, TOPIC

EXAMPLE = ROOT / "examples" / "awx"
SECRETS = [ENTERPRISE, PULSAR_TOKEN, *READERS.values()]
WRONG = {"acme-2": {"audit_log_stream_application_token": READERS["acme-2"]}}
ABSENT = {"acme-3": {"audit_log_stream_state": "absent"}}
# What becomes of the six with these two among them, where nothing but acme-3 is configured.
COUNTS = {"created": 4, "updated": 0, "deleted": 1, "unchanged": 0, "failed": 1, "not run": 0}


def inventory_script(names, hosts=None):
    """An inventory as AWX gives it to a job: a script that prints it; a slice has all groups and some of the hosts."""
    inventory = {
        GROUP: {"hosts": list(names), "vars": {"audit_log_stream_topic": TOPIC}},
        "_meta": {
            "hostvars": {
                name: {"audit_log_stream_organization_id": IDS[name], **(hosts or {}).get(name, {})} for name in names
            }
        },
    }
    return f"#!{sys.executable}\nprint({json.dumps(inventory)!r})\n"


class Job:
    """A job: its directory, prepared as AWX does it with the credential types of the example.

    :ivar artifacts: where ansible-runner leaves what it knows of the job.
    """

    def __init__(self, fleet, directory, names=NAMES, hosts=None):
        self.fleet = fleet
        self.directory = directory
        self.artifacts = directory / "artifacts" / "job"
        shutil.copytree(EXAMPLE / "project", directory / "project")
        script = self._write("inventory/hosts", inventory_script(names, hosts))
        script.chmod(0o700)
        environment = {**fleet.environment, "ASTRA_API_URL": fleet.service.api_url, "ANSIBLE_FORKS": "2"}
        self._write("env/envvars", json.dumps({**environment, "ASTRA_DB_APPLICATION_TOKEN": ENTERPRISE}))
        self.answer({})
        # How often it looks whether it has been cancelled.
        self._write("env/settings", json.dumps({"pexpect_timeout": 0.05}))

    def answer(self, answers):
        """Have these answers of a survey given to it, beside what the credentials give."""
        client_conf = str(self.fleet.directory / "client.conf")
        # AWX gives what a user has entered as !unsafe.
        lines = [f"{name}: {'!unsafe ' * isinstance(value, str)}{json.dumps(value)}" for name, value in answers.items()]
        self._write("env/extravars", "\n".join([f"audit_log_stream_client_conf: {client_conf}", *lines]))

    def _write(self, path, content):
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def command(self, subcommand, *options):
        return [sys.executable, "-m", "ansible_runner", subcommand, *options]

    def run(self, playbook="apply.yml", cmdline=""):
        """Run it on this node; returns its exit status."""
        options = ["-p", playbook, "--ident", "job", f"--cmdline={cmdline}"]
        return self._finish(self.command("run", str(self.directory), *options))

    def run_on_another_node(self, playbook="apply.yml"):
        """Send it to a worker, and have what comes back processed; returns its exit status."""
        options = ["-p", playbook, "--ident", "job"]
        elsewhere, back = (self.directory.parent / name for name in ("worker", "processed"))
        sent = self._output(self.command("transmit", str(self.directory), *options))
        done = self._output(self.command("worker", "--private-data-dir", str(elsewhere)), sent, check=False)
        self.artifacts = back / "artifacts" / "job"
        return self._finish(self.command("process", str(back), "--ident", "job"), done)

    def _execute(self, command, content=b""):
        options = {"input": content, "env": self.fleet.environment, "timeout": 120}
        return subprocess.run(command, capture_output=True, check=False, **options)

    def _output(self, command, content=b"", check=True):
        done = self._execute(command, content)
        assert done.returncode == 0 or not check, done.stderr.decode()
        return done.stdout

    def _finish(self, command, content=b""):
        done = self._execute(command, content)
        status = self.artifacts / "rc"
        assert status.exists(), done.stderr.decode()
        return int(status.read_text())

    @property
    def screen(self):
        return (self.artifacts / "stdout").read_text()

    def events(self, kind):
        """The data of the events of this kind, oldest first."""
        events = [json.loads(path.read_text()) for path in self.artifacts.glob("job_events/*.json")]
        events.sort(key=lambda event: event["counter"])
        return [event["event_data"] for event in events if event["event"] == kind]

    def statistics(self):
        """What a workflow's next node gets."""
        [final] = self.events("playbook_on_stats")
        return final["artifact_data"]

    def end_container(self):
        """Kill what is left of a job that was cancelled, as the end of its container does in AWX.

        Workers of Ansible are in sessions of their own and would go on for as long as their request takes.
        """
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if str(self.directory) in process.environ().get("AWX_ISOLATED_DATA_DIR", ""):
                    process.kill()
                    process.wait(timeout=10)

    def leaks(self):
        """The traces of secrets in each file that the job left."""
        # ansible-runner notes the whole environment that it was given there; AWX removes it with the job's directory.
        own = self.artifacts / "command"
        files = [path for path in self.artifacts.parent.rglob("*") if path.is_file() and path != own]
        # What was searched is what a job leaves, however soon it was cancelled.
        assert {"rc", "stdout", "status"} <= {path.name for path in files}
        assert any(path.parent.name == "job_events" for path in files)
        return {path.name: found for path in files if (found := leaks(path.read_bytes(), SECRETS))}


@pytest.fixture
def job(fleet, tmp_path):
    """A function that prepares a job for these hosts, all if none are given."""
    prepared = []

    def prepare(names=NAMES, hosts=None):
        prepared.append(Job(fleet, tmp_path / f"job-{len(prepared) + 1}", names, hosts))
        return prepared[-1]

    return prepare


@pytest.mark.parametrize("way", [Job.run, Job.run_on_another_node])
def test_a_rollout(fleet, job, way):
    fleet.configure("acme-3")
    rollout = job(hosts={**WRONG, **ABSENT})
    assert way(rollout) == 2
    assert fleet.streams() == dict.fromkeys(NAMES, TOKEN_BODY) | {"acme-2": None, "acme-3": None}
    headline = "Audit log streaming: 6 organizations: 1 failed, 4 created, 1 deleted"
    assert headline in rollout.screen.splitlines()
    # ansible-runner drops lines that are empty by themselves.
    assert "\n\nFailed\n  acme-2  Reading the audit log" in rollout.screen.replace("\r", "")
    assert rollout.statistics() == {
        "audit_log_stream_counts": COUNTS,
        "audit_log_stream_failed": ["acme-2"],
    }
    assert rollout.leaks() == {}


def test_results_are_short(job):
    rollout = job()
    assert rollout.run() == 0
    sizes = [len(json.dumps(event["res"])) for event in rollout.events("runner_on_ok") if "Converge" in event["task"]]
    assert len(sizes) == len(NAMES)
    assert max(sizes) < 2500


def test_nothing_leaks_at_the_highest_verbosity(job):
    rollout = job(hosts=WRONG)
    assert rollout.run(cmdline="-vvvvvv --diff") == 2
    assert rollout.leaks() == {}


def test_slices_equal_one_job(fleet, job):
    hosts = {**WRONG, **ABSENT}
    fleet.configure("acme-3")
    assert job(hosts=hosts).run() == 2
    streams, requests = fleet.streams(), fleet.requests()
    requests.pop("nobody")  # whose the token is, which each job has to ask

    fleet.service.reset()
    fleet.configure("acme-3")
    slices = [job(NAMES[start::4], hosts) for start in range(4)]
    assert [each.run() for each in slices] == [0, 2, 0, 0]
    assert fleet.streams() == streams
    assert {name: methods for name, methods in fleet.requests().items() if name != "nobody"} == requests
    assert [failed for each in slices for failed in each.statistics()["audit_log_stream_failed"]] == ["acme-2"]
    counts = [each.statistics()["audit_log_stream_counts"] for each in slices]
    assert {action: sum(count[action] for count in counts) for action in counts[0]} == COUNTS


def test_an_empty_slice_is_a_success(fleet, job):
    empty = job([])
    assert empty.run() == 0
    assert "leaves no organization, so there is nothing to do" in empty.screen
    assert fleet.requests() == {}


@pytest.mark.parametrize("changes", [0, 1, 3])
def test_a_rerun_puts_a_cancelled_job_right(fleet, job, monkeypatch, changes):
    """C(changes) is how many organizations the service was asked to change when the job was cancelled."""
    # The last one never gets an answer, so that the job cannot end before it is cancelled.
    fleet.service.fault(match={"organization_id": IDS["acme-6"], "method": "POST"}, times=None, delay=600)

    def is_time():
        journal = fleet.service.journal()
        return len(journal) > 0 and sum(entry["method"] == "POST" for entry in journal) >= changes

    cancelled = job()
    for name in os.environ.keys() - fleet.environment.keys():
        monkeypatch.delenv(name)
    options = {"private_data_dir": str(cancelled.directory), "playbook": "apply.yml", "ident": "job", "quiet": True}
    done = ansible_runner.run(**options, cancel_callback=is_time)
    cancelled.end_container()
    assert done.status == "canceled"
    streams = fleet.streams()
    assert all(stream in (None, TOKEN_BODY) for stream in streams.values())
    assert cancelled.leaks() == {}

    fleet.service.clear_faults()
    again = job()
    assert again.run() == 0
    assert fleet.streams() == dict.fromkeys(NAMES, TOKEN_BODY)
    third = job()
    assert third.run() == 0
    assert third.statistics()["audit_log_stream_counts"]["unchanged"] == len(NAMES)


def answers_to(template, **given):
    """What AWX gives a job after a launch with these answers: with every default that is valid for its type."""
    surveys = yaml.safe_load((EXAMPLE / "questions.yml").read_text())
    asked = [surveys["astra_questions"][name] for name in surveys["astra_surveys"][template]]
    defaults = {
        each["variable"]: each["default"] for each in asked if not complaint_about_answer(each, each["default"])
    }
    assert given.keys() <= {each["variable"] for each in asked}
    answered = [each for each in asked if each["variable"] in given]
    assert not any(complaint_about_answer(each, given[each["variable"]]) for each in answered)
    return {**defaults, **given}


# The emulator has no broker that could be asked.
WITHOUT_BROKER = """-e '{"audit_log_stream_audit_rules": {"delivery": false}}'"""


class TestAnswers:
    """Jobs with what a launch gives them where nothing, or little, was answered."""

    @pytest.mark.parametrize("playbook", ["preflight", "apply", "audit", "info"])
    def test_nothing_answered(self, fleet, job, playbook):
        fleet.configure(*NAMES)
        answers = answers_to(playbook)
        # What the inventory says holds.
        assert answers.keys().isdisjoint({"audit_log_stream_throttle", "audit_log_stream_update_token"})
        launched = job()
        launched.answer(answers)
        assert launched.run(f"{playbook}.yml", WITHOUT_BROKER if playbook == "audit" else "") == 0
        assert set(fleet.requests()) == (set() if playbook == "preflight" else set(NAMES))

    def test_everything_answered(self, fleet, job):
        launched = job(hosts=WRONG)
        launched.answer(
            answers_to(
                "apply",
                audit_log_stream_hosts=f"{GROUP}:!acme-1",
                audit_log_stream_serial="2",
                audit_log_stream_max_fail_percentage=0,
                audit_log_stream_update_token="always",
                audit_log_stream_throttle=1,
            )
        )
        assert launched.run() == 2
        assert fleet.streams() == dict.fromkeys(NAMES) | {"acme-3": TOKEN_BODY}

    def test_removal(self, fleet, job):
        fleet.configure(*NAMES)
        launched = job()
        launched.answer(answers_to("remove", audit_log_stream_hosts="acme-1", removal_confirmation="acme-1"))
        assert launched.run("remove.yml") == 0
        assert fleet.streams() == dict.fromkeys(NAMES, TOKEN_BODY) | {"acme-1": None}

    def test_removal_needs_its_answers(self):
        assert answers_to("remove") == {}


class TestProject:
    """The playbooks of the example's project."""

    def test_preflight_sends_nothing(self, fleet, job):
        assert job().run("preflight.yml") == 0
        assert job(hosts={"acme-4": {"audit_log_stream_topic": "nonsense"}}).run("preflight.yml") == 2
        assert fleet.requests() == {}

    def test_the_audit_fails_where_something_has_drifted(self, fleet, job):
        fleet.configure(*NAMES)
        assert job().run("audit.yml", WITHOUT_BROKER) == 0

        fleet.configure("acme-5", body={"pulsar": {**TOKEN_BODY["pulsar"], "topic": "persistent://acme/other/audit"}})
        streams = fleet.streams()
        # Another one that cannot be looked at must not hide it, nor be counted as one that is right.
        audit = job(hosts=WRONG)
        assert audit.run("audit.yml", WITHOUT_BROKER) == 2
        assert sorted(event["host"] for event in audit.events("runner_on_failed")) == ["acme-2", "acme-5"]
        assert "2 of 6 organizations fail" in audit.screen
        assert fleet.streams() == streams

    def test_a_token_to_be_sent_again_is_no_drift(self, fleet, job):
        """A workflow's answers reach its audit, too."""
        fleet.configure(*NAMES[:5])
        again = "-e audit_log_stream_update_token=always"
        audit = job()
        assert audit.run("audit.yml", f"{WITHOUT_BROKER} {again}") == 2
        assert [event["host"] for event in audit.events("runner_on_failed")] == ["acme-6"]
        assert job().run("apply.yml", again) == 0
        assert job().run("audit.yml", f"{WITHOUT_BROKER} {again}") == 0

    def test_info(self, fleet, job):
        fleet.configure("acme-1")
        info = job()
        assert info.run("info.yml") == 0
        assert TOPIC in info.screen
        assert info.leaks() == {}

    @pytest.mark.parametrize(
        "answers",
        [
            "",
            "-e audit_log_stream_hosts=acme-1",
            "-e removal_confirmation=all",
            "--tags audit_log_stream",
            "-e audit_log_stream_hosts=",
        ],
    )
    def test_removal_without_a_confirmation_is_refused(self, fleet, job, answers):
        fleet.configure(*NAMES)
        removal = job()
        assert removal.run("remove.yml", answers) == 2
        assert "Nothing was removed." in removal.screen
        assert fleet.requests() == {}

    @pytest.mark.parametrize(
        ("pattern", "limit", "message"),
        [
            ("acme-9", "all", "acme-9 matches no organization"),
            ("acme-1:acme-9", "all", "acme-9 matches no organization"),
            ("acme-*, !acme-9", "all", "!acme-9 matches no organization"),
            ("acme-*[7:9]", "all", "acme-*[7:9] matches no organization"),
            # Where there is a comma, Ansible does not split at colons.
            ("acme-*, !acme-2:!acme-3", "all", "!acme-2:!acme-3 matches no organization"),
            ("acme-1", "acme-2", "No organization matches both acme-1 and the limit."),
        ],
    )
    def test_removal_of_what_does_not_exist_fails(self, fleet, job, pattern, limit, message):
        fleet.configure(*NAMES)
        removal = job()
        removal.answer({"audit_log_stream_hosts": pattern, "removal_confirmation": pattern})
        assert removal.run("remove.yml", f"--limit {limit}") == 2
        assert message in removal.screen
        assert "Nothing was removed." in removal.screen
        assert fleet.requests() == {}

    def test_removal_from_an_empty_inventory_fails(self, job):
        removal = job([])
        removal.answer({"audit_log_stream_hosts": GROUP, "removal_confirmation": GROUP})
        assert removal.run("remove.yml") == 2

    @pytest.mark.parametrize("pattern", ["acme-*[0:2]:!acme-3:!acme-1", f"acme-*[0:1], &{GROUP}, !acme-1"])
    @pytest.mark.parametrize("options", ["", "--limit acme-2"])
    def test_removal_takes_any_pattern(self, fleet, job, pattern, options):
        fleet.configure(*NAMES)
        removal = job()
        removal.answer({"audit_log_stream_hosts": pattern, "removal_confirmation": pattern})
        assert removal.run("remove.yml", options) == 0
        assert fleet.streams() == dict.fromkeys(NAMES, TOKEN_BODY) | {"acme-2": None}
