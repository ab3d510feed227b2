# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the audit.

A rule looks at one organization's observation and returns a verdict, or None where there is nothing for it to judge.
Each says why it exists, so that a reader of a report needs nothing else. What cannot be known is never taken as passed.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Callable, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import SECRET_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import is_in_region
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import (
    Check,
    Observation,
    read_time,
    write_time,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import count

PASSED, FAILED, UNKNOWN, WAIVED = STATES = ("passed", "failed", "unknown", "waived")
SEVERITIES = ("critical", "high", "medium", "low")

# What has to be so before a rule has something to judge; see applies().
ALWAYS, READ, CONFIGURED, STREAMING = range(4)

# The checks of a delivery that tell what guards the topic against loss; the others follow an event on its way.
DESTINATION = ("endpoint", "topic", "auth_strategy")
GUARDS = ("subscription", "inactive_topics", "retention", "backlog", "producers")


class Verdict(NamedTuple):
    """What a rule found.

    :ivar state: ``passed``, ``failed`` or ``unknown``.
    :ivar cause: a few words that are the same for all organizations that share the cause.
    :ivar reason: the whole sentence, with what was seen.
    :ivar advice: what to do, or an empty string.
    """

    state: str
    cause: str
    reason: str
    advice: str = ""


NOT_ASKED = Verdict(
    UNKNOWN,
    "the broker was not asked",
    "The broker was not asked. That takes the Pulsar token, and auth_strategy token.",
    "Give the run the Pulsar token, or set delivery: false in audit_log_stream_audit_rules.",
)

Judge = Callable[[Observation, Mapping[str, int], datetime.datetime], "Verdict | None"]


class Rule(NamedTuple):
    """One rule.

    :ivar title: what is so when the rule is kept.
    :ivar reason: why it has to be so.
    :ivar judge: takes the observation, the thresholds, and the time of the run.
    :ivar needs: ALWAYS, READ, CONFIGURED or STREAMING.
    :ivar thresholds: numbers that users may change.
    :ivar unknown_is_broken: whether the audit fails where the rule cannot tell.
    :ivar needs_broker: whether it judges what the broker says.
    :ivar controls: which controls of which framework this is evidence for.
    """

    id: str
    title: str
    reason: str
    severity: str
    judge: Judge
    needs: int = STREAMING
    thresholds: Mapping[str, int] = {}
    unknown_is_broken: bool = True
    needs_broker: bool = False
    controls: tuple[str, ...] = ()


def applies(rule: Rule, observation: Observation) -> bool:
    """Tell whether a rule has something to judge: one cause shall not be found by rule after rule."""
    stream = observation["stream"]
    wanted = (observation["desired"] or {}).get("state", "present") == "present"
    if rule.needs == ALWAYS:
        return True
    if observation["error"] is not None or observation["exists"] is None:
        return False
    if rule.needs == READ:
        return True
    if not wanted or stream is None:
        return False
    if rule.needs_broker and set(observation["differences"]) & set(DESTINATION):
        return False  # The broker is asked about the approved destination, with the token for it.
    return rule.needs == CONFIGURED or "kind" not in stream


def _judge_variables(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict:
    problems = observation["problems"]
    if problems:
        cause = problems[0] if len(problems) == 1 else count(len(problems), "mistake")
        unread = ["It was not read."] if observation["exists"] is None and observation["error"] is None else []
        advice = "Correct the variables; the playbook audit_log_stream_preflight checks them."
        return Verdict(FAILED, cause, " ".join([*problems, *unread]), advice)
    return Verdict(PASSED, "", "No mistake was found in its variables.")


def _judge_reading(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict | None:
    if observation["error"] is not None:
        return Verdict(UNKNOWN, observation["error"], observation["error"])
    if observation["exists"] is None:
        # Where the variables have mistakes, that is the one cause, and said there.
        return None if observation["problems"] else Verdict(UNKNOWN, "was not read", "It was not read.")
    return Verdict(PASSED, "", "The service was asked and answered.")


def _judge_streaming(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict:
    desired, exists = observation["desired"] or {}, observation["exists"]
    if desired.get("state") == "absent":
        if exists:
            reason = "It streams, although the inventory says that it should not."
            return Verdict(
                FAILED, "streams, but should not", reason, "Run the playbook audit_log_stream to remove the stream."
            )
        return Verdict(PASSED, "", "It does not stream, as the inventory says.")
    if not exists:
        reason = "No audit log streaming is configured."
        return Verdict(FAILED, "does not stream", reason, "Run the playbook audit_log_stream to configure it.")
    return Verdict(PASSED, "", "Audit log streaming is configured.")


def _judge_destination(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict:
    stream, desired = observation["stream"] or {}, observation["desired"]
    advice = "If nobody changed it on purpose, run the playbook audit_log_stream to restore it."
    if "kind" in stream:
        return Verdict(FAILED, "streams to something other than Pulsar", f"It streams to {stream['kind']}.", advice)
    if desired is None:
        reason = "Its variables have mistakes, so nobody knows which destination is approved."
        return Verdict(UNKNOWN, "no approved destination", reason)
    differing = [option for option in observation["differences"] if not _is_secret(option)]
    if differing:
        pairs = [f"{option} is {_shown(stream, option)}; approved is {_shown(desired, option)}" for option in differing]
        return Verdict(FAILED, f"{', '.join(differing)} not as approved", f"The {'. The '.join(pairs)}.", advice)
    return Verdict(PASSED, "", "It streams to where the inventory says, the way it says.")


def _is_secret(difference: str) -> bool:
    """Tell whether a difference is about a secret, which may say more than its option's name."""
    return difference.partition(" ")[0] in SECRET_OPTIONS.values()


def _shown(fields: Mapping[str, object], option: str) -> str:
    value = fields.get(option)
    return "not set" if value is None else str(value)


def _judge_region(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict:
    endpoint = str((observation["stream"] or {}).get("endpoint"))
    in_region = is_in_region(endpoint)
    if in_region is None:
        reason = f"{endpoint} is not an Astra Streaming endpoint, so its name does not tell the region."
        return Verdict(UNKNOWN, "not an Astra Streaming endpoint", reason)
    if not in_region:
        reason = f"{endpoint} is not in AWS us-east-2, so events do not arrive."
        return Verdict(FAILED, "not AWS us-east-2", reason, "Use a tenant in AWS us-east-2.")
    return Verdict(PASSED, "", f"{endpoint} is in AWS us-east-2.")


def _judge_token_validity(
    observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime
) -> Verdict | None:
    if (observation["stream"] or {}).get("auth_strategy") == "oauth2":
        return None
    days = thresholds["days"]
    text = observation["token_expires_at"]
    ends = None if text is None else _moment(text)
    if not observation["token_given"]:
        reason = "The token was not given to this run, so its expiry date is not known."
        return Verdict(UNKNOWN, "the token was not given", reason, "Give the run the Pulsar token.")
    if text is None:
        return Verdict(PASSED, "", "The token has no expiry date.")
    if ends is None:
        return Verdict(UNKNOWN, "no calendar has its expiry date", f"The token expires on {text}.")
    when, advice = write_time(ends), "Create a new token, and run the playbook audit_log_stream with it."
    if ends <= now:
        return Verdict(FAILED, "the token has expired", f"The token expired on {when}, {_ago(now - ends)}.", advice)
    left = count((ends - now).days, "day")
    if ends - now < datetime.timedelta(days=days):
        reason = f"The token expires on {when}, in {left}."
        return Verdict(FAILED, f"the token expires within {count(days, 'day')}", reason, advice)
    return Verdict(PASSED, "", f"The token lasts another {left}, until {when}.")


def _judge_token_compared(
    observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime
) -> Verdict | None:
    if not observation["token_compared"]:
        reason = "The service never shows its token, and no fingerprint of the one last sent is on record."
        return Verdict(UNKNOWN, "the token could not be compared", reason, "Set audit_log_stream_fingerprint_store.")
    if observation["differences"] and not any(map(_is_secret, observation["differences"])):
        return None  # Only a secret that differs alone is seen: whatever else differs has it sent anyway.
    if observation["differences"]:
        reason = "The secret last sent to the service is not the one in the inventory."
        advice = "Run the playbook audit_log_stream to send the token from the inventory."
        return Verdict(FAILED, "not the token from the inventory", reason, advice)
    return Verdict(PASSED, "", "The secret last sent to the service is the one in the inventory.")


def _judge_broker(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict:
    delivery = observation["delivery"]
    if delivery is None:
        return NOT_ASKED
    if delivery["verdict"] == "broken":
        failed = [check["id"] for check in delivery["checks"] if check["id"] not in GUARDS and check["state"] == FAILED]
        cause = ": ".join(["events cannot get through", *([", ".join(failed)] if failed else [])])
        return Verdict(FAILED, cause, delivery["reason"], delivery["advice"])
    if delivery["verdict"] in ("proven", "quiet"):
        if any(check["id"] == "produce" and check["state"] == PASSED for check in delivery["checks"]):
            return Verdict(PASSED, "", "The broker lets this token produce to this topic.")
        # Only the events that arrive show it, which at a shared topic may be those of others.
        if delivery["shared_by"] == 1:
            return Verdict(PASSED, "", delivery["reason"])
    return Verdict(UNKNOWN, "whether events arrive is unknown", delivery["reason"], delivery["advice"])


def _judge_loss_guard(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict:
    delivery = observation["delivery"]
    if delivery is None:
        return NOT_ASKED
    guards = [check for check in delivery["checks"] if check["id"] in GUARDS]
    failed = [check for check in guards if check["state"] == FAILED or check["id"] in delivery["at_risk"]]
    unknown = [check for check in guards if check["state"] != PASSED]
    if failed:
        return _told(FAILED, failed, "events may get lost", "Events may get lost.")
    if unknown or not guards:
        return _told(UNKNOWN, unknown, "possible loss", "Whether events can get lost is unknown.")
    return Verdict(PASSED, "", "Nothing was found that could lose events.")


def _told(state: str, checks: list[Check], cause: str, otherwise: str) -> Verdict:
    """Return a verdict in the words of the checks that it follows from."""
    ids = ", ".join(check["id"] for check in checks)
    reason = " ".join(check["message"] for check in checks if check["message"])
    advice = " ".join(check["advice"] for check in checks if check["advice"])
    return Verdict(state, f"{cause}: {ids}" if ids else cause, reason or otherwise, advice)


def _judge_last_event(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict:
    delivery, hours = observation["delivery"], thresholds["hours"]
    if delivery is None:
        return NOT_ASKED
    last = None if delivery["last_event"] is None else _moment(delivery["last_event"])
    if last is None:
        reason = "No event was seen at the topic. Perhaps none was due."
        return Verdict(
            UNKNOWN, "no event seen", reason, "Run the playbook audit_log_delivery with its probe, which causes one."
        )
    seen = f"The last event arrived on {write_time(last)}, {_ago(now - last)}."
    shared_by = delivery["shared_by"]
    if now - last > datetime.timedelta(hours=hours):
        advice = "Run the playbook audit_log_delivery with its probe, which causes an event."
        return Verdict(FAILED, f"no event for {count(hours, 'hour')}", seen, advice)
    if shared_by > 1:
        reason = f"{seen} {shared_by:,} organizations share the topic, and an event does not tell whose it is."
        return Verdict(UNKNOWN, "shares its topic", reason, "Give each organization a topic of its own.")
    return Verdict(PASSED, "", seen)


def _moment(text: str) -> datetime.datetime | None:
    try:
        return read_time(text)
    except ValueError:
        return None


def _ago(time: datetime.timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    if hours < 1:
        return "less than an hour before the audit"
    return f"{count(hours, 'hour') if hours < 48 else count(hours // 24, 'day')} before the audit"


BUILT_IN = (
    Rule(
        "variables",
        "Its variables have no mistakes",
        "What the inventory gets wrong is neither configured nor audited as intended.",
        "high",
        _judge_variables,
        needs=ALWAYS,
        controls=("SOC 2 CC8.1", "ISO 27001 A.8.9", "CIS 4.1"),
    ),
    Rule(
        "reading",
        "Its configuration could be read",
        "Nobody knows whether an organization that could not be read is as it should be.",
        "high",
        _judge_reading,
        needs=ALWAYS,
        controls=("SOC 2 CC4.1", "ISO 27001 A.5.36", "CIS 8.1"),
    ),
    Rule(
        "streaming",
        "Its audit log is streamed if it should be",
        "Without a stream, nobody outside Astra can see, keep or alert on what happens there.",
        "critical",
        _judge_streaming,
        needs=READ,
        controls=("SOC 2 CC7.2", "ISO 27001 A.8.15", "CIS 8.2", "CIS 8.12"),
    ),
    Rule(
        "destination",
        "It streams to the approved destination",
        "An audit log that goes elsewhere is missing where people look for it, and others may read it.",
        "critical",
        _judge_destination,
        needs=CONFIGURED,
        controls=("SOC 2 CC6.7", "SOC 2 CC7.2", "ISO 27001 A.8.15", "ISO 27001 A.5.14", "CIS 8.9"),
    ),
    Rule(
        "region",
        "The destination is in AWS us-east-2",
        "Astra delivers audit logs to Astra Streaming in this region only. It accepts others, but nothing arrives.",
        "high",
        _judge_region,
        controls=("SOC 2 CC7.2", "ISO 27001 A.8.15", "CIS 8.9"),
    ),
    Rule(
        "token_validity",
        "Its token lasts long enough",
        "When the token expires, events stop arriving, and nothing in Astra says so.",
        "high",
        _judge_token_validity,
        thresholds={"days": 30},
        controls=("SOC 2 CC6.1", "ISO 27001 A.5.17", "CIS 8.2"),
    ),
    Rule(
        "token_compared",
        "The service has the token from the inventory",
        "The service never shows the token it has. Only a fingerprint tells whether a rotation has reached it.",
        "medium",
        _judge_token_compared,
        unknown_is_broken=False,
        controls=("SOC 2 CC6.1", "ISO 27001 A.5.17", "ISO 27001 A.8.9"),
    ),
    Rule(
        "broker_accepts",
        "The broker accepts its events",
        "A stream can be configured and still not get through, because of its token, its topic or the network.",
        "critical",
        _judge_broker,
        needs_broker=True,
        controls=("SOC 2 CC7.2", "ISO 27001 A.8.16", "CIS 8.2"),
    ),
    Rule(
        "loss_guard",
        "Its events are safe from loss",
        "A topic without a durable subscription, or with short retention, drops events before anybody reads them.",
        "high",
        _judge_loss_guard,
        needs_broker=True,
        controls=("SOC 2 A1.2", "ISO 27001 A.8.15", "ISO 27001 A.5.33", "CIS 8.3", "CIS 8.10"),
    ),
    Rule(
        "last_event",
        "Events arrive",
        "Only an event that has arrived proves that everything works from end to end.",
        "medium",
        _judge_last_event,
        thresholds={"hours": 168},
        unknown_is_broken=False,
        needs_broker=True,
        controls=("SOC 2 CC7.2", "ISO 27001 A.8.16", "CIS 8.2"),
    ),
)
