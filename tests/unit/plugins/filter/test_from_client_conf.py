# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.datastax.astra.plugins.filter.from_client_conf import FilterModule
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import OPTIONS
from jinja2 import StrictUndefined

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "benchmarks" / "client.conf"

from_client_conf = FilterModule().filters()["from_client_conf"]


def test_it_reads_the_example():
    assert from_client_conf(EXAMPLE.read_text()) == {
        "endpoint": "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651",
        "auth_strategy": "token",
        "auth_name": "token",
        "pulsar_token": EXAMPLE.read_text().partition("authParams=token:")[2].partition("\n")[0],
        "web_service_url": "https://pulsar-aws-useast2.api.streaming.datastax.com",
    }


def test_none_is_no_file_and_no_override():
    assert from_client_conf(None) == {}
    assert from_client_conf(None, **dict.fromkeys(OPTIONS)) == {}


def test_overrides_are_keywords():
    assert from_client_conf(None, endpoint="ssl://h:1") == {"endpoint": "pulsar+ssl://h:1"}
    with pytest.raises(TypeError):
        from_client_conf(None, "ssl://h:1")


@pytest.mark.parametrize(
    ("content", "overrides", "message"),
    [
        (b"brokerServiceUrl=pulsar://h", {}, "client.conf must be given as text."),
        ({"brokerServiceUrl": "pulsar://h"}, {}, "client.conf must be given as text."),
        (None, {"topic": "secret"}, "'topic' is not an option that can override client.conf."),
        (None, {"oauth2_scope": 7}, "oauth2_scope must be a string."),
        (
            "brokerServiceUrl=http://secret\nauthParams=file:///secret",
            {},
            "client.conf line 1: brokerServiceUrl is a web URL, give the broker URL, which starts with pulsar+ssl://. "
            "client.conf line 2: authParams names a file on the machine where client.conf was written, instead of the "
            "token: give pulsar_token.",
        ),
    ],
)
def test_problems_are_an_error_of_the_filter(content, overrides, message):
    with pytest.raises(AnsibleFilterError) as caught:
        from_client_conf(content, **overrides)
    assert str(caught.value) == message
    assert caught.value.__suppress_context__


class Tagged(str):
    """A string with something more, as those of ansible-core are."""

    __slots__ = ()


class Vaulted:
    """A vaulted variable as ansible-core gives it before 2.19."""

    __ENCRYPTED__ = True

    def __init__(self, plaintext):
        self.plaintext = plaintext

    def __str__(self):
        return self.plaintext


@pytest.mark.parametrize("wrap", [Tagged, Vaulted])
def test_results_are_plain_strings(wrap):
    content = wrap("brokerServiceUrl=pulsar://h:1\nwebServiceUrl=https://h")
    options = from_client_conf(content, pulsar_token=wrap("a.b.c"), auth_strategy=wrap("token"), auth_name=None)
    assert options == {
        "endpoint": "pulsar://h:1",
        "auth_strategy": "token",
        "auth_name": "token",
        "pulsar_token": "a.b.c",
        "web_service_url": "https://h",
    }
    assert {type(value) for value in options.values()} == {str}


def test_what_is_undefined_stays_undefined():
    undefined = StrictUndefined(name="nothing")
    assert from_client_conf(undefined) is undefined
    assert from_client_conf("brokerServiceUrl=pulsar://h", pulsar_token=undefined) is undefined


def test_the_documentation_names_every_keyword():
    documentation = yaml.safe_load((ROOT / "plugins" / "filter" / "from_client_conf.yml").read_text())
    assert list(documentation["DOCUMENTATION"]["options"]) == ["_input", *OPTIONS]
    assert list(documentation["RETURN"]["_value"]["contains"]) == [*OPTIONS, "web_service_url"]


def run(*command, directory, environment):
    done = subprocess.run(
        [sys.executable, "-m", "ansible", *command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_composes_with_vault_lookups_and_default(tmp_path, ansible_environment):
    (tmp_path / "password").write_text("password\n")
    (tmp_path / "client.conf").write_text(EXAMPLE.read_text())
    (tmp_path / "playbook.yml").write_text(PLAYBOOK)
    ansible = partial(run, directory=tmp_path, environment=ansible_environment)
    vault = ("--vault-password-file", "password")
    ansible("vault", "encrypt", *vault, "client.conf")
    token = ansible("vault", "encrypt_string", *vault, "--name", "vaulted_token", "a.b.c")
    (tmp_path / "variables.yml").write_text(token)
    ansible("playbook", *vault, "--inventory", "localhost,", "playbook.yml")


PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars_files:
    - variables.yml
  vars:
    text: "{{ lookup('ansible.builtin.file', 'client.conf') }}"
    nothing: "{{ none }}"
    read: "{{ text | datastax.astra.from_client_conf(endpoint=nothing) }}"
    overridden: "{{ text | datastax.astra.from_client_conf(endpoint='other:1', pulsar_token=vaulted_token) }}"
  tasks:
    - ansible.builtin.assert:
        that:
          - read.endpoint == 'pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651'
          - ('authParams=token:' ~ read.pulsar_token) in text
          - overridden.endpoint == 'pulsar+ssl://other:1'
          - overridden.pulsar_token == 'a.b.c'
          - (nowhere | datastax.astra.from_client_conf | default('none')) == 'none'
          - (text | datastax.astra.from_client_conf(auth_name=nowhere) | default('none')) == 'none'
"""
