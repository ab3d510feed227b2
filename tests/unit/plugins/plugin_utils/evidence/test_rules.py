# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule on its own: what it says of what was seen, and that it never takes silence for certainty."""

from __future__ import annotations

import re

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import BUILT_IN, SEVERITIES

from tests.conftest import ROOT
from tests.evidence.samples import (
    audit,
    days,
    deliver,
    differ,
    missing,
    observe,
)

IDS = [rule.id for rule in BUILT_IN]
ABSENT = {"desired": {"state": "absent"}, "delivery": None}


def judge(observation, rules=None):
    """Return the findings by rule."""
    return {finding.rule: finding for finding in audit([observation], rules).findings}


def states(observation, rules=None):
    return {rule: finding.state for rule, finding in judge(observation, rules).items()}


def test_all_is_in_order():
    assert states(observe()) == dict.fromkeys(IDS, "passed")


@pytest.mark.parametrize("rule", BUILT_IN, ids=IDS)
def test_a_rule_explains_itself(rule):
    assert rule.title
    assert rule.reason.endswith(".")
    assert rule.severity in SEVERITIES
    assert rule.controls


class TestVariables:
    def test_mistakes(self):
        found = judge(observe(problems=["topic is wrong.", "endpoint is wrong."]))["variables"]
        assert (found.state, found.cause, found.reason) == (
            "failed",
            "2 mistakes",
            "topic is wrong. endpoint is wrong.",
        )

    def test_mistakes_that_kept_it_from_being_read(self):
        found = judge(observe(problems=["topic is wrong."], exists=None, stream=None, desired=None))
        assert list(found) == ["variables"]
        assert found["variables"].reason == "topic is wrong. It was not read."


class TestReading:
    def test_an_error_is_unknown_and_nothing_else_is_judged(self):
        found = judge(observe(error="The service answered 403.", exists=None, stream=None))
        assert {rule: finding.state for rule, finding in found.items()} == {"variables": "passed", "reading": "unknown"}
        assert found["reading"].broken
        assert found["reading"].reason == "The service answered 403."

    def test_an_error_with_what_an_earlier_answer_said(self):
        assert list(states(observe(error="The service answered 500."))) == ["variables", "reading"]

    def test_silence(self):
        assert states(observe(exists=None, stream=None)) == {"variables": "passed", "reading": "unknown"}


class TestStreaming:
    def test_missing(self):
        found = judge(missing())
        assert list(found) == ["variables", "reading", "streaming"]
        assert (found["streaming"].state, found["streaming"].cause) == ("failed", "does not stream")

    def test_absent_as_wanted(self):
        assert states(observe(exists=False, stream=None, **ABSENT)) == dict.fromkeys(IDS[:3], "passed")

    def test_present_though_unwanted(self):
        found = judge(observe(**ABSENT))
        assert list(found) == ["variables", "reading", "streaming"]
        assert found["streaming"].cause == "streams, but should not"


class TestDestination:
    def test_another_topic(self):
        found = judge(differ(topic="persistent://other/security/acme-001"))["destination"]
        assert (found.state, found.cause) == ("failed", "topic not as approved")
        assert found.reason == (
            "The topic is persistent://other/security/acme-001; approved is persistent://acme-audit/security/acme-001."
        )

    def test_an_option_that_is_missing(self):
        observation = differ(auth_strategy="oauth2")
        observation["differences"].append("oauth2_audience")
        assert "oauth2_audience is not set; approved is not set" in judge(observation)["destination"].reason

    def test_another_kind(self):
        found = judge(observe(stream={"kind": "kafka", "fields": {}}))
        assert found["destination"].reason == "It streams to kafka."
        assert list(found) == ["variables", "reading", "streaming", "destination"]

    def test_nobody_knows_what_is_approved(self):
        assert states(observe(desired=None, problems=["No."]))["destination"] == "unknown"

    def test_the_secret_is_not_the_destination(self):
        assert states(observe(differences=["pulsar_token"]))["destination"] == "passed"


class TestRegion:
    @pytest.mark.parametrize(
        ("host", "state"),
        [
            ("pulsar-aws-useast2.streaming.datastax.com:6651", "passed"),
            ("pulsar-aws-useast2.streaming.datastax.com.", "passed"),
            ("pulsar-aws-uswest2.streaming.datastax.com:6651", "failed"),
            ("pulsar.example.com:6651", "unknown"),
            ("streaming.datastax.com.evil.example", "unknown"),
        ],
    )
    def test_hosts(self, host, state):
        assert states(differ(endpoint=f"pulsar+ssl://{host}"))["region"] == state


class TestTokenValidity:
    @pytest.mark.parametrize(
        ("ends", "state", "reason"),
        [
            (days(30), "passed", "The token lasts another 30 days, until 2026-11-19T10:15:00Z."),
            (days(29.9), "failed", "The token expires on 2026-11-19T07:51:00Z, in 29 days."),
            (days(0), "failed", "The token expired on 2026-10-20T10:15:00Z, less than an hour before the audit."),
            (days(-3), "failed", "The token expired on 2026-10-17T10:15:00Z, 3 days before the audit."),
            ("2026-11-19T12:15:00.5+02:00", "passed", "The token lasts another 30 days, until 2026-11-19T10:15:00Z."),
            (None, "passed", "The token has no expiry date."),
            ("soon", "unknown", "The token expires on soon."),
        ],
    )
    def test_ends(self, ends, state, reason):
        found = judge(observe(token_expires_at=ends))["token_validity"]
        assert (found.state, found.reason) == (state, reason)

    def test_threshold(self):
        assert states(observe(token_expires_at=days(8)), {"token_validity": {"days": 7}})["token_validity"] == "passed"

    def test_a_token_that_is_not_at_hand(self):
        found = judge(observe(token_given=False, token_expires_at=None))["token_validity"]
        assert (found.state, found.cause) == ("unknown", "the token was not given")

    def test_oauth2_has_no_token(self):
        assert "token_validity" not in states(differ(auth_strategy="oauth2"))


