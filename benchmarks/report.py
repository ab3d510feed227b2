# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results as Markdown."""

from __future__ import annotations

import itertools

from benchmarks.contenders import CONTENDERS, PHASES
from benchmarks.figures import Bar, Figure, Figures, memory_growth, time_growth


def markdown(figures: Figures, machine: dict[str, str], conditions: dict[str, str], tls: bool) -> str:
    """Return the whole report."""
    lines = ["# Fleet speed", "", *table(["", ""], list((machine | conditions).items())), ""]
    lines += ["## Bars", "", *_bars(figures.bars(tls)), ""]
    if len(figures.sizes) > 1:
        lines += ["## Growth", "", *_growth(figures), ""]
    for size in figures.sizes:
        lines += [f"## {size} organizations", ""]
        for phase, meaning in PHASES.items():
            rows = _phase(figures, phase, size)
            if rows:
                headings = ["", "wall time (s)", "range", "ms each", "of the no-op", "CPU time (s)"]
                headings += ["requests each", "peak memory (MiB)"]
                lines += [f"{meaning[0].upper()}{meaning[1:]}.", "", *table(headings, rows), ""]
    return "\n".join(lines)


def table(headings: list[str], rows: list) -> list[str]:
    """Return the lines of a Markdown table; the first column is text, the others are aligned to the right."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return [f"| {' | '.join(row)} |" for row in (headings, rule, *rows)]


def judged(bars: list[Bar]) -> list[tuple[str, str, str, str]]:
    """Return a row for each bar."""
    return [(one.claim, one.limit, one.measured, "yes" if one.holds else "**no**") for one in bars]


def _bars(bars: list[Bar]) -> list[str]:
    return table(["", "bar", "measured", "holds"], judged(bars))


def _phase(figures: Figures, phase: str, size: int) -> list[list[str]]:
    rows = []
    floor = figures.get("noop", phase, size)
    for name, contender in CONTENDERS.items():
        figure = figures.get(name, phase, size)
        if figure:
            row = [contender.title, f"{figure.wall:.2f}", f"{min(figure.walls):.2f}-{max(figure.walls):.2f}"]
            row += [f"{figure.each * 1000:.1f}", f"{figure.times(floor):.2f} x" if floor else ""]
            row += [f"{figure.cpu:.2f}", _requests(figure), f"{figure.peak / 1024:.0f}"]
            rows.append(row)
    return rows


def _requests(figure: Figure) -> str:
    return ", ".join(f"{count:g} {method}" for method, count in figure.requests.items()) or "0"


def _growth(figures: Figures) -> list[str]:
    sizes = figures.sizes
    steps = list(itertools.pairwise(sizes))
    headings = ["", *(f"ms each at {size}" for size in (sizes[0], sizes[-1]))]
    headings += [*(f"ms for one more, {small} to {large}" for small, large in steps), "KiB for one more"]
    rows = []
    for name, contender in CONTENDERS.items():
        for phase in ("first", "second"):
            measured = {figure.organizations: figure for figure in figures.series(name, phase)}
            row = [f"{contender.title}, {phase}"]
            row += [f"{measured[size].each * 1000:.1f}" if size in measured else "" for size in (sizes[0], sizes[-1])]
            for small, large in steps:
                both = small in measured and large in measured
                row.append(f"{time_growth(measured[small], measured[large]) * 1000:.1f}" if both else "")
            ends = list(measured.values())
            rows.append([*row, f"{memory_growth(ends[0], ends[-1]):.0f}" if len(ends) > 1 else ""])
    return table(headings, rows)
