# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugins: in Ansible's own process where that is equivalent, and with equal results everywhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.wire.support import (
    ADMINISTRATOR,
    ORGANIZATION,
    OTHER_PULSAR_TOKEN,
    PULSAR_TOKEN,
    TOKEN_OPTIONS,
    configure,
    methods,
    seeded,
    stored,
)

MODULE = "datastax.astra.astra_audit_log_stream"
INFO = "datastax.astra.astra_audit_log_stream_info"


@pytest.fixture(scope="module")
def _emulator():
    with seeded() as emulator:
        yield emulator


@pytest.fixture
def service(_emulator):
    _emulator.reset()
    return _emulator


@pytest.fixture
def other_python(tmp_path):
    """An interpreter with another path than Ansible's own."""
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def play(service, tmp_path, ansible_environment):
    """Run tasks on one host; return each registered result, and what the screen showed for each task."""

    def run(tasks, *arguments, keywords=None, rc=0, environment=None):
        for number, task in enumerate(tasks):
            task.setdefault("name", f"Task {number}")
            task["register"] = f"result_{number}"
            task["ignore_errors"] = True
        results = tmp_path / "results.json"
        names = ", ".join(f"result_{number}" for number in range(len(tasks)))
        record = {
            "name": "Record",
            "ansible.builtin.copy": {"content": "{{ [" + names + "] | to_json }}", "dest": str(results)},
            "check_mode": False,
            "diff": False,
        }
        defaults = {"api_url": service.api_url, "organization_id": ORGANIZATION, "application_token": ADMINISTRATOR}
        keywords = {"gather_facts": False, "connection": "local", **(keywords or {})}
        playbook = [
            {
                "hosts": "all",
                "module_defaults": {"group/datastax.astra.astra": defaults},
                "tasks": [*tasks, record],
                **keywords,
            }
        ]
        path = tmp_path / "playbook.yml"
        path.write_text(yaml.safe_dump(playbook, sort_keys=False))
        settings = {"ANSIBLE_INJECT_INVOCATION": "1", "ANSIBLE_PIPELINING": "1"}
        process = subprocess.run(
            ["ansible-playbook", "-i", "acme,", str(path), "-vvv", *arguments],
            env={**ansible_environment, **settings, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert process.returncode == rc, process.stdout + process.stderr
        screens = process.stdout.split("\nTASK [")[1:]
        return json.loads(results.read_text()), screens

    return run


def ran_as_module(screen):
    return "> EXEC " in screen


def stream(**options):
    return {MODULE: {**TOKEN_OPTIONS, **options}}


def comparable(result):
    """A result without what only says where it ran, or that a task of the test ignored a failure."""
    names = ("ansible_facts", "exception", "ansible_job_id", "results_file", "started", "finished", "stdout", "stderr")
    names += ("stdout_lines", "stderr_lines", "ansible_async_watchdog_pid")
    return {name: value for name, value in result.items() if name not in names}


def test_reasons_for_the_module(play, service, other_python, tmp_path):
    reasons = {
        "none": {},
        "own interpreter": {"vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}},
        "discovered interpreter": {"vars": {"ansible_python_interpreter": "auto_silent"}},
        "empty environment": {"environment": "{{ nothing | default({}) }}"},
        "forced": {"vars": {"astra_in_process": False}},
        "other interpreter": {"vars": {"ansible_python_interpreter": other_python}},
        "environment": {"environment": {"UNUSED": "1"}},
        "delegate_to": {"delegate_to": "localhost"},
        "async": {"async": 30, "poll": 1, "vars": {"ansible_async_dir": str(tmp_path / "async")}},
    }
    if shutil.which("su"):
        reasons["become"] = {"become": True, "become_method": "ansible.builtin.su"}
    configure(service)
    results, screens = play([{**stream(topic="acme/security/audit"), **keywords} for keywords in reasons.values()])
    in_process = ["none", "own interpreter", "discovered interpreter", "empty environment"]
    assert [name for name, screen in zip(reasons, screens, strict=False) if not ran_as_module(screen)] == in_process
    assert methods(service) == ["GET"] * len(reasons)
    for name, result in zip(reasons, results, strict=True):
        assert comparable(result) == comparable(results[0]), name


@pytest.mark.parametrize("arguments", [["--diff"], ["--check", "--diff"]], ids=["diff", "check"])
def test_results_of_both_ways_are_equal(play, service, arguments):
    steps = [
        stream(),
        stream(),
        stream(topic="acme/security/other", update_token="always"),
        stream(pulsar_token=OTHER_PULSAR_TOKEN, known_token_fingerprint=f"sha256:{'0' * 64}"),
        {INFO: {}},
        {MODULE: {"state": "absent"}},
        {MODULE: {"state": "absent", "org_id": ORGANIZATION, "organization_id": None}},
        stream(topic="nonsense", endpoint="https://nonsense", pulsar_token=ADMINISTRATOR),
        stream(state="maybe"),
        stream(unknown=True),
        stream(wait_timeout="soon"),
        {MODULE: {"topic": "a/b/c"}},
        stream(application_token="AstraCS:unknown"),
        stream(api_url="http://127.0.0.1:1", retries=0),
        stream(pulsar_token="********"),
    ]
    here, screens = play([dict(step) for step in steps], *arguments)
    assert not any(map(ran_as_module, screens[: len(steps)]))
    requests_here = methods(service)
    service.reset()
    there, screens = play([{**step, "vars": {"astra_in_process": False}} for step in steps], *arguments)
    assert all(map(ran_as_module, screens[: len(steps)]))
    assert methods(service) == requests_here
    for step, one, other in zip(steps, here, there, strict=True):
        assert comparable(one) == comparable(other), step
    real = [True, False, True, True, False, True, False]
    untouched = [True, True, True, True, False, False, False]
    assert [result["changed"] for result in here[:7]] == (untouched if "--check" in arguments else real)


def test_task_environment_feeds_the_fallbacks(play, service):
    environment = {"ASTRA_API_TOKEN": ADMINISTRATOR, "ASTRA_API_URL": service.api_url}
    task = {INFO: {"organization_id": ORGANIZATION}, "environment": environment}
    results, _screens = play([task], keywords={"module_defaults": {}})
    assert results[0]["exists"] is False


def test_own_environment_feeds_the_fallbacks(play, service):
    environment = {"ASTRA_DB_APPLICATION_TOKEN": ADMINISTRATOR, "ASTRA_API_TOKEN": "x"}
    environment["ASTRA_API_URL"] = service.api_url
    task = {INFO: {"organization_id": ORGANIZATION}}
    results, screens = play([task], keywords={"module_defaults": {}}, environment=environment)
    assert results[0]["exists"] is False
    assert not ran_as_module(screens[0])


@pytest.mark.parametrize("strategy", ["linear", "free", "host_pinned"])
def test_strategies(play, service, strategy):
    keywords = {"strategy": f"ansible.builtin.{strategy}"}
    results, screens = play([stream()], keywords=keywords, environment={"ANSIBLE_PIPELINING": "0"})
    assert results[0]["action"] == "created"
    assert "AnsiballZ_astra" not in "".join(screens)


def test_task_timeout_interrupts_the_work(play, service):
    service.settings(latency=30)
    results, _screens = play([{**stream(), "timeout": 1}])
    assert results[0]["failed"]
    assert "1 second" in results[0]["msg"]


class TestFingerprintStore:
    @pytest.mark.parametrize("in_process", [True, False], ids=["in process", "module"])
    def test_a_rotated_token_is_sent_exactly_once(self, play, service, tmp_path, in_process):
        store = {"fingerprint_store": str(tmp_path / "store")}
        variables = {"vars": {"astra_in_process": in_process}}
        steps = [
            {**stream(**store), "check_mode": True},
            stream(**store),
            stream(**store),
            {**stream(pulsar_token=OTHER_PULSAR_TOKEN, **store), "check_mode": True},
            stream(pulsar_token=OTHER_PULSAR_TOKEN, **store),
            stream(pulsar_token=OTHER_PULSAR_TOKEN, **store),
        ]
        results, _screens = play([{**step, **variables} for step in steps])
        assert [result["action"] for result in results] == ["created", "created", "none", "updated", "updated", "none"]
        assert [result["token_compared"] for result in results] == [False, False, True, True, True, True]
        assert stored(service)["pulsar"]["token"] == OTHER_PULSAR_TOKEN
        files = list((tmp_path / "store" / "audit_log_stream").iterdir())
        assert [path.name for path in files] == [f"{ORGANIZATION}.json"]
        assert files[0].stat().st_mode & 0o777 == 0o600
        assert json.loads(files[0].read_text()) == {
            "kind": "audit_log_stream",
            "version": 1,
            "organization_id": ORGANIZATION,
            "token_fingerprint": results[-1]["token_fingerprint"],
        }

    def test_check_mode_writes_nothing(self, play, tmp_path):
        play([stream(fingerprint_store=str(tmp_path / "store"))], "--check")
        assert not (tmp_path / "store").exists()

    def test_absent_forgets(self, play, tmp_path):
        store = {"fingerprint_store": str(tmp_path / "store")}
        play([stream(**store), {MODULE: {"state": "absent", **store}}])
        assert list((tmp_path / "store" / "audit_log_stream").iterdir()) == []

    def test_a_given_fingerprint_is_used_instead(self, play, service, tmp_path):
        store = {"fingerprint_store": str(tmp_path / "store")}
        steps = [stream(**store), stream(known_token_fingerprint=f"sha256:{'1' * 64}", **store), stream(**store)]
        results, _screens = play(steps)
        assert [result["action"] for result in results] == ["created", "updated", "none"]

    def test_a_stream_older_than_the_store_is_sent_once(self, play, service, tmp_path):
        configure(service)
        rotated = stream(fingerprint_store=str(tmp_path / "store"), pulsar_token=OTHER_PULSAR_TOKEN)
        results, _screens = play([{**rotated}, {**rotated}])
        assert [result["action"] for result in results] == ["updated", "none"]
        assert stored(service)["pulsar"]["token"] == OTHER_PULSAR_TOKEN

    def test_damaged_and_foreign_files_warn_and_the_token_is_sent_once(self, play, service, tmp_path):
        configure(service)
        directory = tmp_path / "store" / "audit_log_stream"
        directory.mkdir(parents=True)
        step = stream(fingerprint_store=str(tmp_path / "store"))
        for content in ("{", '{"organization_id": "other"}', f'{{"organization_id": "{ORGANIZATION}"}}'):
            (directory / f"{ORGANIZATION}.json").write_text(content)
            results, _screens = play([{**step}, {**step}])
            assert [result["changed"] for result in results] == [True, False]
            assert any("in the fingerprint store" in warning for warning in results[0]["warnings"])
            assert "warnings" not in results[1]

    def test_a_run_that_fails_after_sending_another_secret_leaves_no_old_entry(self, play, service, tmp_path):
        """Otherwise a return to the old secret would look like no change."""
        store = {"fingerprint_store": str(tmp_path / "store")}
        play([stream(**store)])
        service.fault(match={"method": "GET"}, skip=1, times=1, status=500)
        rotated = stream(pulsar_token=OTHER_PULSAR_TOKEN, **store)
        results, _screens = play([rotated, stream(**store)])
        assert [result.get("failed", False) for result in results] == [True, False]
        assert [result["changed"] for result in results] == [True, True]
        assert stored(service)["pulsar"]["token"] == PULSAR_TOKEN

    def test_a_run_that_fails_before_sending_keeps_the_entry(self, play, service, tmp_path):
        store = {"fingerprint_store": str(tmp_path / "store")}
        play([stream(**store)])
        service.fault(match={"method": "POST"}, status=403)
        results, _screens = play([stream(pulsar_token=OTHER_PULSAR_TOKEN, **store), stream(**store)])
        assert [result["changed"] for result in results] == [False, False]

    def test_a_store_that_cannot_be_written_warns(self, play, tmp_path):
        blocked = tmp_path / "file"
        blocked.touch()
        results, _screens = play([stream(fingerprint_store=str(blocked / "store"))])
        assert results[0]["changed"]
        assert "cannot be written" in results[0]["warnings"][-1]
        assert "the secret is sent again in every run" in results[0]["warnings"][-1]

    @pytest.mark.parametrize(
        ("keywords", "options", "message"),
        [
            ({"async": 10, "poll": 0}, {}, "fingerprint_store cannot be used with async."),
            ({}, {"organization_id": ""}, "organization_id must be the organization's UUID"),
        ],
    )
    def test_what_it_needs(self, play, service, tmp_path, keywords, options, message):
        results, _screens = play([{**stream(fingerprint_store=str(tmp_path), **options), **keywords}])
        assert message in results[0]["msg"]
        assert methods(service) == []
