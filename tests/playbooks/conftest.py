# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of organizations: an emulated service, an inventory as users write it, and the way to run playbooks on it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from emulator.client import Emulator
from tests.wire.support import ENDPOINT, PULSAR_TOKEN, TOKEN_BODY, TOPIC

NAMES = [f"acme-{number}" for number in range(1, 7)]
IDS = {name: f"0a1b2c3d-0000-4000-8000-{number:012}" for number, name in enumerate(NAMES, 1)}
GROUP = "astra_organizations"
APPLY = "datastax.astra.audit_log_stream"
VAULT_PASSWORD = "only-for-tests"


def _application_token(name: str, kind: str) -> str:
    return f"AstraCS:{name.replace('-', ''):{kind}<24}:{'0123456789abcdef' * 4}"


ADMINISTRATORS = {name: _application_token(name, "a") for name in NAMES}
READERS = {name: _application_token(name, "r") for name in NAMES}
ENTERPRISE = _application_token("enterprise", "e")
# Makes an organization fail: its token lacks the role.
READER = {"audit_log_stream_application_token": "{{ vault_readers[inventory_hostname] }}"}

CLIENT_CONF = (
    "webServiceUrl=https://pulsar-aws-useast2.api.streaming.datastax.com\n"
    f"brokerServiceUrl={ENDPOINT}\n"
    "authPlugin=org.apache.pulsar.client.impl.auth.AuthenticationToken\n"
    "authParams=token:{token}\n"
)


# What a task of ours shows, up to the line about its outcome.
SCREEN = re.compile(
    r"^\n(Audit log (?:streaming|delivery).*?)\n\n+(?=ok: \[|fatal: \[|\[ERROR\]|\[WARNING\]|Audit log streaming)",
    re.MULTILINE | re.DOTALL,
)


class Run(NamedTuple):
    """A finished ansible-playbook.

    :ivar screen: its standard output.
    :ivar errors: its standard error.
    """

    screen: str
    errors: str

    def reports(self) -> list[list[str]]:
        """Return the lines of each screen that it showed: of the plan, of the summary, ..."""
        return [found.strip("\n").split("\n") for found in SCREEN.findall(self.screen)]

    def report(self) -> list[str]:
        """Return the lines of the screen that it ended with."""
        reports = self.reports()
        assert reports, self.screen
        return reports[-1]

    def headline(self) -> str:
        """Return what happened, in one line."""
        lines = self.report()
        return " ".join(line.strip() for line in lines[: [*lines, ""].index("")])

    def section(self, heading: str, number: int = -1) -> dict[str, list[str]]:
        """Return what a section of a screen says about whom, each sentence in one line.

        :arg number: which screen, by default the last.
        """
        lines = self.reports()[number]
        found: dict[str, list[str]] = {}
        names: list[str] = []
        for line in lines[lines.index(heading) + 1 :]:
            if not line.startswith("  "):
                break
            if line[2] != " ":
                listed, _gap, why = line[2:].partition("  ")
                # A line that ends with a comma goes on with names.
                names = names if names and names[-1].endswith(",") else []
                names += listed.split(" ")
                for name in listed.split(" "):
                    found.setdefault(name.rstrip(","), []).append(why)
            else:
                for name in names:
                    found[name.rstrip(",")][-1] += " " + line
        return {name: [" ".join(why.split()) for why in reasons] for name, reasons in found.items()}

    def failures(self) -> dict[str, str]:
        """Return why who failed."""
        return {name: why for name, [why] in self.section("Failed").items()}


def _given(variables: dict) -> dict:
    return {name: value for name, value in variables.items() if value is not None}


