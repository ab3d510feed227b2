# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role in plays of the user's own: what it takes from where, and what it says about what is wrong there."""

from __future__ import annotations

import json
import sys

import pytest
import yaml

from tests.playbooks.conftest import ADMINISTRATORS, GROUP
from tests.wire.support import TOKEN_BODY

ROLE = "datastax.astra.audit_log_stream"
MODULE = "datastax.astra.astra_audit_log_stream"
NO_MACHINE = {
    "ansible_become": True,
    "ansible_become_method": "ansible.builtin.su",
    "ansible_become_password": "wrong",
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_python_interpreter": "/nowhere/python",
}


def play_role(fleet, *arguments, status=0, variables=None, **keywords):
    """Run a play that has the role, without Ansible's own validation; returns what it registered for acme-1."""
    kept = fleet.directory / "kept.json"
    keep = {
        "name": "Keep",
        "ansible.builtin.copy": {"content": "{{ audit_log_stream_result | to_json }}", "dest": str(kept)},
        "check_mode": False,
        "delegate_to": "localhost",
        "vars": {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable},
    }
    role = {"ansible.builtin.import_role": {"name": ROLE, "rolespec_validate": False}, "vars": variables or {}}
    tasks = [{"block": [role], "always": [keep]}]
    play = {"name": "Own", "hosts": GROUP, "gather_facts": False, **keywords, "tasks": tasks}
    path = fleet.write("own.yml", yaml.safe_dump([play], sort_keys=False))
    run = fleet.play("--limit", "acme-1", *arguments, playbook=str(path), status=status)
    return json.loads(kept.read_text()), run


@pytest.mark.parametrize("playbook", [None, "datastax.astra.audit_log_stream", "datastax.astra.audit_log_stream_info"])
def test_an_inventory_of_machines_does_not_matter(fleet, playbook):
    """Neither how to reach its hosts, nor as whom, nor which Python they have."""
    fleet.describe(**NO_MACHINE)
    if playbook:
        fleet.play("--limit", "acme-1", playbook=playbook)
    else:
        assert play_role(fleet)[0]["action"] == "created"
    assert (fleet.streams()["acme-1"] == TOKEN_BODY) == (playbook != "datastax.astra.audit_log_stream_info")


class TestModuleDefaults:
    """What a play sets for the module or its group holds, and what a variable says comes first."""

    @pytest.mark.parametrize("name", [MODULE, "group/datastax.astra.astra"])
    def test_they_hold(self, fleet, name):
        fleet.describe(audit_log_stream_application_token=None, audit_log_stream_api_url=None)
        defaults = {name: {"application_token": "{{ vault_administrators[inventory_hostname] }}"}}
        defaults[name]["api_url"] = fleet.service.api_url
        result, _run = play_role(fleet, module_defaults=defaults)
        assert result["action"] == "created"

    def test_those_of_the_module_come_before_the_groups(self, fleet):
        fleet.describe(audit_log_stream_api_url=None)
        defaults = {MODULE: {"api_url": fleet.service.api_url}, "group/datastax.astra.astra": {"api_url": "wrong"}}
        assert play_role(fleet, module_defaults=defaults)[0]["action"] == "created"

    def test_a_variable_comes_first(self, fleet):
        defaults = {MODULE: {"topic": "wrong", "state": "absent"}}
        result, _run = play_role(fleet, module_defaults=defaults, variables={"audit_log_stream_state": "present"})
        assert result["action"] == "created"

    def test_options_that_have_a_default_of_their_own(self, fleet):
        fleet.service.settings(apply_lag=600)
        assert play_role(fleet, module_defaults={MODULE: {"wait": False}})[0]["action"] == "created"

    def test_a_mistake_in_them_is_named(self, fleet):
        fleet.describe(audit_log_stream_topic=None)
        result, _run = play_role(fleet, module_defaults={MODULE: {"topic": "wrong"}}, status=2)
        assert result["msg"].startswith("topic in module_defaults (own.yml:")
        assert result["msg"].endswith(") must be written as persistent://tenant/namespace/topic.")


