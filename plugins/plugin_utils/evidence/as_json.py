# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""audit.json: everything, for programs. docs/schemas/audit.schema.json describes it."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.findings import Audit, Finding, Organization

FILE = "audit.json"
FORMAT = 1


def render(audit: Audit) -> str:
    """Return the text of audit.json. Whatever is not ASCII is escaped, so that nothing in it is invisible."""
    document = {
        "format": FORMAT,
        "run": audit.run,
        "passed": audit.passed,
        "counts": audit.count_organizations(),
        "new": audit.new,
        "fixed": audit.fixed,
        "rules": [
            {
                "id": rule.id,
                "title": rule.title,
                "reason": rule.reason,
                "severity": rule.severity,
                "thresholds": dict(rule.thresholds),
                "unknown_is_broken": rule.unknown_is_broken,
                "controls": list(rule.controls),
            }
            for rule in audit.rules
        ],
        "organizations": [_organization(organization) for organization in audit.organizations],
        "findings": [_finding(finding) for finding in audit.findings],
        "waivers": [
            {
                "organization": use.waiver.organization,
                "rule": use.waiver.rule,
                "reason": use.waiver.reason,
                "until": use.waiver.until,
                "status": use.status,
            }
            for use in audit.waivers
        ],
        "history": _history(audit),
    }
    # A line for each entry, so that two audits can be compared by any tool.
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_write(value)}" for name, value in document.items()) + "\n}\n"


def _write(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)


def read_head(text: str) -> tuple[int, str] | None:
    """Return number and hash of the history's entry that an audit.json was made with, or None when there is none.

    :raises ValueError: the text is not an audit.json.
    """
    try:
        history = json.loads(text)["history"]
        return (int(history["entry"]), str(history["hash"])) if history and history["hash"] else None
    except (KeyError, TypeError):
        raise ValueError("not an audit.json") from None


def _organization(organization: Organization) -> dict[str, Any]:
    return {name: value for name, value in organization._asdict().items() if name not in ("findings", "exists")} | {
        "streams": organization.exists
    }


def _finding(finding: Finding) -> dict[str, Any]:
    waiver = finding.waiver
    excuse = {"reason": waiver.reason, "until": waiver.until} if waiver else None
    return {**finding._asdict(), "waiver": excuse}


def _history(audit: Audit) -> dict[str, Any] | None:
    history = audit.history
    if history is None:
        return None
    last = history.entries[-1] if history.entries and not history.problems else None
    return {
        "entry": last.number if last else None,
        "hash": last.hash if last else None,
        "problems": list(history.problems),
    }
