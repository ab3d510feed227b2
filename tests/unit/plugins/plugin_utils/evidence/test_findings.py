# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings together: waivers, the decision, causes, and what the history adds."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import findings, settings
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.history import History
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import BUILT_IN

from tests.evidence.samples import (
    MIXED_WAIVERS,
    RUN,
    SECRETS,
    audit,
    days,
    deliver,
    differ,
    missing,
    mixed_fleet,
    observe,
)

UUID = "0a1b2c3d-0000-4000-8000-{:012}"


def waive(organization="acme-001", rule="streaming", until="2026-12-31"):
    return {"organization": organization, "rule": rule, "reason": "Agreed.", "until": until}


def statuses(made):
    return [use.status for use in made.waivers]


class TestDecision:
    def test_in_order(self):
        made = audit([observe()])
        assert made.passed
        assert made.organizations[0].state == "passed"

    @pytest.mark.parametrize(
        ("observation", "state"),
        [(missing(), "failed"), (observe(exists=None, stream=None), "unknown"), (differ(topic="x"), "failed")],
    )
    def test_broken(self, observation, state):
        made = audit([observation, observe("acme-002", 2)])
        assert not made.passed
        assert made.count_organizations() == {"passed": 1, "failed": 0, "unknown": 0, "waived": 0, state: 1}

    def test_unknown_that_may_be(self):
        assert audit([observe(token_compared=False)]).passed

    def test_nobody(self):
        assert audit([]).passed

    def test_a_damaged_history(self):
        made = audit([observe()], past=History(problems=("Line 1 was changed.",)))
        assert not made.passed
        assert made.organizations[0].since is None


class TestWaivers:
    def test_in_force(self):
        made = audit([missing()], waivers=[waive()])
        assert made.passed
        assert statuses(made) == ["in force"]
        [finding] = [finding for finding in made.findings if finding.rule == "streaming"]
        assert (finding.state, finding.found, finding.waiver.reason) == ("waived", "failed", "Agreed.")
        assert made.organizations[0].state == "waived"

    def test_by_uuid(self):
        assert audit([missing()], waivers=[waive("0A1B2C3D-0000-4000-8000-000000000001")]).passed

    def test_it_excuses_from_one_rule_only(self):
        made = audit([differ(topic="x", endpoint="pulsar://y")], waivers=[waive(rule="destination")])
        assert [finding.rule for finding in made.findings if finding.broken] == ["region"]

    @pytest.mark.parametrize(("until", "status"), [("2026-10-19", "ended"), ("2026-10-20", "in force")])
    def test_until_the_end_of_its_day(self, until, status):
        assert statuses(audit([missing()], waivers=[waive(until=until)])) == [status]

    def test_ended_counts_no_more(self):
        assert not audit([missing()], waivers=[waive(until="2026-10-19")]).passed

    def test_a_later_one_counts_beside_one_that_ended(self):
        made = audit([missing()], waivers=[waive(until="2026-10-19"), waive()])
        assert made.passed
        assert statuses(made) == ["ended", "in force"]

    def test_not_needed_and_without_a_match(self):
        made = audit([observe()], waivers=[waive(), waive("acme-9")])
        assert statuses(made) == ["not needed", "matches nothing"]

    @pytest.mark.parametrize("part", [{"limit": "acme-001"}, {"slice": "1/3"}])
    def test_the_rest_of_the_fleet_is_not_missed(self, part):
        assert statuses(audit([observe()], waivers=[waive("acme-9")], **part)) == []


class TestCauses:
    def test_the_worst_and_the_most_frequent_first(self):
        causes = audit(mixed_fleet(), waivers=MIXED_WAIVERS).find_causes("failed", "unknown")
        assert [(cause.rule.id, len(cause.findings)) for cause in causes][:3] == [
            ("streaming", 2),
            ("destination", 2),
            ("destination", 1),
        ]
        severities = [cause.rule.severity for cause in causes]
        assert severities == sorted(severities, key=["critical", "high", "medium", "low"].index)

    def test_ids_in_an_error_do_not_part_what_belongs_together(self):
        fleet = [
            observe(
                f"acme-{n}",
                n,
                exists=None,
                stream=None,
                error=f"Reading organization {UUID.format(n)} failed: 403.",
            )
            for n in range(1, 4)
        ]
        [cause] = audit(fleet).find_causes("unknown")
        assert cause.cause == "Reading failed: 403."
        assert UUID.format(2) in cause.findings[1].reason


