# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets appear nowhere: at the highest verbosity, in what callbacks get, in files, and in the process list."""

from __future__ import annotations

import base64
import json
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.playbooks.conftest import ADMINISTRATORS, CLIENT_CONF, GROUP, IDS, NAMES, READER, READERS
from tests.playbooks.traces import leaks
from tests.wire.support import OAUTH2_OPTIONS, application_token, jwt

MODULE = "datastax.astra.astra_audit_log_stream"
INFO = "datastax.astra.astra_audit_log_stream_info"
ROLE = "datastax.astra.audit_log_stream"
PULSAR_TOKEN = "datastax.astra.astra_streaming_token"
TOKEN_MODULE = "datastax.astra.astra_token"
SINK = "datastax.astra.astra_streaming_sink"

CLIENT_SECRET = "client-secret-that-nobody-may-see"
CREDENTIALS = json.dumps({"client_id": "acme", "client_secret": CLIENT_SECRET})
DATA_URL = f"data:application/json;base64,{base64.b64encode(CREDENTIALS.encode()).decode()}"
TOKEN = jwt(jti="the-token-that-nobody-may-see")
ROTATED = jwt(jti="the-token-that-follows-it-and-is-secret-too")
UNKNOWN = application_token("u")
SECRETS = [*ADMINISTRATORS.values(), *READERS.values(), UNKNOWN, TOKEN, ROTATED, DATA_URL, CLIENT_SECRET]

# What AWX and others make events of: every result, as callbacks get it.
RECORDER = """
import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = "name: recorder"


class CallbackModule(CallbackBase):
    CALLBACK_NAME = "recorder"
    CALLBACK_TYPE = "notification"

    def v2_on_any(self, *args, **kwargs):
        with open("events", "a") as events:
            for result in (argument for argument in args if hasattr(argument, "_result")):
                events.write(json.dumps(result._result, default=str) + "\\n")
"""


@pytest.mark.parametrize("secret", [TOKEN, DATA_URL, ADMINISTRATORS["acme-1"]])
@pytest.mark.parametrize(
    "disguise",
    [str, str.upper, quote, json.dumps, lambda s: base64.b64encode(f"Bearer {s}".encode()).decode(), lambda s: s[10:]],
)
def test_the_search_itself(secret, disguise):
    assert leaks(f"before {disguise(secret)} after".encode(), SECRETS)


class ProcessList(threading.Thread):
    """The command lines of all processes while a block runs."""

    def __enter__(self):
        self._done = threading.Event()
        self.seen = set()
        self.start()
        return self

    def __exit__(self, *_exception):
        self._done.set()
        self.join()

    def run(self):
        while not self._done.wait(0.03):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:  # it has ended
                    continue


