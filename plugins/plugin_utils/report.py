# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks show at their end: plain text that is readable without colour and at any width."""

from __future__ import annotations

import textwrap

WIDTH = 110
OUTCOMES = ("created", "updated", "deleted", "unchanged", "failed", "not run")


def table(headings, rows):
    """Return the lines of a table; the last column is wrapped.

    :arg headings: a list of strings.
    :arg rows: lists of as many strings.
    """
    rows = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in [headings, *rows]) for index in range(len(headings) - 1)]
    room = max(30, WIDTH - sum(widths) - 2 * len(widths))
    lines = []
    for row in [headings, ["-" * width for width in widths] + ["-" * len(headings[-1])], *rows]:
        start = "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths))
        wrapped = textwrap.wrap(row[-1], room, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [(start + wrapped[0]).rstrip(), *(" " * len(start) + more for more in wrapped[1:])]
    return lines


def summary(outcomes, reasons, check_mode):
    """Return the lines that end a run: how many organizations ended how, and which failed and why.

    :arg outcomes: one of M(OUTCOMES) for each organization's name.
    :arg reasons: a sentence for each that failed.
    :arg check_mode: whether nothing was really done.
    """
    counts = count(outcomes)
    shown = [f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if outcome != "not run" or counts[outcome]]
    kind = "Audit log streaming, check mode (nothing was changed)" if check_mode else "Audit log streaming"
    noun = "organization" if len(outcomes) == 1 else "organizations"
    lines = [f"{kind}: {len(outcomes)} {noun}: {', '.join(shown)}"]
    if reasons:
        lines += ["", *table(["Failed", "Reason"], sorted(reasons.items()))]
    return lines


def count(outcomes):
    """Return how many organizations ended in each of M(OUTCOMES)."""
    endings = list(outcomes.values())
    return {outcome: endings.count(outcome) for outcome in OUTCOMES}
