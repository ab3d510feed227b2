# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import collections
import datetime
import functools
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.datastax.astra.plugins.module_utils import _atomic_file
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._probe import Arrival
from ansible_collections.datastax.astra.plugins.module_utils._resources.audit_log_stream import Stored
from ansible_collections.datastax.astra.plugins.plugin_utils import fleet_audit, fleet_delivery, screens
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence import as_html
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.observation import write_time
from ansible_collections.datastax.astra.plugins.plugin_utils.evidence.screen import draw
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet import (
    Organization,
    Topics,
    find_differences,
    is_not_compared,
    look_and_plan,
    look_only,
    observe,
    verify_destinations,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_action import (
    PACE_SPEC,
    FleetAction,
    Progress,
    make_statistics,
)

STOPPED = (
    "Nothing was sent to any organization. Correct these, or add -e audit_log_stream_on_problem=skip to go on without "
    "them."
)


class ActionModule(FleetAction):
    """Reads all organizations of a play, shows what is to be done, and returns for whom."""

    argument_spec = {
        **PACE_SPEC,
        "purpose": {"type": "str", "choices": ["apply", "audit", "delivery", "info", "preflight"], "default": "apply"},
        "on_problem": {"type": "str", "choices": ["stop", "skip"], "default": "stop"},
        "per_host": {"type": "bool", "default": False},
        "max_fail_percentage": {"type": "float"},
        "info_json": {"type": "path"},
        "audit_dir": {"type": "path"},
        "audit_rules": {"type": "raw"},
        "audit_waivers": {"type": "raw"},
        "audit_slice": {"type": "str"},
        "delivery_json": {"type": "path"},
        "delivery_probe": {"type": "bool", "default": False},
        "delivery_probe_timeout": {"type": "int", "default": 120},
        "delivery_strict": {"type": "bool", "default": False},
    }

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the next play needs to know. It has no entry for an organization that is as it should be."""
        result = super().run(tmp, task_vars)
        args = self._read_args()
        purpose = args["purpose"]
        # What is wrong with the rules has to be said before anybody is asked.
        chosen = _read_audit_settings(args) if purpose == "audit" else None
        organizations = self._read_variables(task_vars or {}, only_look=purpose == "info")
        result["changed"] = False
        if purpose == "info":
            self._ask_service(organizations, look_only, args)
            failure = _write_records(_describe_streams(organizations), args["info_json"], "audit_log_stream_info_json")
            lines = self._list_streams(organizations)
            return {**result, **self._end(lines, _hand_over(organizations, []), failure)}
        plan = functools.partial(look_and_plan, Topics())
        if chosen:
            self._ask_service(organizations, plan, args)
            return {**result, **self._audit(organizations, chosen, args, task_vars or {})}
        if purpose == "delivery":
            self._ask_service(organizations, plan, args)
            return {**result, **self._prove(organizations, args)}
        if purpose == "preflight":
            return {**result, **self._end(self._list_problems(organizations), _hand_over(organizations, []))}
        stops = args["on_problem"] == "stop" and any(each.problems for each in organizations)
        asks = not args["per_host"] and not stops
        if asks:
            self._ask_service(organizations, plan, args)
            verify_destinations(organizations, args["concurrency"])
            stops = args["on_problem"] == "stop" and any(each.problems for each in organizations)
        if stops:
            handed_over = _hand_over(organizations, [])
            failed, total = handed_over["hosts"], len(organizations)
            outcomes = [screens.Outcome(name, "failed") for name in failed]
            outcomes += [screens.Outcome("", "not run")] * (total - len(failed))
            result["ansible_stats"] = make_statistics(outcomes)
            return {**result, **self._end(self._list_problems(organizations, [STOPPED]), handed_over)}
        handed_over = _hand_over(organizations, [each for each in organizations if not each.is_as_it_should_be])
        handed_over.update(verified=asks, throttle=args["throttle"])
        if asks:
            # Otherwise the summary says what is worth knowing, at the end.
            is_last = not handed_over["hosts"]
            remarks = [*handed_over["remarks"], *screens.remark_not_compared(handed_over["not_compared"])]
            self._show_plan(organizations, remarks if is_last else [])
            if is_last:
                result["ansible_stats"] = make_statistics([screens.Outcome("", "unchanged")] * len(organizations))
        return {**result, **handed_over}

    def _end(
        self, lines: Sequence[screens.Line], handed_over: dict[str, Any], failure: str | None = None
    ) -> dict[str, Any]:
        """Show a screen. Where organizations fail, the next play does it, because it has to come after the failures.

        :arg failure: why the task fails, or None. Then there is no next play.
        """
        if handed_over["hosts"] and not failure:
            return {**handed_over, "screen": [list(line) for line in lines]}
        self._show(lines)
        return {**handed_over, **({"failed": True, "msg": failure} if failure else {})}

    def _audit(
        self,
        organizations: Sequence[Organization],
        chosen: fleet_audit.Settings,
        args: Mapping[str, Any],
        task_vars: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Judge the organizations, show what was found, and write the files. A damaged history is a failure."""
        time = write_time(datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0))
        run = fleet_audit.describe_run(organizations, task_vars, time, args["audit_slice"])
        progress = Progress("Asking the brokers", len(organizations))
        try:
            audit = fleet_audit.audit_fleet(organizations, chosen, run, args["concurrency"], progress)
        except InputError as error:
            raise AnsibleActionFail(error.message) from None
        report = os.path.join(chosen.directory, as_html.FILE) if chosen.directory else None
        lines, handed_over = draw(audit, self._find_shape(), report), fleet_audit.hand_over(audit)
        stats = {"audit_log_stream_audit": fleet_audit.summarize(audit)}
        result: dict[str, Any] = {"ansible_stats": {"data": stats, "per_host": False, "aggregate": False}}
        failure = " ".join(audit.history.problems) if audit.history else None
        return {**result, **self._end(lines, handed_over, failure)}

    def _prove(self, organizations: Sequence[Organization], args: Mapping[str, Any]) -> dict[str, Any]:
        """Show whether the events of the organizations arrive. What is broken fails."""
        progress = Progress("Asking the brokers", len(organizations))
        observations = fleet_audit.observe_all(organizations, args["concurrency"], progress)
        verdicts = [fleet_delivery.judge(each) for each in observations]
        probed: dict[str, Arrival] = {}
        if args["delivery_probe"] and not self._task.check_mode:
            progress = Progress("Probing", len(organizations))
            timeout = args["delivery_probe_timeout"]
            probed = fleet_delivery.probe_all(organizations, timeout, args["concurrency"], progress)
        failures = fleet_delivery.find_failures(verdicts, probed, args["delivery_strict"])
        handed_over: dict[str, Any] = {
            "hosts": [each.name for each in organizations if each.name in failures],
            "failures": {name: {"msg": why} for name, why in failures.items()},
            "total": len(organizations),
        }
        records = [
            {
                **each._asdict(),
                "delivery": seen["delivery"],
                "probe": probed[each.name]._asdict() if each.name in probed else None,
            }
            for each, seen in zip(verdicts, observations)
        ]
        failure = _write_records(records, args["delivery_json"], "audit_log_delivery_json")
        lines = fleet_delivery.draw(verdicts, probed, handed_over["hosts"], self._find_shape())
        return self._end(lines, handed_over, failure)

    def _list_streams(self, organizations: Sequence[Organization]) -> list[screens.Line]:
        places = {each.name: _place(each.look.stored) for each in organizations if each.look}
        findings = {each.name: each.findings for each in organizations if not each.look}
        remarks = _find_remarks(organizations)
        return screens.show_streams(places, screens.group_findings(findings), remarks, self._find_shape())

    def _list_problems(
        self, organizations: Sequence[Organization], conclusions: Sequence[str] = ()
    ) -> list[screens.Line]:
        shape = self._find_shape()
        problems = {each.name: each.problems for each in organizations if each.problems}
        total = len(organizations)
        lines = screens.show_problems(problems, total, shape) if problems else screens.show_no_problems(total)
        errors = screens.group_findings({each.name: [each.error] for each in organizations if each.error})
        lines += screens.list_outcomes("Failed", errors, shape)
        return [*lines, *screens.say([*_find_remarks(organizations), *conclusions], shape)]

    def _show_plan(self, organizations: Sequence[Organization], remarks: Sequence[str]) -> None:
        shape = self._find_shape()
        outcomes = [_foresee(each) for each in organizations]
        self._show([*screens.show_plan(outcomes, self._task.check_mode, shape), *screens.say(remarks, shape)])


