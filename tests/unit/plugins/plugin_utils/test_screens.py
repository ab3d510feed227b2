# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screens: what happened, to whom and what to do, for three organizations and for three thousand, at any width."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils import screens
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Outcome, Shape

SIZES = (3, 300, 3000)
WIDTHS = (79, 119, 199)
LACKS = "The service answered 403: the application token needs the role Organization Administrator. " * 2


def texts(lines):
    return [line.text for line in lines]


def fleet(size):
    """A fleet in which all kinds of things happen, to a few or to many."""
    names = [f"acme-{number:04}" for number in range(1, size + 1)]
    outcomes = [Outcome(names[0], "created"), Outcome(names[1], "updated", "topic"), Outcome(names[2], "failed", LACKS)]
    for number, name in enumerate(names[3:]):
        kinds = [Outcome(name, "updated", "topic"), Outcome(name, "created"), Outcome(name, "failed", LACKS)]
        outcomes.append(kinds[number % 30 // 10] if number % 10 == 0 else Outcome(name, "unchanged"))
    return outcomes


@pytest.fixture(params=SIZES)
def outcomes(request):
    return fleet(request.param)


class TestEveryScreen:
    """Whatever it says, it fits."""

    @pytest.mark.parametrize("width", WIDTHS)
    def test_no_line_is_too_wide(self, outcomes, width):
        shape = Shape(width)
        lines = screens.show_plan(outcomes, False, shape)
        lines += screens.show_summary(outcomes, screens.remark_not_compared(3), True, shape)
        lines += screens.show_problems({each.name: [(LACKS, LACKS)] for each in outcomes}, len(outcomes), shape)
        # A --limit is one line, so that it can be copied.
        assert [line for line in texts(lines) if len(line) > width and "--limit" not in line] == []

    @pytest.mark.parametrize("width", WIDTHS)
    def test_the_summary_fits_one_screen(self, outcomes, width):
        assert len(screens.show_summary(outcomes, screens.remark_not_compared(3), False, Shape(width))) <= 40

    def test_nothing_is_lost_with_more_verbosity(self, outcomes):
        summary = "\n".join(texts(screens.show_summary(outcomes, [], False, Shape(79, verbose=True))))
        assert [each.name for each in outcomes if each.kind != "unchanged" and each.name not in summary] == []

    def test_words_stay_whole_so_that_they_can_be_copied(self):
        url = "pulsar+ssl://" + "a-b." * 40 + "example.com:6651"
        lines = screens.show_summary([Outcome("acme", "failed", f"no {url} here")], [], False, Shape())
        assert url in "\n".join(texts(lines)).split()

    def test_a_name_that_is_wider_than_the_screen(self):
        lines = screens.show_summary([Outcome("n" * 200, "failed", LACKS)], [], False, Shape())
        assert f"  {'n' * 200}" in texts(lines)


class TestPlan:
    def test_all_is_as_it_should_be(self):
        lines = screens.show_plan([Outcome("a", "unchanged"), Outcome("b", "unchanged")], False, Shape())
        assert lines == [("Audit log streaming: all 2 organizations are as they should be", "ok")]

    def test_what_differs_and_why(self):
        outcomes = [
            Outcome("acme-1", "created"),
            Outcome("acme-2", "updated", "topic"),
            Outcome("acme-3", "updated", "endpoint, topic"),
            Outcome("acme-4", "updated", "topic"),
            Outcome("acme-5", "deleted"),
            Outcome("acme-6", "unchanged"),
        ]
        assert texts(screens.show_plan(outcomes, False, Shape())) == [
            "Audit log streaming: the plan: 5 of 6 organizations differ",
            "",
            "To be created",
            "  acme-1",
            "",
            "To be updated",
            "  acme-2, acme-4  topic",
            "  acme-3  endpoint, topic",
            "",
            "To be deleted",
            "  acme-5",
        ]

    @pytest.mark.parametrize(
        ("kinds", "headline"),
        [
            (["failed"], "1 organization failed"),
            (["failed", "failed"], "all 2 organizations failed"),
            (["failed", "unchanged"], "1 of 2 organizations failed"),
            (["failed", "created"], "1 of 2 organizations differs, 1 failed"),
            (["created"], "1 organization differs"),
            (["created", "updated"], "all 2 organizations differ"),
        ],
    )
    def test_headline(self, kinds, headline):
        outcomes = [Outcome(str(number), kind) for number, kind in enumerate(kinds)]
        line = screens.show_plan(outcomes, False, Shape())[0]
        assert line == (f"Audit log streaming: the plan: {headline}", "error" if "failed" in kinds else "changed")

    def test_what_the_summary_says_is_not_said_twice(self):
        failed = [Outcome("a", "failed", "No."), Outcome("b", "updated", "topic")]
        assert "No." not in "\n".join(texts(screens.show_plan(failed, False, Shape())))
        assert len(screens.show_plan(failed, True, Shape())) == 1


class TestSummary:
    def test_what_happened_to_whom_and_what_to_do(self):
        outcomes = [
            Outcome("acme-1", "created"),
            Outcome("acme-2", "updated", "topic"),
            Outcome("acme-3", "failed", "The token is wrong."),
            Outcome("acme-4", "unchanged"),
            Outcome("acme-5", "not run"),
        ]
        assert screens.show_summary(outcomes, ["Stopped."], False, Shape(119)) == [
            ("Audit log streaming: 5 organizations: 1 failed, 1 created, 1 updated, 1 unchanged, 1 not run", "error"),
            ("", ""),
            ("Created", "changed"),
            ("  acme-1", "changed"),
            ("", ""),
            ("Updated", "changed"),
            ("  acme-2  topic", "changed"),
            ("", ""),
            ("Failed", "error"),
            ("  acme-3  The token is wrong.", "error"),
            ("", ""),
            ("Stopped.", "warn"),
            ("", ""),
            ("To repeat just the one that failed: --limit acme-3", ""),
        ]

    def test_check_mode_says_would(self):
        outcomes = [Outcome("a", "created"), Outcome("b", "unchanged")]
        lines = texts(screens.show_summary(outcomes, [], True, Shape()))
        assert lines[:2] == [
            "Audit log streaming, check mode: 2 organizations: 1 would be created,",
            "  1 unchanged",
        ]
        assert "Would be created" in lines

    def test_one_organization(self):
        lines = texts(screens.show_summary([Outcome("a", "unchanged")], [], False, Shape()))
        assert lines == ["Audit log streaming: the organization is as it should be"]

    def test_those_that_share_a_cause_are_named_together(self):
        lines = texts(screens.show_summary(fleet(3000), [], False, Shape()))
        assert lines[lines.index("Updated") + 1 :][:4] == [
            "  acme-0002, acme-0004, acme-0034, acme-0064, acme-0094, acme-0124, acme-0154,",
            "  acme-0184, acme-0214, acme-0244, acme-0274, acme-0304, acme-0334, acme-0364,",
            "  acme-0394, acme-0424, acme-0454, acme-0484, acme-0514, acme-0544 and 81 more",
            "    topic",
        ]
        assert "\n".join(lines).count("The service answered 403") == 2  # twice in the one sentence

    def test_reasons_of_their_own_do_not_flood_the_screen(self):
        many = [Outcome(f"a{number}", "failed", f"Error {number}.") for number in range(25)]
        outcomes = [*many, *(Outcome(f"b{number}", "failed", "The token is wrong.") for number in range(3))]
        lines = texts(screens.show_summary(outcomes, [], False, Shape()))
        assert lines[3] == "  b0, b1, b2  The token is wrong."
        assert lines[4] == "  a0  Error 0."
        assert lines[12:] == ["  and 17 organizations, for 17 other reasons: -v shows them here."]
        assert texts(screens.show_summary(outcomes, [], False, Shape(verbose=True)))[-1] == "  a24  Error 24."

    @pytest.mark.parametrize(
        ("failed", "total", "limit"),
        [
            (0, 2, None),
            (2, 2, None),  # the same command does it
            (1, 2, "To repeat just the one that failed: --limit org-1"),
            (2, 3, "To repeat just the 2 that failed: --limit org-1,org-2"),
            (61, 62, "To repeat just the 61 that failed, use the --limit that -v shows here."),
        ],
    )
    def test_how_to_repeat_what_failed(self, failed, total, limit):
        outcomes = [Outcome(f"org-{number}", "failed", "No.") for number in range(1, failed + 1)]
        outcomes += [Outcome("", "unchanged")] * (total - failed)
        lines = texts(screens.show_summary(outcomes, [], False, Shape()))
        assert [line for line in lines if "--limit" in line] == ([limit] if limit else [])

    def test_no_limit_where_nobody_else_was_reached(self):
        outcomes = [Outcome("a", "failed", "No."), Outcome("b", "not run")]
        assert "--limit" not in "\n".join(texts(screens.show_summary(outcomes, [], False, Shape())))

    def test_options_stay_with_their_values(self):
        for width in range(40, 120):
            text = "\n".join(texts(screens.say(screens.remark_not_compared(1), Shape(width))))
            assert "-e audit_log_stream_update_token=always" in text

    def test_a_limit_that_a_shell_would_change(self):
        outcomes = [Outcome("a b", "failed", "No."), Outcome("", "unchanged")]
        assert texts(screens.show_summary(outcomes, [], False, Shape()))[-1].endswith(" --limit 'a b'")


class TestProblems:
    def test_where_all_share_the_place_it_is_named(self):
        problems = {
            "a": [("x is wrong.", "x (f:1) is wrong."), ("y is wrong.", "y (f:2) is wrong.")],
            "b": [("x is wrong.", "x (f:1) is wrong."), ("y is wrong.", "y (f:3) is wrong.")],
        }
        assert texts(screens.show_problems(problems, 300, Shape())) == [
            "Audit log streaming: 2 of 300 organizations have problems",
            "",
            "Problems",
            "  a, b  x (f:1) is wrong.",
            "  a, b  y is wrong.",
        ]

    def test_none(self):
        assert texts(screens.show_no_problems(300)) == [
            "Audit log streaming: the variables of all 300 organizations are in order"
        ]


class TestStreams:
    def test_who_streams_where(self):
        places = {"a": "T at B (token)", "b": screens.NOT_STREAMED, "c": "T at B (token)", "d": "To kafka"}
        failures = [Outcome("e", "failed", "No.")]
        assert texts(screens.show_streams(places, failures, ["Beware."], Shape())) == [
            "Audit log streaming: 5 organizations: 3 streamed, 1 not streamed, 1 failed",
            "",
            "T at B (token)",
            "  a, c",
            "",
            "To kafka",
            "  d",
            "",
            "Not streamed",
            "  b",
            "",
            "Failed",
            "  e  No.",
            "",
            "Beware.",
            "",
            "To repeat just the one that failed: --limit e",
        ]

    @pytest.mark.parametrize("width", [79, 96])
    def test_a_long_place_fits(self, width):
        place = "persistent://acme-audit/security/astra-audit-log at pulsar+ssl://broker.example.com:6651\u00a0(token)"
        assert texts(screens.show_streams({"a": place}, [], [], Shape(width)))[2:] == [
            "persistent://acme-audit/security/astra-audit-log",
            "  at pulsar+ssl://broker.example.com:6651 (token)",
            "  a",
        ]


def test_remarks():
    assert screens.remark_not_compared(0) == []
    assert screens.remark_not_compared(1)[0].startswith("1 token could not be compared, ")
    assert screens.remark_not_compared(3000)[0].startswith("3,000 tokens could not be compared, ")
    assert screens.remark_shared_topics({"t": 50}) == []
    assert screens.remark_shared_topics({"t": 51, "u": 1})[0].startswith("51 organizations share the topic t.")
    assert screens.name_some(["a", "b"]) == "a, b"
    assert screens.name_some(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert texts(screens.show_progress(1200, 3000, "Asking")) == ["Asking: 1,200 of 3,000 organizations"]


def test_count_outcomes():
    counts = screens.count_outcomes([Outcome("a", "created"), Outcome("b", "failed", "No."), Outcome("c", "failed")])
    assert counts == {"created": 1, "updated": 0, "deleted": 0, "unchanged": 0, "failed": 2, "not run": 0}
