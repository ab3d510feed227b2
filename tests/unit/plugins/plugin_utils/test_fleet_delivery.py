# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of an organization's events, and how a fleet of them is shown."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._probe import Arrival
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_delivery import Verdict, draw, find_failures, judge
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Shape

PRESENT, ABSENT = {"state": "present"}, {"state": "absent"}
OBSERVED = {"name": "acme", "problems": [], "error": None, "exists": True, "desired": PRESENT, "differences": []}
OBSERVED["delivery"] = None


def delivery(verdict, reason="", advice="", at_risk=()):
    checks = [{"id": each, "state": "failed", "message": "Nothing is kept.", "advice": "Keep it."} for each in at_risk]
    found = {"verdict": verdict, "reason": reason, "advice": advice, "checks": checks, "at_risk": list(at_risk)}
    return {**found, "last_event": None, "shared_by": 1}


@pytest.mark.parametrize(
    ("seen", "verdict", "why"),
    [
        ({"problems": ["topic is wrong."]}, "unknown", "topic is wrong."),
        ({"error": "It could not be read."}, "unknown", "It could not be read."),
        ({"exists": False, "desired": ABSENT}, "not streamed", ""),
        (
            {"desired": ABSENT},
            "broken",
            "It streams, although its variables say that it should not. Run datastax.astra.audit_log_stream.",
        ),
        ({"exists": False}, "broken", "Its audit log is not streamed. Run datastax.astra.audit_log_stream."),
        (
            {"differences": ["topic", "pulsar_token"]},
            "broken",
            "It streams elsewhere than its variables say (topic). Run datastax.astra.audit_log_stream.",
        ),
        ({}, "unknown", "The broker was not asked, because that needs the Pulsar token."),
        ({"delivery": delivery("proven", "An event came.")}, "proven", ""),
        ({"delivery": delivery("broken", "It is gone.", "Make it.")}, "broken", "It is gone. Make it."),
        ({"delivery": delivery("unknown", "Out of reach.")}, "unknown", "Out of reach."),
    ],
)
def test_verdicts(seen, verdict, why):
    assert judge({**OBSERVED, **seen})[:3] == ("acme", verdict, why)


def test_risks():
    seen = delivery("quiet", at_risk=["retention"])
    assert judge({**OBSERVED, "delivery": seen}).risks == ("Nothing is kept. Keep it.",)


FLEET = [
    Verdict("acme-1", "proven"),
    Verdict("acme-2", "quiet", "", ("Nothing is kept. Set retention.",)),
    Verdict("acme-3", "broken", "The topic is gone. Make it."),
    Verdict("acme-4", "broken", "The topic is gone. Make it."),
    Verdict("acme-5", "unknown", "The broker is out of reach."),
]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_screen(width):
    probed = {"acme-1": Arrival("The event arrived.", arrived=True), "acme-2": Arrival("No event arrived.")}
    text = "\n".join(line.text for line in draw(FLEET, probed, ["acme-3", "acme-4"], Shape(width)))
    assert text.startswith("Audit log delivery: 5 organizations: 2 broken, 1 unknown, 1 quiet, 1 proven\n\nBroken\n")
    assert "acme-3, acme-4  The topic is gone. Make it." in text
    assert "acme-5  The broker is out of reach." in text
    assert "At risk\n  acme-2  Nothing is kept. Set retention." in text
    assert "Probed in vain\n  acme-2  No event arrived." in text
    assert "Probed\n  acme-1  The event arrived." in text
    assert "acme-2: all is well, and no event has come yet." in text
    assert text.endswith("To repeat just the 2 that failed: --limit acme-3,acme-4")
    assert max(map(len, text.split("\n"))) <= width


def test_nothing_is_said_of_what_there_is_none_of():
    assert [line.text for line in draw(FLEET[:1], {}, [], Shape())] == ["Audit log delivery: 1 organization proven"]


@pytest.mark.parametrize(("strict", "names"), [(False, ["acme-3", "acme-4"]), (True, ["acme-3", "acme-4", "acme-5"])])
def test_what_fails(strict, names):
    assert list(find_failures(FLEET, {}, strict)) == names


def test_a_probe_in_vain_fails_where_that_is_wanted():
    probed = {each.name: Arrival("No event arrived.") for each in FLEET}
    probed["acme-1"] = Arrival("The event arrived.", arrived=True)
    assert list(find_failures(FLEET, probed, strict=False)) == ["acme-3", "acme-4"]
    failures = find_failures(FLEET, probed, strict=True)
    assert failures["acme-2"] == "No event arrived."
    assert failures["acme-3"] == "broken: The topic is gone. Make it. No event arrived."
    assert set(failures) == {"acme-2", "acme-3", "acme-4", "acme-5"}


def test_the_colour_of_the_headline():
    for arrived, colour in ((True, "ok"), (False, "warn")):
        assert draw(FLEET[:2], {"acme-2": Arrival("", arrived=arrived)}, [], Shape())[0].kind == colour


def test_a_mistake_always_fails():
    mistaken = judge({**OBSERVED, "problems": ["audit_log_delivery_strct is not a known variable."]})
    assert find_failures([mistaken], {}, strict=False) == {
        "acme": "unknown: audit_log_delivery_strct is not a known variable."
    }
