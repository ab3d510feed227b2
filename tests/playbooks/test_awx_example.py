# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/awx: what its playbook makes of AWX's API, and what ansible-builder makes of its execution environment."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys

import jinja2
import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.conftest import ROOT
from tests.playbooks.awx_api import TOKEN, AwxApi
from tests.playbooks.conftest import CLIENT_CONF, ENTERPRISE, GROUP, VAULT_PASSWORD
from tests.playbooks.traces import leaks
from tests.wire.support import PULSAR_TOKEN

EXAMPLE = ROOT / "examples" / "awx"
COLLECTIONS = ROOT / ".cache" / "awx-collection"
TEMPLATES = {name: f"Astra audit logs - {name}" for name in ("preflight", "apply", "audit", "info", "remove")}
CREDENTIALS = {"Astra application token", "Pulsar client.conf"}
PLAYBOOKS = [path.name for path in EXAMPLE.glob("project/*.yml")]
SETTINGS = yaml.safe_load((EXAMPLE / "settings.yml").read_text())
LOOKUP = '{{ lookup("community.hashi_vault.vault_kv2_get", "astra/" ~ inventory_hostname).secret.token }}'
REMAINING = set(SETTINGS["astra_organizations"]) - {"acme-europe"}


class Configuration:
    """The example's playbook and the AWX that it is run on.

    :ivar awx: the stand-in for AWX.
    """

    def __init__(self, awx, directory, environment):
        self.awx = awx
        self._directory = directory
        assert COLLECTIONS.is_dir(), "the nox session fetches the collection awx.awx into .cache/"
        client_conf = directory / "client.conf"
        client_conf.write_text(CLIENT_CONF.format(token=PULSAR_TOKEN))
        answers = {"astra_application_token": ENTERPRISE, "astra_client_conf": str(client_conf)}
        (directory / "secrets.yml").write_text(yaml.safe_dump(answers))
        self._command = ["ansible-playbook", str(EXAMPLE / "configure.yml"), "-e", f"@{directory / 'secrets.yml'}"]
        self._environment = {
            **environment,
            "ANSIBLE_COLLECTIONS_PATH": f"{environment['ANSIBLE_COLLECTIONS_PATH']}{os.pathsep}{COLLECTIONS}",
            "CONTROLLER_HOST": awx.url,
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
        }

    def run(self, *options, status=0):
        """Run the playbook, which must end with this exit status; returns its screen."""
        done = subprocess.run(
            [*self._command, *options],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            # Not even a terminal of the tests can be asked.
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"astra_application_token": "None"}, "Give an application token"),
        ({"astra_application_token": ""}, "Give an application token"),
        ({"astra_client_conf": "None"}, "Give an application token"),
        ({"astra_client_conf": ""}, "Give an application token"),
        ({"astra_canaries": []}, "astra_canaries must name some of astra_organizations"),
        ({"astra_canaries": ["acme-productoin"]}, "astra_canaries must name some of astra_organizations"),
        ({"astra_slices": 0}, "astra_slices and astra_approval_seconds must be 1 or more"),
        ({"astra_approval_seconds": "a day"}, "astra_slices and astra_approval_seconds must be 1 or more"),
        ({"astra_fleet_answers": {}}, "astra_fleet_answers must answer one or more of audit_log_stream_hosts,"),
        ({"astra_fleet_answers": {"audit_log_stream_throtle": 20}}, "audit_log_stream_throttle."),
    ],
)
def test_mistakes_are_found_before_anything_is_created(tmp_path, ansible_environment, answers, message):
    with AwxApi(PLAYBOOKS).running() as awx:
        before = awx.items
        screen = Configuration(awx, tmp_path, ansible_environment).run("-vvv", "-e", json.dumps(answers), status=2)
        assert message in screen
        assert awx.items == before
    assert leaks(screen.encode(), [ENTERPRISE, PULSAR_TOKEN]) == []


