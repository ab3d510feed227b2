# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A destination of audit logs and the organizations that stream to it, as an inventory has them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.datastax.astra.plugins.module_utils._command import STREAMING_TOKEN, Command, perform
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import read_facts, read_jwt
from ansible_collections.datastax.astra.plugins.plugin_utils.client_conf_file import ClientConfFile
from ansible_collections.datastax.astra.plugins.plugin_utils.destination import SPEC, execute

from emulator.client import EmulatorError
from tests.playbooks.conftest import ADMINISTRATORS, IDS, VAULT_PASSWORD, Fleet, Run

DESTINATION = "datastax.astra.audit_log_destination"
NAME = "acme-audit"
TOPIC = "persistent://acme-audit/security/astra-audit-log"
SINK_SECRET = "the-password-of-the-sink-that-nobody-may-see"
SINK = {
    "name": "siem",
    "connector": "elastic_search",
    "configs": {
        "elasticSearchUrl": "https://siem.example.com:9200",
        "indexName": "audit",
        "username": "astra",
        "password": SINK_SECRET,
    },
}
STREAMERS = ("acme-1", "acme-2")


class Place:
    """A destination on an emulated service, with two organizations that read its client.conf.

    :ivar fleet: the inventory, the service, and the way to run playbooks.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.service = fleet.service
        self.file = fleet.directory / "acme-audit.client.conf"
        self.describe_streams()
        self.describe()
        fleet.write(
            "inventory/group_vars/astra_destinations/vault.yml",
            yaml.safe_dump({"vault_destination_token": ADMINISTRATORS["acme-6"], "vault_sink": SINK}),
            vaulted=True,
        )

    def describe(self, **variables: Any) -> None:
        """Write the destination's part of the inventory. None leaves out what is set otherwise."""
        common = {
            "tenant": NAME,
            "user_email": "platform@example.com",
            "api_url": self.service.api_url,
            "application_token": "{{ vault_destination_token }}",
            "client_conf_path": str(self.file),
            "verify_destination": False,
            "revoke_after": "0s",
            **variables,
        }
        given = {f"audit_log_destination_{name}": value for name, value in common.items() if value is not None}
        self.fleet.write("inventory/destinations.yml", yaml.safe_dump({"astra_destinations": {"hosts": {NAME: given}}}))

    def describe_streams(self, hosts: dict[str, dict] | None = None, **variables: Any) -> None:
        """Write the streams' part of the inventory. None leaves out what is set otherwise."""
        common = {
            "client_conf": str(self.file),
            "topic": TOPIC,
            "fingerprint_store": str(self.fleet.directory / "fingerprints"),
            **variables,
        }
        given = {f"audit_log_stream_{name}": value for name, value in common.items()}
        self.fleet.describe(names=STREAMERS, hosts=hosts, **given)

    def play(self, *arguments: str, status: int = 0, playbook: str = DESTINATION, **environment: str) -> Run:
        """Run the playbook, which must end with this exit status."""
        return self.fleet.play(*arguments, playbook=playbook, status=status, **environment)

    def rotate(self, *arguments: str, status: int = 0) -> Run:
        """Run the playbook for a rotation."""
        return self.play("-e", "audit_log_destination_rotate=true", *arguments, status=status)

    def requests(self) -> list[str]:
        """Return the requests that the service received, and forget them."""
        sent = [f"{entry['method']} {entry['path']}" for entry in self.service.journal()]
        self.service.clear_journal()
        return sent

    def tenant(self) -> dict | None:
        """Return the tenant with all that it holds, or None."""
        with contextlib.suppress(EmulatorError):
            return self.service.tenant(NAME)
        return None

    def token_ids(self) -> list[str]:
        """Return the ids of the tenant's Pulsar tokens."""
        return [token["id"] for token in (self.tenant() or {"tokens": []})["tokens"]]

    def remove_token(self, token_id: str) -> None:
        """Run the module astra_streaming_token."""
        given = {"state": "absent", "tenant": NAME, "token_id": token_id, "api_url": self.service.api_url}
        given["application_token"] = ADMINISTRATORS["acme-6"]
        params = ArgumentSpecValidator(STREAMING_TOKEN.argument_spec).validate(given).validated_parameters
        result = perform(STREAMING_TOKEN, params, check_mode=False, diff=False)
        assert not result.get("failed"), result

    def client_conf(self) -> str:
        """Return the text in the file, decrypted."""
        vault = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))])
        return vault.decrypt(self.file.read_bytes()).decode()

    def stream_tokens(self) -> set[str]:
        """Return the Pulsar tokens that the service has stored for the organizations that stream."""
        return {self.service.organization(IDS[name])["audit_logs"]["pulsar"]["token"] for name in STREAMERS}

    def stream_token_ids(self) -> list[str]:
        """Return the ids of the Pulsar tokens that the organizations stream with."""
        return [read_facts(read_jwt(token)).token_id for token in self.stream_tokens()]

    def kill(self, *arguments: str, **match: str) -> None:
        """Kill the playbook while it waits for the answer to the first request that fits, which is carried out."""
        self.service.fault(match=match, delay=60)
        process = subprocess.Popen(
            ["ansible-playbook", "-i", str(self.fleet.directory / "inventory"), DESTINATION, *arguments],
            cwd=self.fleet.directory,
            env=self.fleet.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._kill_when_struck(process.pid, lambda: process.poll() is None)
        assert process.wait() == -signal.SIGKILL

    def make(self, **options: Any) -> dict:
        """Do the work of the role in this process, and return its result."""
        secrets = [("default", VaultSecret(VAULT_PASSWORD.encode()))]
        loader = DataLoader()
        loader.set_vault_secrets(secrets)
        given = {"tenant": NAME, "user_email": "platform@example.com", "api_url": self.service.api_url}
        given.update(application_token=ADMINISTRATORS["acme-6"], **options)
        params = ArgumentSpecValidator(SPEC).validate(given).validated_parameters
        command = Command(SPEC, partial(execute, conf_file=ClientConfFile(str(self.file), loader)))
        return perform(command, params, check_mode=False, diff=True)

    def kill_make(self, number: int) -> None:
        """Kill the work of the role while it waits for the answer to its request of this number."""
        self.service.fault(skip=number, delay=60)
        process = multiprocessing.get_context("fork").Process(target=self.make)
        process.start()
        self._kill_when_struck(process.pid, process.is_alive)
        process.join()
        assert process.exitcode == -signal.SIGKILL

    def _kill_when_struck(self, pid: int, is_running: Callable[[], bool]) -> None:
        while is_running() and not self.service.faults()[0]["fired"]:
            time.sleep(0.01)
        # Ansible works in its children, which newer ansible-core puts into sessions of their own.
        for each in [pid, *find_descendants(pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self.service.clear_faults()


def find_descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]
