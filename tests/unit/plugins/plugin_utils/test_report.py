# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screens that end a run: plain text that lines up and is never too wide."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.report import WIDTH, count, summary, table

LONG = "The service answered 403: the application token needs the role Organization Administrator. " * 3


class TestTable:
    def test_columns_line_up(self):
        assert table(
            ["Organization", "Id", "Audit log"], [["acme", "1", "not streamed"], ["a-longer-name", "22", ""]]
        ) == [
            "Organization   Id  Audit log",
            "-------------  --  ---------",
            "acme           1   not streamed",
            "a-longer-name  22",
        ]

    def test_no_rows(self):
        assert table(["Failed", "Reason"], []) == ["Failed  Reason", "------  ------"]

    def test_the_last_column_is_wrapped_below_itself(self):
        lines = table(["Failed", "Reason"], [["acme", LONG]])
        assert max(map(len, lines)) <= WIDTH
        assert len(lines) > 3
        assert all(line.startswith(" " * 8 + "T") or line[:8].isspace() for line in lines[3:])
        assert " ".join(" ".join(lines[2:]).split()) == f"acme {LONG.strip()}"

    def test_long_words_stay_whole_so_that_they_can_be_copied(self):
        url = "pulsar+ssl://" + "a-b." * 40 + "example.com:6651"
        assert url in "\n".join(table(["Name", "Where"], [["acme", f"to {url}"]])).split()

    def test_a_long_name_leaves_room_for_the_reason(self):
        lines = table(["Failed", "Reason"], [["n" * 200, LONG]])
        assert max(map(len, lines)) <= 200 + 2 + 30

    @pytest.mark.parametrize("cell", ["two\nlines", "two \t lines", " two\r\nlines "])
    def test_a_cell_is_one_line(self, cell):
        assert table(["Name", "Reason"], [[cell, cell]])[2] == "two lines  two lines"

    def test_cells_that_are_no_text(self):
        assert table(["Name", "Reason"], [[None, 7]])[2] == "None  7"


OUTCOMES = {"a": "created", "b": "updated", "c": "updated", "d": "deleted", "e": "unchanged", "f": "failed"}


class TestSummary:
    def test_everything_is_counted(self):
        assert summary(OUTCOMES, {"f": "No."}, check_mode=False) == [
            "Audit log streaming: 6 organizations: 1 created, 2 updated, 1 deleted, 1 unchanged, 1 failed",
            "",
            "Failed  Reason",
            "------  ------",
            "f       No.",
        ]

    def test_nothing_failed(self):
        assert summary({"a": "unchanged"}, {}, check_mode=False) == [
            "Audit log streaming: 1 organization: 0 created, 0 updated, 0 deleted, 1 unchanged, 0 failed"
        ]

    def test_what_did_not_run_is_mentioned_only_when_there_is_some(self):
        (line,) = summary({"a": "created", "b": "not run"}, {}, check_mode=False)
        assert line.endswith("2 organizations: 1 created, 0 updated, 0 deleted, 0 unchanged, 0 failed, 1 not run")

    def test_check_mode_says_so(self):
        (line,) = summary({"a": "created"}, {}, check_mode=True)
        assert line.startswith("Audit log streaming, check mode (nothing was changed): 1 organization: 1 created,")

    def test_failures_are_sorted_by_name(self):
        lines = summary({"b": "failed", "a": "failed"}, {"b": "Two.", "a": "One."}, check_mode=False)
        assert lines[4:] == ["a       One.", "b       Two."]

    def test_nobody(self):
        (line,) = summary({}, {}, check_mode=False)
        assert line.startswith("Audit log streaming: 0 organizations: 0 created,")


def test_count():
    expected = {"created": 1, "updated": 2, "deleted": 1, "unchanged": 1, "failed": 1, "not run": 0}
    assert count(OUTCOMES) == expected
