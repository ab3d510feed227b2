# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and the plot from measured medians."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

NAMES = {
    "noop": "a task that does nothing",
    "http": "an asynchronous HTTP client",
    "task": "astra_audit_log_stream",
    "role": "the role, with validation",
    "module": "the same, executed as a module",
    "uri": "ansible.builtin.uri by hand",
}
COLOURS = {
    "noop": "#7f7f7f",
    "http": "#bcbd22",
    "task": "#1f77b4",
    "role": "#2ca02c",
    "module": "#ff7f0e",
    "uri": "#d62728",
}
METHODS = ("GET", "POST", "DELETE")


def figures(about: dict, results: dict) -> str:
    """Return a Markdown table of everything that was measured."""
    lines = [
        f"{about['processor']}, {about['system']}, Python {about['python']}, ansible-{about['ansible']}; "
        f"{about['forks']} forks, {1000 * about['latency']:.0f} ms at the service"
        f"{', TLS with verification' if about['tls'] else ''}. Medians.",
        "",
        "| organizations | what | phase | seconds | ms each | processor seconds | MiB | requests each |",
        "|---:|---|---|---:|---:|---:|---:|---|",
    ]
    for size, contenders in results.items():
        for name, phases in contenders.items():
            for phase, values in phases.items():
                requests = " ".join(
                    f"{values['requests'][method] / size:.2g} {method}"
                    for method in METHODS
                    if method in values["requests"]
                )
                memory = f"{values['memory'] / 1024:.0f}" if values["memory"] else ""
                lines.append(
                    f"| {size} | {NAMES[name]} | {phase} | {values['wall']:.2f} | {1000 * values['wall'] / size:.1f} | "
                    f"{values['cpu']:.2f} | {memory} | {requests} |"
                )
    return "\n".join([*lines, ""])


def bars(results: dict, tls: bool) -> str:
    """Return a Markdown table of the ratios that the project wants to keep."""
    lines = ["| ratio | phase | measured | wanted |", "|---|---|---:|---:|"]
    wanted = [
        ("task", "noop", "unchanged", "<=", 1.9 if tls else 1.5),
        ("role", "noop", "unchanged", "<=", 2.7),
        ("uri", "task", "first", ">=", 20),
        ("uri", "task", "unchanged", ">=", 10),
        ("module", "task", "first", ">=", 8),
        ("module", "task", "unchanged", ">=", 8),
    ]
    for size, contenders in results.items():
        for one, other, phase, sign, limit in wanted:
            if one in contenders and other in contenders:
                ratio = contenders[one][phase]["wall"] / contenders[other][phase]["wall"]
                lines.append(f"| {one} / {other}, {size} organizations | {phase} | {ratio:.2f} | {sign} {limit} |")
    return "\n".join([*lines, ""])


def growth(results: dict) -> str:
    """Return how time and memory for each organization grow from the smallest to the largest fleet."""
    small, large = min(results), max(results)
    if small == large:
        return ""
    lines = [
        f"| from {small} to {large} organizations | ms each | KiB of the controller for each further one |",
        "|---|---:|---:|",
    ]
    for name in ("task", "role"):
        if name in results[small] and name in results[large]:
            before, after = results[small][name]["unchanged"], results[large][name]["unchanged"]
            memory = (after["memory"] - before["memory"]) / (large - small)
            times = f"{1000 * before['wall'] / small:.1f} to {1000 * after['wall'] / large:.1f}"
            lines.append(f"| {NAMES[name]} | {times} | {memory:.0f} |")
    return "\n".join([*lines, ""])


def plot(results: dict, path: Path) -> None:
    """Draw the seconds of a whole run against the number of organizations."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
    for axis, phase in zip(axes, ("first", "unchanged"), strict=True):
        for name, label in NAMES.items():
            points = [
                (size, contenders[name][phase]["wall"]) for size, contenders in results.items() if name in contenders
            ]
            if points:
                axis.plot(*zip(*points, strict=True), marker="o", label=label, color=COLOURS[name])
        axis.set(title=f"{phase} run", xlabel="organizations", xscale="log", yscale="log")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("seconds")
    axes[1].legend(fontsize=8)
    # On a background of its own it can be read in light and dark surroundings.
    figure.savefig(path, facecolor="white", metadata={"Date": None})
