# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the role's variables to the module's options."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible_collections.datastax.astra.plugins.plugin_utils import role_variables
from ansible_collections.datastax.astra.plugins.plugin_utils import variables as shared_variables
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import ROLE, read_host
from ansible_collections.datastax.astra.plugins.plugin_utils.variables import Label, describe_origin

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
IDENTIFIER = "0a1b2c3d-0000-4000-8000-00000000000a"


def template(value):
    if value == BROKEN:
        raise AnsibleError("'broken' is\nundefined")
    if value == "{{ bug }}":
        raise RuntimeError("with a secret in it")
    return OMIT if value == "{{ omit }}" else value


class Loader:
    """Stands for Ansible's data loader; finds nothing."""

    def path_dwim_relative_stack(self, paths, directory, path):
        raise AnsibleFileNotFound(file_name=path, paths=[str(Path(each) / directory / path) for each in paths])


@pytest.fixture(autouse=True)
def lookups(monkeypatch):
    """Stands for Ansible's file lookup; the paths that it was asked for."""
    paths = []

    def run(terms, _variables):
        paths.extend(terms)
        return [Path(terms[0]).read_text()]

    loader = SimpleNamespace(get=lambda _name, **_arguments: SimpleNamespace(run=run))
    monkeypatch.setattr(role_variables, "lookup_loader", loader)
    for name in ("ASTRA_DB_APPLICATION_TOKEN", "ASTRA_API_TOKEN"):
        monkeypatch.setenv(name, "AstraCS:token")
    return paths


def read(*, defaults=None, extra=None, files=None, only_look=False, **variables):
    """Return what these variables of the role amount to."""
    others = {"omit": OMIT, "inventory_dir": variables.pop("inventory_dir", None), "topic": "not the role's"}
    others["ansible_search_path"] = ["/search"]
    named = {f"audit_log_stream_{name}": value for name, value in variables.items()}
    templar = SimpleNamespace(template=template)
    return read_host({**others, **named}, templar, Loader(), 0, defaults, files, extra, only_look)


def causes(reading):
    return [problem.cause for problem in reading.problems]


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({}, {}),
        ({"topic": "a/b/c", "retries": 3, "wait": False}, {"topic": "a/b/c", "retries": 3, "wait": False}),
        ({"topic": None, "organization_id": "", "update_token": "{{ omit }}"}, {}),
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
            {"state": "absent", "organization_id": "acme"},
        ),
    ],
)
def test_options(lookups, variables, options):
    assert read(**variables).options == options
    assert lookups == []


@pytest.mark.parametrize(
    ("variables", "problems"),
    [
        ({"topic": BROKEN, "endpoint": "broker"}, ["audit_log_stream_topic cannot be read: 'broken' is undefined"]),
        ({"topic": "{{ bug }}", "endpoint": "broker"}, ["audit_log_stream_topic cannot be read: RuntimeError."]),
        (
            {"client_conf": BROKEN, "organization_id": BROKEN, "topic": "a/b/c"},
            [
                "audit_log_stream_organization_id cannot be read: 'broken' is undefined",
                "audit_log_stream_client_conf cannot be read: 'broken' is undefined",
            ],
        ),
        (
            {"client_conf_content": "brokerServiceUrl=https://broker", "topic": "a/b/c"},
            [
                "audit_log_stream_client_conf_content line 1: brokerServiceUrl is a web URL, give the broker URL, "
                "which starts with pulsar+ssl://.",
            ],
        ),
        (
            {"client_conf": "no.conf", "topic": "a/b/c", "inventory_dir": "/inventory"},
            [
                "audit_log_stream_client_conf names a file that is in none of these places: "
                f"{Path.cwd()}/no.conf, /inventory/no.conf, /search/files/no.conf."
            ],
        ),
        (
            {"state": "sometimes", "endpoint": "broker", "topic": "a/b/c"},
            ["audit_log_stream_state must be one of present, absent."],
        ),
        (
            {"wait_timeout": "soon", "endpoint": "broker", "topic": "a/b/c"},
            ["audit_log_stream_wait_timeout must be a whole number."],
        ),
        ({"endpoint": "broker"}, ["audit_log_stream_topic is needed for state present."]),
        (
            {"client_conf_content": CLIENT_CONF, "topic": "nonsense"},
            ["audit_log_stream_topic must be written as persistent://tenant/namespace/topic."],
        ),
        (
            {"client_conf_content": CLIENT_CONF.replace(JWT, "a.b.c"), "topic": "a/b/c"},
            [
                "pulsar_token of audit_log_stream_client_conf_content is not a readable JWT: it may be cut off or "
                "changed by copying."
            ],
        ),
    ],
)
def test_problems(variables, problems):
    reading = read(**{"endpoint": None, **variables})
    assert causes(reading) == problems
    assert reading.request is None


