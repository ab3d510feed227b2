# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets to audit: what the fleet's reading would have found, without a service."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import findings, history, settings

NOW = "2026-10-20T10:15:00Z"
ENDPOINT = "pulsar+ssl://pulsar-aws-useast2.streaming.datastax.com:6651"
RUN = {
    "time": NOW,
    "user": "jane",
    "api_url": "https://api.astra.datastax.com",
    "inventory": "inventory/hosts.yml",
    "limit": None,
    "slice": None,
    "collection_version": "1.0.0",
    "ansible_version": "2.19.14",
}
GUARDS = ("subscription", "inactive_topics", "retention", "backlog", "producers")
WAY = ("token", "connect", "tls", "authenticate", "topic", "produce", "producer_connected", "last_event")

# Written with escapes, because editors show few of them.
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\tcmd|' /C calc'!A0",
    "one\r\ntwo",
    "bell\x07 null\x00 escape\x1b[31m",
    "right\u202eto\u2066left\u200f",
    "zero\u200bwidth\ufeff",
    "next\x85line\u2028separator",
    "\ud800 alone",
    "\ufffe none",
    "tag\U000e0041",
    "quote'and\"back\\slash",
    "]]>&amp;<!--",
    "\u65e5\u672c\u8a9e und \u00dcml\u00e4ute",
]
SECRETS = [
    "AstraCS:" + "Ab1" * 8 + ":" + "0123456789abcdef" * 4,
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjbGllbnQ7YTtiO2MifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4",
]


def days(number: float) -> str:
    """Return the time so many days after the audit."""
    moment = datetime.datetime(2026, 10, 20, 10, 15, tzinfo=datetime.UTC) + datetime.timedelta(days=number)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def deliver(last_event: str | None = days(-0.1), verdict: str = "proven", **states: str) -> dict[str, Any]:
    """Return what the broker showed; ``states`` are those of checks that did not pass."""
    checks = [
        {
            "id": name,
            "state": states.get(name, "passed"),
            "message": f"The check {name} says so." if name in states else "",
            "advice": f"Mend {name}." if name in states else "",
        }
        for name in (*WAY, *GUARDS)
    ]
    at_risk = [name for name in GUARDS if states.get(name) == "failed"]
    # The first of them on the way of an event is why it does not arrive.
    because = next((check for check in checks if check["id"] in states and check["id"] in WAY), checks[-1])
    found = {"verdict": verdict, "reason": because["message"], "advice": because["advice"], "checks": checks}
    return {**found, "at_risk": at_risk, "last_event": last_event, "shared_by": 1}


def observe(name: str = "acme-001", number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the observation of an organization that is in order, but for the changes."""
    stream = {
        "endpoint": ENDPOINT,
        "topic": f"persistent://acme-audit/security/{name}",
        "auth_strategy": "token",
        "auth_name": "token",
    }
    return {
        "name": name,
        "organization_id": f"0a1b2c3d-0000-4000-8000-{number:012}",
        "problems": [],
        "error": None,
        "exists": True,
        "stream": stream,
        "desired": {"state": "present", **stream},
        "differences": [],
        "action": "none",
        "token_given": True,
        "token_compared": True,
        "token_expires_at": days(200),
        "delivery": deliver(),
        **changes,
    }


def differ(name: str = "acme-001", number: int = 1, **options: str) -> dict[str, Any]:
    """Return the observation of an organization whose stream has other values than the inventory."""
    observation = observe(name, number, differences=sorted(options), action="updated")
    observation["stream"] = {**observation["stream"], **options}
    return observation


def missing(name: str = "acme-001", number: int = 1) -> dict[str, Any]:
    """Return the observation of an organization that does not stream."""
    return observe(name, number, exists=False, stream=None, action="created", delivery=None)


def audit(
    observations: list[dict[str, Any]],
    rules: Any = None,
    waivers: Any = None,
    past: history.History | None = None,
    **run: Any,
) -> findings.Audit:
    """Return the audit of these observations."""
    read = settings.read_rules(rules)
    return findings.judge({**RUN, **run}, observations, read, settings.read_waivers(waivers, read), past)[0]


def mixed_fleet(size: int = 312) -> list[dict[str, Any]]:
    """Return a fleet as it is met: most in order, some not, for all the reasons there are."""
    fleet = [
        observe(f"acme-{number:03}", number, delivery=deliver(days(-(number % 90) / 30)))
        for number in range(1, size + 1)
    ]

    def put(number: int, observation: dict[str, Any]) -> None:
        fleet[number - 1] = observation

    for number in (3, 17, 41):
        put(number, missing(f"acme-{number:03}", number))
    put(5, differ("acme-005", 5, topic="persistent://old-audit/security/everything"))
    put(6, differ("acme-006", 6, topic="persistent://old-audit/security/everything"))
    put(7, differ("acme-007", 7, endpoint="pulsar+ssl://pulsar-gcp-uscentral1.streaming.datastax.com:6651"))
    put(
        8,
        observe(
            "acme-008",
            8,
            exists=None,
            stream=None,
            delivery=None,
            error="Reading the audit log configuration of organization 0a1b2c3d-0000-4000-8000-000000000008 failed: "
            "the service answered 403: the application token needs the role Organization Administrator.",
        ),
    )
    put(
        9,
        observe(
            "acme-009",
            9,
            exists=None,
            stream=None,
            desired=None,
            delivery=None,
            problems=["audit_log_stream_topic must be written as persistent://tenant/namespace/topic."],
        ),
    )
    for number in range(20, 31):
        put(number, observe(f"acme-{number:03}", number, token_expires_at=days(9)))
    put(
        50,
        observe("acme-050", 50, token_expires_at=days(-2), delivery=deliver(days(-2), "broken", authenticate="failed")),
    )
    for number in range(60, 65):
        put(
            number,
            observe(f"acme-{number:03}", number, delivery=deliver(inactive_topics="failed", subscription="failed")),
        )
    put(70, observe("acme-070", 70, delivery=deliver(days(-30))))
    put(71, observe("acme-071", 71, delivery=deliver(None, "quiet", retention="unknown")))
    put(80, observe("acme-080", 80, exists=False, stream=None, desired={"state": "absent"}, delivery=None))
    put(81, observe("acme-081", 81, stream={"kind": "kafka", "fields": {}}, differences=["endpoint", "topic"]))
    for number in range(100, min(240, size)):
        fleet[number - 1]["token_compared"] = False
    return fleet


MIXED_WAIVERS = [
    {"organization": "acme-003", "rule": "streaming", "reason": "Leaves in December.", "until": "2026-12-31"},
    {"organization": "acme-070", "rule": "last_event", "reason": "Idle on purpose.", "until": "2027-03-31"},
    {"organization": "acme-041", "rule": "streaming", "reason": "Was being set up.", "until": "2026-10-01"},
    {"organization": "acme-090", "rule": "region", "reason": "Moved since.", "until": "2026-12-31"},
    {"organization": "acme-999", "rule": "region", "reason": "Gone.", "until": "2026-12-31"},
]
