# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's work in Ansible's own process: when, with which values, and what the result may not hold."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible import constants
from ansible_collections.datastax.astra.plugins.action.astra_audit_log_stream import ActionModule
from ansible_collections.datastax.astra.plugins.module_utils import _command
from ansible_collections.datastax.astra.plugins.module_utils._errors import AnswerLost
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import DirectoryStore, Entry
from ansible_collections.datastax.astra.plugins.module_utils._http import Answer
from ansible_collections.datastax.astra.plugins.module_utils._secrets import compute_fingerprint
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain

from tests.unit.plugins.module_utils.support import APPLICATION_TOKEN, ORGANIZATION, Service, jwt

TOKEN = jwt(jti="one")
OTHER_TOKEN = jwt(jti="two")
STREAM = {
    "endpoint": "pulsar+ssl://broker:6651",
    "topic": "persistent://acme/security/audit",
    "auth_strategy": "token",
    "auth_name": "token",
}
ARGUMENTS = {
    "organization_id": ORGANIZATION,
    "application_token": APPLICATION_TOKEN,
    "endpoint": STREAM["endpoint"],
    "topic": STREAM["topic"],
    "pulsar_token": TOKEN,
    "wait_timeout": 0,
    "retries": 0,
}


class OwnText(str):
    """A string type of somebody else's, as Ansible's tagged ones are."""

    __slots__ = ("origin",)

    def __str__(self):
        return f"shown {super().__str__()}"


class Vaulted:
    """A value that is decrypted by turning it into a string."""

    def __str__(self):
        return "decrypted"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ("text", "text"),
        (OwnText("text"), "text"),
        (Vaulted(), "decrypted"),
        ([OwnText("a"), (OwnText("b"), None)], ["a", ["b", None]]),
        ({OwnText("key"): {"nested": [Vaulted()]}}, {"key": {"nested": ["decrypted"]}}),
        ({}, {}),
    ],
    ids=lambda value: f"{value!r:.30}",
)
def test_plain_values(value, expected):
    result = plain(value)
    assert result == expected
    assert json.loads(json.dumps(result)) == expected


def test_plain_strings_have_no_type_of_their_own():
    assert plain(OwnText("text")).__class__ is str
    assert {key.__class__ for key in plain({OwnText("key"): 1})} == {str}


class Action(ActionModule):
    """The action plugin, with a module that only says how it was called."""

    def _execute_module(self, **arguments):
        self.called = {"module": arguments, "removed": []}
        return self.called

    def _remove_tmp_path(self, tmp_path, force=False):
        self.called["removed"].append(tmp_path)


@pytest.fixture
def service(monkeypatch):
    service = Service()
    monkeypatch.setattr(_command, "open_http", lambda params: contextlib.nullcontext(service))
    return service


def run(arguments, variables=None, become=None, transport="local", **task):
    """Run the task in surroundings that are the module's own, but for what is given."""
    task = {"check_mode": False, "diff": True, "async_val": 0, "delegate_to": None, "environment": None, **task}
    shell = SimpleNamespace(tmpdir="/tmp/of-the-task")
    return Action(
        task=SimpleNamespace(action="astra_audit_log_stream", args=dict(arguments), **task),
        connection=SimpleNamespace(transport=transport, become=become, _shell=shell),
        play_context=None,
        loader=None,
        templar=SimpleNamespace(template=lambda value: value),
        shared_loader_obj=None,
    ).run(task_vars={"ansible_playbook_python": sys.executable, **(variables or {})})


class TestWhere:
    @pytest.mark.parametrize(
        "surroundings",
        [
            {},
            {"variables": {"ansible_python_interpreter": sys.executable}},
            {"variables": {"ansible_python_interpreter": "auto_silent"}},
            {"variables": {"ansible_playbook_python": "/p/y", "ansible_python_interpreter": "/p/y"}},
            {"variables": {"astra_in_process": "yes"}},
            {"environment": [None, {}]},
        ],
    )
    def test_in_this_process(self, service, surroundings):
        assert run(ARGUMENTS, **surroundings)["action"] == "created"

    @pytest.mark.parametrize(
        "surroundings",
        [
            {"transport": "ssh"},
            {"become": object()},
            {"async_val": 30},
            {"delegate_to": "localhost"},
            {"environment": [{}, {"HTTPS_PROXY": "http://proxy"}]},
            {"variables": {"ansible_python_interpreter": "/usr/bin/another"}},
            {"variables": {"astra_in_process": False}},
            {"variables": {"astra_in_process": "no"}},
        ],
    )
    def test_as_a_module(self, service, surroundings):
        result = run(ARGUMENTS, **surroundings)
        in_background = "async_val" in surroundings
        assert result["module"]["module_args"] == ARGUMENTS
        assert result["module"]["wrap_async"] is in_background
        # What runs in the background still needs its files.
        assert result["removed"] == ([] if in_background else ["/tmp/of-the-task"])
        assert service.requests == []