@pytest.fixture
def temporary():
    """A directory for temporary files. Its path is short, because ansible-core has a Unix socket there."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@pytest.fixture
def watched(fleet, tmp_path, temporary):
    """Run a playbook as talkative as possible, and find no secret in anything that it leaves."""
    fleet.write("callbacks/recorder.py", RECORDER)
    fleet.write("client.conf", CLIENT_CONF.format(token=TOKEN), vaulted=True)
    fleet.keep_secret(
        vault_administrators=ADMINISTRATORS,
        vault_readers=READERS,
        vault_unknown=UNKNOWN,
        vault_token=TOKEN,
        vault_rotated=ROTATED,
        vault_credentials_url=DATA_URL,
    )
    # A service that repeats what it was sent.
    for name, secret in {"acme-4": TOKEN, "acme-6": DATA_URL}.items():
        said = f"{ADMINISTRATORS[name]} may not send {secret}."
        fleet.service.fault(
            match={"method": "POST", "organization_id": IDS[name]},
            times=None,
            status=400,
            body={"errors": [{"ID": 1, "message": said}]},
        )
    environment = {
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": "facts",
        "ANSIBLE_CALLBACKS_ENABLED": "recorder",
        "ANSIBLE_CALLBACK_PLUGINS": "callbacks",
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "1",
        "ANSIBLE_INJECT_INVOCATION": "1",
        "ANSIBLE_LOG_PATH": "log",
        "ANSIBLE_RETRY_FILES_ENABLED": "1",
        "ANSIBLE_RETRY_FILES_SAVE_PATH": "retry",
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        "TMPDIR": str(temporary),
    }

    def run(*arguments, in_process=True, kept=None, **keywords):
        arguments += ("-vvvvvv", "--diff", "-e", json.dumps({"astra_in_process": in_process}))
        with ProcessList() as processes:
            finished = fleet.play(*arguments, **keywords, **environment)
        assert any(b"ansible-playbook" in line for line in processes.seen)
        started = [line for line in processes.seen if b"AnsiballZ_astra" in line and str(tmp_path).encode() in line]
        assert bool(started) == (not in_process)
        files = [path for directory in (tmp_path, temporary) for path in directory.rglob("*") if path.is_file()]
        places = {str(path): path.read_bytes() for path in files}
        places |= {"screen": finished.screen.encode(), "errors": finished.errors.encode()}
        places["processes"] = b"\n".join(processes.seen)
        # The one place for secrets that the service made is the file in which a task was told to keep them.
        returned = places.pop(str(kept)).decode().split() if kept else []
        assert bool(kept) == bool(returned)
        secrets = [*SECRETS, *returned]
        assert {place: found for place, content in places.items() if (found := leaks(content, secrets))} == {}
        for name in ("log", "events"):
            assert (fleet.directory / name).stat().st_size > 1000
        return finished

    return run


OAUTH2 = {
    **{name: value for name, value in OAUTH2_OPTIONS.items() if name not in ("endpoint", "topic")},
    "oauth2_credentials_url": "{{ vault_credentials_url }}",
}
BOTH_WAYS = pytest.mark.parametrize("in_process", [True, False], ids=["in process", "module"])


@BOTH_WAYS
def test_playbook(fleet, watched, in_process):
    oauth2 = {f"audit_log_stream_{name}": value for name, value in OAUTH2.items()}
    hosts = {
        "acme-2": oauth2,
        "acme-3": READER,
        "acme-5": {"audit_log_stream_application_token": "{{ vault_unknown }}"},
        "acme-6": oauth2,
    }
    fleet.describe(hosts=hosts, audit_log_stream_fingerprint_store="fingerprints")
    run = watched(in_process=in_process, status=2)
    assert run.headline().endswith(": 4 failed, 2 created")
    for name in ("acme-4", "acme-6"):
        assert "******** may not send ******** (ID 1)" in run.failures()[name]
    assert fleet.streams()["acme-1"]["pulsar"]["token"] == TOKEN
    assert fleet.streams()["acme-2"]["pulsar"]["oauth2_credentials_url"] == DATA_URL

    rotated = {"audit_log_stream_pulsar_token": "{{ vault_rotated }}"}
    fleet.describe(names=NAMES[:1], hosts={"acme-1": rotated}, audit_log_stream_fingerprint_store="fingerprints")
    watched("--check", in_process=in_process)
    watched(in_process=in_process)
    assert fleet.streams()["acme-1"]["pulsar"]["token"] == ROTATED


@BOTH_WAYS
def test_own_play(fleet, watched, in_process):
    """Bare tasks and the role with its validation, with the results shown and kept as facts."""
    stream = {"endpoint": OAUTH2_OPTIONS["endpoint"], "topic": OAUTH2_OPTIONS["topic"]}
    token = {**stream, "pulsar_token": "{{ vault_token }}"}
    tasks = [
        {MODULE: token},
        {MODULE: {**token, "pulsar_token": "{{ vault_rotated }}", "update_token": "always"}},
        {MODULE: {**stream, **OAUTH2}},
        {MODULE: {**token, "auth_strategy": "oauth2"}},
        {MODULE: {**token, "pulsar_token": "{{ vault_administrators[inventory_hostname] }}"}},
        {MODULE: {**token, "wait_timeout": "{{ vault_token }}"}},
        {MODULE: {**token, "state": "{{ vault_token }}"}},
        {INFO: {}},
        {INFO: {"application_token": "{{ vault_unknown }}"}},
        {MODULE: {"state": "absent"}},
    ]
    for number, task in enumerate(tasks):
        task.update(name=f"Task {number}", register=f"result_{number}", ignore_errors=True)
    names = [*(task["register"] for task in tasks), "audit_log_stream_result"]
    defaults = {
        "api_url": fleet.service.api_url,
        "organization_id": "{{ audit_log_stream_organization_id }}",
        "application_token": "{{ vault_administrators[inventory_hostname] }}",
    }
    kept = fleet.directory / "kept.json"
    play = {
        "name": "Own",
        "hosts": GROUP,
        "gather_facts": False,
        "module_defaults": {"group/datastax.astra.astra": defaults},
        "roles": [{"role": ROLE}],
        "tasks": [
            *tasks,
            {
                "name": "Keep",
                "ansible.builtin.set_fact": {"kept": f"{{{{ [{', '.join(names)}] }}}}", "cacheable": True},
            },
            {"name": "Show", "ansible.builtin.debug": {"var": "kept"}},
            {"name": "Write", "ansible.builtin.copy": {"content": "{{ kept | to_json }}", "dest": str(kept)}},
        ],
    }
    path = fleet.write("own.yml", yaml.safe_dump([play], sort_keys=False))
    fleet.describe(names=["acme-1", "acme-4"])
    run = watched(playbook=str(path), in_process=in_process, status=2)
    assert "fatal: [acme-4]" in run.screen
    [facts] = fleet.directory.glob("facts/*acme-1")
    assert "kept" in facts.read_text()
    results = json.loads(kept.read_text())
    outcomes = [result.get("action") or ("failed" if result["failed"] else "shown") for result in results]
    assert outcomes == ["none", "updated", "updated", *["failed"] * 4, "shown", "failed", "deleted", "created"]


@BOTH_WAYS
def test_returned_secrets(fleet, watched, in_process):
    """A registered result has them, and nothing else: not with a loop, in a failure or in check mode."""
    tenant = {"tenant": "acme"}
    fleet.service.set_tenant(IDS["acme-1"], "acme", namespaces=[{"name": "audit", "topics": [{"name": "log"}]}])
    configs = {"elasticSearchUrl": "https://es:9200", "indexName": "audit", "password": "{{ vault_token }}"}
    sink = {**tenant, "namespace": "audit", "name": "siem", "connector": "elastic_search", "topic": "log"}
    tasks = [
        {PULSAR_TOKEN: {**tenant, "validity": "90d"}, "check_mode": True},
        {PULSAR_TOKEN: {**tenant, "validity": "90d"}},
        {PULSAR_TOKEN: {**tenant, "validity": "90d"}},
        {PULSAR_TOKEN: {**tenant, "validity": "90d", "min_validity": "{{ item }}"}, "loop": ["1d", "2d"]},
        {PULSAR_TOKEN: {**tenant, "validity": "90d", "min_validity": "soon"}},
        {TOKEN_MODULE: {"roles": ["Admin User"], "description": "daily"}},
        {TOKEN_MODULE: {"roles": ["Admin User"], "description": "daily"}},
        {SINK: {**sink, "configs": configs}},
        {SINK: {**sink, "configs": {**configs, "indexName": "other"}}},
        {SINK: {**sink, "configs": {**configs, "nonsense": "{{ vault_rotated }}"}}},
        {SINK: {**sink, "configs": configs, "parallelism": "{{ vault_token }}"}},
    ]
    for number, task in enumerate(tasks):
        task.update(name=f"Task {number}", register=f"result_{number}", ignore_errors=True)
    kept, shown = fleet.directory / "kept", fleet.directory / "shown.json"
    secrets = (
        "{{ [result_1.pulsar_token, result_5.token, result_1.client_conf.split('token:')[1].split()[0]] | join(' ') }}"
    )
    outcomes = [f"result_{number}.action | default('failed')" for number in range(len(tasks)) if number != 3]
    tasks += [
        {
            "name": "Keep",
            "ansible.builtin.copy": {"content": secrets, "dest": str(kept), "mode": "0600"},
            "no_log": True,
        },
        {
            "name": "Show",
            "ansible.builtin.copy": {"content": f"{{{{ [{', '.join(outcomes)}] | to_json }}}}", "dest": str(shown)},
        },
    ]
    defaults = {"api_url": fleet.service.api_url, "application_token": "{{ vault_administrators[inventory_hostname] }}"}
    play = {
        "name": "Own",
        "hosts": GROUP,
        "gather_facts": False,
        "module_defaults": {"group/datastax.astra.astra": defaults},
        "tasks": tasks,
    }
    path = fleet.write("own.yml", yaml.safe_dump([play], sort_keys=False))
    fleet.describe(names=["acme-1"])
    run = watched(playbook=str(path), in_process=in_process, kept=kept)
    assert json.loads(shown.read_text()) == [
        *("created", "created", "none", "failed"),
        *("created", "none"),
        *("created", "updated", "failed", "failed"),
    ]
    assert run.screen.count("the output has been hidden") >= 4
    # What has no secret is shown as ever.
    assert "min_validity is not a duration" in run.screen
    assert '"indexName": "other"' in run.screen
    assert "Unrecognized field" in run.screen


def test_preflight_finds_mistakes(fleet, watched):
    """Also secrets in the wrong place, where nobody marked them as secret."""
    fleet.write("damaged.conf", CLIENT_CONF.format(token=TOKEN + "\\u"), vaulted=True)
    hosts = {
        "acme-1": {"audit_log_stream_pulsar_token": "{{ vault_administrators['acme-1'] }}"},
        "acme-2": {"audit_log_stream_client_conf": "damaged.conf"},
        "acme-3": {"audit_log_stream_endpoint": "{{ vault_token }}", "audit_log_stream_topic": "{{ vault_rotated }}"},
        "acme-4": {"audit_log_stream_organization_id": "{{ vault_administrators['acme-4'] }}"},
        "acme-5": {"audit_log_stream_oauth2_credentials_url": "{{ vault_token }}", "audit_log_stream_state": "no"},
        "acme-6": {"audit_log_stream_application_token": "{{ vault_token }}"},
    }
    fleet.describe(hosts=hosts)
    run = watched(status=2)
    assert sorted(run.section("Problems")) == NAMES
    assert fleet.requests() == {}