class TestTokenCompared:
    def test_not_compared_is_said_and_does_not_fail_the_audit(self):
        found = judge(observe(token_compared=False))["token_compared"]
        assert (found.state, found.broken) == ("unknown", False)

    def test_unless_it_shall(self):
        found = judge(observe(token_compared=False), {"token_compared": {"unknown_is_broken": True}})
        assert found["token_compared"].broken

    @pytest.mark.parametrize("option", ["pulsar_token", "oauth2_credentials_url", "pulsar_token (sent again)"])
    def test_another_one(self, option):
        assert states(observe(differences=[option]))["token_compared"] == "failed"

    def test_what_would_be_sent_again_anyway_is_not_known_to_differ(self):
        observation = observe(differences=["pulsar_token (sent again)"], action="updated", token_compared=False)
        assert states(observation)["token_compared"] == "unknown"
        assert states(observation)["destination"] == "passed"


class TestDelivery:
    RULES = ("broker_accepts", "loss_guard", "last_event")

    def judge(self, delivery):
        found = judge(observe(delivery=delivery))
        return {rule: (found[rule].state, found[rule].cause) for rule in self.RULES}

    def test_the_broker_was_not_asked(self):
        assert self.judge(None) == dict.fromkeys(self.RULES, ("unknown", "the broker was not asked"))

    def test_broken(self):
        found = self.judge(deliver(None, "broken", authenticate="failed", topic="unknown", subscription="unknown"))
        assert found == {
            "broker_accepts": ("failed", "events cannot get through: authenticate"),
            "loss_guard": ("unknown", "possible loss: subscription"),
            "last_event": ("unknown", "no event seen"),
        }

    def test_not_permitted_to_know(self):
        found = self.judge(deliver(None, "unknown", produce="unknown"))
        assert found["broker_accepts"] == ("unknown", "whether events arrive is unknown")

    @pytest.mark.parametrize(("shared_by", "state"), [(1, "passed"), (2, "unknown")])
    def test_events_that_arrive_outweigh_what_could_not_be_tried(self, shared_by, state):
        """At a topic of its own. At one that others share, the events may be theirs."""
        steps = dict.fromkeys(("connect", "produce"), "unknown")
        found = judge(observe(delivery={**deliver(**steps), "shared_by": shared_by}))["broker_accepts"]
        assert (found.state, found.reason) == (state, "The check connect says so.")

    def test_quiet(self):
        found = self.judge(deliver(None, "quiet"))
        assert (found["broker_accepts"][0], found["last_event"][0]) == ("passed", "unknown")

    def test_at_risk(self):
        found = judge(observe(delivery=deliver(retention="failed", backlog="unknown")))["loss_guard"]
        assert (found.state, found.cause) == ("failed", "events may get lost: retention")
        assert (found.reason, found.advice) == ("The check retention says so.", "Mend retention.")

    def test_no_guard_was_looked_at(self):
        assert self.judge({**deliver(), "checks": []})["loss_guard"] == ("unknown", "possible loss")

    @pytest.mark.parametrize(
        ("last", "state"), [(days(-7), "passed"), (days(-7.01), "failed"), (days(0.1), "passed"), ("?", "unknown")]
    )
    def test_last_event(self, last, state):
        assert self.judge(deliver(last))["last_event"][0] == state

    def test_a_shared_topic_proves_nothing_for_each(self):
        found = judge(observe(delivery={**deliver(), "shared_by": 1200}))["last_event"]
        assert (found.state, found.broken) == ("unknown", False)
        assert "1,200 organizations share the topic" in found.reason

    def test_a_shared_topic_without_events_fails_all(self):
        assert self.judge({**deliver(days(-8)), "shared_by": 2})["last_event"][0] == "failed"

    def test_another_destination_is_not_asked_about(self):
        found = judge(differ(topic="persistent://a/b/c") | {"delivery": None})
        assert not set(self.RULES) & set(found)

    def test_left_out(self):
        assert not set(self.RULES) & set(states(observe(delivery=None), {"delivery": False}))


class TestGuide:
    """The tables of the guide say what the rules are."""

    @pytest.fixture
    def rows(self):
        text = (ROOT / "docs/docsite/rst/monthly_audit.rst").read_text()
        return re.findall(r"^``(\w+)``  +(.*)$", text, re.MULTILINE)

    @pytest.mark.parametrize("rule", BUILT_IN, ids=IDS)
    def test_tables(self, rule, rows):
        definition, controls = [row for name, row in rows if name == rule.id]
        assert definition.startswith(rule.severity)
        for threshold, value in rule.thresholds.items():
            assert definition.endswith(f"``{threshold}``: {value}")
        named = [
            [cell.strip() for cell in cells.split(",") if cell.strip()]
            for cells in re.split(r" {2,}", controls.strip())
        ]
        frameworks = ("SOC 2 ", "ISO 27001 ", "CIS ")[: len(named)]
        assert sorted(rule.controls) == sorted(
            framework + control for framework, cells in zip(frameworks, named, strict=True) for control in cells
        )
