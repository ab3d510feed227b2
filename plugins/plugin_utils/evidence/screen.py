# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen of an audit: what is broken, at whom, and what to do now. Pure code: an audit in, lines out."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.findings import (
    ENDED,
    NO_MATCH,
    NOT_NEEDED,
    Audit,
    Cause,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import FAILED, UNKNOWN
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import count, visible
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import (
    Line,
    Shape,
    generalize,
    say,
    say_left,
    say_limit,
    split_causes,
    wrap,
    wrap_names,
)

_WAIVERS = {ENDED: "has ended", NOT_NEEDED: "is no longer needed", NO_MATCH: "matches no organization"}


def draw(audit: Audit, shape: Shape, report: str | None = None) -> list[Line]:
    """Return the lines of the screen.

    :arg report: the path of the HTML report, if one was written.
    """
    lines = [_headline(audit)]
    trend = [f"{number:,} {word}" for number, word in ((audit.new, "new"), (audit.fixed, "fixed")) if number]
    lines += [Line(f"Since the last audit: {', '.join(trend)}")] if trend else []
    for problem in audit.history.problems if audit.history else ():
        text = f"The history of audits cannot be trusted, so this audit was not added to it: {problem}"
        lines += [Line(""), *(Line(line, "error") for line in wrap(text, shape.width))]
    causes = audit.find_causes(FAILED, UNKNOWN)
    broken = [cause for cause in causes if cause.findings[0].broken]
    shown, left = split_causes(broken, shape)
    for cause in shown:
        lines += _list_cause(cause, audit.run["time"], shape)
    if left:
        names = (finding.organization for cause in left for finding in cause.findings)
        lines += [Line(""), Line(f"And {say_left(len(left), names)}", "error")]
    allowed = [_describe_allowed(cause) for cause in causes if not cause.findings[0].broken]
    lines += say([*allowed, *_describe_waivers(audit)], shape)
    failed = [visible(one.name) for one in audit.organizations if one.state in (FAILED, UNKNOWN)]
    lines += say_limit(failed, len(audit.organizations), shape)
    return [*lines, Line(""), Line(f"Report: {report}")] if report else lines


def _headline(audit: Audit) -> Line:
    counts = audit.count_organizations()
    failed, total = counts[FAILED] + counts[UNKNOWN], len(audit.organizations)
    waived = f", {counts['waived']:,} waived" if counts["waived"] else ""
    if failed:
        verb = "fails" if failed == 1 else "fail"
        text = f"Audit of audit log streaming: {failed:,} of {count(total, 'organization')} {verb}{waived}"
        return Line(text, "error")
    who = "the organization passes" if total == 1 else f"all {count(total, 'organization')} pass"
    return Line(f"Audit of audit log streaming: {who}{waived}", "ok")


def _list_cause(cause: Cause, time: str, shape: Shape) -> list[Line]:
    """Return who has one thing wrong, since when if that was before the time of this audit, and what to do."""
    kind = "error" if cause.rule.severity in ("critical", "high") else "warn"
    heading = wrap(f"{cause.rule.severity}: {cause.cause.rstrip('.')} ({cause.rule.id})", shape.width)
    names = [visible(finding.organization) for finding in cause.findings]
    reasons = {finding.reason for finding in cause.findings}
    advice = {finding.advice for finding in cause.findings}
    since = [finding.since for finding in cause.findings if finding.since and finding.since != time]
    texts = list(reasons) if len(names) == 1 else []
    if texts and generalize(texts[0]).rstrip(".") == cause.cause.rstrip("."):
        texts = []  # The heading says it.
    texts += [f"Since {min(since)[:10]}."] if since else []
    texts += advice if len(advice) == 1 else ()
    return [
        Line(""),
        *(Line(text, kind) for text in heading),
        *(Line(f"  {line}", kind) for line in wrap_names(names, shape.width - 2, shape.verbose)),
        *(Line(f"    {line}") for text in filter(None, texts) for line in wrap(text, shape.width - 4)),
    ]


def _describe_allowed(cause: Cause) -> str:
    """Return what is unknown and does not break the rule: it is said all the same."""
    number = count(len(cause.findings), "organization")
    return f"{number}: {cause.cause.rstrip('.')} ({cause.rule.id}). {cause.findings[0].advice}".rstrip()


def _describe_waivers(audit: Audit) -> Iterable[str]:
    for use in audit.waivers:
        if use.status in _WAIVERS:
            name = visible(use.waiver.organization)
            yield f"The waiver of {use.waiver.rule} for {name} until {use.waiver.until} {_WAIVERS[use.status]}."
