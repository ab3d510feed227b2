# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.utils.helpers import pct_to_int
from ansible_collections.datastax.astra.plugins.plugin_utils import screens
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet import (
    find_differences,
    is_not_compared,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_action import FleetAction, make_statistics
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import find_plan

UNFINISHED = "The task did not finish; see its message above."
STOPPED = "Stopped: too many organizations of this batch failed, so the next ones were left alone."


class ActionModule(FleetAction):
    """Shows what became of all organizations, in the last batch or when no further batch will run.

    Where nothing was to be done, because a playbook only looks or found problems, it shows what that has found.

    It has to be in an C(always) section, because Ansible ends the whole run after a batch in which all hosts failed.
    There Ansible's own C(max_fail_percentage) sees no failures, so that is here as well.
    """

    argument_spec = {"max_fail_percentage": {"type": "float"}}

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail, and by that end the run, when more of the batch failed than is allowed."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        screen = find_plan(variables).get("screen")
        if screen is not None:
            self._show(screens.Line(*plain(line)) for line in screen)
            return {**result, "changed": False}
        limit = self._read_args()["max_fail_percentage"]
        hosts = variables["ansible_play_hosts_all"]
        begun, batch = self._find_batch(hosts, variables)
        kept = {host: plain(variables["hostvars"].raw_get(host).get("audit_log_stream_result")) for host in begun}
        alive = set(variables["ansible_play_hosts"])
        outcomes = [_judge(host, kept.get(host) or {}, host in alive) for host in begun]
        failed = {outcome.name for outcome in outcomes if outcome.kind == "failed"}
        stops = limit is not None and 100 * len(failed & set(batch)) > limit * len(batch)
        left = [screens.Outcome(host, "not run") for host in hosts[len(begun) :]]
        result["changed"] = False
        if stops or not left or not alive & set(batch):
            self._summarize([*outcomes, *left], list(kept.values()), find_plan(variables), bool(left), result)
        if stops and left:
            result.update(failed=True, msg=STOPPED)
        return result

    def _find_batch(self, hosts: Sequence[str], variables: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """Return the hosts of the batches that have begun, and those of the current one, whether alive or not."""
        alive = set(variables["ansible_play_hosts"])
        current = set(variables["ansible_play_batch"])
        begun: list[str] = []
        latest: tuple[list[str], list[str]] = (list(hosts), list(hosts))
        for batch in split_batches(hosts, self._task._parent._play.serial):
            begun = [*begun, *batch]
            # Ansible names only those of a batch that are alive. Where none is, it begins no further one.
            if current & set(batch):
                return begun, batch
            if not alive & set(batch):
                latest = (begun, batch)
        return latest

    def _summarize(
        self,
        outcomes: Sequence[screens.Outcome],
        results: Sequence[Mapping[str, Any] | None],
        plan: Mapping[str, Any],
        stopped: bool,
        result: dict[str, Any],
    ) -> None:
        shape = self._find_shape()
        unchanged = plan.get("unchanged", 0)
        others = [screens.Outcome("", "unchanged")] * unchanged
        others += [screens.Outcome("", "not run")] * (plan.get("total", 0) - len(outcomes) - unchanged)
        failures = {each.name: [(screens.generalize(each.why), each.why)] for each in outcomes if each.kind == "failed"}
        shown = [*(each for each in outcomes if each.kind != "failed"), *screens.group_findings(failures), *others]
        not_compared = plan.get("not_compared", 0) + sum(is_not_compared(each or {}) for each in results)
        remarks = [STOPPED] if stopped else []
        remarks += [*plain(plan.get("remarks", ())), *screens.remark_not_compared(not_compared)]
        self._show(screens.show_summary(shown, remarks, self._task.check_mode, shape))
        result["ansible_stats"] = make_statistics(shown)


def split_batches(hosts: Sequence[str], serial: Sequence[Any]) -> list[list[str]]:
    """Return the hosts in the batches that Ansible makes of them.

    :arg serial: the play's keyword: numbers, and percentages of all hosts; the last one goes for the rest.
    """
    sizes = [pct_to_int(each, len(hosts)) for each in serial or ()]
    batches: list[list[str]] = []
    left = list(hosts)
    while left:
        size = sizes[min(len(batches), len(sizes) - 1)] if sizes else 0
        size = size if size > 0 else len(left)
        batches.append(left[:size])
        left = left[size:]
    return batches


def _judge(host: str, found: Mapping[str, Any], alive: bool) -> screens.Outcome:
    """Return what became of a host, by what its task has registered.

    That a host counts as failed says nothing: C(any_errors_fatal) makes a failure of one that of all.
    """
    if found.get("failed"):
        return screens.Outcome(host, "failed", found.get("msg", UNFINISHED))
    if "action" in found:
        kind = "unchanged" if found["action"] == "none" else found["action"]
        why = find_differences(found.get("previous"), found.get("stream"), kind == "updated")
        return screens.Outcome(host, kind, ", ".join(why))
    return screens.Outcome(host, "not run") if alive else screens.Outcome(host, "failed", UNFINISHED)
