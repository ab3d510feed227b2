# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of an audit: every rule on every organization, with waivers and the history taken into account."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import (
    History,
    Record,
    Seen,
    extend_history,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import (
    Observation,
    Run,
    read_time,
    write_time,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import (
    FAILED,
    PASSED,
    SEVERITIES,
    STATES,
    UNKNOWN,
    WAIVED,
    Rule,
    Verdict,
    applies,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.settings import Waiver
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import visible
from ansible_collections.datastax.astra.plugins.plugin_utils.screens import generalize

IN_FORCE, ENDED, NOT_NEEDED, NO_MATCH = "in force", "ended", "not needed", "matches nothing"


class Finding(NamedTuple):
    """What one rule says about one organization.

    :ivar organization: its name in the inventory.
    :ivar rule: the rule's id.
    :ivar state: ``passed``, ``failed``, ``unknown``, or ``waived`` when a waiver excuses a failed or unknown one.
    :ivar found: the state without the waiver.
    :ivar broken: whether the audit fails because of it.
    :ivar cause: a few words that others with the same cause share; empty when it passed.
    :ivar since: since which audit it has been found so, in RFC 3339; None when no history tells.
    """

    organization: str
    rule: str
    severity: str
    state: str
    found: str
    broken: bool
    cause: str
    reason: str
    advice: str
    since: str | None
    waiver: Waiver | None


class Organization(NamedTuple):
    """One organization of the audit.

    :ivar state: ``failed`` or ``unknown`` when a rule is broken, else ``waived`` or ``passed``.
    :ivar wanted: ``present``, ``absent``, or None when its variables do not tell.
    :ivar place: where it streams to; None when it does not, or when that is not known.
    :ivar last_event: of this audit or an earlier one, whichever is later.
    :ivar since: since when it has passed, or since when the oldest broken rule is.
    """

    name: str
    organization_id: str | None
    state: str
    wanted: str | None
    exists: bool | None
    place: str | None
    place_since: str | None
    token_expires_at: str | None
    last_event: str | None
    first_seen: str | None
    last_change: str | None
    since: str | None
    findings: tuple[Finding, ...]


class WaiverUse(NamedTuple):
    """A waiver and what became of it: IN_FORCE, ENDED, NOT_NEEDED or NO_MATCH."""

    waiver: Waiver
    status: str


class Cause(NamedTuple):
    """Findings of one rule that share state and cause."""

    rule: Rule
    state: str
    cause: str
    findings: tuple[Finding, ...]


class Audit(NamedTuple):
    """All that the screen and every file are made of.

    :ivar history: this run included; None when none is kept, with ``problems`` when it is damaged.
    :ivar new: how many findings are broken that were not before; None without an earlier audit.
    :ivar fixed: how many are passed that were not before.
    """

    run: Run
    rules: tuple[Rule, ...]
    organizations: tuple[Organization, ...]
    waivers: tuple[WaiverUse, ...]
    history: History | None
    new: int | None
    fixed: int | None

    @property
    def findings(self) -> Iterable[Finding]:
        """Every finding, organization by organization."""
        return (finding for organization in self.organizations for finding in organization.findings)

    @property
    def passed(self) -> bool:
        """Whether no rule is broken, and the history is intact."""
        damaged = self.history is not None and self.history.problems
        return not damaged and not any(finding.broken for finding in self.findings)

    def count_organizations(self) -> dict[str, int]:
        """Return how many organizations are in each state."""
        counts = dict.fromkeys(STATES, 0)
        for organization in self.organizations:
            counts[organization.state] += 1
        return counts

    def count_findings(self) -> dict[str, dict[str, int]]:
        """Return how many findings of each rule are in each state."""
        counts = {rule.id: dict.fromkeys(STATES, 0) for rule in self.rules}
        for finding in self.findings:
            counts[finding.rule][finding.state] += 1
        return counts

    def find_causes(self, *states: str) -> list[Cause]:
        """Return the findings in these states, grouped by what has to be fixed: the worst first."""
        groups: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in self.findings:
            if finding.state in states:
                groups.setdefault((finding.rule, finding.state, finding.cause), []).append(finding)
        order = {rule.id: number for number, rule in enumerate(self.rules)}
        causes = [Cause(self.rules[order[key[0]]], key[1], key[2], tuple(found)) for key, found in groups.items()]

        def rank(cause: Cause) -> tuple[int, int, int, str, str]:
            severity = SEVERITIES.index(cause.rule.severity)
            return severity, -len(cause.findings), order[cause.rule.id], cause.cause, cause.state

        return sorted(causes, key=rank)


def judge(
    run: Run,
    observations: Sequence[Observation],
    rules: Sequence[Rule],
    waivers: Sequence[Waiver],
    history: History | None,
) -> tuple[Audit, str]:
    """Judge every organization by every rule.

    :arg history: what is known from earlier audits; None when none is kept.
    :returns: the audit, and the line to append to the history; an empty string when there is none, or a damaged one.
    """
    now = read_time(run["time"])
    judged = [(observation, _find(observation, rules, now)) for observation in observations]
    uses, excuses = _apply_waivers(run, judged, waivers, now)
    line = ""
    before: Mapping[str, Record] = {}
    earlier = bool(history and history.entries)
    if history and not history.problems:
        before = history.records
        seen = {observation["name"]: _seen(observation, found) for observation, found in judged}
        waived: dict[str, list[str]] = {}
        for name, rule in excuses:
            waived.setdefault(name, []).append(rule)
        states = [_state(observation, found, excuses) for observation, found in judged]
        counts = {state: states.count(state) for state in STATES}
        history, line = extend_history(history, run, [rule.id for rule in rules], seen, waived, counts)
    records = history.records if history else {}
    organizations = tuple(
        _describe(observation, found, excuses, records.get(observation["name"])) for observation, found in judged
    )
    audit = Audit(run, tuple(rules), organizations, uses, history, None, None)
    if line and earlier:
        new = [f for f in audit.findings if f.broken and _was(before, f) in (PASSED, None) and f.organization in before]
        fixed = [f for f in audit.findings if f.state == PASSED and _was(before, f) in (FAILED, UNKNOWN)]
        audit = audit._replace(new=len(new), fixed=len(fixed))
    return audit, line


Found = Sequence[tuple[Rule, Verdict]]


def _find(observation: Observation, rules: Sequence[Rule], now: datetime.datetime) -> Found:
    found = []
    for rule in rules:
        verdict = rule.judge(observation, rule.thresholds, now) if applies(rule, observation) else None
        if verdict:
            cause = generalize(visible(verdict.cause))
            texts = {"cause": cause, "reason": visible(verdict.reason), "advice": visible(verdict.advice)}
            found.append((rule, verdict._replace(**texts)))
    return found


def _apply_waivers(
    run: Run, judged: Sequence[tuple[Observation, Found]], waivers: Sequence[Waiver], now: datetime.datetime
) -> tuple[tuple[WaiverUse, ...], dict[tuple[str, str], Waiver]]:
    """Return what becomes of each waiver, and those in force by organization and rule."""
    names = {observation["name"]: observation["name"] for observation, _found in judged}
    names.update({o["organization_id"]: o["name"] for o, _found in judged if o["organization_id"]})
    broken = {(o["name"], rule.id) for o, found in judged for rule, verdict in found if verdict.state != PASSED}
    part = run["limit"] is not None or run["slice"] is not None
    uses: list[WaiverUse] = []
    excuses: dict[tuple[str, str], Waiver] = {}
    for waiver in waivers:
        name = names.get(waiver.organization, names.get(waiver.organization.lower()))
        if name is None and part:
            continue  # It may well be in the part of the fleet that is not looked at.
        if name is None:
            status = NO_MATCH
        elif waiver.ends <= now:
            status = ENDED
        elif (name, waiver.rule) not in broken:
            status = NOT_NEEDED
        else:
            status = IN_FORCE
            excuses.setdefault((name, waiver.rule), waiver)
        uses.append(WaiverUse(waiver, status))
    return tuple(uses), excuses


def _seen(observation: Observation, found: Found) -> Seen:
    return Seen({rule.id: verdict.state for rule, verdict in found}, _place(observation), _last_event(observation))


def _state(observation: Observation, found: Found, excuses: Mapping[tuple[str, str], Waiver]) -> str:
    waived = [rule.id for rule, verdict in found if (observation["name"], rule.id) in excuses]
    broken = [verdict.state for rule, verdict in found if rule.id not in waived and _breaks(rule, verdict)]
    if broken:
        return FAILED if FAILED in broken else UNKNOWN
    return WAIVED if waived else PASSED


def _breaks(rule: Rule, verdict: Verdict) -> bool:
    return verdict.state == FAILED or (verdict.state == UNKNOWN and rule.unknown_is_broken)


def _describe(
    observation: Observation, found: Found, excuses: Mapping[tuple[str, str], Waiver], record: Record | None
) -> Organization:
    name = observation["name"]
    findings = []
    for rule, verdict in found:
        waiver = excuses.get((name, rule.id))
        findings.append(
            Finding(
                organization=name,
                rule=rule.id,
                severity=rule.severity,
                state=WAIVED if waiver else verdict.state,
                found=verdict.state,
                broken=not waiver and _breaks(rule, verdict),
                cause=verdict.cause,
                reason=verdict.reason,
                advice=verdict.advice,
                since=record.states[rule.id][1] if record else None,
                waiver=waiver,
            )
        )
    broken = [finding.since for finding in findings if finding.broken and finding.since]
    others = [finding.since for finding in findings if not finding.broken and finding.since]
    desired = observation["desired"]
    return Organization(
        name=name,
        organization_id=observation["organization_id"],
        state=_state(observation, found, excuses),
        wanted=desired.get("state", "present") if desired else None,
        exists=observation["exists"],
        place=_place(observation),
        place_since=record.place_since if record else None,
        token_expires_at=_time(observation["token_expires_at"]),
        last_event=record.last_event if record else _last_event(observation),
        first_seen=record.first_seen if record else None,
        last_change=record.last_change if record else None,
        since=min(broken) if broken else max(others, default=None),
        findings=tuple(findings),
    )


def _was(records: Mapping[str, Record], finding: Finding) -> str | None:
    record = records.get(finding.organization)
    return record.states.get(finding.rule, (None,))[0] if record else None


def _place(observation: Observation) -> str | None:
    stream = observation["stream"]
    if stream is None:
        return None
    if "kind" in stream:
        return visible(f"{stream['kind']}, which is not Pulsar")
    return visible(f"{stream.get('topic')} at {stream.get('endpoint')}")


def _last_event(observation: Observation) -> str | None:
    delivery = observation["delivery"]
    return _time(delivery["last_event"]) if delivery else None


def _time(text: str | None) -> str | None:
    """Return a time in the one form that compares as text, or None when it is none."""
    try:
        return None if text is None else write_time(read_time(text))
    except ValueError:
        return None
