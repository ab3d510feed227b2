# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's variables: what they change, and that a mistake in them never passes."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import BUILT_IN
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.settings import read_rules, read_waivers

from tests.evidence.samples import audit, differ, observe

IDS = [rule.id for rule in BUILT_IN]
OWN = {
    "id": "own_tenant",
    "reason": "Nobody else may read it.",
    "severity": "critical",
    "field": "stream.topic",
    "matches": "persistent://acme-audit/.*",
}
WAIVER = {"organization": "acme-001", "rule": "region", "reason": "Until it moved.", "until": "2026-12-31"}


def read(value):
    return {rule.id: rule for rule in read_rules(value)}


def refused(value):
    with pytest.raises(InputError) as error:
        read_rules(value)
    return error.value.problems


class TestRules:
    @pytest.mark.parametrize("value", [None, "", {}, {"region": True}, {"region": {}}, {"additional": None}])
    def test_by_default_all_apply(self, value):
        assert read_rules(value) == BUILT_IN

    @pytest.mark.parametrize("no", [False, "false", "No"])
    def test_one_less(self, no):
        assert list(read({"region": no})) == [rule for rule in IDS if rule != "region"]

    def test_a_change(self):
        change = {"days": "60", "severity": "low", "reason": "Policy 12.", "unknown_is_broken": False}
        rule = read({"token_validity": change})["token_validity"]
        assert (rule.thresholds, rule.severity, rule.reason, rule.unknown_is_broken) == (
            {"days": 60},
            "low",
            "Policy 12.",
            False,
        )

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            ({"regoin": False}, "audit_log_stream_audit_rules: regoin is not a rule; the nearest is region."),
            (
                {"token_validity": {"day": 3}},
                "audit_log_stream_audit_rules.token_validity: day is not a threshold; the nearest is days.",
            ),
            (
                {"region": {"hours": 3}},
                "audit_log_stream_audit_rules.region: hours is not a threshold; the nearest is reason.",
            ),
            (
                {"last_event": {"hours": 0}},
                "audit_log_stream_audit_rules.last_event.hours must be a whole number from 1 to 99999.",
            ),
            (
                {"last_event": {"hours": True}},
                "audit_log_stream_audit_rules.last_event.hours must be a whole number from 1 to 99999.",
            ),
            (
                {"region": {"severity": "urgent"}},
                "audit_log_stream_audit_rules.region.severity must be one of critical, high, medium, low.",
            ),
            ({"region": "maybe"}, "audit_log_stream_audit_rules.region must be true or false."),
            ({"region": None}, "audit_log_stream_audit_rules.region must be true or false."),
            ({"region": {"reason": ""}}, "audit_log_stream_audit_rules.region.reason is needed, as text."),
            (["region"], "audit_log_stream_audit_rules must be a dict."),
            ({"additional": OWN}, "audit_log_stream_audit_rules.additional must be a list of rules."),
        ],
    )
    def test_mistakes(self, value, problem):
        assert refused(value) == [problem]

    def test_every_mistake_is_named(self):
        assert len(refused({"regoin": False, "last_event": {"hours": "x"}, "additional": [{"id": "A"}]})) > 4


