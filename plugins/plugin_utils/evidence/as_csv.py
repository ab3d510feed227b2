# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""audit.csv: one row for each finding, for spreadsheets."""

from __future__ import annotations

import csv
import io

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.findings import Audit
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import visible

FILE = "audit.csv"
COLUMNS = (
    *("organization", "organization_id", "rule", "state", "severity", "broken", "since", "reason", "advice"),
    *("waiver_reason", "waiver_until", "place", "token_expires_at", "last_event", "audited"),
)


def render(audit: Audit) -> str:
    """Return the text of audit.csv, as RFC 4180 has it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for organization in audit.organizations:
        for finding in organization.findings:
            waiver = finding.waiver
            cells = (
                *(organization.name, organization.organization_id, finding.rule, finding.state, finding.severity),
                *("yes" if finding.broken else "no", finding.since, finding.reason, finding.advice),
                *(waiver.reason if waiver else None, waiver.until if waiver else None),
                *(organization.place, organization.token_expires_at, organization.last_event, audit.run["time"]),
            )
            writer.writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(value: str | None) -> str:
    """Return what a spreadsheet shows as text and never computes."""
    text = visible(value or "")
    # Spreadsheets skip blanks before they look for a formula, and some take the full-width signs for the others.
    return (
        f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")) else text
    )
