# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen: what five seconds tell, at any width, with colour and without."""

from __future__ import annotations

import re

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import screen
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import History
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Shape

from tests.evidence.samples import HOSTILE, MIXED_WAIVERS, audit, missing, mixed_fleet, observe

HEADLINE = "Audit of audit log streaming: "


def draw(made, width=80, report=None, verbose=False):
    return [line.text for line in screen.draw(made, Shape(width, verbose), report)]


def test_all_pass():
    assert draw(audit([observe()])) == [HEADLINE + "the organization passes"]
    fleet = [observe(f"acme-{number}", number) for number in range(3000)]
    assert draw(audit(fleet), report="audit.html") == [
        HEADLINE + "all 3,000 organizations pass",
        "",
        "Report: audit.html",
    ]


def test_some_do_not():
    fleet = [observe("acme-001", 1), missing("acme-002", 2), missing("acme-003", 3)]
    assert draw(audit(fleet)) == [
        HEADLINE + "2 of 3 organizations fail",
        "",
        "critical: does not stream (streaming)",
        "  acme-002, acme-003",
        "    Run the playbook audit_log_stream to configure it.",
        "",
        "To repeat just the 2 that failed: --limit acme-002,acme-003",
    ]


def test_since_and_trend():
    earlier = audit([missing()], past=History(), time="2026-08-01T00:00:00Z").history
    lines = draw(audit([missing(), missing("acme-002", 2)], past=earlier))
    assert "    Since 2026-08-01." in lines
    fixed = draw(audit([observe()], past=earlier))
    assert fixed == [HEADLINE + "the organization passes", "Since the last audit: 1 fixed"]


def test_one_organization_has_its_reason():
    fleet = [observe(), observe("acme-002", 2, error="The service answered 403.", exists=None, stream=None)]
    lines = draw(audit([*fleet, observe("acme-003", 3, token_expires_at="2026-10-21T00:00:00Z")]))
    assert "    The token expires on 2026-10-21T00:00:00Z, in 0 days." in lines
    # Where the heading says it, it is not said again.
    assert sum("403" in line for line in lines) == 1


def test_reasons_of_their_own_do_not_flood_the_screen():
    def error(number):
        return observe(f"a{number:02}", number, error=f"Error {number}.", exists=None, stream=None)

    fleet = [*(error(number) for number in range(1, 26)), missing("b", 90), observe("c", 91)]
    lines = draw(audit(fleet))
    assert lines.index("critical: does not stream (streaming)") == 2
    assert sum("Error" in line for line in lines) == 8
    assert "And 17 organizations, for 17 other reasons: -v shows them here." in lines
    assert sum("Error" in line for line in draw(audit(fleet), verbose=True)) == 25


def test_many_names_are_cut_and_counted():
    made = audit([missing(f"acme-{number:04}", number) for number in range(3000)])
    lines = draw(made)
    assert len(lines) < 12
    assert re.search(r" and 2,9\d\d more$", lines[5])
    assert not any("--limit" in line for line in lines)
    assert sum("acme-2999" in line for line in draw(made, verbose=True)) == 1


def test_what_may_be_unknown_and_waivers_are_said():
    lines = draw(audit(mixed_fleet(), waivers=MIXED_WAIVERS), 200)
    assert lines[0] == HEADLINE + "26 of 312 organizations fail, 2 waived"
    for line in [
        "140 organizations: the token could not be compared (token_compared). Set audit_log_stream_fingerprint_store.",
        "The waiver of streaming for acme-041 until 2026-10-01 has ended.",
        "The waiver of region for acme-090 until 2026-12-31 is no longer needed.",
        "The waiver of region for acme-999 until 2026-12-31 matches no organization.",
    ]:
        assert line in lines


def test_a_damaged_history():
    lines = draw(audit([observe()], past=History(problems=("Line 2 was changed.",))), 120)
    assert lines[2:] == [
        "The history of audits cannot be trusted, so this audit was not added to it: Line 2 was changed."
    ]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_nothing_is_wider_than_the_screen(width):
    lines = draw(audit(mixed_fleet(), waivers=MIXED_WAIVERS), width, "reports/audit.html")
    assert max(len(line) for line in lines if "--limit" not in line) <= width


def test_colours_follow_what_is_at_stake():
    kinds = {line.text: line.kind for line in screen.draw(audit(mixed_fleet()), Shape(200))}
    assert kinds["critical: does not stream (streaming)"] == "error"
    allowed = (
        "140 organizations: the token could not be compared (token_compared). Set audit_log_stream_fingerprint_store."
    )
    assert kinds[allowed] == "warn"
    assert screen.draw(audit([observe()]), Shape())[0].kind == "ok"


def test_hostile_names_cannot_write_on_the_screen():
    lines = draw(audit([missing(name, number) for number, name in enumerate(HOSTILE)]), 200, verbose=True)
    assert all(re.fullmatch("[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\u2066]*", line) for line in lines)
    assert any("right\\u202eto" in line for line in lines)