def _read_audit_settings(args: Mapping[str, Any]) -> fleet_audit.Settings:
    try:
        return fleet_audit.read_settings(args)
    except InputError as error:
        raise AnsibleActionFail(error.message) from None


def _hand_over(organizations: Sequence[Organization], others: Sequence[Organization]) -> dict[str, Any]:
    """Return the names of those that the next play is about, and what is known of the rest.

    :arg others: those that the next play is about besides the ones that have failed.
    """
    failures = {each.name: each.failure for each in organizations if each.failure is not None}
    names = {*failures, *(each.name for each in others)}
    return {
        "hosts": [each.name for each in organizations if each.name in names],
        "failures": failures,
        "unchanged": sum(each.is_as_it_should_be for each in organizations),
        "not_compared": sum(map(_is_not_compared, organizations)),
        # Those whose organization may not be the token's own, which the role has to find out.
        "unconfirmed": [each.name for each in others if not (each.look and each.look.plan) or each.look.warnings],
        "remarks": _find_remarks(organizations),
        "total": len(organizations),
    }


def _foresee(organization: Organization) -> screens.Outcome:
    if organization.failure is not None:
        return screens.Outcome(organization.name, "failed")
    plan = organization.look.plan if organization.look else None
    if plan is None:
        return screens.Outcome(organization.name, "updated", "an earlier change is still being applied")
    kind = "unchanged" if plan.action == "none" else plan.action
    return screens.Outcome(organization.name, kind, ", ".join(find_differences(plan.before, plan.after, plan.changed)))


