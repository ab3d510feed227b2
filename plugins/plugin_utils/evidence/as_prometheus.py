# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""audit.prom: the findings as metrics, for the textfile collector of Prometheus' node_exporter."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.findings import Audit
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import read_time
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import visible

FILE = "audit.prom"
PREFIX = "astra_audit_log_stream"

Sample = tuple[dict[str, str], int]


def render(audit: Audit) -> str:
    """Return the text of audit.prom. Counts of zero are there too, so that an alert finds its series."""
    run = audit.run
    severities = {rule.id: rule.severity for rule in audit.rules}
    metrics: list[tuple[str, str, Iterable[Sample]]] = [
        ("audit_timestamp_seconds", "When the audit ran.", [({}, _seconds(run["time"]))]),
        (
            "audit_info",
            "What the audit ran with.",
            [
                (
                    {
                        "api_url": run["api_url"],
                        "collection_version": run["collection_version"],
                        "ansible_version": run["ansible_version"],
                    },
                    1,
                )
            ],
        ),
        ("audit_passed", "Whether nothing is broken that is not waived.", [({}, int(audit.passed))]),
        (
            "audit_organizations",
            "How many organizations are in this state.",
            [({"state": state}, number) for state, number in audit.count_organizations().items()],
        ),
        (
            "audit_findings",
            "How many findings of this rule are in this state.",
            [
                ({"rule": rule, "severity": severities[rule], "state": state}, number)
                for rule, counts in audit.count_findings().items()
                for state, number in counts.items()
            ],
        ),
        (
            "audit_history_damaged",
            "Whether the history of audits was changed or is incomplete.",
            [({}, int(bool(audit.history.problems)))] if audit.history else [],
        ),
        (
            "broken",
            "A rule that this organization breaks, and that no waiver excuses it from.",
            [
                (
                    {
                        "organization": finding.organization,
                        "rule": finding.rule,
                        "severity": finding.severity,
                        "state": finding.state,
                    },
                    1,
                )
                for finding in audit.findings
                if finding.broken
            ],
        ),
        (
            "passed",
            "Whether this organization breaks no rule, or only those that a waiver excuses it from.",
            [({"organization": one.name}, int(one.state in ("passed", "waived"))) for one in audit.organizations],
        ),
        (
            "token_expires_timestamp_seconds",
            "When the Pulsar token of this organization expires.",
            _times((one.name, one.token_expires_at) for one in audit.organizations),
        ),
        (
            "last_event_timestamp_seconds",
            "When the last audit event seen of this organization arrived.",
            _times((one.name, one.last_event) for one in audit.organizations),
        ),
    ]
    lines: list[str] = []
    for name, description, samples in metrics:
        lines += [f"# HELP {PREFIX}_{name} {description}", f"# TYPE {PREFIX}_{name} gauge"]
        lines += [f"{PREFIX}_{name}{_labels(labels)} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _times(times: Iterable[tuple[str, str | None]]) -> Iterable[Sample]:
    return [({"organization": name}, _seconds(time)) for name, time in times if time is not None]


def _seconds(time: str) -> int:
    return int(read_time(time).timestamp())


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_escape(visible(value))}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
