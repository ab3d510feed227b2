# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen of an audit: what is broken, at whom, and what to do now; plain text that five seconds are enough for."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.findings import (
    ENDED,
    NO_MATCH,
    NOT_NEEDED,
    Audit,
    Cause,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import FAILED, UNKNOWN
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import count, generalize, visible

LONGEST_LIMIT = 20  # organizations in a --limit that somebody would paste
LINES_OF_NAMES = 3

_COLOURS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "good": "32", "bad": "1;31", "quiet": "2"}
_PLAIN_NAME = re.compile(r"[\w.-]+", re.ASCII)


def draw(audit: Audit, width: int, colour: bool, report: str | None = None) -> list[str]:
    """Return the lines of the screen.

    :arg width: columns; 80 to 200 are made good use of.
    :arg colour: whether to use the terminal's colours.
    :arg report: the path of the HTML report, if one was written.
    """
    screen = _Screen(width, colour)
    counts = audit.count_organizations()
    broken = counts[FAILED] + counts[UNKNOWN]
    total = count(len(audit.organizations), "organization")
    waived = f"; {counts['waived']:,} waived" if counts["waived"] else ""
    if broken:
        screen.add(f"Audit: {broken:,} of {total} {'fails' if broken == 1 else 'fail'}{waived}.", "bad")
    else:
        screen.add(f"Audit: {total} {'passes' if len(audit.organizations) == 1 else 'pass'}{waived}.", "good")
    trend = [f"{number:,} {word}" for number, word in ((audit.new, "new"), (audit.fixed, "fixed")) if number]
    if trend:
        screen.add(f"Since the last audit: {', '.join(trend)}.")
    for problem in audit.history.problems if audit.history else ():
        screen.add(f"The history of audits cannot be trusted, so this audit was not added to it: {problem}", "bad")
    causes = audit.find_causes(FAILED, UNKNOWN)
    for cause in causes:
        if cause.findings[0].broken:
            screen.add_cause(cause, audit.run["time"])
    allowed = [cause for cause in causes if not cause.findings[0].broken]
    notes = [*map(_note, allowed), *_notes_on_waivers(audit)]
    if notes:
        screen.blank()
        for note in notes:
            screen.add(note, hanging=2)
    screen.blank()
    names = [one.name for one in audit.organizations if one.state in (FAILED, UNKNOWN)]
    if names and len(names) <= LONGEST_LIMIT and all(map(_PLAIN_NAME.fullmatch, names)):
        screen.add(f"These alone: --limit {','.join(names)}")
    if report:
        screen.add(f"Report: {report}")
    return screen.finish()


class _Screen:
    """Lines of at most some width."""

    def __init__(self, width: int, colour: bool) -> None:
        self._width = width
        self._colour = colour
        self._lines: list[str] = []

    def add(self, text: str, style: str = "", indent: int = 0, hanging: int = 0) -> None:
        first, later = " " * indent, " " * (indent + hanging)
        for line in self._wrap(visible(text), first, later):
            self._lines.append(self._paint(line, style))

    def blank(self) -> None:
        if self._lines[-1:] != [""]:
            self._lines.append("")

    def finish(self) -> list[str]:
        while self._lines[-1:] == [""]:
            self._lines.pop()
        return self._lines

    def add_cause(self, cause: Cause, time: str) -> None:
        """Add who has one thing wrong, since when if that was before the time of this audit, and what to do."""
        self.blank()
        label = f"{cause.rule.severity:<8}  "
        number = len(cause.findings)
        text = f"{cause.rule.id}: {cause.cause.rstrip('.')}" + (f" ({number:,})" if number > 1 else "")
        first, *more = self._wrap(text, label, " " * len(label))
        style = cause.rule.severity
        self._lines += [self._paint(label, style) + self._paint(first[len(label) :], "bold"), *more]
        indent = len(label)
        if number == 1:
            finding = cause.findings[0]
            # Where the cause says it all, the reason would say it again.
            said = generalize(finding.reason).rstrip(".") == cause.cause.rstrip(".")
            reason = "" if said else f": {finding.reason}"
            self.add(f"{visible(finding.organization)}{reason}", indent=indent)
        else:
            self._add_names([finding.organization for finding in cause.findings], indent)
        since = sorted({finding.since for finding in cause.findings if finding.since and finding.since != time})
        advice = {finding.advice for finding in cause.findings}
        texts = [f"Since {since[0][:10]}."] if since else []
        texts += advice if len(advice) == 1 else ()
        self.add(" ".join(filter(None, texts)), "quiet", indent=indent)

    def _add_names(self, names: Sequence[str], indent: int) -> None:
        """Add names in as many columns as fit, and say how many are left out."""
        shown = [visible(name) for name in names]
        room = self._width - indent
        cell = max(map(len, shown)) + 2
        columns = max(1, (room + 2) // cell)
        kept = shown[: columns * LINES_OF_NAMES]
        for start in range(0, len(kept), columns):
            row = "".join(f"{name:<{cell}}" for name in kept[start : start + columns])
            self._lines.append(" " * indent + row.rstrip())
        if len(kept) < len(shown):
            self.add(f"and {len(shown) - len(kept):,} more", indent=indent)

    def _wrap(self, text: str, first: str, later: str) -> list[str]:
        if not text:
            return []
        # Names, paths and URLs stay whole, so that they can be copied.
        return textwrap.wrap(
            text,
            max(self._width, len(later) + 20),
            initial_indent=first,
            subsequent_indent=later,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _paint(self, text: str, style: str) -> str:
        code = "1" if style == "bold" else _COLOURS.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code and text else text


def _note(cause: Cause) -> str:
    """Return what is unknown and allowed to be: it is said all the same."""
    advice = cause.findings[0].advice
    number = count(len(cause.findings), "organization")
    return f"{cause.rule.id}: {number} {cause.cause.rstrip('.')}. {advice}".rstrip()


def _notes_on_waivers(audit: Audit) -> Iterable[str]:
    words = {
        ENDED: "has ended",
        NOT_NEEDED: "is no longer needed",
        NO_MATCH: "matches no organization",
    }
    for use in audit.waivers:
        if use.status in words:
            waiver = use.waiver
            yield (f"Waiver of {waiver.rule} for {waiver.organization} until {waiver.until}: {words[use.status]}.")
