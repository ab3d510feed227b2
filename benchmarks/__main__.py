# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures what users run, and what they would run instead: one table, one plot."""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import platform
import statistics
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks import process
from benchmarks.fleet import ROOT, VARIABLES, Workplace, make_organizations, make_tokens, wanted_stream, workplace
from emulator.client import Emulator

HERE = Path(__file__).resolve().parent
PLAYBOOK = "datastax.astra.audit_log_stream"
OTHER_TOPIC = {"pulsar": wanted_stream() | {"topic": "persistent://acme-audit/default/elsewhere"}}

# Each way to do the job, and the command that does it, but for the inventory.
CONTENDERS = {
    "client": [str(HERE / "http_client.py")],
    "no-op": [str(HERE / "playbooks/noop.yml")],
    "playbook": [PLAYBOOK],
    "task": [str(HERE / "playbooks/task.yml")],
    "module": [str(HERE / "playbooks/task.yml"), "--extra-vars", "astra_in_process=false"],
    "uri": [str(HERE / "playbooks/uri.yml")],
}
SLOW = ("module", "uri")  # these start Python for every organization
# In the order in which they are run: nothing is configured, all is as it should be, and so on.
PHASES = {"first": [], "unchanged": [], "check": ["--check"], "drift": []}


class Key(NamedTuple):
    """What was measured."""

    size: int
    variables: str
    phase: str
    contender: str


class Sample(NamedTuple):
    """One measurement: seconds, KiB of the controller, requests by method."""

    wall: float
    cpu: float
    peak: int
    requests: dict[str, int]


class Bar(NamedTuple):
    """What a ratio between two contenders may be. Both are of the same run, because the machine's pace changes."""

    claim: str
    ours: Key
    other: Key
    limit: float
    is_floor: bool = False  # whether the limit is what the other has to exceed ours by

    def judge(self, samples: dict[Key, list[Sample]]) -> tuple[float, bool] | None:
        """Return the median ratio and whether it holds, or None when it was not measured."""
        pairs = list(zip(samples.get(self.ours, ()), samples.get(self.other, ()), strict=False))
        if not pairs:
            return None
        ours_to_other = [ours.wall / other.wall for ours, other in pairs]
        ratio = statistics.median(1 / each if self.is_floor else each for each in ours_to_other)
        return ratio, ratio >= self.limit if self.is_floor else ratio <= self.limit


def list_bars() -> list[Bar]:
    """Return every bar."""

    def key(contender: str, phase: str = "unchanged", size: int = 1000, variables: str = "plain") -> Key:
        return Key(size, variables, phase, contender)

    return [
        Bar("playbook, unchanged, to the no-op", key("playbook"), key("no-op"), 0.3),
        Bar("playbook, unchanged, to the no-op, N = 200", key("playbook", size=200), key("no-op", size=200), 0.5),
        Bar("playbook, 1 % drifted, to the no-op", key("playbook", "drift"), key("no-op"), 0.4),
        Bar("playbook, first run, to the no-op", key("playbook", "first"), key("no-op"), 2.0),
        Bar("uri, unchanged, to the playbook", key("playbook"), key("uri"), 40, is_floor=True),
        Bar("uri, first run, to the playbook", key("playbook", "first"), key("uri", "first"), 12, is_floor=True),
        Bar("templated token, to the no-op", key("playbook", variables="templated"), key("no-op"), 0.5),
        Bar("vaulted token, to the no-op", key("playbook", variables="vaulted"), key("no-op"), 0.6),
        Bar(
            "lookup of 100 ms, to the forks", key("playbook", variables="lookup"), key("no-op", variables="lookup"), 1.5
        ),
        Bar("playbook, N = 5,000 to N = 1,000", key("playbook", size=5000), key("playbook"), 6),
        Bar("task, unchanged, to the no-op", key("task"), key("no-op"), 1.7),
        Bar("module, unchanged, to the task", key("task", size=200), key("module", size=200), 8, is_floor=True),
    ]