@pytest.mark.parametrize(
    "answers",
    [
        {
            "audit_log_stream_hosts": (["acme-staging"], "text of up to 1024 characters"),
            "audit_log_stream_serial": (10, "a number or a percentage, in quotes"),
            "audit_log_stream_max_fail_percentage": (101, "a number from 0 to 100"),
            "audit_log_stream_update_token": ("allways", "one of on_change, always, on_create"),
            "audit_log_stream_throttle": (None, "a number from 0 to 1000"),
        },
        {
            "audit_log_stream_serial": ("ten", "a number or a percentage, in quotes"),
            "audit_log_stream_max_fail_percentage": ("20", "a number from 0 to 100"),
            "audit_log_stream_throttle": (True, "a number from 0 to 1000"),
        },
    ],
)
def test_wrong_answers_for_the_fleet_are_found_before_anything_is_created(tmp_path, ansible_environment, answers):
    given = {name: answer for name, (answer, _wanted) in answers.items()}
    with AwxApi(PLAYBOOKS).running() as awx:
        before = awx.items
        options = ["-e", json.dumps({"astra_fleet_answers": given})]
        screen = Configuration(awx, tmp_path, ansible_environment).run(*options, status=2)
        assert awx.items == before
    for name, (answer, wanted) in answers.items():
        # On the screen the message is a string in JSON.
        assert f"{name} cannot be {json.dumps(answer)}. It takes {wanted}" in screen.replace('\\"', '"')


def test_the_answers_for_the_fleet_that_awx_takes(tmp_path, ansible_environment):
    answers = {
        "audit_log_stream_hosts": "astra_organizations:!astra_canaries",
        "audit_log_stream_serial": "25%",
        "audit_log_stream_max_fail_percentage": 0,
        "audit_log_stream_update_token": "on_change",
        "audit_log_stream_throttle": 1000,
    }
    with AwxApi(PLAYBOOKS).running() as awx:
        Configuration(awx, tmp_path, ansible_environment).run("-e", json.dumps({"astra_fleet_answers": answers}))
        assert awx.items["workflow_job_template_nodes"]["fleet"]["extra_data"] == answers


def test_without_a_terminal_nothing_is_asked(tmp_path, ansible_environment):
    with AwxApi(PLAYBOOKS).running() as awx:
        configuration = Configuration(awx, tmp_path, ansible_environment)
        (tmp_path / "secrets.yml").write_text("{}")
        assert "Give an application token" in configuration.run(status=2)


def test_the_command_for_vaulted_secrets_needs_no_terminal(tmp_path, ansible_environment):
    [command] = re.findall(r"\$ ansible-playbook configure\.yml (-e @.*)", (EXAMPLE / "README.md").read_text())
    with AwxApi(PLAYBOOKS).running() as awx:
        configuration = Configuration(awx, tmp_path, ansible_environment)
        (tmp_path / "vault-password").write_text(VAULT_PASSWORD)
        secrets = tmp_path / "secrets.yml"
        vault = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))])
        secrets.write_bytes(vault.encrypt(secrets.read_text()))
        # Gets as far as the settings, which are checked after the secrets.
        assert "astra_slices" in configuration.run(*command.split(), "-e", "astra_slices=0", status=2)


def settled(awx):
    """All items but the updates of the project, of which there is one for each run."""
    return {endpoint: items for endpoint, items in awx.items.items() if endpoint != "project_updates"}


@pytest.fixture(scope="module")
def configured(tmp_path_factory, session_environment):
    """AWX after three runs, the last with new secrets and other settings, and the screens of the runs."""
    directory = tmp_path_factory.mktemp("awx")
    with AwxApi(PLAYBOOKS).running() as awx:
        configuration = Configuration(awx, directory, session_environment)
        first = configuration.run("-vvv")
        stored = copy.deepcopy(settled(awx))
        second = configuration.run("-vvv")
        assert settled(awx) == stored
        organizations = {name: each for name, each in SETTINGS["astra_organizations"].items() if name in REMAINING}
        changes = directory / "changes.yml"
        changes.write_text(
            f"astra_update_secrets: true\nastra_organizations: {json.dumps(organizations)}\n"
            f"astra_organizations_variables: {{audit_log_stream_application_token: !unsafe '{LOOKUP}'}}\n"
        )
        third = configuration.run("-e", f"@{changes}")
        yield awx, first, second, third


def changed(screen):
    return int(re.search(r"changed=(\d+)", screen).group(1))