@pytest.mark.parametrize("value", [5, True, ["client.conf"], {"path": "client.conf"}])
def test_a_path_that_is_no_text(value):
    assert causes(read(client_conf=value, topic="a/b/c")) == [
        "audit_log_stream_client_conf must be the path of a file."
    ]


class TestAbsent:
    def test_it_reads_what_it_needs(self):
        reading = read(state="absent", topic=BROKEN, pulsar_token=BROKEN, client_conf=BROKEN, wait=BROKEN, timeout=7)
        assert (reading.options, reading.problems) == ({"state": "absent", "timeout": 7}, [])

    def test_looking_reads_no_more(self):
        reading = read(only_look=True, state=BROKEN, topic=BROKEN, organization_id="x", ca_path="/ca")
        assert reading.options == {"state": "absent", "organization_id": "x", "ca_path": "/ca"}

    @pytest.mark.parametrize("name", ["application_token", "organization_id", "api_url", "retries"])
    def test_what_it_needs_has_to_be_readable(self, name):
        assert causes(read(state="absent", **{name: BROKEN}))[0].startswith(f"audit_log_stream_{name} cannot be read: ")


class TestDefaults:
    """What C(module_defaults) give."""

    def test_they_count_for_what_no_variable_gives(self):
        reading = read(defaults={"topic": "a/b/c", "wait": False}, wait=True, endpoint="ssl://broker")
        assert reading.options == {"topic": "a/b/c", "wait": True, "endpoint": "pulsar+ssl://broker"}

    def test_a_mistake_in_them_is_theirs(self):
        reading = read(defaults={"topic": "wrong", "retries": BROKEN}, endpoint="broker")
        assert causes(reading) == [
            "retries in module_defaults cannot be read: 'broken' is undefined",
            "topic in module_defaults must be written as persistent://tenant/namespace/topic.",
        ]

    def test_what_is_broken_is_no_reason_to_take_them(self):
        assert causes(read(defaults={"topic": "a/b/c"}, topic=BROKEN, endpoint="broker")) == [
            "audit_log_stream_topic cannot be read: 'broken' is undefined"
        ]


class TestUnread:
    @pytest.mark.parametrize(
        ("name", "near"),
        [("stat", "state"), ("org_id", None), ("client_config", "client_conf"), ("seriall", "serial"), ("x", None)],
    )
    def test_it_is_a_problem_that_names_the_nearest(self, name, near):
        [problem] = ROLE.find_unread({f"audit_log_stream_{name}": 1})
        suffix = f"; did you mean audit_log_stream_{near}?" if near else "."
        assert problem.cause.startswith(f"audit_log_stream_{name} is not a known variable")
        assert not near or problem.cause.endswith(suffix)

    @pytest.mark.parametrize(
        "variables",
        [
            {"audit_log_stream_mine": 1, "other": "{{ audit_log_stream_mine }}"},
            {"audit_log_stream_mine": 1, "other": [{"deep": "x {{ audit_log_stream_mine | int }}"}]},
            {"audit_log_stream_registered": {"changed": False}},
            {"audit_log_stream": 1, "my_audit_log_stream_stat": 1},
            {"audit_log_stream_topic": "x", "audit_log_stream_throttle": 1, "audit_log_stream_on_problem": "skip"},
        ],
    )
    def test_what_is_none(self, variables):
        assert ROLE.find_unread(variables) == []

    def test_a_longer_name_is_not_a_mention(self):
        assert ROLE.find_unread({"audit_log_stream_mine": 1, "other": "{{ audit_log_stream_mine_too }}"})

    def test_what_works_as_an_extra_variable_alone(self):
        variables = {"audit_log_stream_serial": 1, "audit_log_stream_hosts": "all"}
        [problem] = ROLE.find_unread(variables, {"audit_log_stream_hosts"})
        assert problem.cause.startswith("audit_log_stream_serial is a keyword of the play")
        assert ROLE.find_unread(variables) == []


