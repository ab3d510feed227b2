# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of audits: an append-only text of one line for each run, each chained to the one before by SHA-256.

A line holds what has changed since the organization was last seen, and when each one's last event arrived. Any run may
cover any part of the fleet, so slices and single organizations add to the same history. The chain shows a line that was
changed, moved or taken out. It cannot show that somebody wrote the whole anew: for that, keep the hash of the last line
elsewhere, as every report does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import Run

FILE = "history.jsonl"
_SEAL = ',"hash":"'


class Seen(NamedTuple):
    """One organization in one run.

    :ivar states: what was found for each rule that was judged: ``passed``, ``failed`` or ``unknown``.
    :ivar place: where it streams to, or None.
    :ivar last_event: when the last event arrived, in RFC 3339, or None.
    """

    states: Mapping[str, str]
    place: str | None
    last_event: str | None


class Record(NamedTuple):
    """What the history knows of one organization; times are RFC 3339.

    :ivar states: state and 'since when' for each rule.
    """

    first_seen: str
    last_change: str
    place: str | None
    place_since: str
    states: Mapping[str, tuple[str, str]]
    last_event: str | None


class Entry(NamedTuple):
    """One line.

    :ivar whole: whether the run was neither limited nor a slice.
    :ivar counts: how many organizations ended in each state.
    """

    number: int
    time: str
    whole: bool
    counts: Mapping[str, int]
    hash: str


class History(NamedTuple):
    """All that was read; with ``problems``, nothing else is to be believed."""

    records: Mapping[str, Record] = {}
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()


def read_history(text: str, head: tuple[int, str] | None = None) -> History:
    """Return what a history says, after checking every line.

    :arg head: number and hash of an entry that has to be there, because a report was made from it.
    """
    records: dict[str, Record] = {}
    entries: list[Entry] = []
    problems: list[str] = []
    lines = text.split("\n")
    if lines.pop():
        problems.append(f"Line {len(lines) + 1} of {FILE} is cut off.")
    for number, line in enumerate(lines, 1):
        body, _seal, rest = line.rpartition(_SEAL)
        try:
            entry = json.loads(f"{body}}}")
            sealed = Entry(
                entry["entry"],
                entry["time"],
                entry["run"]["limit"] is None and entry["run"]["slice"] is None,
                entry["counts"],
                _hash(f"{body}}}"),
            )
            problem = _find_break(entries, sealed, entry["previous"], intact=rest == f'{sealed.hash}"}}')
            if not problem:
                _fold(records, entry)
            entries.append(sealed)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            problem = "cannot be read"
        if problem:
            problems.append(f"Line {number} of {FILE} {problem}.")
            break
    if head and not problems:
        problems += _find_head(entries, *head)
    return History({} if problems else records, tuple(entries), tuple(problems))


def _find_break(entries: Sequence[Entry], entry: Entry, previous: str | None, intact: bool) -> str | None:
    """Return what is wrong with an entry after those that are read already, as the end of a sentence."""
    expected = len(entries) + 1
    if not intact:
        return f"(entry {entry.number} of {entry.time}) was changed after it was written"
    if entry.number > expected:
        missing = f"entry {expected}" if entry.number == expected + 1 else f"entries {expected} to {entry.number - 1}"
        return f"is entry {entry.number}: {missing} {'is' if entry.number == expected + 1 else 'are'} missing before it"
    if entry.number < expected:
        return f"is entry {entry.number}, which does not belong there"
    if previous != (entries[-1].hash if entries else None):
        return f"(entry {entry.number} of {entry.time}) does not follow from the line before it, which was replaced"
    return None


def _find_head(entries: Sequence[Entry], number: int, digest: str) -> list[str]:
    if number > len(entries):
        there = f"ends with entry {len(entries)}" if entries else "is empty or missing"
        return [f"{FILE} {there}, and the last report was made with entry {number}: lines were removed."]
    if entries[number - 1].hash != digest:
        return [f"Entry {number} of {FILE} is not the one that the last report was made with."]
    return []


def extend_history(
    history: History,
    run: Run,
    rules: Sequence[str],
    seen: Mapping[str, Seen],
    waived: Mapping[str, Sequence[str]],
    counts: Mapping[str, int],
) -> tuple[History, str]:
    """Return the history with one more run, and the line that has to be appended to its text.

    :arg rules: the rules that were applied.
    :arg waived: the rules that each organization was excused from.
    :arg counts: how many organizations ended in each state.
    """
    changed = {name: now for name, now in seen.items() if _differs(history.records.get(name), now, rules)}
    entry = {
        "entry": len(history.entries) + 1,
        "time": run["time"],
        "run": run,
        "rules": list(rules),
        "counts": counts,
        "waived": waived,
        "changed": {name: now._asdict() for name, now in changed.items()},
        "same": {name: now.last_event for name, now in seen.items() if name not in changed},
        "previous": history.entries[-1].hash if history.entries else None,
    }
    body = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    digest = _hash(body)
    records = dict(history.records)
    _fold(records, entry)
    whole = run["limit"] is None and run["slice"] is None
    sealed = Entry(len(history.entries) + 1, run["time"], whole, counts, digest)
    line = f'{body[:-1]}{_SEAL}{digest}"}}\n'
    return History(records, (*history.entries, sealed), history.problems), line


def _hash(body: str) -> str:
    return "sha256:" + hashlib.sha256(body.encode("utf-8", "surrogateescape")).hexdigest()


def _differs(record: Record | None, seen: Seen, rules: Sequence[str]) -> bool:
    if record is None or record.place != seen.place:
        return True
    return {rule: state for rule, (state, _since) in record.states.items() if rule in rules} != seen.states


def _fold(records: dict[str, Record], entry: Mapping[str, Any]) -> None:
    """Bring the records up to an entry."""
    time, rules = entry["time"], set(entry["rules"])
    for name, now in entry["changed"].items():
        before = records.get(name) or Record(time, time, now["place"], time, {}, None)
        # What a run did not ask stays known; what it asked and could not judge ends there.
        states = {rule: known for rule, known in before.states.items() if rule not in rules}
        for rule, state in now["states"].items():
            known = before.states.get(rule)
            states[rule] = known if known and known[0] == state else (state, time)
        records[name] = before._replace(
            last_change=time,
            place=now["place"],
            place_since=before.place_since if before.place == now["place"] else time,
            states=states,
            last_event=_later(before.last_event, now["last_event"]),
        )
    for name, last_event in entry["same"].items():
        if last_event is not None:
            records[name] = records[name]._replace(last_event=_later(records[name].last_event, last_event))


def _later(one: str | None, other: str | None) -> str | None:
    """Return the later of two times in the same RFC 3339 form."""
    return max(filter(None, (one, other)), default=None)
