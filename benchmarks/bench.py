# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of something, measured: an emulated service, an inventory, and the contenders."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from emulator.client import Emulator

ROOT = Path(__file__).resolve().parent.parent
PLAYBOOKS = Path(__file__).parent / "playbooks"
TOKEN = f"AstraCS:{'benchmark'.ljust(24, 'x')}:{'0' * 64}"
STREAM = {
    "endpoint": "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651",
    "topic": "persistent://acme-audit/security/astra-audit-log",
}
PULSAR_TOKEN = "e30.e30.none"  # nobody has signed this JWT


@dataclass
class Measurement:
    """What a run took: seconds, seconds of processor time, KiB of the controller, requests by method, exit status."""

    wall: float
    cpu: float
    memory: int
    requests: dict[str, int]
    code: int


class Bench:
    """A fleet of organizations on an emulated service, and everything that Ansible needs to work on it.

    :arg emulator: the running service.
    :arg ids: the organizations' ids.
    :arg directory: for the inventory and Ansible's own files.
    :arg forks: how many organizations are worked on at once.
    """

    def __init__(self, emulator: Emulator, ids: list[str], directory: Path, forks: int) -> None:
        self.emulator = emulator
        self.ids = ids
        self._forks = forks
        collection = directory / "collections/ansible_collections/datastax/astra"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(ROOT)
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "audit_log_stream_api_url": emulator.api_url,
            "audit_log_stream_application_token": TOKEN,
            "audit_log_stream_endpoint": STREAM["endpoint"],
            "audit_log_stream_topic": STREAM["topic"],
            "audit_log_stream_pulsar_token": PULSAR_TOKEN,
        }
        if emulator.ca_path:
            variables["benchmark_ca_path"] = emulator.ca_path
        hosts = {f"org-{number:04}": {"audit_log_stream_organization_id": id} for number, id in enumerate(ids)}
        self._inventory = directory / "inventory.json"
        self._inventory.write_text(
            json.dumps({"all": {"children": {"astra_organizations": {"hosts": hosts, "vars": variables}}}})
        )
        config = directory / "ansible.cfg"
        config.touch()
        self._environment = {
            **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
            "ANSIBLE_HOME": str(directory / "home"),
            "ANSIBLE_CONFIG": str(config),
            "ANSIBLE_FORKS": str(forks),
            "ANSIBLE_PIPELINING": "1",
        }
        if emulator.ca_path:
            self._environment["REQUESTS_CA_BUNDLE"] = emulator.ca_path

    def play(self, playbook: str, *arguments: str, output: int = subprocess.DEVNULL) -> Measurement:
        """Run a playbook of this directory, or one by FQCN, and measure it."""
        path = PLAYBOOKS / f"{playbook}.yml"
        command = ["ansible-playbook", "-i", str(self._inventory), str(path) if path.exists() else playbook, *arguments]
        self.emulator.clear_journal()
        started = time.perf_counter()
        process = subprocess.Popen(command, env=self._environment, stdout=output)
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Measurement(
            wall=time.perf_counter() - started,
            cpu=usage.ru_utime + usage.ru_stime,
            memory=usage.ru_maxrss,
            requests=dict(Counter(entry["method"] for entry in self.emulator.journal())),
            code=process.returncode,
        )

    def ask(self, check: bool) -> Measurement:
        """Do the same as one asynchronous HTTP client: the wire's floor."""
        self.emulator.clear_journal()
        started, busy = time.perf_counter(), time.process_time()
        asyncio.run(self._ask_all(check))
        return Measurement(
            wall=time.perf_counter() - started,
            cpu=time.process_time() - busy,
            memory=0,
            requests=dict(Counter(entry["method"] for entry in self.emulator.journal())),
            code=0,
        )

    async def _ask_all(self, check: bool) -> None:
        body = {"pulsar": {**STREAM, "auth_strategy": "token", "auth_name": "token", "token": PULSAR_TOKEN}}
        connector = aiohttp.TCPConnector(limit=self._forks, ssl=False)
        headers = {"Authorization": f"Bearer {TOKEN}"}

        async def one(session: aiohttp.ClientSession, id: str) -> None:
            url = f"{self.emulator.api_url}/v2/organizations/{id}/telemetry/auditLogs"
            async with session.get(url) as answer:
                present = answer.status == 200
                await answer.read()
            if not present and not check:
                async with session.post(url, json=body) as answer:
                    await answer.read()
                async with session.get(url) as answer:
                    await answer.read()

        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            await asyncio.gather(*(one(session, id) for id in self.ids))

    def stored(self) -> list[dict | None]:
        """Return what the service has stored for every organization."""
        return [entry["audit_logs"] for entry in self.emulator.organizations()]


def fleet(size: int, **settings: object) -> tuple[Emulator, list[str]]:
    """Return an emulator that is not started yet, with so many organizations, and their ids."""
    ids = [str(uuid.UUID(int=number + 1)) for number in range(size)]
    token = {"token": TOKEN, "enterprise": True, "organizations": ids}
    return Emulator([{"id": id} for id in ids], [token], **settings), ids