class TestOrigins:
    """Ansible notes file and line of what it reads, until version 2.19 in another way."""

    def test_older_ones(self, monkeypatch, tmp_path):
        monkeypatch.setattr(shared_variables, "_Origin", None)
        monkeypatch.chdir(tmp_path)
        value = SimpleNamespace(ansible_pos=(str(tmp_path / "hosts.yml"), 7, 1))
        assert describe_origin(5, value) == " (hosts.yml:7)"
        assert (
            describe_origin(SimpleNamespace(ansible_pos=("/elsewhere/hosts.yml", 7, 1))) == " (/elsewhere/hosts.yml:7)"
        )
        assert describe_origin(SimpleNamespace(ansible_pos=("<unicode string>", 7, 1)), 5) == ""


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("topic is wrong.", "audit_log_stream_topic (f:1) is wrong."),
        ("retries must be set.", "audit_log_stream_retries must be set."),
        ("The topic is wrong: set validate_region.", "The topic is wrong: set audit_log_stream_validate_region."),
        ("client.conf line 3: authPlugin is wrong.", "audit_log_stream_client_conf line 3: authPlugin is wrong."),
        ("Set fingerprint_store.", "Set audit_log_stream_fingerprint_store."),
        ("Nothing of it.", "Nothing of it."),
    ],
)
def test_words(sentence, words):
    labels = {"topic": Label("audit_log_stream_topic", " (f:1)"), "client_conf": Label("audit_log_stream_client_conf")}
    assert ROLE.word_as_written(sentence, labels) == words


def test_the_same_organization():
    by_id = [read(organization_id=value).identity for value in (IDENTIFIER, IDENTIFIER.upper(), f" {IDENTIFIER} ")]
    assert len(set(by_id)) == 1
    by_token = [read(application_token=value).identity for value in ("AstraCS:a", " AstraCS:a", "AstraCS:b")]
    assert (by_token[0] == by_token[1], by_token[0] == by_token[2]) == (True, False)
    assert not set(by_id) & set(by_token)


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
        reading = read(client_conf="client.conf", inventory_dir=str(tmp_path / "inventory"))
        assert reading.options == FROM_CLIENT_CONF
        assert lookups == [str(tmp_path / "working" / "client.conf")]

    def test_beside_the_inventory(self, lookups, tmp_path):
        self.write(tmp_path / "inventory" / "files" / "client.conf")
        reading = read(client_conf="files/client.conf", inventory_dir=str(tmp_path / "inventory"))
        assert reading.options == FROM_CLIENT_CONF
        assert lookups == [str(tmp_path / "inventory" / "files" / "client.conf")]

    def test_absolute(self, tmp_path):
        self.write(tmp_path / "client.conf")
        assert read(client_conf=str(tmp_path / "client.conf"), inventory_dir="/elsewhere").options == FROM_CLIENT_CONF

    def test_home_directory(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        self.write(tmp_path / "client.conf")
        assert read(client_conf="~/client.conf").options == FROM_CLIENT_CONF

    def test_content_comes_first(self, lookups, tmp_path):
        self.write(tmp_path / "working" / "client.conf")
        content = CLIENT_CONF.replace("broker:6651", "other:6651")
        reading = read(client_conf="client.conf", client_conf_content=content)
        assert reading.options["endpoint"] == "pulsar+ssl://other:6651"
        assert lookups == []

    def test_hosts_that_share_one_read_it_once(self, lookups, tmp_path):
        self.write(tmp_path / "client.conf")
        files = {}
        for _host in range(3):
            assert read(client_conf=str(tmp_path / "client.conf"), files=files).options == FROM_CLIENT_CONF
        assert len(lookups) == 1

    def test_the_web_service_url_serves_the_store_in_the_topic(self):
        options = read(client_conf_content=CLIENT_CONF, fingerprint_store="topic").options
        assert options["web_service_url"] == "https://broker:8080"
