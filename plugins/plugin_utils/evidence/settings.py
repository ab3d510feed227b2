# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two variables that shape an audit: which rules apply, and who is excused. Both are read strictly."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any, Callable, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import Observation, read_time
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.rules import (
    BUILT_IN,
    FAILED,
    PASSED,
    READ,
    SEVERITIES,
    STREAMING,
    UNKNOWN,
    Judge,
    Rule,
    Verdict,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.text import visible

RULES = "audit_log_stream_audit_rules"
WAIVERS = "audit_log_stream_audit_waivers"

_COMMON = ("severity", "reason", "unknown_is_broken")
_CONDITIONS = ("matches", "equals", "one_of")
_ADDITIONAL = ("id", "title", "field", *_COMMON, *_CONDITIONS, "controls")
_WAIVER = ("organization", "rule", "reason", "until")
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_STREAM = ("endpoint", "topic", "auth_strategy", "auth_name", "oauth2_issuer_url", "oauth2_audience", "oauth2_scope")
FIELDS = (
    *("name", "organization_id", "exists", "action", "token_given", "token_compared", "token_expires_at"),
    *(f"stream.{name}" for name in _STREAM),
    *(f"desired.{name}" for name in ("state", *_STREAM)),
    *("delivery.verdict", "delivery.last_event"),
)


class Waiver(NamedTuple):
    """One organization that is excused from one rule.

    :ivar organization: its name in the inventory, or its UUID.
    :ivar until: as the user wrote it.
    :ivar ends: the moment from which it counts no more; a date counts until its end, in UTC.
    """

    organization: str
    rule: str
    reason: str
    until: str
    ends: datetime.datetime


def read_rules(value: object) -> tuple[Rule, ...]:
    """Return the rules that apply, in the order of their display.

    :arg value: the value of ``audit_log_stream_audit_rules``: None, or a dict whose keys are rules (false leaves one
        out, a dict changes it), ``delivery`` (false leaves out all that need the broker), and ``additional``, a list.
    :raises InputError: it names or sets something that does not exist or cannot be.
    """
    problems: list[str] = []
    given = _mapping(value, RULES, problems)
    by_id = {rule.id: rule for rule in BUILT_IN}
    _refuse_unknown(given, (*by_id, "delivery", "additional"), RULES, "a rule", problems)
    delivery = _boolean(given.get("delivery", True), f"{RULES}.delivery", problems)
    rules = []
    for rule in BUILT_IN:
        setting = given.get(rule.id, True)
        kept: Rule | None = rule
        if isinstance(setting, Mapping):
            kept = _change(rule, setting, problems)
        elif not _boolean(setting, f"{RULES}.{rule.id}", problems):
            kept = None
        if kept and (delivery or not rule.needs_broker):
            rules.append(kept)
    additional = given.get("additional") or []
    if not isinstance(additional, (list, tuple)):
        problems.append(f"{RULES}.additional must be a list of rules.")
        additional = []
    for number, entry in enumerate(additional, 1):
        added = _additional(entry, f"{RULES}.additional[{number}]", problems)
        if added and added.id in (*by_id, *(rule.id for rule in rules)):
            problems.append(f"{RULES}.additional[{number}]: there is a rule {added.id} already.")
        elif added and (delivery or not added.needs_broker):
            rules.append(added)
    if problems:
        raise InputError(problems)
    return tuple(rules)


def read_waivers(value: object, rules: Collection[Rule]) -> tuple[Waiver, ...]:
    """Return the waivers.

    :arg value: the value of ``audit_log_stream_audit_waivers``: None or a list of dicts.
    :arg rules: those that apply; a waiver may also name a built-in one that is left out.
    :raises InputError: one is not complete, or names a rule that does not exist.
    """
    problems: list[str] = []
    if value is None or value == "":
        return ()
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{WAIVERS} must be a list.")
    known = dict.fromkeys([*(rule.id for rule in BUILT_IN), *(rule.id for rule in rules)])
    waivers = []
    for number, entry in enumerate(value, 1):
        where = f"{WAIVERS}[{number}]"
        found = len(problems)
        fields = _mapping(entry, where, problems)
        _refuse_unknown(fields, _WAIVER, where, "a key", problems)
        organization, rule, reason, until = (_text(fields.get(name), f"{where}.{name}", problems) for name in _WAIVER)
        if rule:
            _refuse_unknown([rule], known, f"{where}.rule", "a rule", problems)
        ends = _end(until, f"{where}.until", problems)
        if ends and len(problems) == found:
            waivers.append(Waiver(organization, rule, visible(reason), until, ends))
    if problems:
        raise InputError(problems)
    return tuple(waivers)


def _change(rule: Rule, setting: Mapping[Any, Any], problems: list[str]) -> Rule:
    where = f"{RULES}.{rule.id}"
    _refuse_unknown(setting, (*rule.thresholds, *_COMMON), where, "a threshold", problems)
    thresholds = {
        name: _number(setting.get(name, default), f"{where}.{name}", problems)
        for name, default in rule.thresholds.items()
    }
    return rule._replace(
        thresholds=thresholds,
        severity=_choice(setting.get("severity", rule.severity), SEVERITIES, f"{where}.severity", problems),
        reason=visible(_text(setting.get("reason", rule.reason), f"{where}.reason", problems)),
        unknown_is_broken=_boolean(
            setting.get("unknown_is_broken", rule.unknown_is_broken), f"{where}.unknown_is_broken", problems
        ),
    )


def _additional(entry: object, where: str, problems: list[str]) -> Rule | None:
    found = len(problems)
    fields = _mapping(entry, where, problems)
    _refuse_unknown(fields, _ADDITIONAL, where, "a key", problems)
    identifier = _text(fields.get("id"), f"{where}.id", problems)
    if identifier and not _ID.fullmatch(identifier):
        problems.append(f"{where}.id must be made of small letters, digits and underscores, such as own_tenant.")
    reason = _text(fields.get("reason"), f"{where}.reason", problems)
    severity = _choice(fields.get("severity"), SEVERITIES, f"{where}.severity", problems)
    field = _text(fields.get("field"), f"{where}.field", problems)
    if field:
        _refuse_unknown([field], FIELDS, f"{where}.field", "a field", problems)
    judge = _condition(field, fields, where, problems)
    controls = fields.get("controls") or []
    if not isinstance(controls, (list, tuple)) or not all(isinstance(control, str) for control in controls):
        problems.append(f"{where}.controls must be a list of strings.")
    unknown = _boolean(fields.get("unknown_is_broken", True), f"{where}.unknown_is_broken", problems)
    title = _text(fields.get("title", identifier), f"{where}.title", problems)
    if len(problems) > found or judge is None:
        return None
    return Rule(
        identifier,
        visible(title),
        visible(reason),
        severity,
        judge,
        needs=STREAMING if field.startswith(("stream.", "delivery.")) else READ,
        unknown_is_broken=unknown,
        needs_broker=field.startswith("delivery."),
        controls=tuple(map(visible, controls)),
    )


def _condition(field: str, fields: Mapping[Any, Any], where: str, problems: list[str]) -> Judge | None:
    """Return what judges the field by the one condition that is given."""
    given = [name for name in _CONDITIONS if name in fields]
    if len(given) != 1:
        problems.append(f"{where} needs one of {', '.join(_CONDITIONS)}.")
        return None
    [name] = given
    expected = fields[name]
    if name == "matches":
        try:
            pattern = re.compile(_text(expected, f"{where}.matches", problems))
        except re.error as error:
            problems.append(f"{where}.matches is not a regular expression: {error}.")
            return None
        return _judge_field(field, lambda value: pattern.fullmatch(value) is not None, f"does not match {expected}")
    allowed = [expected] if name == "equals" else expected
    if not isinstance(allowed, (list, tuple)) or not allowed:
        problems.append(f"{where}.{name} must be a list that is not empty.")
        return None
    texts = [_plain(value) for value in allowed]
    wanted = f"is not {texts[0]}" if len(texts) == 1 else f"is none of {', '.join(texts)}"
    return _judge_field(field, texts.__contains__, wanted)


def _judge_field(field: str, holds: Callable[[str], bool], otherwise: str) -> Judge:
    def judge(observation: Observation, thresholds: Mapping[str, int], now: datetime.datetime) -> Verdict:
        value: Any = observation
        for name in field.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            return Verdict(UNKNOWN, f"{field} is not known", f"{field} is not known.")
        text = _plain(value)
        if holds(text):
            return Verdict(PASSED, "", f"{field} is {text}.")
        return Verdict(FAILED, f"{field} {otherwise}", f"{field} is {text}, which {otherwise}.")

    return judge


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_unknown(given: Any, known: Any, where: str, kind: str, problems: list[str]) -> None:
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.0)
            problems.append(f"{where}: {name} is not {kind}; the nearest is {nearest[0]}.")