class TestAdditionalRules:
    def judge(self, observation, **rule):
        [finding] = [f for f in audit([observation], {"additional": [{**OWN, **rule}]}).findings if f.rule == OWN["id"]]
        return finding

    def test_matches(self):
        assert self.judge(observe()).state == "passed"
        found = self.judge(differ(topic="persistent://acme-auditor/a/b"))
        assert (found.state, found.severity) == ("failed", "critical")
        assert found.reason == (
            "stream.topic is persistent://acme-auditor/a/b, which does not match persistent://acme-audit/.*."
        )

    def test_the_whole_value_has_to_match(self):
        assert self.judge(observe(), matches="acme-audit").state == "failed"

    @pytest.mark.parametrize(
        ("field", "condition", "state"),
        [
            ("token_compared", {"equals": True}, "passed"),
            ("token_compared", {"equals": False}, "failed"),
            ("action", {"one_of": ["none", "created"]}, "passed"),
            ("action", {"one_of": ["deleted"]}, "failed"),
            ("delivery.verdict", {"equals": "proven"}, "passed"),
            ("stream.oauth2_audience", {"equals": "x"}, "unknown"),
        ],
    )
    def test_conditions(self, field, condition, state):
        rule = {key: value for key, value in OWN.items() if key != "matches"}
        [found] = [
            finding
            for finding in audit([observe()], {"additional": [{**rule, "field": field, **condition}]}).findings
            if finding.rule == "own_tenant"
        ]
        assert found.state == state

    def test_one_that_needs_the_broker_goes_with_it(self):
        rule = {**OWN, "field": "delivery.verdict", "matches": "proven"}
        assert "own_tenant" not in read({"delivery": False, "additional": [rule]})

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"field": "stream.topik"}, "field: stream.topik is not a field; the nearest is stream.topic."),
            ({"match": "x"}, ": match is not a key; the nearest is matches."),
            ({"equals": "x"}, " needs one of matches, equals, one_of."),
            (
                {"matches": "("},
                ".matches is not a regular expression: missing ), unterminated subpattern at position 0.",
            ),
            ({"matches": ""}, ".matches is needed, as text."),
            ({"id": "region"}, ": there is a rule region already."),
            ({"id": "Own"}, ".id must be made of small letters, digits and underscores, such as own_tenant."),
            ({"severity": None}, ".severity must be one of critical, high, medium, low."),
            ({"controls": "CIS 1"}, ".controls must be a list of strings."),
        ],
    )
    def test_mistakes(self, change, problem):
        [found] = refused({"additional": [{**OWN, **change}]})
        assert found.endswith(problem)
        assert found.startswith("audit_log_stream_audit_rules.additional[1]")

    def test_twice(self):
        assert refused({"additional": [OWN, OWN]}) == [
            "audit_log_stream_audit_rules.additional[2]: there is a rule own_tenant already."
        ]

    def test_an_empty_list(self):
        rule = {key: value for key, value in OWN.items() if key != "matches"}
        assert refused({"additional": [{**rule, "one_of": []}]}) == [
            "audit_log_stream_audit_rules.additional[1].one_of must be a list that is not empty."
        ]


class TestWaivers:
    @pytest.mark.parametrize(
        ("until", "ends"),
        [
            ("2026-12-31", (2027, 1, 1)),
            (datetime.date(2026, 12, 31), (2027, 1, 1)),
            ("2026-12-31T12:00:00+02:00", (2026, 12, 31, 10)),
        ],
    )
    def test_until(self, until, ends):
        [waiver] = read_waivers([{**WAIVER, "until": until}], BUILT_IN)
        assert waiver.ends == datetime.datetime(*ends, tzinfo=datetime.UTC)
        assert waiver.until == str(until)

    @pytest.mark.parametrize("value", [None, "", []])
    def test_none(self, value):
        assert read_waivers(value, BUILT_IN) == ()

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"rule": "regoin"}, ".rule: regoin is not a rule; the nearest is region."),
            ({"until": "soon"}, ".until must be a date, such as 2026-12-31, or an RFC 3339 time."),
            ({"until": "2026-02-30"}, ".until must be a date, such as 2026-12-31, or an RFC 3339 time."),
            ({"until": None}, ".until is needed, as text."),
            ({"reason": " "}, ".reason is needed, as text."),
            ({"organisation": "x"}, ": organisation is not a key; the nearest is organization."),
        ],
    )
    def test_mistakes(self, change, problem):
        with pytest.raises(InputError) as error:
            read_waivers([{**WAIVER, **change}], BUILT_IN)
        assert error.value.problems == [f"audit_log_stream_audit_waivers[1]{problem}"]

    @pytest.mark.parametrize("value", [{"a": 1}, "all"])
    def test_no_list(self, value):
        with pytest.raises(InputError, match="must be a list"):
            read_waivers(value, BUILT_IN)
