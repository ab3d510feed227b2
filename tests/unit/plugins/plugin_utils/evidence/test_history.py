# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain of audits: whatever is done to a line of it is found and named."""

from __future__ import annotations

import json

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import findings
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import History, read_history
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import BUILT_IN

from tests.evidence.samples import HOSTILE, RUN, missing, mixed_fleet, observe


def record(*fleets):
    """Return the history's text after audits of these fleets, a day apart."""
    text = ""
    for day, fleet in enumerate(fleets, 1):
        run = {**RUN, "time": f"2026-09-{day:02}T00:00:00Z"}
        _audit, line = findings.judge(run, fleet, BUILT_IN, (), read_history(text))
        text += line
    return text


@pytest.fixture(scope="module")
def text():
    return record([observe()], [missing()], [observe(), observe("b", 2)], [observe()])


def test_what_was_written_is_read(text):
    read = read_history(text)
    assert read.problems == ()
    assert [entry.number for entry in read.entries] == [1, 2, 3, 4]
    assert read.records["acme-001"].states["streaming"] == ("passed", "2026-09-03T00:00:00Z")
    assert read.records["b"].first_seen == "2026-09-03T00:00:00Z"


def test_reading_gives_what_writing_had():
    fleet = mixed_fleet(90)
    made, line = findings.judge(RUN, fleet, BUILT_IN, (), History())
    assert read_history(line) == made.history


def test_an_unchanged_fleet_costs_little():
    first, second = record(mixed_fleet(300), mixed_fleet(300)).splitlines()
    assert len(second) < len(first) / 5


def test_names_that_are_hostile():
    made = record([observe(name, number) for number, name in enumerate(HOSTILE)])
    assert made.isascii()
    assert made.count("\n") == 1
    assert set(read_history(made).records) == set(HOSTILE)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda lines: [lines[0], lines[1].replace('"failed"', '"passed"'), *lines[2:]],
            "Line 2 of history.jsonl (entry 2 of 2026-09-02T00:00:00Z) was changed after it was written.",
        ),
        (
            lambda lines: [lines[0], *lines[2:]],
            "Line 2 of history.jsonl is entry 3: entry 2 is missing before it.",
        ),
        (lambda lines: lines[3:], "Line 1 of history.jsonl is entry 4: entries 1 to 3 are missing before it."),
        (
            lambda lines: [lines[0], lines[0], *lines[1:]],
            "Line 2 of history.jsonl is entry 1, which does not belong there.",
        ),
        (
            lambda lines: [lines[1], lines[0], *lines[2:]],
            "Line 1 of history.jsonl is entry 2: entry 1 is missing before it.",
        ),
        (
            lambda lines: [record([missing()]).rstrip("\n"), *lines[1:]],
            "Line 2 of history.jsonl (entry 2 of 2026-09-02T00:00:00Z) does not follow from the line before it, "
            "which was replaced.",
        ),
        (lambda lines: [lines[0], "{}", *lines[2:]], "Line 2 of history.jsonl cannot be read."),
        (lambda lines: [lines[0], "", *lines[2:]], "Line 2 of history.jsonl cannot be read."),
        (
            lambda lines: [lines[0] + " ", *lines[1:]],
            "Line 1 of history.jsonl (entry 1 of 2026-09-01T00:00:00Z) was changed after it was written.",
        ),
        (lambda lines: [*lines, "[" * 100000], "Line 5 of history.jsonl cannot be read."),
    ],
    ids=["changed", "missing", "start missing", "twice", "swapped", "exchanged", "other", "empty", "blank", "nested"],
)
def test_tampering_is_named(text, change, problem):
    read = read_history("\n".join([*change(text.splitlines()), ""]))
    assert read.problems == (problem,)
    assert read.records == {}


def test_every_single_character_counts(text):
    line = text.splitlines()[0]
    for position in range(len(line)):
        other = chr(ord(line[position]) ^ 1)
        assert read_history(f"{line[:position]}{other}{line[position + 1 :]}\n").problems, position


def test_a_line_that_is_cut_off(text):
    assert read_history(text[:-10]).problems[0] == "Line 4 of history.jsonl is cut off."


class TestHead:
    def head(self, text, number):
        return number, json.loads(text.splitlines()[number - 1])["hash"]

    def test_it_is_there(self, text):
        assert read_history(text, self.head(text, 4)).problems == ()
        assert read_history(text, self.head(text, 2)).problems == ()

    @pytest.mark.parametrize(("kept", "there"), [(2, "ends with entry 2"), (0, "is empty or missing")])
    def test_the_end_was_taken_out(self, text, kept, there):
        shorter = "".join(text.splitlines(keepends=True)[:kept])
        [problem] = read_history(shorter, self.head(text, 4)).problems
        assert problem == (f"history.jsonl {there}, and the last report was made with entry 4: lines were removed.")

    def test_all_was_written_anew(self, text):
        forged = record([observe()], [observe()], [observe()], [observe()])
        assert read_history(forged).problems == ()
        assert read_history(forged, self.head(text, 4)).problems == (
            "Entry 4 of history.jsonl is not the one that the last report was made with.",
        )
