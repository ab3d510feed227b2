# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The soak: a fleet's playbook, three times in a row, at a service that fails at random all the time."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks import machine, process
from benchmarks.fleet import ROOT, Workplace, organizations, tokens, wanted_stream, workplace
from benchmarks.report import table
from emulator.client import Emulator

RUNS = 3
APPLY_LAG = 0.2  # seconds
PLAYBOOK = "datastax.astra.audit_log_stream"
ENVELOPE = {"errors": [{"ID": 1, "message": "A random fault."}]}

# What happens to any request. Each is as likely as the others.
FAULTS = {
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "1"}, "body": ENVELOPE},
    "502 with HTML": {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<html>Bad gateway</html>"},
    "503": {"status": 503, "body": ENVELOPE},
    "504 although carried out": {"status": 504, "apply": True, "body": ""},
    "reset before it is carried out": {"drop": "before"},
    "reset after it was carried out": {"drop": "after"},
    "closed before it is carried out": {"close": "before"},
    "closed after it was carried out": {"close": "after"},
    "body cut off": {"truncate": 20},
    "answer that is not HTTP": {"raw": "\0\0\0"},
    "headers byte by byte": {"drip": {"what": "headers", "interval": 0.02}},
    "body byte by byte": {"drip": {"what": "body", "interval": 0.02}},
    "answer two seconds late": {"delay": 2},
    "new connections refused for half a second": {"refuse_after": 0.5},
}
# What happens to POST besides. A 500 is not tried again: the organization fails, and the next run puts it right.
FAULTS_OF_POST = {
    "409 to POST": {"status": 409, "body": ENVELOPE},
    "500 to POST": {"status": 500, "body": ENVELOPE},
    "500 to POST although carried out": {"status": 500, "apply": True, "body": ENVELOPE},
}


class Run(NamedTuple):
    """One run of the playbook.

    :ivar counts: how many organizations ended how, as the playbook's summary says.
    :ivar requests: how many of each method the service received.
    :ivar wrong: how many organizations are not as they should be.
    """

    usage: process.Usage
    counts: dict[str, int]
    requests: Counter
    wrong: int


def main(arguments: list[str]) -> int:
    """Run the soak and write its figures; returns the exit status: 1 when it did not end as it must."""
    options = _parse_arguments(arguments)
    described = machine.describe()
    try:
        runs, struck = _soak(options)
    except process.BenchmarkFailed as error:
        print(error, file=sys.stderr)
        return 1
    verdicts = judge(runs)
    conditions = {
        "Organizations": str(options.organizations),
        "Forks": str(options.forks),
        "Latency of the service": f"{options.latency * 1000:g} ms",
        "A change is visible after": f"{APPLY_LAG * 1000:g} ms",
        "Requests that fail": f"{options.fault_rate:.0%}",
    }
    text = _markdown(described | conditions, runs, struck, verdicts)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "soak.md").write_text(text, "utf-8")
    print(f"\n{text}\nsoak.md is in {options.output}.")
    return 0 if all(verdicts.values()) else 1


def judge(runs: list[Run]) -> dict[str, bool]:
    """Return what must be so at the end, and whether it is."""
    last = runs[-1]
    return {
        "After the last run every organization is as it should be": last.wrong == 0,
        "The last run changed nothing: no organization, and no request but GET": (
            last.counts["unchanged"] == sum(last.counts.values()) and set(last.requests) == {"GET"}
        ),
        "No run left more organizations wrong than it reported as failed": (
            all(run.wrong <= run.counts["failed"] for run in runs)
        ),
    }


def _parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks soak",
        description=f"Runs the fleet's playbook {RUNS} times at a service that fails at random. It must end with every "
        "organization right, and the last run must change nothing.",
    )
    add = parser.add_argument
    add("--organizations", type=int, default=1000, metavar="N", help="how many there are (default: %(default)s)")
    add("--forks", type=int, default=50, metavar="N", help="Ansible's workers (default: %(default)s)")
    add(
        "--latency",
        type=float,
        default=0.05,
        metavar="SECONDS",
        help="time that every answer of the service takes (default: %(default)s)",
    )
    add(
        "--fault-rate",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of the requests that a fault strikes (default: %(default)s)",
    )
    add(
        "--output",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        metavar="DIR",
        help="where soak.md goes (default: build/benchmarks)",
    )
    return parser.parse_args(arguments)