class TestResult:
    def test_in_check_mode_nothing_is_written(self, service):
        result = run(ARGUMENTS, check_mode=True)
        assert (result["changed"], result["action"]) == (True, "created")
        assert service.requests == ["GET", "ORG"]

    @pytest.mark.parametrize("diff", [True, False])
    def test_a_diff_only_when_asked(self, service, diff):
        assert ("diff" in run(ARGUMENTS, diff=diff)) is diff

    @pytest.mark.parametrize("wanted", [True, False])
    def test_the_arguments_as_ansible_is_told_to_show_them(self, service, monkeypatch, wanted):
        monkeypatch.setattr(constants, "INJECT_INVOCATION", wanted, raising=False)
        result = run(ARGUMENTS)
        assert ("invocation" in result) is wanted
        if wanted:
            shown = result["invocation"]["module_args"]
            assert (shown["topic"], shown["state"]) == (STREAM["topic"], "present")
            assert shown["pulsar_token"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"state": "maybe"}, "value of state must be one of: present, absent, got: maybe"),
            ({"wait_timeout": "soon"}, "wait_timeout"),
            ({"unknown": 1}, "Unsupported parameters for (astra_audit_log_stream) module: unknown."),
            ({"topic": "audit"}, "topic must be written as persistent://tenant/namespace/topic."),
            ({"endpoint": None}, "endpoint"),
        ],
    )
    def test_arguments_that_are_refused(self, service, changed, message):
        result = run({**ARGUMENTS, **changed})
        assert result["failed"] is True
        assert message in result["msg"]
        assert service.requests == []

    @pytest.mark.parametrize("surrounded", ["{}", "{}\n", " {} "], ids=["bare", "line end", "blanks"])
    def test_no_secret_is_in_it(self, service, surrounded):
        message = f"bad token {APPLICATION_TOKEN} for {TOKEN}"
        answer = Answer(401, json.dumps({"errors": [{"ID": 1, "message": message}]}).encode())
        service.failures["POST"] = [answer]
        arguments = {
            **ARGUMENTS,
            "application_token": surrounded.format(APPLICATION_TOKEN),
            "pulsar_token": surrounded.format(TOKEN),
        }
        result = run(arguments)
        assert (result["failed"], result["http_status"]) == (True, 401)
        assert APPLICATION_TOKEN not in str(result)
        assert TOKEN not in str(result)

    def test_no_secret_of_the_environment_is_in_it(self, service, monkeypatch):
        monkeypatch.setenv("ASTRA_DB_APPLICATION_TOKEN", APPLICATION_TOKEN)
        result = run({name: value for name, value in ARGUMENTS.items() if name != "application_token"})
        assert result["action"] == "created"
        assert APPLICATION_TOKEN not in str(result)


FINGERPRINT = compute_fingerprint(ORGANIZATION, TOKEN)
OTHER_FINGERPRINT = compute_fingerprint(ORGANIZATION, OTHER_TOKEN)
ROTATED = {**ARGUMENTS, "pulsar_token": OTHER_TOKEN}


def read_entry(store):
    return DirectoryStore(store).read(ORGANIZATION)