def _find_remarks(organizations: Sequence[Organization]) -> list[str]:
    """Return what is worth knowing, each once with the names of those whom it concerns, and what cannot be known."""
    concerned: dict[str, list[str]] = {}
    for each in organizations:
        for warning in each.warnings:
            concerned.setdefault(warning.cause, []).append(each.name)
    remarks = [f"{screens.name_some(names)}: {cause}" for cause, names in concerned.items()]
    sharing = collections.Counter(
        each.request.stream["topic"] for each in organizations if each.request and each.request.stream
    )
    return remarks + screens.remark_shared_topics(sharing)


def _is_not_compared(organization: Organization) -> bool:
    plan = organization.look.plan if organization.look else None
    return bool(plan and is_not_compared({"action": plan.action, "stream": plan.after, **plan.values}))


def _place(stored: Stored | None) -> str:
    """Return in words where an organization streams to."""
    if stored is None:
        return screens.NOT_STREAMED
    if stored.foreign:
        return f"To {stored.stream['kind']}, which is not Pulsar"
    # A line break before the strategy would look lost.
    return f"{stored.stream['topic']} at {stored.stream['endpoint']}\u00a0({stored.stream['auth_strategy']})"


def _describe_streams(organizations: Sequence[Organization]) -> list[dict[str, Any]]:
    records = []
    for each in organizations:
        observed = observe(each)
        record = {name: observed[name] for name in ("name", "organization_id", "exists", "stream")}
        if each.failure is not None:
            record["error"] = each.failure["msg"]
        records.append(record)
    return records


def _write_records(records: Sequence[Mapping[str, Any]], path: str | None, variable: str) -> str | None:
    """Write the file that the variable asks for; return why it cannot be written, or None."""
    if path:
        try:
            _atomic_file.replace(os.path.expanduser(path), json.dumps(records, indent=2) + "\n")
        except OSError as error:
            return f"{variable} cannot be written: {error.strerror}."
    return None
