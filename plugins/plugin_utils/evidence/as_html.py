# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""audit.html: the report that people read, in one file that loads nothing.

The table is in the page, so that it reads and prints without the script. The script sorts, filters and opens rows.
Values reach the page through Jinja's escaping alone; the content security policy allows this style and this script by
their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import collections
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.findings import (
    IN_FORCE,
    Audit,
    Cause,
    Finding,
    Organization,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import Entry
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import read_time
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import (
    FAILED,
    PASSED,
    UNKNOWN,
    WAIVED,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import count, visible
from markupsafe import Markup

FILE = "audit.html"
HERE = Path(__file__).parent

FIRST_ROWS = 25  # shown at first where there is a script; it shows more on request
LONGEST_LIST = 200  # organizations named with a cause; the table has them all
TREND = 24  # audits in the picture of how it went
BAR = 1000  # units of a bar's width

WORDS = {FAILED: "Failed", UNKNOWN: "Unknown", WAIVED: "Waived", PASSED: "Passed"}
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Segment(NamedTuple):
    """A part of a bar: state, number, and place in units of BAR."""

    state: str
    number: int
    start: int
    width: int


class Column(NamedTuple):
    """One audit in the picture of how it went; ``height`` is in percent."""

    day: str
    broken: int
    organizations: int
    height: int


class CauseView(NamedTuple):
    """A cause as the page lists it: with one reason for all, or one for each."""

    cause: Cause
    number: int
    since: str | None
    advice: str
    reason: str | None
    shown: Sequence[Finding]


def render(audit: Audit) -> str:
    """Return the text of audit.html."""
    style, script = (_load(name) for name in ("report.css", "report.js"))
    organizations = sorted(audit.organizations, key=lambda one: list(WORDS).index(one.state))
    causes = audit.find_causes(FAILED, UNKNOWN)
    broken = [cause for cause in causes if cause.findings[0].broken]
    endpoint = _usual_endpoint(organizations)
    return _template().render(
        audit=audit,
        run=audit.run,
        counts=audit.count_organizations(),
        words=WORDS,
        whole=_bar(audit.count_organizations()),
        units=BAR,
        trend=_trend(audit.history.entries if audit.history and not audit.history.problems else ()),
        causes=[_view_cause(cause) for cause in broken],
        allowed=[_view_cause(cause) for cause in causes if not cause.findings[0].broken],
        rules=[(rule, counts, _bar(counts)) for rule, counts in zip(audit.rules, audit.count_findings().values())],
        in_force=[use for use in audit.waivers if use.status == IN_FORCE],
        other_waivers=[use for use in audit.waivers if use.status != IN_FORCE],
        organizations=organizations,
        first_rows=FIRST_ROWS,
        endpoint=endpoint,
        place=lambda one: _place(one, endpoint),
        sentence=_sentence,
        said=lambda segments: ", ".join(f"{part.number} {part.state}" for part in segments),
        broken_by=lambda rule, numbers: numbers[FAILED] + (numbers[UNKNOWN] if rule.unknown_is_broken else 0),
        details=_details(organizations, [cause.findings for cause in broken], audit),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        count=count,
        day=_day,
        minute=_minute,
        long_time=_long_time,
    )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_finalize,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.from_string(_load("report.html.j2"))


def _finalize(value: Any) -> Any:
    """Make every value that is not the page's own visible, before Jinja escapes it."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@functools.cache
def _load(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> Markup:
    return Markup("'sha256-{}'").format(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


def _bar(counts: Mapping[str, int]) -> list[Segment]:
    """Return the parts of a bar, of which none that is there is too small to be seen."""
    total = sum(counts.values())
    present = [state for state in WORDS if counts[state]]
    widths = {state: max(8, counts[state] * BAR // total) for state in present}
    if present:
        widest = max(present, key=lambda state: widths[state])
        widths[widest] += BAR - sum(widths.values())
    segments, start = [], 0
    for state in present:
        segments.append(Segment(state, counts[state], start, widths[state]))
        start += widths[state]
    return segments


def _trend(entries: Sequence[Entry]) -> list[Column]:
    """Return the last audits of the whole fleet; none when there is nothing to compare."""
    whole = [entry for entry in entries if entry.whole][-TREND:]
    broken = [entry.counts[FAILED] + entry.counts[UNKNOWN] for entry in whole]
    highest = max([*broken, 1])
    columns = [
        Column(_day(entry.time), number, sum(entry.counts.values()), number * 100 // highest)
        for entry, number in zip(whole, broken)
    ]
    return columns if len(columns) > 1 else []


def _view_cause(cause: Cause) -> CauseView:
    since = min((finding.since for finding in cause.findings if finding.since), default=None)
    advice = collections.Counter(finding.advice for finding in cause.findings).most_common(1)[0][0]
    reasons = {finding.reason for finding in cause.findings}
    reason = next(iter(reasons)) if len(reasons) == 1 else None
    return CauseView(cause, len(cause.findings), since, advice, reason, cause.findings[:LONGEST_LIST])


def _usual_endpoint(organizations: Iterable[Organization]) -> str:
    """Return the endpoint that most share, so that rows need not repeat it."""
    endpoints = collections.Counter(
        one.place.partition(" at ")[2] for one in organizations if one.place and " at " in one.place
    )
    return endpoints.most_common(1)[0][0] if endpoints else ""


def _place(organization: Organization, endpoint: str) -> str:
    if organization.place is None:
        return "nowhere" if organization.exists is False else ""
    return organization.place[: -len(f" at {endpoint}")] if _is_usual(organization, endpoint) else organization.place


def _is_usual(organization: Organization, endpoint: str) -> bool:
    return bool(endpoint) and str(organization.place).endswith(f" at {endpoint}")


def _details(organizations: Sequence[Organization], causes: Sequence[Sequence[Finding]], audit: Audit) -> Markup:
    """Return what the script shows of a row that is opened, as JSON that can stand in a page.

    Findings that are equal but for the organization are there once; an organization is the list of their numbers.
    """
    places = {id(finding): number for number, findings in enumerate(causes) for finding in findings}
    rules = {rule.id: number for number, rule in enumerate(audit.rules)}
    states = list(WORDS)
    numbers: dict[tuple[Any, ...], int] = {}
    rows = []
    for one in organizations:
        row = []
        for finding in one.findings:
            waiver = finding.waiver
            key = (
                rules[finding.rule],
                states.index(finding.state),
                places.get(id(finding), -1),
                finding.reason,
                finding.advice,
                finding.since or "",
                f"Until {waiver.until}: {waiver.reason}" if waiver else "",
            )
            row.append(numbers.setdefault(key, len(numbers)))
        rows.append(row)
    document = {
        "rules": [[rule.id, rule.title] for rule in audit.rules],
        "findings": list(numbers),
        "organizations": rows,
    }
    text = json.dumps(document, separators=(",", ":"))
    # In a script element, only what could end it or open a comment has to be written otherwise.
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _sentence(text: str) -> str:
    """Return a text with a capital letter, unless it begins with a name, which has to stay as it is."""
    word = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if word.rstrip(".,:").isalpha() else text


def _day(time: str | None) -> str:
    return time[:10] if time else ""


def _minute(time: str | None) -> str:
    return f"{time[:10]} {time[11:16]}" if time else ""


def _long_time(time: str) -> str:
    moment = read_time(time)
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment.hour:02}:{moment.minute:02} UTC"