def _mapping(value: object, where: str, problems: list[str]) -> Mapping[Any, Any]:
    if value is None or value == "":
        return {}
    if isinstance(value, Mapping):
        return value
    problems.append(f"{where} must be a dict.")
    return {}


def _text(value: object, where: str, problems: list[str]) -> str:
    text = str(value).strip() if isinstance(value, (str, datetime.date)) else ""
    if not text:
        problems.append(f"{where} is needed, as text.")
    return text


def _choice(value: object, choices: Collection[str], where: str, problems: list[str]) -> str:
    if value not in choices:
        problems.append(f"{where} must be one of {', '.join(choices)}.")
    return str(value)


def _boolean(value: object, where: str, problems: list[str]) -> bool:
    # A template gives text on ansible-core before 2.19.
    word = str(value).strip().lower()
    if word not in ("true", "false", "yes", "no"):
        problems.append(f"{where} must be true or false.")
    return word in ("true", "yes")


def _number(value: object, where: str, problems: list[str]) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= 99999:
        problems.append(f"{where} must be a whole number from 1 to 99999.")
        return 1
    return int(text)


def _end(until: str, where: str, problems: list[str]) -> datetime.datetime | None:
    if not until:
        return None
    try:
        date = _DATE.fullmatch(until)
        if date:
            day = datetime.datetime(*map(int, date.groups()), tzinfo=datetime.timezone.utc)  # type: ignore[misc,arg-type]
            return day + datetime.timedelta(days=1)
        return read_time(until)
    except (ValueError, OverflowError):
        problems.append(f"{where} must be a date, such as 2026-12-31, or an RFC 3339 time.")
        return None