class TestFingerprintStore:
    """In the one task: a rotated token is sent exactly once, whatever happened before."""

    @pytest.fixture
    def store(self, tmp_path):
        return str(tmp_path / "store")

    @pytest.fixture
    def apply(self, service, store):
        """Run the task with the store."""
        return lambda arguments=ARGUMENTS, **task: run({**arguments, "fingerprint_store": store}, **task)

    def test_a_rotation(self, apply, service, store):
        actions = [apply(arguments)["action"] for arguments in (ARGUMENTS, ARGUMENTS, ROTATED, ROTATED, ARGUMENTS)]
        assert actions == ["created", "none", "updated", "none", "updated"]
        assert service.document["pulsar"]["token"] == TOKEN
        assert read_entry(store) == Entry(FINGERPRINT)

    def test_check_mode_compares_and_writes_nothing(self, apply, service, store):
        apply()
        assert apply(ROTATED, check_mode=True)["action"] == "updated"
        assert read_entry(store) == Entry(FINGERPRINT)
        assert service.document["pulsar"]["token"] == TOKEN

    def test_absent_forgets(self, apply, store):
        apply()
        assert apply({**ARGUMENTS, "state": "absent"})["action"] == "deleted"
        assert read_entry(store) is None

    def test_a_given_fingerprint_comes_first(self, apply):
        apply()
        assert apply({**ARGUMENTS, "known_token_fingerprint": OTHER_FINGERPRINT})["action"] == "updated"

    @pytest.mark.parametrize("known", [None, FINGERPRINT, OTHER_FINGERPRINT], ids=["none", "same", "other"])
    def test_a_change_that_was_accepted_but_not_shown_is_not_taken_for_recorded(self, apply, service, store, known):
        """The next run sends the token again, because nobody saw it arrive, and the run after that changes nothing."""
        if known:
            DirectoryStore(store).write(ORGANIZATION, Entry(known))
        nothing = Answer(404, b'{"errors": []}')
        service.failures["GET"] = [nothing, nothing, nothing]
        failed = apply()
        assert (failed["failed"], failed["changed"]) == (True, True)
        service.failures.clear()
        assert [apply(ROTATED)["action"], apply(ROTATED)["action"]] == ["updated", "none"]
        assert service.document["pulsar"]["token"] == OTHER_TOKEN

    def test_a_write_whose_answer_is_lost(self, apply, service, store):
        apply()
        service.failures["POST"] = [AnswerLost("The connection broke.")]
        failed = apply(ROTATED)
        assert (failed["failed"], failed["changed"]) == (True, True)
        assert apply(ARGUMENTS)["action"] == "updated"
        assert service.document["pulsar"]["token"] == TOKEN

    def test_a_write_that_is_refused_keeps_the_entry(self, apply, service, store):
        apply()
        service.failures["POST"] = [Answer(403, b"")]
        failed = apply(ROTATED)
        assert (failed["failed"], failed["changed"]) == (True, False)
        assert read_entry(store) == Entry(FINGERPRINT)

    @pytest.mark.parametrize("content", [None, "{"], ids=["no file", "damaged"])
    def test_what_the_store_does_not_know_is_sent_once(self, apply, service, store, content):
        """A stream older than the store, or a damaged entry: nobody knows which token is stored."""
        run(ARGUMENTS)
        path = Path(store, "audit_log_stream", f"{ORGANIZATION}.json")
        if content:
            path.parent.mkdir(parents=True)
            path.write_text(content)
        results = [apply(ROTATED) for _time in range(2)]
        assert [result["action"] for result in results] == ["updated", "none"]
        assert service.document["pulsar"]["token"] == OTHER_TOKEN
        unreadable = f"The entry of organization {ORGANIZATION} in the fingerprint store cannot be read."
        assert (unreadable in results[0]["warnings"]) is bool(content)
        assert "warnings" not in results[1]

    def test_a_store_that_cannot_be_written_is_said_in_every_run(self, apply, service, store):
        Path(store).touch()
        for _time in range(2):
            result = apply()
            assert result["changed"]
            assert any("Until it can be, the secret is sent again in every run." in text for text in result["warnings"])
        assert service.requests.count("POST") == 2

    def test_the_secret_may_be_left_out(self, apply, store):
        apply()
        result = apply({**ARGUMENTS, "pulsar_token": None})
        assert (result["action"], result["token_compared"]) == ("none", False)
        assert read_entry(store) == Entry(FINGERPRINT)

    @pytest.mark.parametrize("given", [None, ""])
    def test_no_store(self, service, tmp_path, monkeypatch, given):
        monkeypatch.chdir(tmp_path)
        result = run({**ARGUMENTS, "fingerprint_store": given})
        assert (result["action"], "warnings" in result) == ("created", False)
        assert list(tmp_path.iterdir()) == []

    def test_without_a_store_a_rotation_cannot_be_seen_which_is_said(self, service):
        run(ARGUMENTS)
        result = run(ROTATED)
        assert (result["action"], result["token_compared"]) == ("none", False)
        assert any("pulsar_token could not be compared" in warning for warning in result["warnings"])

    def test_not_in_the_background(self, apply, service):
        result = apply(async_val=30)
        assert (result["failed"], result["msg"]) == (True, "fingerprint_store cannot be used with async.")

    @pytest.mark.parametrize(
        "changed",
        [
            {"organization_id": None},
            {"organization_id": "acme"},
            {"organization_id": 7},
            {"organization_id": [ORGANIZATION]},
            {"auth_strategy": "basic"},
            {"auth_strategy": ["token"]},
            {"auth_strategy": {}},
            {"pulsar_token": "not a JWT"},
            {"pulsar_token": f"{TOKEN[:-1]}\udcff"},
            {"pulsar_token": 7},
            {"pulsar_token": [TOKEN]},
            {"fingerprint_store": 7, "topic": "audit"},
            {"fingerprint_store": ["a"], "topic": "audit"},
            {"state": ["absent"]},
        ],
        ids=str,
    )
    def test_arguments_that_no_check_has_seen_yet(self, service, store, tmp_path, monkeypatch, changed):
        """The store works on them before Ansible's own validation; what is wrong is a sentence, never a traceback."""
        monkeypatch.chdir(tmp_path)
        DirectoryStore(store).write(ORGANIZATION, Entry(OTHER_FINGERPRINT))
        result = run({**ARGUMENTS, "fingerprint_store": store, **changed})
        assert result["failed"] is True
        assert result["msg"]
        assert service.requests == []
        assert read_entry(store) == Entry(OTHER_FINGERPRINT)
