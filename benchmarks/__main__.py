# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleet speed and fleet trust, measured: python -m benchmarks --help."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.bench import Bench, Measurement, fleet
from benchmarks.report import bars, figures, growth, plot
from benchmarks.soak import soak

CONTENDERS = ("noop", "http", "task", "role", "module", "uri")
PHASES = ("first", "unchanged", "check")


def measure(bench: Bench, contender: str, phase: str) -> Measurement:
    """Run a contender once; its result must be as the phase promises."""
    arguments = ["--check"] if phase == "check" else []
    if contender == "http":
        return bench.ask(phase == "check")
    result = bench.play(contender, *arguments)
    if result.code:
        sys.exit(f"{contender} failed in the phase {phase}.")
    return result


def compare(size: int, contenders: list[str], arguments: argparse.Namespace) -> dict:
    """Return the medians of all contenders for a fleet of this size, by contender and phase."""
    results: dict[str, dict[str, list[Measurement]]] = {name: {phase: [] for phase in PHASES} for name in contenders}
    emulator, ids = fleet(size, latency=arguments.latency, tls=arguments.tls)
    with emulator, tempfile.TemporaryDirectory(prefix="astra-bench-") as directory:
        bench = Bench(emulator, ids, Path(directory), arguments.forks)
        bench.play("noop")  # caches
        for number in range(arguments.runs):
            for name in contenders:
                emulator.reset()
                for phase in PHASES:
                    results[name][phase].append(measure(bench, name, phase))
                    print(
                        f"{size:5} {name:7} {phase:10} run {number + 1} {results[name][phase][-1].wall:8.2f} s",
                        flush=True,
                    )
    return {
        name: {
            phase: {
                "wall": median(run.wall for run in runs),
                "cpu": median(run.cpu for run in runs),
                "memory": median(run.memory for run in runs),
                "requests": runs[-1].requests,
            }
            for phase, runs in phases.items()
        }
        for name, phases in results.items()
    }


def machine() -> dict[str, str]:
    """Describe what the figures were measured on."""
    version = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "--version"], capture_output=True, text=True, check=True
    ).stdout
    cpuinfo = Path("/proc/cpuinfo")
    models = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": f"{len(models)} x {models[0]}" if models else platform.processor(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "ansible": version.splitlines()[0].split("[")[1].rstrip("]"),
    }


def main() -> None:
    """Measure, and write results.json, results.md and fleet-speed.svg."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["speed", "soak"], default="speed")
    parser.add_argument("--organizations", type=int, nargs="+", default=[200], help="sizes of the fleet; default 200")
    parser.add_argument("--forks", type=int, default=50)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds at the service; default 0.05")
    parser.add_argument("--runs", type=int, default=3, help="how often each contender runs; medians count")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--slow-limit", type=int, default=200, help="largest fleet for module and uri; default 200")
    parser.add_argument("--tls", action="store_true", help="serve over TLS and verify the certificate")
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.what == "soak":
        size = arguments.organizations[0] if arguments.organizations != [200] else 1000
        text = soak(size, arguments.forks)
        (arguments.output / "soak.md").write_text(text)
        print(text)
        return
    results = {}
    for size in arguments.organizations:
        slow = size > arguments.slow_limit
        contenders = [name for name in arguments.contenders if not (slow and name in ("module", "uri"))]
        results[size] = compare(size, contenders, arguments)
    about = machine() | {"forks": arguments.forks, "latency": arguments.latency, "tls": arguments.tls}
    (arguments.output / "results.json").write_text(json.dumps({"machine": about, "results": results}, indent=2) + "\n")
    text = "\n".join([figures(about, results), bars(results, arguments.tls), growth(results)])
    (arguments.output / "results.md").write_text(text)
    plot(results, arguments.output / "fleet-speed.svg")
    print(text)


if __name__ == "__main__":
    main()
