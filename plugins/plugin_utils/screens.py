# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks show: what happened, to whom, and what to do now. Pure code: data in, lines out.

Organizations that share a cause are named together. What is as it should be is counted and not listed, and nothing is
said of what there is none of.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

Cause = TypeVar("Cause")

NOT_STREAMED = "Not streamed"
OUTCOMES = ("created", "updated", "deleted", "unchanged", "failed", "not run")

MOST_PRODUCERS = 50  # of a topic on a shared cluster of Astra Streaming
NAME_LINES = 3  # for the names of organizations that share a cause; all of them with more verbosity
CAUSES = 10  # that a section lists; all of them with more verbosity
LIMIT_NAMES = 60  # of a --limit that is shown without more verbosity
_COLOURS = {
    "created": "changed",
    "updated": "changed",
    "deleted": "changed",
    "failed": "error",
    "not run": "skip",
    "unchanged": "ok",
}


class Line(NamedTuple):
    """A line of the screen.

    :ivar kind: what it is about, for its colour: ``ok``, ``changed``, ``error``, ``warn``, ``skip``, or empty.
    """

    text: str
    kind: str = ""


class Outcome(NamedTuple):
    """What became, or would become, of one organization.

    :ivar kind: one of ``OUTCOMES``.
    :ivar why: what differed, or why it failed.
    """

    name: str
    kind: str
    why: str = ""


class Shape(NamedTuple):
    """How much room there is.

    :ivar width: columns of the terminal.
    :ivar verbose: whether every name is wanted.
    """

    width: int = 79
    verbose: bool = False


def show_plan(outcomes: Sequence[Outcome], check_mode: bool, shape: Shape) -> list[Line]:
    """Return what is about to happen: who differs and why.

    Who fails, and in check mode who differs, is named by the summary that follows.
    """
    counts = count_outcomes(outcomes)
    differing = counts["created"] + counts["updated"] + counts["deleted"]
    if counts["unchanged"] == len(outcomes):
        return show_summary(outcomes, [], check_mode, shape)
    parts = [f"{_say_share(differing, len(outcomes))} {'differs' if differing == 1 else 'differ'}"] if differing else []
    failed = f"{counts['failed']:,}" if parts else _say_share(counts["failed"], len(outcomes))
    parts += [f"{failed} failed"] if counts["failed"] else []
    lines = head(f"Audit log streaming: the plan: {', '.join(parts)}", _judge(counts), shape)
    for kind in () if check_mode else ("created", "updated", "deleted"):
        lines += list_outcomes(f"To be {kind}", [each for each in outcomes if each.kind == kind], shape)
    return lines


def show_summary(outcomes: Sequence[Outcome], remarks: Sequence[str], check_mode: bool, shape: Shape) -> list[Line]:
    """Return what has happened: how many organizations ended how, who changed, who failed and why, and what to do now.

    :arg remarks: what else is worth knowing, a paragraph each.
    """
    counts = count_outcomes(outcomes)
    would = "would be " if check_mode else ""
    words = {kind: would + kind for kind in ("created", "updated", "deleted")}
    mode = ", check mode" if check_mode else ""
    if counts["unchanged"] == len(outcomes):
        said = _say_all_well(len(outcomes))
    else:
        said = say_counts({words.get(kind, kind): counts[kind] for kind in _BY_IMPORTANCE})
    lines = head(f"Audit log streaming{mode}: {said}", _judge(counts), shape)
    for kind in ("created", "updated", "deleted", "failed"):
        lines += list_outcomes(
            words.get(kind, kind).capitalize(), [each for each in outcomes if each.kind == kind], shape
        )
    failed = [each.name for each in outcomes if each.kind == "failed"]
    # Where nobody else was reached, the same command does it.
    reached = len(outcomes) - counts["not run"]
    return [*lines, *say(remarks, shape), *say_limit(failed, reached, shape)]


def show_problems(problems: Mapping[str, Iterable[tuple[str, str]]], total: int, shape: Shape) -> list[Line]:
    """Return what is wrong with the variables of which organizations.

    :arg problems: for each organization's name pairs of a cause and of the same with its place.
    :arg total: how many organizations were looked at.
    """
    verb = "has" if len(problems) == 1 else "have"
    lines = [Line(f"Audit log streaming: {_say_share(len(problems), total)} {verb} problems", "error")]
    return [*lines, *list_outcomes("Problems", group_findings(problems), shape)]


def show_no_problems(total: int) -> list[Line]:
    """Return that nothing is wrong with the variables."""
    whose = "the organization" if total == 1 else f"all {total:,} organizations"
    return [Line(f"Audit log streaming: the variables of {whose} are in order", "ok")]


def say(paragraphs: Iterable[str], shape: Shape) -> list[Line]:
    """Return what is worth knowing, a paragraph each."""
    lines = []
    for paragraph in paragraphs:
        lines += [Line(""), *(Line(text, "warn") for text in wrap(paragraph, shape.width))]
    return lines


