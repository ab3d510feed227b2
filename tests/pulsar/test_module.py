# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module astra_audit_log_delivery_info as users call it, in Ansible's process and in one of its own."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml
from ansible_collections.datastax.astra.plugins.modules import astra_audit_log_delivery_info as module

MODULE = "datastax.astra.astra_audit_log_delivery_info"


@pytest.fixture
def client_conf(place, broker):
    """The tenant's client.conf."""
    lines = [
        f"webServiceUrl={broker.proxy_admin_url}",
        f"brokerServiceUrl={broker.proxy_tls_url}",
        "authPlugin=org.apache.pulsar.client.impl.auth.AuthenticationToken",
        f"authParams=token:{place.token('administrator')}",
    ]
    return "\n".join(lines)


@pytest.fixture
def play(ansible_environment, broker, tmp_path):
    """Run tasks in a play; returns the process and what it printed."""

    def run(*tasks, **variables):
        defaults = {MODULE: {"ca_path": broker.ca_path}}
        hosts = [{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": list(tasks)}]
        playbook = tmp_path / "playbook.yml"
        playbook.write_text(yaml.safe_dump(hosts))
        extra = tmp_path / "variables.json"
        extra.write_text(json.dumps(variables))
        command = ["ansible-playbook", "-vvvv", "--diff", f"--extra-vars=@{extra}", str(playbook)]
        return subprocess.run(command, env=ansible_environment, capture_output=True, text=True, check=False)

    return run


def tasks_of(**arguments):
    """The task, and one that writes the result to where the test reads it."""
    return [
        {"name": "Check", MODULE: arguments, "register": "delivery"},
        {"name": "Keep", "ansible.builtin.copy": {"content": "{{ delivery | to_json }}", "dest": "{{ result_path }}"}},
    ]


@pytest.mark.parametrize("in_process", [True, False])
def test_result(place, play, client_conf, tmp_path, in_process):
    place.subscribe("siem")
    with place.producer() as producer:
        producer.send(b"event")
        path = tmp_path / "result.json"
        tasks = tasks_of(topic=place.topic, client_conf="{{ conf }}")
        done = play(*tasks, conf=client_conf, result_path=str(path), astra_in_process=in_process)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(path.read_text())
    assert result["verdict"] == "proven"
    assert result["changed"] is False
    # With Astra's defaults, an event that nobody reads is kept by its subscription alone.
    assert result["at_risk"] == ["retention", "backlog"]
    assert result["subscriptions"] == [
        {"name": "siem", "backlog": 1, "consumers": 0, "unread_since": result["subscriptions"][0]["unread_since"]}
    ]
    documented = yaml.safe_load(module.RETURN)
    assert documented.keys() <= result.keys()
    assert {"id", "state", "message", "advice"} == result["checks"][0].keys()
    for secret in (place.token("administrator"), place.token("administrator").rpartition(".")[2]):
        assert secret not in path.read_text()
        # What was given with --extra-vars Ansible shows itself at this verbosity.
        assert secret not in done.stdout.partition("TASK [Check]")[2]


def test_another_token_for_the_admin_api(place, broker, play, tmp_path):
    path = tmp_path / "result.json"
    tasks = tasks_of(
        topic=place.topic,
        endpoint=broker.proxy_tls_url,
        pulsar_token=place.token(),
        web_service_url=broker.admin_url,
        # A Pulsar broker takes none of Astra's; what is sent is the point.
        application_token=place.token("administrator"),
    )
    done = play(*tasks, result_path=str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(path.read_text())
    assert result["verdict"] == "quiet"
    assert "unknown" not in {check["state"] for check in result["checks"] if check["id"] in ("retention", "backlog")}


def test_mistakes_are_named_all_at_once(play):
    task = {"name": "Check", MODULE: {"topic": "wrong", "web_service_url": "ftp://host", "timeout": 0}}
    done = play(task)
    assert done.returncode == 2
    for words in (
        "topic must be",
        "endpoint is needed",
        "pulsar_token is needed",
        "web_service_url must",
        "timeout must",
    ):
        assert words in done.stdout, done.stdout


def test_the_examples_run(place, play, client_conf, tmp_path):
    """The examples of the documentation, with a real client.conf and topic."""
    place.subscribe("siem")
    policy = {"inactiveTopicDeleteMode": "delete_when_no_subscriptions", "deleteWhileInactive": False}
    place.set_policy("inactiveTopicPolicies", {**policy, "maxInactiveDurationSeconds": 172800})
    (tmp_path / "client.conf").write_text(client_conf)
    os.chmod(tmp_path / "client.conf", 0o600)
    tasks = yaml.safe_load(module.EXAMPLES)
    tasks[0][MODULE]["topic"] = place.topic
    done = play(*tasks)
    assert done.returncode == 0, done.stdout + done.stderr
    place.admin.delete(f"{place.path}/subscription/siem")
    done = play(*tasks)
    assert done.returncode == 2
    assert "At risk: subscription" in done.stdout
