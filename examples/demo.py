# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: from an empty service to streaming audit logs, on the example inventory; proves each step."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

EXAMPLES = Path(__file__).resolve().parent
ROOT = EXAMPLES.parent
sys.path.insert(0, str(ROOT))

from emulator.client import Emulator  # noqa: E402 - the repository's root has to be on the path first

DESTINATION = "datastax.astra.audit_log_destination"
STREAM = "datastax.astra.audit_log_stream"
DELIVERY = "datastax.astra.audit_log_delivery"
DRIFTED_TOPIC = "persistent://acme-audit/default/somewhere-else"
# The emulator has no broker, and Astra's own must not be asked about made-up tokens. A new token is used at once.
EMULATED = """\
audit_log_stream_verify_destination: false
audit_log_destination_verify_destination: false
audit_log_destination_revoke_after: 0s
"""
# Of the tenant that others look after, whose client.conf of the examples is about Astra's own broker.
LABS = "acme-labs"
LABS_HOLDS = {
    "tokens": [{"id": "labs"}],
    "namespaces": [
        {"name": "security", "topics": [{"name": "astra-audit-log", "subscriptions": {"siem": "earliest"}}]}
    ],
}
EXPORT_TIMEOUT = 60  # seconds
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

    def run(self, *arguments: str, shows: Iterable[str]) -> None:
        """Show and run ansible-playbook, and prove what was said of it.

        :arg shows: texts that its output must hold.
        :raises SystemExit: it did not succeed, or its output lacks one of them.
        """
        command = ["ansible-playbook", *arguments]
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

    def streams(self) -> dict[str, dict | None]:
        """Return what the service has stored as each organization's stream."""
        stored = {name: self._emulator.organization(id)["audit_logs"] for name, id in self._organizations.items()}
        return {name: entry and entry["pulsar"] for name, entry in stored.items()}

    def token_ids(self) -> list[str]:
        """Return the ids of the Pulsar tokens of all tenants that the demo makes."""
        tenants = [tenant for tenant in self._emulator.tenants() if tenant["name"] != LABS]
        return [token["id"] for tenant in tenants for token in tenant["tokens"]]

    def expect(self, topics: dict[str, str | None], *, writes: int, tokens: int = 1) -> None:
        """Prove a step by what the service has stored, and by the requests that it received.

        :arg topics: the topic that each organization streams to.
        :arg writes: how many requests changed something.
        :arg tokens: how many Pulsar tokens there are.
        :raises SystemExit: the service shows something else.
        """
        methods = [entry["method"] for entry in self._emulator.journal()]
        self._emulator.clear_journal()
        shown = {name: stream and stream["topic"] for name, stream in self.streams().items()}
        found = (shown, len(self.token_ids()), len(methods) - methods.count("GET"))
        if found != (topics, tokens, writes):
            sys.exit(f"The demo failed: the service has {found} after {', '.join(methods)}.")

    def act(self, names: Iterable[str]) -> None:
        """Let something audited happen in organizations, and wait until their events have left the service.

        :raises SystemExit: one of them did not get away.
        """
        ids = [self._organizations[name] for name in names]
        for id in ids:
            self._emulator.act(id)
        deadline = time.monotonic() + EXPORT_TIMEOUT
        while not all(self._emulator.exporter()[id]["delivered"] for id in ids):
            if time.monotonic() > deadline:
                sys.exit(f"The demo failed: events were not exported: {self._emulator.exporter()}")
            time.sleep(0.1)

    def drift(self, name: str) -> None:
        """Change an organization as somebody would in the portal."""
        entry = self._emulator.organization(self._organizations[name])["audit_logs"]
        entry["pulsar"]["topic"] = DRIFTED_TOPIC
        self._emulator.set_organization(self._organizations[name], entry)


def show(demo: Demo, has_broker: bool) -> None:
    """Go through all steps.

    :arg has_broker: whether there is a real broker, so that delivery can be proven.
    """
    shared, own = "persistent://acme-audit/security/astra-audit-log", "persistent://acme-labs/security/astra-audit-log"
    users = ("acme-production", "acme-staging", "acme-europe")
    wanted = {**dict.fromkeys(users, shared), "acme-labs": own, "acme-retired": None}
    nothing = dict.fromkeys(wanted)

    demo.caption("An empty service. One command makes the destination and starts four streams.")
    demo.expect(nothing, writes=0, tokens=0)
    demo.run(DESTINATION, STREAM, shows=["created  tenant acme-audit", "4 created"])
    demo.expect(wanted, writes=11)

    if has_broker:
        demo.caption("Something audited happens in each organization. Do the events arrive at the broker?")
        demo.act([*users, LABS])
        demo.run(DELIVERY, shows=["Audit log delivery: 5 organizations: 4 proven, 1 not streamed"])
        demo.expect(wanted, writes=0)

    demo.caption("Again: nothing to do.")
    demo.run(DESTINATION, STREAM, shows=["Destination acme-audit: as it should be", "as they should be"])
    demo.expect(wanted, writes=0)

    demo.caption("Somebody sends acme-staging's audit log elsewhere. A check finds it and changes nothing.")
    demo.drift("acme-staging")
    demo.run(STREAM, "--check", "--diff", shows=["acme-staging", DRIFTED_TOPIC])
    demo.expect({**wanted, "acme-staging": DRIFTED_TOPIC}, writes=0)

    demo.caption("The next run puts it right.")
    demo.run(STREAM, "--limit", "acme-staging", shows=["1 organization updated"])
    demo.expect(wanted, writes=1)

    demo.caption("Who streams where?")
    demo.run(f"{STREAM}_info", shows=[shared, own])
    demo.expect(wanted, writes=0)

    demo.caption("A new Pulsar token for the destination: its streams take it over, then the old one is revoked.")
    before, tokens = demo.token_ids(), {name: demo.streams()[name]["token"] for name in users}
    demo.run(DESTINATION, "-e", "audit_log_destination_rotate=true", shows=[f"{before[0]} revoked"])
    demo.expect(wanted, writes=5)
    if demo.token_ids() == before or any(demo.streams()[name]["token"] == tokens[name] for name in users):
        sys.exit("The demo failed: a stream, or the destination, still has the old token.")

    demo.caption("And all of it can be undone.")
    undo = ("audit_log_stream_state=absent audit_log_destination_state=absent", "audit_log_destination_force=true")
    demo.run(STREAM, DESTINATION, "-e", " ".join(undo), shows=["4 deleted", "deleted  tenant"])
    demo.expect(nothing, writes=8, tokens=0)


