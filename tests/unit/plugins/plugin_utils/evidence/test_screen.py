# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen: what five seconds tell, at any width, with colour and without."""

from __future__ import annotations

import re

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import History
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.screen import draw

from tests.evidence.samples import HOSTILE, MIXED_WAIVERS, audit, missing, mixed_fleet, observe

COLOUR = re.compile("\x1b\\[[0-9;]*m")


def test_all_is_in_order():
    assert draw(audit([observe()]), 80, False) == ["Audit: 1 organization passes."]
    fleet = [observe(f"acme-{number}", number) for number in range(3000)]
    assert draw(audit(fleet), 80, False, "audit.html") == [
        "Audit: 3,000 organizations pass.",
        "",
        "Report: audit.html",
    ]


def test_some_are_not():
    fleet = [observe("acme-001", 1), missing("acme-002", 2), missing("acme-003", 3)]
    assert draw(audit(fleet), 80, False) == [
        "Audit: 2 of 3 organizations fail.",
        "",
        "critical  streaming: does not stream (2)",
        "          acme-002  acme-003",
        "          Run the playbook audit_log_stream to configure it.",
        "",
        "These alone: --limit acme-002,acme-003",
    ]


def test_since_and_trend():
    earlier = audit([missing()], past=History(), time="2026-08-01T00:00:00Z").history
    lines = draw(audit([missing(), missing("acme-002", 2)], past=earlier), 100, False)
    assert "          Since 2026-08-01. Run the playbook audit_log_stream to configure it." in lines
    fixed = draw(audit([observe()], past=earlier), 80, False)
    assert fixed == ["Audit: 1 organization passes.", "Since the last audit: 1 fixed."]


def test_many_names_are_cut_and_counted():
    lines = draw(audit([missing(f"acme-{number:04}", number) for number in range(3000)]), 80, False)
    assert len(lines) < 12
    assert "(3,000)" in lines[2]
    assert lines[6] == "          and 2,982 more"
    assert not any("--limit" in line for line in lines)


def test_what_may_be_unknown_and_waivers_are_said():
    lines = draw(audit(mixed_fleet(), waivers=MIXED_WAIVERS), 200, False)
    assert lines[0] == "Audit: 26 of 312 organizations fail; 2 waived."
    for line in [
        "token_compared: 140 organizations could not be compared. Set audit_log_stream_fingerprint_store.",
        "Waiver of streaming for acme-041 until 2026-10-01: has ended.",
        "Waiver of region for acme-090 until 2026-12-31: is no longer needed.",
        "Waiver of region for acme-999 until 2026-12-31: matches no organization.",
    ]:
        assert line in lines


def test_a_damaged_history():
    lines = draw(audit([observe()], past=History(problems=("Line 2 was changed.",))), 120, False)
    assert lines[1] == "The history of audits cannot be trusted, so this audit was not added to it: Line 2 was changed."


@pytest.mark.parametrize("width", [80, 120, 200])
def test_nothing_is_wider_than_the_screen(width):
    lines = draw(audit(mixed_fleet(), waivers=MIXED_WAIVERS), width, False, "reports/audit.html")
    assert max(map(len, lines)) <= width


def test_colour_adds_nothing_but_colour():
    made = audit(mixed_fleet(), waivers=MIXED_WAIVERS)
    coloured = draw(made, 120, True)
    assert any(COLOUR.search(line) for line in coloured)
    assert [COLOUR.sub("", line) for line in coloured] == draw(made, 120, False)


def test_hostile_names_cannot_write_on_the_screen():
    lines = draw(audit([missing(name, number) for number, name in enumerate(HOSTILE)]), 200, False)
    assert all(re.fullmatch("[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\u2066]*", line) for line in lines)
    assert any("right\\u202eto" in line for line in lines)