def follow(*audits):
    """Return the audits of one fleet after another, in the same history."""
    history, made = History(), []
    for run, observations in audits:
        one, _line = findings.judge({**RUN, **run}, observations, BUILT_IN, (), history)
        history = one.history
        made.append(one)
    return made


class TestSince:
    FIRST, SECOND, THIRD = ({"time": f"2026-0{month}-01T00:00:00Z"} for month in (7, 8, 9))

    def since(self, made, rule="streaming"):
        return [
            finding.since[:7]
            for organization in made.organizations
            for finding in organization.findings
            if finding.rule == rule
        ]

    def test_it_stays_with_the_state(self):
        first, second, third = follow((self.FIRST, [missing()]), (self.SECOND, [missing()]), (self.THIRD, [observe()]))
        assert [self.since(made) for made in (first, second, third)] == [["2026-07"], ["2026-07"], ["2026-09"]]
        assert (first.new, first.fixed) == (None, None)
        assert (second.new, second.fixed) == (0, 0)
        assert (third.new, third.fixed) == (0, 1)
        assert third.organizations[0].first_seen == "2026-07-01T00:00:00Z"
        assert third.organizations[0].last_change == "2026-09-01T00:00:00Z"

    def test_new(self):
        assert follow((self.FIRST, [observe()]), (self.SECOND, [missing()]))[1].new == 1

    def test_a_waiver_does_not_change_it(self):
        [first] = follow((self.FIRST, [missing()]))
        waivers = settings.read_waivers([waive()], BUILT_IN)
        second, _line = findings.judge({**RUN, **self.SECOND}, [missing()], BUILT_IN, waivers, first.history)
        assert self.since(second) == ["2026-07"]

    def test_parts_of_the_fleet_merge(self):
        *_others, made = follow(
            ({**self.FIRST, "slice": "1/2"}, [observe("a", 1)]),
            ({**self.SECOND, "slice": "2/2"}, [observe("b", 2)]),
            (self.THIRD, [observe("a", 1), observe("b", 2)]),
        )
        assert self.since(made) == ["2026-07", "2026-08"]
        assert (made.new, made.fixed) == (0, 0)

    def test_what_a_run_did_not_ask_stays_known(self):
        history = follow((self.FIRST, [observe()]))[0].history
        without = settings.read_rules({"delivery": False})
        second, _line = findings.judge({**RUN, **self.SECOND}, [observe(delivery=None)], without, (), history)
        third, _line = findings.judge({**RUN, **self.THIRD}, [observe()], BUILT_IN, (), second.history)
        assert self.since(third, "loss_guard") == ["2026-07"]

    def test_what_could_not_be_judged_begins_anew(self):
        *_others, made = follow((self.FIRST, [observe()]), (self.SECOND, [missing()]), (self.THIRD, [observe()]))
        assert self.since(made, "destination") == ["2026-09"]

    def test_a_new_place_is_a_change_though_all_is_approved(self):
        moved = observe()
        moved["stream"] = moved["desired"] = {**moved["stream"], "topic": "persistent://acme-audit/security/new"}
        _first, made = follow((self.FIRST, [observe()]), (self.SECOND, [moved]))
        assert made.organizations[0].place_since == made.organizations[0].last_change == "2026-08-01T00:00:00Z"
        assert self.since(made) == ["2026-07"]

    def test_the_last_proven_event_is_remembered(self):
        silent = observe(delivery=deliver(None, "unknown"))
        event = observe(delivery=deliver("2026-07-31T22:00:00.25-02:00"))
        *_others, made = follow((self.SECOND, [event]), (self.THIRD, [silent]))
        assert made.organizations[0].last_event == "2026-08-01T00:00:00Z"


def test_no_secret_reaches_a_finding():
    for secret in SECRETS:
        made = audit([observe(error=f"It said {secret}!", exists=None), differ("b", 2, topic=secret)])
        assert secret not in repr(made.organizations)
        assert "********" in repr(made.organizations)


def test_without_a_history_nothing_is_claimed():
    [organization] = audit([observe()]).organizations
    assert {finding.since for finding in organization.findings} == {None}
    assert (organization.since, organization.first_seen, organization.last_event) == (None, None, days(-0.1))
