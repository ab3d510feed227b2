# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The measurements: every contender, for every number of organizations, several times, in turn."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine, process, report
from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.figures import Figures, Sample
from benchmarks.fleet import ROOT, Organization, Workplace, organizations, tokens, wanted_stream, workplace
from emulator.client import Emulator

# These start Python for every organization.
SLOW = ("module", "uri")


def main(arguments: list[str]) -> int:
    """Measure and write the results; returns the exit status: 1 when a contender did not do its job."""
    options = _parse_arguments(arguments)
    described = machine.describe()
    try:
        samples = _measure(options)
    except process.BenchmarkFailed as error:
        print(error, file=sys.stderr)
        return 1
    conditions = {
        "Forks": str(options.forks),
        "Latency of the service": f"{options.latency * 1000:g} ms",
        "TLS": "yes, certificates verified" if options.tls else "no",
        "Figures": _figures(options),
    }
    figures = Figures(samples)
    options.output.mkdir(parents=True, exist_ok=True)
    document = {"machine": described, "conditions": conditions, "samples": [sample._asdict() for sample in samples]}
    (options.output / "results.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    text = report.markdown(figures, described, conditions, options.tls)
    (options.output / "results.md").write_text(text, "utf-8")
    # Only now, so that a program of many megabytes does not run beside what is measured.
    from benchmarks.plot import draw

    draw(figures, options.output / "plot.svg")
    print(f"\n{text}\nresults.json, results.md and plot.svg are in {options.output}.")
    return 0


def _figures(options: argparse.Namespace) -> str:
    text = f"median of {options.runs}"
    if options.slow_runs < options.runs and set(SLOW) & set(options.contenders):
        text += f"; of {' and '.join(SLOW)} {options.slow_runs}"
    return text


def _parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures our role and task against other ways to do the same, on an emulated service, with the "
        "ansible-core of the Python that runs this. `python -m benchmarks soak --help` is about the other command.",
    )
    add = parser.add_argument
    add(
        "--organizations",
        type=_positive,
        nargs="+",
        default=[200],
        metavar="N",
        help="how many there are; several numbers make a plot with lines (default: 200)",
    )
    add("--runs", type=_positive, default=3, metavar="N", help="how often all is measured (default: %(default)s)")
    add("--forks", type=_positive, default=50, metavar="N", help="Ansible's workers (default: %(default)s)")
    add(
        "--latency",
        type=float,
        default=0.05,
        metavar="SECONDS",
        help="time that every answer of the service takes (default: %(default)s)",
    )
    add("--tls", action="store_true", help="reach the service over TLS, and verify its certificate")
    add(
        "--contenders",
        nargs="+",
        choices=CONTENDERS,
        default=list(CONTENDERS),
        metavar="NAME",
        help=f"which to measure: {', '.join(CONTENDERS)} (default: all)",
    )
    add(
        "--slow-up-to",
        type=_positive,
        default=sys.maxsize,
        metavar="N",
        help="measure module and uri, which start Python for every organization, up to so many (default: any number)",
    )
    add("--slow-runs", type=_positive, metavar="N", help="how often these two are measured (default: as the others)")
    add(
        "--output",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        metavar="DIR",
        help="where results.json, results.md and plot.svg go (default: build/benchmarks)",
    )
    options = parser.parse_args(arguments)
    options.slow_runs = min(options.slow_runs or options.runs, options.runs)
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _measure(options: argparse.Namespace) -> list[Sample]:
    sizes = sorted(set(options.organizations))
    everyone = organizations(sizes[-1])
    seeds = [{"id": each.id, "name": each.name} for each in everyone]
    samples = []
    with (
        Emulator(seeds, tokens(everyone), latency=options.latency, tls=options.tls) as emulator,
        workplace(emulator, options.forks) as place,
    ):
        print("Warming up ...", flush=True)
        for name in options.contenders:
            list(_measure_contender(CONTENDERS[name], everyone[:1], emulator, place, options.forks))
        for run, size in itertools.product(range(options.runs), sizes):
            # Another one begins each time, so that a machine that gets slower or faster favours nobody.
            begin = run % len(options.contenders)
            for name in options.contenders[begin:] + options.contenders[:begin]:
                if name in SLOW and (size > options.slow_up_to or run >= options.slow_runs):
                    continue
                for sample in _measure_contender(CONTENDERS[name], everyone[:size], emulator, place, options.forks):
                    samples.append(sample)
                    where = f"run {run + 1}/{options.runs}  {size:5} organizations  {name:6} {sample.phase:7}"
                    print(f"{where} {sample.wall:8.2f} s  CPU {sample.cpu:8.2f} s", flush=True)
    return samples


def _measure_contender(
    contender: Contender, fleet: list[Organization], emulator: Emulator, place: Workplace, forks: int
) -> Iterator[Sample]:
    """Measure one phase after the other, from a service where nothing is configured."""
    emulator.reset()
    for phase in contender.phases:
        command = contender.command(phase, place, fleet, forks)
        usage, _output = process.run(command, place.path, place.environment)
        requests = Counter(entry["method"] for entry in emulator.journal())
        emulator.clear_journal()
        if contender.configures:
            _check_state(contender, phase, fleet, emulator)
        yield Sample(contender.name, phase, len(fleet), *usage, dict(requests))


def _check_state(contender: Contender, phase: str, fleet: list[Organization], emulator: Emulator) -> None:
    wanted = None if phase == "removal" else {"pulsar": wanted_stream()}
    stored = {entry["id"]: entry["audit_logs"] for entry in emulator.organizations()}
    wrong = [each.name for each in fleet if stored[each.id] != wanted]
    if wrong:
        raise process.BenchmarkFailed(f"{contender.name}, {phase}: {len(wrong)} organizations are not right.")