def test_another_run_changes_nothing(configured):
    awx, first, second, third = configured
    assert changed(first) > 15
    assert changed(second) == 0
    assert changed(third) == len([*CREDENTIALS, "the group"])
    assert set(awx.linked("groups", GROUP, "hosts")) == REMAINING < set(awx.items["hosts"])


def test_a_rotation_says_what_is_still_to_do(configured):
    awx, first, second, third = configured
    [question] = awx.survey("workflow_job_templates", "Astra audit logs - rollout")
    assert "always" in question["choices"]
    told = [f"answer 'always' to '{question['question_name']}'" in screen for screen in (first, second, third)]
    assert told == [False, False, True]


def test_no_secret_on_the_screen(configured):
    _awx, *screens = configured
    assert leaks("".join(screens).encode(), [ENTERPRISE, PULSAR_TOKEN]) == []


def test_the_inventory(configured):
    awx, *_screens = configured
    assert set(awx.items["hosts"]) == set(SETTINGS["astra_organizations"])
    for name, variables in SETTINGS["astra_organizations"].items():
        assert yaml.safe_load(awx.items["hosts"][name]["variables"]) == variables
    assert yaml.safe_load(awx.items["groups"][GROUP]["variables"]) == {"audit_log_stream_application_token": LOOKUP}
    assert awx.linked("groups", "astra_canaries", "hosts") == SETTINGS["astra_canaries"]


def test_injectors_give_what_the_collection_reads(configured):
    """AWX templates an injector with the inputs of the credential and the paths of the files that it has written."""
    awx, *_screens = configured
    types = awx.items["credential_types"]
    assert (
        set(types) == CREDENTIALS == {awx.name_of("credential_types", each["credential_type"]) for each in stored(awx)}
    )

    def injected(template, **values):
        return jinja2.Template(template).render(**values)

    token = types["Astra application token"]["injectors"]["env"]["ASTRA_DB_APPLICATION_TOKEN"]
    assert injected(token, application_token=ENTERPRISE) == ENTERPRISE
    conf = types["Pulsar client.conf"]["injectors"]
    content = CLIENT_CONF.format(token=PULSAR_TOKEN)
    assert injected(conf["file"]["template.client_conf"], client_conf=content).strip() == content.strip()
    path = conf["extra_vars"]["audit_log_stream_client_conf"]
    assert (
        injected(path, tower={"filename": {"client_conf": "/tmp/awx_1/tmp_client_conf"}})
        == "/tmp/awx_1/tmp_client_conf"
    )
    for each in types.values():
        assert [field["secret"] for field in each["inputs"]["fields"]] == [True]


def stored(awx):
    """The credentials that the playbook has made, as they were sent."""
    return [each for name, each in awx.items["credentials"].items() if name in CREDENTIALS]


def test_credentials_hold_what_was_answered(configured):
    awx, *_screens = configured
    inputs = {name: value for each in stored(awx) for name, value in each["inputs"].items()}
    assert inputs == {"application_token": ENTERPRISE, "client_conf": CLIENT_CONF.format(token=PULSAR_TOKEN)}


@pytest.mark.parametrize(
    ("name", "job_type", "credentials", "sliced"),
    [
        ("preflight", "run", CREDENTIALS, False),
        ("apply", "run", CREDENTIALS, True),
        ("audit", "run", CREDENTIALS, False),
        ("info", "run", {"Astra application token"}, True),
        ("remove", "run", {"Astra application token"}, False),
    ],
)
def test_job_templates(configured, name, job_type, credentials, sliced):
    awx, *_screens = configured
    template = awx.items["job_templates"][TEMPLATES[name]]
    assert template["job_type"] == job_type
    assert (EXAMPLE / "project" / template["playbook"]).is_file()
    assert set(awx.linked("job_templates", TEMPLATES[name], "credentials")) == credentials
    assert template["ask_limit_on_launch"] is True
    assert template.get("ask_job_slice_count_on_launch", False) is sliced
    assert awx.name_of("inventories", template["inventory"]) == "Astra organizations"
    assert awx.name_of("projects", template["project"]) == "Astra audit logs"


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_surveys_ask_for_variables_that_are_read(configured, name):
    awx, *_screens = configured
    playbook = EXAMPLE / "project" / awx.items["job_templates"][TEMPLATES[name]]["playbook"]
    imported, *_rest = re.findall(r"import_playbook: datastax\.astra\.(\w+)", playbook.read_text())
    files = [playbook, *(ROOT / "playbooks" / f"{each}.yml" for each in (imported, "audit_log_stream_plan"))]
    files.append(ROOT / "roles" / "audit_log_stream" / "meta" / "argument_specs.yml")
    read = "".join(file.read_text() for file in files)
    questions = awx.survey("job_templates", TEMPLATES[name])
    assert awx.items["job_templates"][TEMPLATES[name]]["survey_enabled"] is True
    assert questions
    for question in questions:
        assert re.search(rf"\b{question['variable']}\b", read)