class TestUnreadVariables:
    def test_a_typo_is_a_problem_that_names_what_there_is(self, fleet):
        fleet.describe(hosts={"acme-1": {"audit_log_stream_stat": "absent"}})
        result, _run = play_role(fleet, status=2)
        assert result["msg"] == (
            "audit_log_stream_stat (inventory/hosts.yml:5) is not a known variable; did you mean "
            "audit_log_stream_state?"
        )
        assert fleet.requests() == {}

    def test_nothing_is_like_it(self, fleet):
        result, _run = play_role(fleet, status=2, variables={"audit_log_stream_zzzz": 1})
        assert result["msg"].endswith("is not a known variable.")

    def test_variables_of_the_users_own(self, fleet):
        """A template that uses one reads it."""
        fleet.describe(
            audit_log_stream_tenant_of_ours="acme",
            audit_log_stream_topic="persistent://{{ audit_log_stream_tenant_of_ours }}/security/audit",
            audit_log_stream_names_of_ours=["security"],
            nested={"list": ["{{ audit_log_stream_names_of_ours }}"]},
        )
        assert play_role(fleet)[0]["action"] == "created"

    def test_what_the_playbooks_read_may_be_in_the_inventory_of_a_play_of_ones_own(self, fleet):
        fleet.describe(audit_log_stream_max_fail_percentage=10, audit_log_stream_serial=1)
        assert play_role(fleet)[0]["action"] == "created"


class TestMessages:
    def test_a_file_that_is_nowhere(self, fleet):
        """Every place is named where it was looked for."""
        fleet.describe(audit_log_stream_client_conf="conf/missing.conf")
        result, _run = play_role(fleet, status=2)
        start = "audit_log_stream_client_conf (inventory/hosts.yml:"
        assert result["msg"].startswith(start)
        message = result["msg"].partition(") ")[2]
        assert message.startswith("names a file that is in none of these places: ")
        places = message.removesuffix(".").partition(": ")[2].split(", ")
        assert places[:2] == [
            str(fleet.directory / "conf/missing.conf"),
            str(fleet.directory / "inventory/conf/missing.conf"),
        ]
        assert str(fleet.directory / "files/conf/missing.conf") in places
        assert "vvvv" not in result["msg"]

    def test_a_file_with_a_mistake(self, fleet):
        fleet.write("client.conf", "brokerServiceUrl=https://broker\n")
        result, _run = play_role(fleet, status=2)
        assert result["msg"].startswith("audit_log_stream_client_conf (inventory/hosts.yml:")
        assert "line 1: brokerServiceUrl is a web URL" in result["msg"]

    def test_what_is_missing(self, fleet):
        fleet.describe(audit_log_stream_topic=None)
        assert play_role(fleet, status=2)[0]["msg"] == "audit_log_stream_topic is needed for state present."

    def test_what_the_module_says(self, fleet):
        fleet.describe(audit_log_stream_client_conf=None, audit_log_stream_endpoint="broker.example.com:6651")
        result, _run = play_role(fleet, status=2)
        assert result["msg"].startswith("audit_log_stream_pulsar_token is needed, because the ")


class TestAbsent:
    """It needs the organization and the connection alone."""

    def test_what_it_does_not_use_may_be_unreadable(self, fleet):
        fleet.configure("acme-1")
        fleet.describe(
            audit_log_stream_state="absent",
            audit_log_stream_pulsar_token="{{ lookup('ansible.builtin.file', '/there/is/no/such/file') }}",
            audit_log_stream_client_conf="{{ there_is_no_such_variable }}",
            audit_log_stream_fingerprint_store="{{ there_is_no_such_variable }}",
            audit_log_stream_update_token="sometimes",
            audit_log_stream_topic="nonsense",
        )
        assert play_role(fleet)[0]["action"] == "deleted"

    def test_what_it_uses_may_not(self, fleet):
        fleet.describe(
            audit_log_stream_state="absent", audit_log_stream_application_token="{{ there_is_no_such_variable }}"
        )
        result, _run = play_role(fleet, status=2)
        assert result["msg"].startswith("audit_log_stream_application_token (inventory/hosts.yml:")
        assert "cannot be read: " in result["msg"]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ca_path": "/nowhere/ca.pem", "api_url": "https://127.0.0.1:1"}, "ca_path"),
        ({"timeout": 0}, "audit_log_stream_timeout"),
        ({"retries": -1}, "audit_log_stream_retries"),
        ({"validate_certs": "perhaps"}, "audit_log_stream_validate_certs"),
    ],
)
def test_the_connections_variables_hold_everywhere(fleet, variables, message):
    fleet.describe(**{f"audit_log_stream_{name}": value for name, value in variables.items()})
    result, _run = play_role(fleet, status=2)
    assert message in result["msg"]
    for playbook in (ROLE, f"{ROLE}_info"):
        assert message in fleet.play("--limit", "acme-1", playbook=playbook, status=2).screen
    assert fleet.requests() == {}


def test_nothing_is_shown_of_a_secret_in_the_wrong_place(fleet):
    secret = ADMINISTRATORS["acme-1"]
    result, run = play_role(fleet, "-vvv", status=2, variables={"audit_log_stream_wait_timeout": secret})
    assert result["msg"].endswith(" must be a whole number.")
    assert secret not in run.screen + run.errors
