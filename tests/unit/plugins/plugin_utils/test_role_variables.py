# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the role's variables to the module's options."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleError
from ansible_collections.datastax.astra.plugins.plugin_utils import role_variables
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import RoleVariables

JWT = "eyJhbGciOiJub25lIn0.e30.c2ln"
OTHER_JWT = "eyJhbGciOiJub25lIn0.e30.b3RoZXI"
CLIENT_CONF = (
    "webServiceUrl=https://broker:8080\n"
    "brokerServiceUrl=pulsar+ssl://broker:6651\n"
    "authPlugin=org.apache.pulsar.client.impl.auth.AuthenticationToken\n"
    f"authParams=token:{JWT}\n"
)
FROM_CLIENT_CONF = {
    "endpoint": "pulsar+ssl://broker:6651",
    "auth_strategy": "token",
    "auth_name": "token",
    "pulsar_token": JWT,
}
OMIT = "__omit_place_holder__"
BROKEN = "{{ broken }}"


def template(value):
    if value == BROKEN:
        raise AnsibleError("'broken' is\nundefined")
    return OMIT if value == "{{ omit }}" else value


@pytest.fixture
def lookups(monkeypatch):
    """Stands for Ansible's file lookup; the paths that it was asked for."""
    paths = []

    def run(terms, _variables):
        paths.extend(terms)
        if not Path(terms[0]).is_file():
            raise AnsibleError("Unable to find it\nanywhere.")
        return [Path(terms[0]).read_text()]

    loader = SimpleNamespace(get=lambda _name, **_arguments: SimpleNamespace(run=run))
    monkeypatch.setattr(role_variables, "lookup_loader", loader)
    return paths


def read(**variables):
    """Return the options and the problems of these variables of the role."""
    others = {"omit": OMIT, "inventory_dir": variables.pop("inventory_dir", None), "topic": "not the role's"}
    named = {f"audit_log_stream_{name}": value for name, value in variables.items()}
    found = RoleVariables({**others, **named}, SimpleNamespace(template=template), None)
    return found.options(), found.problems


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({}, {}),
        ({"topic": "a/b/c", "retries": 3, "wait": False}, {"topic": "a/b/c", "retries": 3, "wait": False}),
        ({"topic": None, "organization_id": "", "update_token": "{{ omit }}"}, {}),
        ({"unknown": 1, "preflight": True}, {}),
        ({"fingerprint_store": "none"}, {}),
        ({"fingerprint_store": "store"}, {"fingerprint_store": "store"}),
        ({"client_conf_content": CLIENT_CONF}, FROM_CLIENT_CONF),
        (
            {"client_conf_content": CLIENT_CONF, "pulsar_token": OTHER_JWT, "topic": "a/b/c"},
            {**FROM_CLIENT_CONF, "pulsar_token": OTHER_JWT, "topic": "a/b/c"},
        ),
        ({"endpoint": "ssl://other:6651"}, {"endpoint": "pulsar+ssl://other:6651"}),
        (
            {"state": "absent", "client_conf": "/nowhere", "endpoint": "https://wrong", "organization_id": "acme"},
            {"state": "absent", "endpoint": "https://wrong", "organization_id": "acme"},
        ),
    ],
)
def test_options(lookups, variables, options):
    assert read(**variables) == (options, [])
    assert lookups == []


@pytest.mark.parametrize(
    ("variables", "options", "problems"),
    [
        (
            {"topic": BROKEN, "retries": 3},
            {"retries": 3},
            ["audit_log_stream_topic cannot be read: 'broken' is undefined"],
        ),
        (
            {"client_conf": BROKEN, "organization_id": BROKEN, "topic": "a/b/c"},
            {"topic": "a/b/c"},
            [
                "audit_log_stream_organization_id cannot be read: 'broken' is undefined",
                "audit_log_stream_client_conf cannot be read: 'broken' is undefined",
            ],
        ),
        ({"client_conf": "/nowhere"}, {}, ["audit_log_stream_client_conf cannot be read: Unable to find it anywhere."]),
        (
            {"client_conf_content": "brokerServiceUrl=https://broker", "topic": "a/b/c"},
            {"topic": "a/b/c"},
            [
                "client.conf line 1: brokerServiceUrl is a web URL, give the broker URL, which starts with pulsar+ssl://.",
            ],
        ),
    ],
)
def test_problems(lookups, variables, options, problems):
    assert read(**variables) == (options, problems)


@pytest.mark.parametrize("value", [5, True, ["client.conf"], {"path": "client.conf"}])
def test_a_path_that_is_no_text(lookups, value):
    options, problems = read(client_conf=value)
    assert options == {}
    assert problems
    assert "client_conf" in problems[0]


class TestClientConf:
    """A path is looked for in the working directory, beside the inventory, and then where Ansible looks for files."""

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path, monkeypatch):
        for name in ("working", "inventory"):
            (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / "working")

    def write(self, *paths):
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            path.write_text(CLIENT_CONF)

    def test_working_directory(self, lookups, tmp_path):
        self.write(tmp_path / "working" / "client.conf", tmp_path / "inventory" / "client.conf")
        assert read(client_conf="client.conf", inventory_dir=str(tmp_path / "inventory")) == (FROM_CLIENT_CONF, [])
        assert lookups == [str(tmp_path / "working" / "client.conf")]

    def test_beside_the_inventory(self, lookups, tmp_path):
        self.write(tmp_path / "inventory" / "files" / "client.conf")
        options = read(client_conf="files/client.conf", inventory_dir=str(tmp_path / "inventory"))
        assert options == (FROM_CLIENT_CONF, [])
        assert lookups == [str(tmp_path / "inventory" / "files" / "client.conf")]

    def test_where_ansible_looks(self, lookups, tmp_path):
        _options, problems = read(client_conf="client.conf", inventory_dir=str(tmp_path / "inventory"))
        assert lookups == ["client.conf"]
        assert len(problems) == 1

    def test_absolute(self, lookups, tmp_path):
        self.write(tmp_path / "client.conf")
        assert read(client_conf=str(tmp_path / "client.conf"), inventory_dir="/elsewhere") == (FROM_CLIENT_CONF, [])

    def test_home_directory(self, lookups, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        self.write(tmp_path / "client.conf")
        assert read(client_conf="~/client.conf") == (FROM_CLIENT_CONF, [])

    def test_content_comes_first(self, lookups, tmp_path):
        self.write(tmp_path / "working" / "client.conf")
        content = CLIENT_CONF.replace("broker:6651", "other:6651")
        options, _problems = read(client_conf="client.conf", client_conf_content=content)
        assert options["endpoint"] == "pulsar+ssl://other:6651"
        assert lookups == []