class Fleet:
    """Organizations of the service, with the inventory that describes them.

    Application tokens are in a vaulted file of the group; the Pulsar token is in client.conf, in the working directory.

    :ivar directory: the working directory of the playbooks.
    :ivar environment: what Ansible runs with.
    """

    def __init__(self, service: Emulator, directory: Path, environment: dict[str, str]) -> None:
        self.service = service
        self.directory = directory
        self._inventory = directory / "inventory"
        password = directory.parent / "vault-password"
        password.write_text(VAULT_PASSWORD)
        self.environment = {**environment, "ANSIBLE_VAULT_PASSWORD_FILE": str(password)}
        self._vault = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))])
        self.write_client_conf()
        self.describe()
        self.keep_secret(vault_administrators=ADMINISTRATORS, vault_readers=READERS)

    def write_client_conf(self, token: str = PULSAR_TOKEN, path: str = "client.conf") -> Path:
        """Write a client.conf as Astra serves it."""
        return self.write(path, CLIENT_CONF.format(token=token))

    def write(self, path: str, content: str, *, vaulted: bool = False) -> Path:
        """Write a file below the working directory."""
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._vault.encrypt(content).decode() if vaulted else content)
        return file

    def describe(self, *, names: Iterable[str] = NAMES, hosts: dict[str, dict] | None = None, **variables) -> None:
        """Write the inventory.

        :arg names: the hosts.
        :arg hosts: variables of some of them.
        :arg variables: variables of the group. None leaves out what is set otherwise, here and above.
        """
        common = {
            "ansible_connection": "local",
            "audit_log_stream_api_url": self.service.api_url,
            "audit_log_stream_application_token": "{{ vault_administrators[inventory_hostname] }}",
            "audit_log_stream_client_conf": "client.conf",
            "audit_log_stream_topic": TOPIC,
            # Nothing listens at the endpoint that all have, which is that of Astra Streaming.
            "audit_log_stream_verify_destination": False,
            **variables,
        }
        own = {name: {"audit_log_stream_organization_id": IDS[name], **(hosts or {}).get(name, {})} for name in names}
        group = {"hosts": {name: _given(values) for name, values in own.items()}, "vars": _given(common)}
        self.write("inventory/hosts.yml", yaml.safe_dump({GROUP: group}, sort_keys=False))

    def keep_secret(self, **variables: object) -> None:
        """Write variables of the group to its vaulted file."""
        self.write(f"inventory/group_vars/{GROUP}/vault.yml", yaml.safe_dump(variables), vaulted=True)

    def start(self, *arguments: str, playbook: str = APPLY, **environment: str) -> subprocess.Popen:
        """Start ansible-playbook; communicate() must follow."""
        return subprocess.Popen(
            ["ansible-playbook", "-i", str(self._inventory), playbook, *arguments],
            cwd=self.directory,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def play(self, *arguments: str, playbook: str = APPLY, status: int = 0, **environment: str) -> Run:
        """Run ansible-playbook, which must end with this exit status."""
        process = self.start(*arguments, playbook=playbook, **environment)
        screen, errors = process.communicate(timeout=120)
        assert process.returncode == status, screen + errors
        return Run(screen, errors)

    def requests(self) -> dict[str, list[str]]:
        """Return the methods of the requests about each organization, or about nobody, and forget them."""
        names = {organization_id: name for name, organization_id in IDS.items()}
        sent: dict[str, list[str]] = {}
        for entry in self.service.journal():
            sent.setdefault(names.get(entry["organization_id"], "nobody"), []).append(entry["method"])
        self.service.clear_journal()
        return sent

    def streams(self) -> dict[str, dict | None]:
        """Return what the service has stored for each organization."""
        return {name: self.service.organization(organization_id)["audit_logs"] for name, organization_id in IDS.items()}

    def configure(self, *names: str, body: dict | None = None) -> None:
        """Have something stored before the test begins, what is wanted if nothing else is given."""
        for name in names:
            self.service.set_organization(IDS[name], body or TOKEN_BODY)


@pytest.fixture(scope="session")
def _fleet_service():
    organizations = [{"id": organization_id, "name": name} for name, organization_id in IDS.items()]
    tokens = [{"token": ADMINISTRATORS[name], "organization_id": IDS[name]} for name in NAMES]
    tokens += [{"token": READERS[name], "organization_id": IDS[name], "roles": ["Database Reader"]} for name in NAMES]
    tokens += [{"token": ENTERPRISE, "enterprise": True, "organizations": list(IDS.values())}]
    with Emulator(organizations, tokens) as emulator:
        yield emulator


@pytest.fixture
def fleet(_fleet_service, tmp_path, ansible_environment):
    """Six organizations, with nothing configured and an empty journal."""
    _fleet_service.reset()
    directory = tmp_path / "work"
    directory.mkdir()
    return Fleet(_fleet_service, directory, ansible_environment)