def stop(_signal: int, _frame: object) -> None:
    """End the demo; from now on nothing cuts short what the context managers do to clean up.

    :raises KeyboardInterrupt: always.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def read_vault(path: Path) -> dict:
    """Return the variables of an encrypted file."""
    vault = VaultLib([("default", VaultSecret((EXAMPLES / "demo-vault-password").read_bytes().strip()))])
    return yaml.safe_load(vault.decrypt(path.read_bytes()))


def start_broker(stack: contextlib.ExitStack) -> dict:
    """Run a real Apache Pulsar; returns how the emulator reaches it.

    :raises SystemExit: it cannot be run, and why.
    """
    # What they need is installed for this alone.
    from tests.pulsar.broker import StartFailed, run_broker
    from tests.pulsar.distribution import DownloadFailed, Missing, get_distribution

    print("Starting a real Apache Pulsar (the first time, 250 MB are downloaded) ...", flush=True)
    try:
        get_distribution()
        broker = stack.enter_context(run_broker())
    except (DownloadFailed, Missing, StartFailed) as error:
        sys.exit(str(error))
    return {
        "admin_url": broker.admin_tls_url,
        "broker_url": broker.broker_tls_url,
        "superuser_token": broker.superuser_token,
        "secret_key_path": broker.secret_key_path,
        "ca_path": broker.ca_path,
    }


def use_broker(directory: Path, emulator: Emulator, access: dict, owner: str) -> None:
    """Have the examples trust the broker, and move the tenant that others look after to it.

    :arg owner: the id of that tenant's organization.
    """
    [token] = emulator.set_tenant(owner, LABS, **LABS_HOLDS)["tokens"]
    lines = [f"webServiceUrl={emulator.admin_url}", f"brokerServiceUrl={access['broker_url']}"]
    conf = directory / f"inventory/{LABS}.client.conf"
    conf.write_text("\n".join([*lines, f"authParams=token:{token['token']}"]) + "\n")
    with (directory / "inventory/group_vars/all/demo.yml").open("a") as variables:
        for prefix in ("audit_log_stream", "audit_log_destination"):
            variables.write(f"{prefix}_ca_path: {access['ca_path']}\n")


def main() -> None:
    """Set the stage, show the demo, and leave nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pulsar", action="store_true", help="prove the delivery with a real Apache Pulsar")
    has_broker = parser.parse_args().pulsar
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    inventory = EXAMPLES / "inventory"
    destination_tokens = read_vault(inventory / "group_vars/astra_destinations/vault.yml")["vault_destination_tokens"]
    application_tokens = read_vault(inventory / "group_vars/astra_organizations/vault.yml")["vault_application_tokens"]
    hosts = yaml.safe_load((inventory / "hosts.yml").read_text())["astra_organizations"]["hosts"]
    organizations = {name: variables["audit_log_stream_organization_id"] for name, variables in hosts.items()}
    seeds = [{"id": id, "name": name} for name, id in organizations.items()]
    tokens = [{"token": application_tokens[name], "organization_id": id} for name, id in organizations.items()]
    # The organization that owns the destination's tenant.
    tokens += [
        {"token": token, "organization_id": organizations["acme-production"]} for token in destination_tokens.values()
    ]
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="astra-demo-"))
        directory = Path(name) / "examples"
        shutil.copytree(EXAMPLES, directory, ignore=shutil.ignore_patterns("__pycache__", "awx"))
        collection = directory / "collections/ansible_collections/datastax/astra"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(ROOT)
        (directory / "inventory/group_vars/all").mkdir(exist_ok=True)
        (directory / "inventory/group_vars/all/demo.yml").write_text(EMULATED)
        access = start_broker(stack) if has_broker else None
        emulator = stack.enter_context(Emulator(seeds, tokens, pulsar=access))
        if access:
            use_broker(directory, emulator, access, organizations[LABS])
        show(Demo(directory, emulator, organizations), has_broker)
    print("\nThe demo is over; the emulated service and all files are gone.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nThe demo was stopped; the emulated service and all files are gone.", file=sys.stderr)
        sys.exit(130)