def test_the_audit_is_scheduled(configured):
    awx, *_screens = configured
    [schedule] = awx.items["schedules"].values()
    assert awx.name_of("job_templates", schedule["unified_job_template"]) == TEMPLATES["audit"]
    assert re.fullmatch(r"DTSTART;TZID=\w+/\w+:\d{8}T\d{6} RRULE:FREQ=DAILY;INTERVAL=1", schedule["rrule"])


def test_the_workflow(configured):
    awx, *_screens = configured
    order = ["preflight", "canary", "audit", "approval", "fleet"]
    nodes = awx.items["workflow_job_template_nodes"]
    assert sorted(nodes) == sorted(order)
    for name, following in zip(order, [*order[1:], None], strict=True):
        linked = awx.linked("workflow_job_template_nodes", name, "success_nodes")
        assert linked == ([following] if following else [])
        assert not awx.linked("workflow_job_template_nodes", name, "always_nodes")
    for name, template in {"preflight": "preflight", "canary": "apply", "audit": "audit", "fleet": "apply"}.items():
        assert awx.name_of("job_templates", nodes[name]["unified_job_template"]) == TEMPLATES[template]
    approval = awx.items["workflow_approval_templates"]["Roll out to the whole fleet?"]
    assert nodes["approval"]["unified_job_template"] == approval["id"]
    assert approval["timeout"] == SETTINGS["astra_approval_seconds"] == 24 * 60 * 60
    assert "the canaries keep their new configuration" in approval["description"]
    assert nodes["canary"]["extra_data"] == nodes["audit"]["extra_data"] == {"audit_log_stream_hosts": "astra_canaries"}
    assert nodes["fleet"]["extra_data"] == {"audit_log_stream_throttle": 20}
    assert nodes["fleet"]["job_slice_count"] == 2
    [workflow] = awx.items["workflow_job_templates"].values()
    assert workflow["survey_enabled"] is True
    [question] = awx.survey("workflow_job_templates", workflow["name"])
    assert question["variable"] == "audit_log_stream_update_token"


class TestExecutionEnvironment:
    """ansible-builder, up to the build of the image, which needs a container runtime and a registry."""

    @pytest.fixture
    def build(self, session_environment):
        def run(*arguments, directory=None):
            command = [sys.executable, "-m", "ansible_builder", *arguments]
            done = subprocess.run(
                command, cwd=directory, env=session_environment, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        return run

    def test_context(self, build, tmp_path):
        shutil.copytree(EXAMPLE, tmp_path / "awx")
        options = ["--context", "context", "--output-filename", "Containerfile", "--file", "execution-environment.yml"]
        build("create", *options, directory=tmp_path / "awx")
        context = tmp_path / "awx" / "context"
        containerfile = (context / "Containerfile").read_text()
        assert "python3.12" in containerfile
        assert "ansible-galaxy collection install" in containerfile
        requirements = yaml.safe_load((context / "_build/requirements.yml").read_text())
        assert [each["name"] for each in requirements["collections"]] == ["datastax.astra"]

    def test_what_the_collection_asks_for(self, build, collections_path):
        wanted = yaml.safe_load(build("introspect", collections_path))
        packages = [line for line in (ROOT / "requirements.txt").read_text().split("\n") if line[:1].isalpha()]
        assert [each.partition("  #")[0] for each in wanted["python"]] == packages
        assert wanted["system"] == []