def remark_not_compared(count: int) -> list[str]:
    """Return a paragraph about the tokens of which nobody knows whether they are the right ones, if there are any."""
    if not count:
        return []
    tokens = "1 token" if count == 1 else f"{count:,} tokens"
    return [
        f"{tokens} could not be compared, because the service never shows what it has stored: a rotated one would not "
        "be noticed. Set audit_log_stream_fingerprint_store, or run once with -e audit_log_stream_update_token=always."
    ]


def remark_shared_topics(sharing: Mapping[str, int]) -> list[str]:
    """Return a paragraph about each topic that more organizations share than may produce to it.

    :arg sharing: for each topic how many organizations shall stream to it.
    """
    return [
        f"{count:,} organizations share the topic {topic}. A shared cluster of Astra Streaming takes {MOST_PRODUCERS} "
        "producers for a topic, and whether each organization is one is not documented: give them several topics."
        for topic, count in sharing.items()
        if count > MOST_PRODUCERS
    ]


def show_streams(
    places: Mapping[str, str], failures: Sequence[Outcome], remarks: Sequence[str], shape: Shape
) -> list[Line]:
    """Return who streams where, those to the same place together, and who could not be read.

    :arg places: for each organization's name where it streams to, or ``NOT_STREAMED``.
    :arg remarks: what else is worth knowing, a paragraph each.
    """
    names: dict[str, list[str]] = {}
    for name, place in places.items():
        names.setdefault(place, []).append(name)
    idle = len(names.get(NOT_STREAMED, ()))
    numbers = {"streamed": len(places) - idle, "not streamed": idle, "failed": len({each.name for each in failures})}
    lines = head(f"Audit log streaming: {say_counts(numbers)}", "error" if failures else "ok", shape)
    for place in sorted(names, key=lambda place: (place == NOT_STREAMED, -len(names[place]))):
        lines += [Line(""), *head(place, "skip" if place == NOT_STREAMED else "", shape)]
        lines += (Line(text) for text in _list_names(names[place], "", shape))
    lines += [*list_outcomes("Failed", failures, shape), *say(remarks, shape)]
    failed = list(dict.fromkeys(each.name for each in failures))
    return [*lines, *say_limit(failed, len(places) + len(failed), shape)]


def show_progress(done: int, total: int, doing: str) -> list[Line]:
    """Return how far work is that takes a while."""
    return [Line(f"{doing}: {done:,} of {_say_organizations(total)}")]


