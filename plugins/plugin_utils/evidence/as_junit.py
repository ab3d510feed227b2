# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""audit.junit.xml: each rule a suite and each organization a test, for what shows test results."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.findings import Audit, Finding
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import FAILED, PASSED, Rule
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import visible

FILE = "audit.junit.xml"


def render(audit: Audit) -> str:
    """Return the text of audit.junit.xml.

    What fails is a failure, what is not known an error, and what is excused, or unknown and allowed to be, is skipped.
    """
    by_rule: dict[str, list[Finding]] = {rule.id: [] for rule in audit.rules}
    for finding in audit.findings:
        by_rule[finding.rule].append(finding)
    suites = [_suite(audit, rule, by_rule[rule.id]) for rule in audit.rules]
    problems = audit.history.problems if audit.history else ()
    if audit.history:
        history = ET.Element("testsuite", _attributes(audit, "history", 1, len(problems), 0, 0))
        case = ET.SubElement(history, "testcase", {"classname": "history", "name": "The history is complete"})
        for problem in problems:
            ET.SubElement(case, "failure", {"type": "critical", "message": problem})
        suites.append(history)
    totals = {
        name: str(sum(int(suite.attrib[name]) for suite in suites))
        for name in ("tests", "failures", "errors", "skipped")
    }
    root = ET.Element("testsuites", {"name": "Audit log streaming", **totals})
    root.extend(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(audit: Audit, rule: Rule, findings: list[Finding]) -> ET.Element:
    outcomes = [_outcome(finding) for finding in findings]
    counts = [outcomes.count(outcome) for outcome in ("failure", "error", "skipped")]
    suite = ET.Element("testsuite", _attributes(audit, rule.id, len(findings), *counts))
    for finding, outcome in zip(findings, outcomes):
        case = ET.SubElement(suite, "testcase", {"classname": rule.id, "name": visible(finding.organization)})
        if outcome:
            message = finding.reason
            if finding.waiver:
                message = f"Waived until {finding.waiver.until}: {finding.waiver.reason} ({finding.reason})"
            element = ET.SubElement(case, outcome, {"type": rule.severity, "message": visible(message)})
            element.text = visible(f"{rule.title}: {rule.reason} {finding.advice}".strip())
    return suite


def _attributes(audit: Audit, name: str, tests: int, failures: int, errors: int, skipped: int) -> dict[str, str]:
    counts = {"tests": tests, "failures": failures, "errors": errors, "skipped": skipped}
    return {"name": name, **{key: str(value) for key, value in counts.items()}, "timestamp": audit.run["time"][:19]}


def _outcome(finding: Finding) -> str:
    if finding.state == PASSED:
        return ""
    if not finding.broken:
        return "skipped"
    return "failure" if finding.state == FAILED else "error"