def main(arguments: list[str]) -> int:
    """Measure and write the results; returns the exit status: 1 when a contender did not do its job."""
    options = _parse_arguments(arguments)
    try:
        samples = _measure(options)
    except process.BenchmarkFailed as error:
        print(error, file=sys.stderr)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    document = [{**key._asdict(), "samples": [each._asdict() for each in group]} for key, group in samples.items()]
    (options.output / "results.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    text = format_report(samples, options)
    (options.output / "results.md").write_text(text, "utf-8")
    _draw(samples, options.output / "plot.svg")
    print(f"\n{text}\nresults.json, results.md and plot.svg are in {options.output}.")
    return 0


def _parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--organizations", type=int, nargs="+", default=[200, 1000], metavar="N", help="how many (%(default)s)")
    add("--runs", type=int, default=3, metavar="N", help="how often all is measured (%(default)s)")
    add("--forks", type=int, default=50, metavar="N", help="Ansible's workers (%(default)s)")
    add("--latency", type=float, default=0.05, metavar="SECONDS", help="of every answer of the service (%(default)s)")
    add(
        "--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME", help=str([*CONTENDERS])
    )
    add("--variables", nargs="+", choices=VARIABLES, default=["plain"], metavar="KIND", help=str([*VARIABLES]))
    add("--slow-up-to", type=int, default=1000, metavar="N", help="measure module and uri up to so many (%(default)s)")
    add("--output", type=Path, default=ROOT / "build/benchmarks", metavar="DIR", help="(build/benchmarks)")
    return parser.parse_args(arguments)


def _measure(options: argparse.Namespace) -> dict[Key, list[Sample]]:
    everyone = make_organizations(max(options.organizations))
    seeds = [{"id": each.id, "name": each.name} for each in everyone]
    samples: dict[Key, list[Sample]] = {}
    with (
        Emulator(seeds, make_tokens(everyone), latency=options.latency) as emulator,
        workplace(emulator, options.forks) as place,
    ):
        combinations = list(itertools.product(sorted(set(options.organizations)), options.variables))
        for run, (size, variables) in itertools.product(range(options.runs), combinations):
            inventory = place.write_inventory(everyone[:size], variables)
            # Another one begins each time, so that a machine that gets slower or faster favours nobody.
            begin = run % len(options.contenders)
            for name in options.contenders[begin:] + options.contenders[:begin]:
                # Only what is ours, and the floor, depends on where the variables come from.
                if name in (*SLOW, "client") and (variables != "plain" or size > options.slow_up_to or run):
                    continue
                emulator.reset()
                for phase, arguments in PHASES.items():
                    key = Key(size, variables, phase, name)
                    sample = _run(key, [*CONTENDERS[name], *arguments], inventory, everyone[:size], emulator, place)
                    samples.setdefault(key, []).append(sample)
                    shown = f"{size:5}  {variables:9} {phase:9} {name:8}"
                    print(f"run {run + 1}/{options.runs}  {shown} {sample.wall:8.2f} s", flush=True)
    return samples


def _run(key: Key, command: list[str], inventory: Path, fleet: list, emulator: Emulator, place: Workplace) -> Sample:
    if key.phase == "drift":
        for each in fleet[::100]:
            emulator.set_organization(each.id, OTHER_TOPIC)
    if key.contender == "client":
        plan = place.write_plan(fleet)
        command = [sys.executable, command[0], str(plan), *command[1:]]
    else:
        command = place.make_command(inventory, *command)
    usage, _output = process.run(command, place.path, place.environment)
    requests = Counter(entry["method"] for entry in emulator.journal())
    emulator.clear_journal()
    if key.contender != "no-op":
        stored = {entry["id"]: entry["audit_logs"] for entry in emulator.organizations()}
        wrong = [each.name for each in fleet if stored[each.id] != {"pulsar": wanted_stream()}]
        if wrong:
            raise process.BenchmarkFailed(f"{key}: {len(wrong)} organizations are not right.")
    return Sample(*usage, dict(requests))


def format_report(samples: dict[Key, list[Sample]], options: argparse.Namespace) -> str:
    """Return the table of all figures and of the bars, in Markdown."""
    conditions = f"{options.runs} runs, {options.forks} forks, {options.latency * 1000:g} ms latency"
    machine = f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    tools = f"ansible-core {version('ansible-core')}, requests {version('requests')}"
    lines = [f"{datetime.date.today().isoformat()}: {conditions}; {machine}; {tools}. Medians.", ""]
    rows = []
    for claim in list_bars():
        if judged := claim.judge(samples):
            ratio, holds = judged
            sign = ">=" if claim.is_floor else "<="
            rows.append([claim.claim, f"{sign} {claim.limit:g}", f"{ratio:.2f}", "yes" if holds else "**no**"])
    lines += [*_format_table(["ratio", "bar", "measured", "holds"], rows), ""] if rows else []
    rows = []
    for key, group in sorted(samples.items()):
        wall = statistics.median(each.wall for each in group)
        requests = ", ".join(f"{count / key.size:.3g} {method}" for method, count in sorted(group[-1].requests.items()))
        spread = f"{min(each.wall for each in group):.1f}-{max(each.wall for each in group):.1f}"
        peak = max(each.peak for each in group) / 1024
        rows.append([*map(str, key), f"{wall:.2f}", spread, f"{wall / key.size * 1000:.1f}", requests, f"{peak:.0f}"])
    headings = ["N", "variables", "phase", "", "seconds", "range", "ms each", "requests each", "MiB"]
    return "\n".join([*lines, *_format_table(headings, rows), ""])


def _format_table(headings: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows)]


def _draw(samples: dict[Key, list[Sample]], path: Path) -> None:
    # Only now, so that a program of many megabytes does not run beside what is measured.
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, phase in zip(axes, ("unchanged", "first"), strict=True):
        for name in CONTENDERS:
            keys = sorted(key for key in samples if key[1:] == ("plain", phase, name))
            walls = [statistics.median(each.wall for each in samples[key]) for key in keys]
            axis.plot([key.size for key in keys], walls, marker="o", label=name)
        axis.set(xscale="log", yscale="log", xlabel="organizations", title=f"{phase}, seconds")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    if sys.argv[1:2] == ["soak"]:
        from benchmarks import soak

        sys.exit(soak.main(sys.argv[2:]))
    sys.exit(main(sys.argv[1:]))
