# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: rolls audit log streaming out to the example organizations of an emulated service, and proves each step."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

EXAMPLES = Path(__file__).resolve().parent
ROOT = EXAMPLES.parent
sys.path.insert(0, str(ROOT))

from emulator.client import Emulator  # noqa: E402 - the repository's root has to be on the path first

PLAYBOOK = "datastax.astra.audit_log_stream"
DRIFTED_TOPIC = "persistent://acme-audit/default/somewhere-else"
# A job runner ends a program with SIGTERM, a closed terminal with SIGHUP.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COLOUR = sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


class Demo:
    """One showing of the demo, in a directory of its own.

    :arg directory: a copy of the examples, with the collection in C(collections).
    :arg emulator: the running service.
    :arg organizations: the id of each organization by name.
    """

    def __init__(self, directory: Path, emulator: Emulator, organizations: dict[str, str]) -> None:
        self._directory = directory
        self._emulator = emulator
        self._organizations = organizations
        self._steps = 0
        # No locale: without one, Python chooses the UTF-8 that Ansible asks for.
        names = ("HOME", "TERM", "PYTHONPATH")
        self._environment = {name: os.environ[name] for name in names if name in os.environ}
        self._environment |= {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
            "ANSIBLE_HOME": str(directory / "ansible-home"),
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_FORCE_COLOR" if COLOUR else "ANSIBLE_NOCOLOR": "1",
            "ASTRA_API_URL": emulator.api_url,
        }

    def caption(self, text: str) -> None:
        """Say what comes next."""
        self._steps += 1
        line = f"{self._steps}. {text}"
        print(f"\n\033[1;36m{line}\033[0m" if COLOUR else f"\n{line}", flush=True)

    def run(self, *arguments: str, shows: Iterable[str], playbook: str = PLAYBOOK) -> None:
        """Show and run a command, and prove what was said of it.

        :arg shows: texts that its output must hold.
        :raises SystemExit: it did not succeed, or its output lacks one of them.
        """
        command = ["ansible-playbook", playbook, *arguments]
        print(f"\033[1m$ {shlex.join(command)}\033[0m" if COLOUR else f"$ {shlex.join(command)}", flush=True)
        # In a session of its own, so that Ctrl-C reaches the demo alone, and Ansible does not fill the screen with it.
        process = subprocess.Popen(
            command,
            cwd=self._directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )
        output = ""
        try:
            for line in process.stdout:
                output += line
                print(line, end="", flush=True)
        except BaseException:
            # The newer ansible-core passes it on to its workers, the older has them in its process group.
            os.killpg(process.pid, signal.SIGTERM)
            raise
        finally:
            code = process.wait()
        if code:
            sys.exit(f"The demo failed: {shlex.join(command)} ended with {code}.")
        if missing := [text for text in shows if text not in output]:
            sys.exit(f"The demo failed: {shlex.join(command)} does not show: {', '.join(missing)}")

    def topics(self) -> dict[str, str | None]:
        """Return the topic that each organization streams to, as the service has it stored."""
        stored = {name: self._emulator.organization(id)["audit_logs"] for name, id in self._organizations.items()}
        return {name: entry and entry["pulsar"]["topic"] for name, entry in stored.items()}

    def expect(self, topics: dict[str, str | None], reads: int, writes: int) -> None:
        """Prove a step by what the service has stored, and by how many requests it received.

        :raises SystemExit: the service shows something else.
        """
        methods = [entry["method"] for entry in self._emulator.journal()]
        self._emulator.clear_journal()
        if (self.topics(), methods.count("GET"), len(methods)) != (topics, reads, reads + writes):
            sys.exit(f"The demo failed: the service has {self.topics()} after {', '.join(methods)}.")

    def drift(self, name: str) -> None:
        """Change an organization as somebody would in the portal."""
        entry = self._emulator.organization(self._organizations[name])["audit_logs"]
        entry["pulsar"]["topic"] = DRIFTED_TOPIC
        self._emulator.set_organization(self._organizations[name], entry)


def show(demo: Demo) -> None:
    """Go through all steps."""
    shared, own = "persistent://acme-audit/security/astra-audit-log", "persistent://acme-labs/security/astra-audit-log"
    wanted = dict.fromkeys(("acme-production", "acme-staging", "acme-europe"), shared)
    wanted |= {"acme-labs": own, "acme-retired": None}

    demo.caption("First run: four organizations get their stream; acme-retired loses what somebody had left there.")
    demo.run(shows=["4 created, 0 updated, 1 deleted"])
    demo.expect(wanted, reads=10, writes=5)

    demo.caption("Second run: nothing to do. Each organization cost one request.")
    demo.run(shows=["5 unchanged"])
    demo.expect(wanted, reads=5, writes=0)

    demo.caption("Somebody sends acme-staging's audit log elsewhere. A check finds it and changes nothing.")
    demo.drift("acme-staging")
    demo.run("--check", "--diff", shows=["1 updated", "4 unchanged", DRIFTED_TOPIC])
    demo.expect({**wanted, "acme-staging": DRIFTED_TOPIC}, reads=5, writes=0)

    demo.caption("The next run puts it right.")
    demo.run("--diff", "--limit", "acme-staging", shows=["1 updated"])
    demo.expect(wanted, reads=2, writes=1)

    demo.caption("Who streams where?")
    demo.run(playbook="datastax.astra.audit_log_stream_info", shows=[shared, own, "not streamed"])
    demo.expect(wanted, reads=5, writes=0)

    demo.caption("And all of it can be undone.")
    demo.run("-e", "audit_log_stream_state=absent", shows=["4 deleted, 1 unchanged"])
    demo.expect(dict.fromkeys(wanted), reads=9, writes=4)


def stop(_signal: int, _frame: object) -> None:
    """End the demo; from now on nothing cuts short what the context managers do to clean up.

    :raises KeyboardInterrupt: always.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    """Set the stage, show the demo, and leave nothing behind."""
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    vault = VaultLib([("default", VaultSecret((EXAMPLES / "demo-vault-password").read_bytes().strip()))])
    secrets = vault.decrypt((EXAMPLES / "inventory/group_vars/astra_organizations/vault.yml").read_bytes())
    application_tokens = yaml.safe_load(secrets)["vault_application_tokens"]
    hosts = yaml.safe_load((EXAMPLES / "inventory/hosts.yml").read_text())["astra_organizations"]["hosts"]
    organizations = {name: variables["audit_log_stream_organization_id"] for name, variables in hosts.items()}
    left = {
        "pulsar": {
            "endpoint": "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651",
            "topic": DRIFTED_TOPIC,
            "auth_strategy": "token",
            "auth_name": "token",
            "token": "e30.e30.",
        }
    }
    seeds = [
        {"id": id, "name": name, "audit_logs": left if name == "acme-retired" else None}
        for name, id in organizations.items()
    ]
    tokens = [{"token": application_tokens[name], "organization_id": id} for name, id in organizations.items()]
    with tempfile.TemporaryDirectory(prefix="astra-demo-") as name:
        directory = Path(name) / "examples"
        shutil.copytree(EXAMPLES, directory, ignore=shutil.ignore_patterns("__pycache__", "awx"))
        collection = directory / "collections/ansible_collections/datastax/astra"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(ROOT)
        with Emulator(seeds, tokens) as emulator:
            show(Demo(directory, emulator, organizations))
    print("\nThe demo is over; the emulated service and all files are gone.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nThe demo was stopped; the emulated service and all files are gone.", file=sys.stderr)
        sys.exit(130)
