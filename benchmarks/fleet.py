# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet: organizations, what is wanted for them, and the inventory and environment to run Ansible on them."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
from ansible.constants import DEFAULT_VAULT_ID_MATCH
from ansible.parsing.vault import VaultLib, VaultSecret

from emulator.client import Emulator

ROOT = Path(__file__).resolve().parent.parent
CLIENT_CONF = ROOT / "benchmarks" / "client.conf"
GROUP = "astra_organizations"
TOPIC = "persistent://acme-audit/security/astra-audit-log"
VAULT_PASSWORD = "benchmark"


class Organization(NamedTuple):
    """An organization of the fleet."""

    name: str
    id: str
    application_token: str


def make_organizations(count: int) -> list[Organization]:
    """Return so many organizations, always the same ones."""
    return [
        Organization(f"org-{number:04}", f"0a1b2c3d-0000-4000-8000-{number:012}", f"AstraCS:{number:024}:{number:064x}")
        for number in range(1, count + 1)
    ]


def make_tokens(fleet: list[Organization]) -> list[dict]:
    """Return the application tokens as the emulator's state file wants them."""
    return [{"token": each.application_token, "organization_id": each.id} for each in fleet]


def wanted_stream() -> dict[str, str]:
    """Return the destination that each organization shall get, as the API names its fields."""
    entries = dict(line.split("=", 1) for line in CLIENT_CONF.read_text("utf-8").splitlines())
    return {
        "endpoint": entries["brokerServiceUrl"],
        "topic": TOPIC,
        "auth_strategy": "token",
        "auth_name": "token",
        "token": entries["authParams"].removeprefix("token:"),
    }


class _Vaulted(str):
    """A text that YAML writes with the tag of a vaulted value."""


yaml.SafeDumper.add_representer(_Vaulted, lambda dumper, text: dumper.represent_scalar("!vault", str(text), style="|"))


@functools.cache
def _encrypt(text: str) -> _Vaulted:
    vault = VaultLib([(DEFAULT_VAULT_ID_MATCH, VaultSecret(VAULT_PASSWORD.encode()))])
    return _Vaulted(vault.encrypt(text.encode()).decode())


# Where a host's application token comes from.
VARIABLES = {
    "plain": lambda token: token,
    "templated": lambda token: f"{{{{ ['{token[:8]}', '{token[8:]}'] | join('') }}}}",
    "vaulted": _encrypt,
    "lookup": lambda token: f"{{{{ lookup('slow', '{token}') }}}}",
}


class Workplace:
    """A directory in which Ansible runs, with nothing of the developer's own settings.

    :arg path: an empty directory.
    :arg emulator: the running service.
    :arg forks: how many workers Ansible has.
    """

    def __init__(self, path: Path, emulator: Emulator, forks: int) -> None:
        self.path = path
        self._forks = forks
        self._api_url = emulator.api_url
        collection = path / "collections/ansible_collections/datastax/astra"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(ROOT)
        (path / "ansible.cfg").touch()
        (path / "client.conf").write_text(CLIENT_CONF.read_text("utf-8"), "utf-8")
        (path / "password").write_text(VAULT_PASSWORD, "utf-8")
        self.environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "HOME": str(path),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(path / "collections"),
            "ANSIBLE_CONFIG": str(path / "ansible.cfg"),
            "ANSIBLE_HOME": str(path / "ansible"),
            "ANSIBLE_FORKS": str(forks),
            "ANSIBLE_LOOKUP_PLUGINS": str(Path(__file__).parent / "playbooks/lookup_plugins"),
            "ANSIBLE_PIPELINING": "true",  # spares each packed module two files and a process
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_VAULT_PASSWORD_FILE": str(path / "password"),
            "ASTRA_API_URL": emulator.api_url,
        }

    def make_command(self, inventory: Path, playbook: str, *options: str) -> list[str]:
        """Return the command line that runs a playbook with the ansible-core of this interpreter."""
        return [sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), playbook, *options]

    def write_inventory(
        self, fleet: list[Organization], variables: str = "plain", absent: frozenset[str] = frozenset()
    ) -> Path:
        """Write the inventory of these organizations and return its path.

        :arg variables: one of the kinds of ``VARIABLES``.
        :arg absent: names of those whose audit log shall not be streamed.
        """
        stream = wanted_stream()
        shared = {
            "ansible_connection": "local",
            # Without it Ansible would look for an interpreter, which could be a slow wrapper around the real one.
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "audit_log_stream_client_conf": "client.conf",
            "audit_log_stream_topic": stream["topic"],
            "audit_log_stream_verify_destination": False,  # there is no broker
            # For the contenders that are no role.
            "api_url": self._api_url,
            "pulsar_token": stream["token"],
            "evaluates_token": variables == "lookup",
        }
        hosts = {
            each.name: {
                "audit_log_stream_organization_id": each.id,
                "audit_log_stream_application_token": VARIABLES[variables](each.application_token),
                **({"audit_log_stream_state": "absent"} if each.name in absent else {}),
            }
            for each in fleet
        }
        path = self.path / f"inventory-{len(fleet)}-{variables}.yml"
        if not path.exists():
            path.write_text(yaml.safe_dump({GROUP: {"vars": shared, "hosts": hosts}}, sort_keys=False), "utf-8")
        return path

    def write_plan(self, fleet: list[Organization]) -> Path:
        """Write what the bare HTTP client has to do and return its path."""
        plan = {
            "api_url": self._api_url,
            "concurrency": self._forks,
            "organizations": [{"id": each.id, "token": each.application_token} for each in fleet],
            "stream": wanted_stream(),
        }
        path = self.path / f"plan-{len(fleet)}.json"
        path.write_text(json.dumps(plan), "utf-8")
        return path


@contextlib.contextmanager
def workplace(emulator: Emulator, forks: int) -> Iterator[Workplace]:
    """Have a workplace, and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="astra-benchmarks-") as name:
        yield Workplace(Path(name), emulator, forks)
