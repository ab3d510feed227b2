# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plot of wall time against the number of organizations."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter

from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figures

# Of middle lightness and with no background, so that everything is readable on a light and on a dark page.
_INK = "#7a7a7a"
_COLOURS = {
    "http": "#9a6ee0",
    "noop": "#7a7a7a",
    "task": "#2b8a3e",
    "role": "#1c83e1",
    "module": "#b7791f",
    "uri": "#e0503a",
}
_STYLE = {
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "font.family": "sans-serif",
    "font.size": 12,
    "svg.fonttype": "none",
    "svg.hashsalt": "fleet-speed",  # the same figures make the same file
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


def draw(figures: Figures, path: Path) -> None:
    """Write the plot as SVG."""
    with matplotlib.rc_context(_STYLE):
        canvas = Canvas(figsize=(10, 4.4), layout="constrained")
        left, right = canvas.subplots(1, 2, sharey=True)
        _draw_phase(left, figures, "first", "First run")
        _draw_phase(right, figures, "second", "Second run, unchanged")
        left.set_ylabel("seconds for the whole fleet")
        # In the order of the lines: the slowest on top.
        canvas.legend(
            handles=list(reversed(right.get_lines())), loc="outside right center", frameon=False, labelcolor="linecolor"
        )
        canvas.savefig(path, format="svg", transparent=True, metadata={"Date": None})


def _draw_phase(axes: Axes, figures: Figures, phase: str, title: str) -> None:
    for name, colour in _COLOURS.items():
        series = figures.series(name, phase)
        if series:
            axes.loglog(
                [figure.organizations for figure in series],
                [figure.wall for figure in series],
                color=colour,
                label=CONTENDERS[name].title,
                linestyle="dashed" if name in ("http", "noop") else "solid",
                linewidth=2,
                marker="o",
                markersize=5,
            )
    axes.set_title(title)
    axes.set_xlabel("organizations")
    axes.set_xticks(figures.sizes, [str(size) for size in figures.sizes])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
    axes.grid(color=_INK, alpha=0.3, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