def count_outcomes(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how many organizations ended in each of ``OUTCOMES``."""
    counts = dict.fromkeys(OUTCOMES, 0)
    for each in outcomes:
        counts[each.kind] += 1
    return counts


def say_counts(counts: Mapping[str, int]) -> str:
    """Return how many organizations are what: ``all 3 organizations failed``, ``3 organizations: 1 failed, 2 created``.

    :arg counts: a number for each word, the most important one first.
    """
    total = sum(counts.values())
    parts = [f"{number:,} {word}" for word, number in counts.items() if number]
    if len(parts) != 1:
        return f"{_say_organizations(total)}: {', '.join(parts)}"
    [word] = [word for word, number in counts.items() if number]
    return f"{_say_share(total, total)} {word}"


def group_findings(findings: Mapping[str, Iterable[tuple[str, str]]], kind: str = "failed") -> list[Outcome]:
    """Return an outcome for each finding of each organization.

    Where all who share a cause share its place as well, the place is named.

    :arg findings: for each organization's name pairs of a cause and of the same with its place.
    """
    places: dict[str, set[str]] = {}
    for pairs in findings.values():
        for cause, text in pairs:
            places.setdefault(cause, set()).add(text)
    return [
        Outcome(name, kind, text if len(places[cause]) == 1 else cause)
        for name, pairs in findings.items()
        for cause, text in pairs
    ]


def generalize(sentence: str) -> str:
    """Return a sentence about one organization as one about all that share the cause: without id, file and line."""
    return _ITS_OWN.sub("", sentence)


_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ITS_OWN = re.compile(rf" (?:(?:of|for) )?organization {_UUID}\b| \([^()]*:\d+\)")


def name_some(names: Sequence[str]) -> str:
    """Return the first few names and the number of the others."""
    return ", ".join(names) if len(names) <= _FEW else f"{', '.join(names[:_FEW])} and {len(names) - _FEW:,} more"


_BY_IMPORTANCE = ("failed", "created", "updated", "deleted", "unchanged", "not run")
_NARROWEST = 36  # columns that text needs beside something
_WIDEST = 120  # columns of prose that are easy to read
_FEW = 5
_STICKS = re.compile(r"(?<!\S)(-e|--limit|at|\d+(?:,\d{3})*) (?=\S)")  # to the next word


def _judge(counts: Mapping[str, int]) -> str:
    if counts["failed"]:
        return "error"
    return "changed" if any(counts[kind] for kind in ("created", "updated", "deleted")) else "ok"


def _say_all_well(total: int) -> str:
    if total == 1:
        return "the organization is as it should be"
    return f"all {total:,} organizations are as they should be"


def _say_share(number: int, total: int) -> str:
    """Return how many of all: ``3 of 30 organizations``, ``all 30 organizations``, ``1 organization``."""
    if number < total:
        return f"{number:,} of {_say_organizations(total)}"
    return f"{'' if total == 1 else 'all '}{_say_organizations(total)}"


def _say_organizations(total: int) -> str:
    return f"{total:,} organization{'' if total == 1 else 's'}"


def head(text: str, kind: str, shape: Shape) -> list[Line]:
    """Return what a screen, or a part of it, is about; what goes on below is indented."""
    first, *others = wrap(text, shape.width - 2)
    return [Line(first, kind), *(Line(f"  {line}", kind) for line in others)]


def list_outcomes(heading: str, outcomes: Iterable[Outcome], shape: Shape) -> list[Line]:
    """Return a heading and who is below it, those who share a cause together."""
    groups: dict[str, list[str]] = {}
    kind = ""
    for each in outcomes:
        names = groups.setdefault(each.why, [])
        names.append(each.name)
        kind = _COLOURS[each.kind]
    if not groups:
        return []
    lines = [Line(""), Line(heading, kind)]
    # Those who are many come first.
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    shown, left = split_causes(ordered, shape)
    for why, names in shown:
        lines += (Line(text, kind) for text in _list_names(names, why, shape))
    if left:
        lines.append(Line(f"  and {say_left(len(left), (name for _why, names in left for name in names))}", kind))
    return lines


def split_causes(causes: Sequence[Cause], shape: Shape) -> tuple[Sequence[Cause], Sequence[Cause]]:
    """Return the causes that a section lists, and those that it leaves out."""
    number = len(causes) if shape.verbose or len(causes) <= CAUSES else CAUSES - 1
    return causes[:number], causes[number:]


def say_left(causes: int, names: Iterable[str]) -> str:
    """Return in words what a section leaves out.

    :arg causes: how many.
    :arg names: of the organizations that they concern, in any number.
    """
    return f"{_say_organizations(len(set(names)))}, for {causes:,} other reasons: -v shows them here."


def _list_names(names: Sequence[str], why: str, shape: Shape) -> list[str]:
    joined = ", ".join(names)
    room = shape.width - 2
    if not why:
        return ["  " + line for line in wrap_names(names, room, shape.verbose)]
    if len(joined) + 2 + len(why) <= room:
        return [f"  {joined}  {why}"]
    if len(joined) + 2 <= min(room // 3, room - _NARROWEST):
        wrapped = wrap(why, room - len(joined) - 2)
        return [f"  {joined}  {wrapped[0]}", *(" " * (len(joined) + 4) + line for line in wrapped[1:])]
    lines = ["  " + line for line in wrap_names(names, room, shape.verbose)]
    return lines + ["    " + line for line in wrap(why, shape.width - 4)]


def wrap_names(names: Sequence[str], width: int, verbose: bool) -> list[str]:
    """Return lines of names: a few, with the number of the others, or all of them."""
    lines: list[str] = []
    line = ""
    for number, name in enumerate(names):
        more = f" and {len(names) - number:,} more"
        comma = "," if number < len(names) - 1 else ""
        last_line = not verbose and len(lines) == NAME_LINES - 1
        # On the last line there has to be room for the number of those that do not fit any more.
        reserved = len(more) if last_line and comma else 0
        if line and len(line) + 1 + len(name) + len(comma) + reserved > width:
            if last_line:
                return [*lines, line.rstrip(",") + more]
            lines.append(line)
            line = ""
        line += (" " if line else "") + name + comma
    return [*lines, line]


def wrap(text: str, width: int) -> list[str]:
    """Return a paragraph as lines. Words stay whole, so that names, paths, URLs and options can be copied."""
    text = _STICKS.sub("\\1\u00a0", re.sub(r"[^\S\u00a0]+", " ", text.strip()))
    lines = textwrap.wrap(text, min(max(width, _NARROWEST), _WIDEST), break_long_words=False, break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in lines] or [""]


def say_limit(names: Sequence[str], total: int, shape: Shape) -> list[Line]:
    """Return how to repeat just these."""
    if not names or len(names) == total:
        return []
    if len(names) > LIMIT_NAMES and not shape.verbose:
        return [Line(""), Line(f"To repeat just the {len(names):,} that failed, use the --limit that -v shows here.")]
    which = "the one" if len(names) == 1 else f"the {len(names):,}"
    # One line, however long, so that it can be copied.
    return [Line(""), Line(f"To repeat just {which} that failed: --limit {_quote(','.join(names))}")]


def _quote(text: str) -> str:
    return f"'{text}'" if set(text) & set(' !&*?[]~$;|<>()"\\`') else text
