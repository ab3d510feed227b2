# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import collections
import json
import os

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.datastax.astra.plugins.module_utils import _atomic_file
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain
from ansible_collections.datastax.astra.plugins.plugin_utils.report import count, summary, table

UNFINISHED = "The task did not finish; see its message above."

display = Display()


class ActionModule(ActionBase):
    """Shows what became of all hosts of the play. Meant to run once, in an C(always) section."""

    _VALID_ARGS = frozenset(("about", "json_path", "max_fail_percentage"))
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Print the report and return it."""
        result = super().run(tmp, task_vars)
        self._vars = task_vars
        self._hosts = task_vars["ansible_play_hosts_all"]
        reports = {"preflight": self._report_preflight, "apply": self._report_apply, "info": self._report_info}
        args = plain(self._task.args)
        self._limit = _percentage(args.get("max_fail_percentage"))
        result["changed"] = False
        result.update(reports[args["about"]](args))
        return result

    def _registered(self, host, variable):
        return plain(self._vars["hostvars"][host].get(variable)) or {}

    def _report_preflight(self, args):
        problems = collections.OrderedDict()
        owners, remarks = collections.defaultdict(list), collections.defaultdict(list)
        for host in self._hosts:
            found = self._registered(host, "audit_log_stream_preflight_result")
            problems[host] = found.get("problems", [found.get("msg", "The check did not run.")])
            owners[found.get("identity")].append(host)
            for remark in found.get("remarks", []):
                remarks[remark].append(host)
        for identity, hosts in owners.items():
            for host in hosts if identity and len(hosts) > 1 else []:
                others = ", ".join(other for other in hosts if other != host)
                problems[host].append(f"is the same organization as {others}.")
        wrong = [host for host in self._hosts if problems[host]]
        rows = [[host, problem] for host in wrong for problem in problems[host]]
        # A client.conf that all share gives all the same warning.
        rows += [[_named(hosts), f"warning: {remark}"] for remark, hosts in remarks.items()]
        if rows:
            self._show(table(["Organization", "Problem"], rows))
        if wrong:
            of = f"{len(wrong)} of {len(self._hosts)} organizations"
            return _failed(f"{of} have problems, which the table above lists; nothing was sent to any of them.")
        return {}

    def _report_apply(self, args):
        alive, batch = self._vars["ansible_play_hosts"], self._vars["ansible_play_batch"]
        result = {"lost": len(self._hosts) - len(alive), "stop": False}
        if batch:
            # Ansible lists only the hosts of a batch that are alive; how many others it had follows from how many were
            # lost before it, which a host that outlived the batch before this one remembers.
            earlier = alive[: alive.index(batch[0])]
            before = self._registered(earlier[-1], "audit_log_stream_report_result").get("lost", 0) if earlier else 0
            lost = result["lost"] - before
            result["stop"] = self._limit is not None and 100 * lost > self._limit * (lost + len(batch))
        # Ansible itself starts no further batch after one that failed as a whole.
        stopped = result["stop"] or not batch
        last = self._hosts[-1]
        if stopped or last in batch or last not in alive:
            result.update(self._summarize(set(alive), stopped))
        return result

    def _summarize(self, alive, stopped):
        outcomes, reasons = {}, {}
        for host in self._hosts:
            found = self._registered(host, "audit_log_stream_result")
            if host not in alive or found.get("failed"):
                outcomes[host] = "failed"
                reasons[host] = found.get("msg", UNFINISHED)
            else:
                action = found.get("action", "not run")
                outcomes[host] = "unchanged" if action == "none" else action
        lines = summary(outcomes, reasons, self._task.check_mode)
        if stopped and "not run" in outcomes.values():
            lines += ["", "Stopped: too many organizations of this batch failed, so the next ones were left alone."]
        self._show(lines)
        stats = {"audit_log_stream_counts": count(outcomes), "audit_log_stream_failed": sorted(reasons)}
        return {"ansible_stats": {"data": stats, "per_host": False, "aggregate": False}}

    def _report_info(self, args):
        rows, records = [], []
        for host in self._hosts:
            found = self._registered(host, "audit_log_stream_info_result")
            stream = found.get("stream")
            record = {
                "name": host,
                "organization_id": found.get("organization_id"),
                "exists": found.get("exists"),
                "stream": stream,
            }
            if "exists" in found:
                place = _place(stream) if stream else "not streamed"
            else:
                record["error"] = found.get("msg", UNFINISHED)
                place = f"failed: {record['error']}"
            records.append(record)
            rows.append([host, found.get("organization_id") or "-", place])
        self._show(table(["Organization", "Id", "Audit log"], rows))
        if args.get("json_path"):
            try:
                _atomic_file.replace(os.path.expanduser(args["json_path"]), json.dumps(records, indent=2) + "\n")
            except OSError as error:
                return _failed(f"audit_log_stream_info_json cannot be written: {error.strerror}.")
        return {}

    def _show(self, lines):
        display.display("\n".join(["", *lines, ""]))


def _place(stream):
    if "kind" in stream:
        return f"to {stream['kind']}, which is not Pulsar"
    return f"{stream.get('topic')} at {stream.get('endpoint')} ({stream.get('auth_strategy')})"


def _percentage(value):
    try:
        return None if value in (None, "") else float(value)
    except ValueError:
        raise AnsibleActionFail("audit_log_stream_max_fail_percentage must be a number, such as 25.") from None


def _named(hosts):
    return hosts[0] if len(hosts) == 1 else f"{hosts[0]} and {len(hosts) - 1} more"


def _failed(message):
    return {"failed": True, "msg": message}