def _soak(options: argparse.Namespace) -> tuple[list[Run], dict[str, int]]:
    fleet = organizations(options.organizations)
    # Of ten organizations one streams elsewhere, one streams and shall not, and eight do not stream yet.
    elsewhere = {"pulsar": wanted_stream() | {"topic": "persistent://acme-audit/default/elsewhere"}}
    to_delete = frozenset(each.name for each in fleet[1::10])
    seeds = [
        {"id": each.id, "name": each.name, "audit_logs": elsewhere if number % 10 < 2 else None}
        for number, each in enumerate(fleet)
    ]
    wanted = {each.id: None if each.name in to_delete else {"pulsar": wanted_stream()} for each in fleet}
    with (
        Emulator(seeds, tokens(fleet), latency=options.latency, apply_lag=APPLY_LAG) as emulator,
        workplace(emulator, options.forks) as place,
    ):
        for fault in FAULTS.values():
            emulator.fault(**fault, times=None, probability=options.fault_rate / len(FAULTS))
        for fault in FAULTS_OF_POST.values():
            match = {"method": "POST"}
            emulator.fault(**fault, match=match, times=None, probability=options.fault_rate / len(FAULTS))
        command = place.playbook_command(PLAYBOOK, place.write_inventory(fleet, to_delete))
        runs = []
        for number in range(1, RUNS + 1):
            print(f"Run {number} of {RUNS} ...", flush=True)
            runs.append(_run(command, place, emulator, wanted))
        struck = [fault["fired"] for fault in emulator.faults()]
    return runs, dict(zip([*FAULTS, *FAULTS_OF_POST], struck, strict=True))


def _run(command: list[str], place: Workplace, emulator: Emulator, wanted: dict[str, dict | None]) -> Run:
    # 2 is what ansible-playbook says when an organization failed.
    usage, output = process.run(command, place.path, place.environment, statuses=(0, 2))
    summary = re.search(r"^Audit log streaming: \d+ organizations: (.+)$", output, re.MULTILINE)
    if not summary:
        raise process.BenchmarkFailed(f"The playbook ended without its summary:\n{output[-2000:]}")
    counts = {outcome: int(count) for count, outcome in re.findall(r"(\d+) ([a-z ]+)", summary[1])}
    requests = Counter(entry["method"] for entry in emulator.journal())
    emulator.clear_journal()
    wrong = sum(entry["audit_logs"] != wanted[entry["id"]] for entry in emulator.organizations())
    return Run(usage, counts, requests, wrong)


def _markdown(conditions: dict[str, str], runs: list[Run], struck: dict[str, int], verdicts: dict[str, bool]) -> str:
    rows = [
        [
            f"run {number}",
            f"{run.usage.wall:.0f}",
            ", ".join(f"{count} {outcome}" for outcome, count in run.counts.items() if count),
            ", ".join(f"{count} {method}" for method, count in sorted(run.requests.items())),
            str(run.wrong),
        ]
        for number, run in enumerate(runs, 1)
    ]
    sent = sum(run.requests.total() for run in runs)
    lines = ["# Soak", "", *table(["", ""], list(conditions.items())), ""]
    lines += table(["", "wall time (s)", "outcome", "requests", "not as they should be afterwards"], rows)
    lines += ["", f"Of {sent} requests {sum(struck.values())} met a fault:", ""]
    lines += [*table(["fault", "times"], [(name, str(times)) for name, times in struck.items()]), ""]
    lines += [f"- {verdict}: {'yes' if holds else '**no**'}." for verdict, holds in verdicts.items()]
    return "\n".join(lines) + "\n"
