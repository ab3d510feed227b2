# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import collections
import json
import os

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.datastax.astra.plugins.module_utils import atomic_file
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
        result["changed"] = False
        result.update(reports[args["about"]](args))
        return result

    def _registered(self, host, variable):
        return plain(self._vars["hostvars"][host].get(variable)) or {}

    def _report_preflight(self, args):
        problems = collections.OrderedDict()
        rows = []
        owners = collections.defaultdict(list)
        for host in self._hosts:
            found = self._registered(host, "audit_log_stream_preflight_result")
            problems[host] = found.get("problems", [found.get("msg", "The check did not run.")])
            owners[found.get("identity")].append(host)
            rows += [[host, f"warning: {remark}"] for remark in found.get("remarks", [])]
        for identity, hosts in owners.items():
            for host in hosts if identity and len(hosts) > 1 else []:
                others = ", ".join(other for other in hosts if other != host)
                problems[host].append(f"is the same organization as {others}.")
        wrong = [host for host in self._hosts if problems[host]]
        rows = [[host, problem] for host in wrong for problem in problems[host]] + rows
        if rows:
            self._show(table(["Organization", "Problem"], rows))
        if wrong:
            of = f"{len(wrong)} of {len(self._hosts)} organizations"
            return _failed(f"{of} have problems, which the table above lists; nothing was sent to any of them.")
        return {}

    def _report_apply(self, args):
        start = 0
        while start < len(self._hosts):
            earlier = self._registered(self._hosts[start], "audit_log_stream_report_result").get("end")
            if earlier is None:
                break
            start = earlier
        end = self._end_of_batch(start)
        batch = self._hosts[start:end]
        alive = set(self._vars["ansible_play_hosts"])
        failed = [host for host in batch if host not in alive]
        limit = args.get("max_fail_percentage")
        too_many = limit not in (None, "") and 100 * len(failed) > float(limit) * len(batch)
        stop = too_many or len(failed) == len(batch)  # Ansible starts no further batch after one that failed as a whole
        result = {"end": end, "stop": stop}
        if stop or end == len(self._hosts):
            result.update(self._summarize(end, alive))
        return result

    def _end_of_batch(self, start):
        """Return the index of the first host after this batch; Ansible lists only its hosts that have not failed."""
        current, alive = set(self._vars["ansible_play_batch"]), set(self._vars["ansible_play_hosts"])
        end = start
        for index in range(start, len(self._hosts)):
            if self._hosts[index] in current:
                end = index + 1
            elif self._hosts[index] in alive:
                break
            else:
                end = index + 1
        return end

    def _summarize(self, end, alive):
        outcomes, reasons = {}, {}
        for index, host in enumerate(self._hosts):
            found = self._registered(host, "audit_log_stream_result") if index < end else {}
            if index < end and (host not in alive or found.get("failed")):
                outcomes[host] = "failed"
                reasons[host] = found.get("msg", UNFINISHED)
            else:
                action = found.get("action", "not run")
                outcomes[host] = "unchanged" if action == "none" else action
        lines = summary(outcomes, reasons, self._task.check_mode)
        if end < len(self._hosts):
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
                atomic_file.replace(os.path.expanduser(args["json_path"]), json.dumps(records, indent=2) + "\n")
            except OSError as error:
                return _failed(f"audit_log_stream_info_json cannot be written: {error.strerror}.")
        return {}

    def _show(self, lines):
        display.display("\n".join(["", *lines, ""]))


def _place(stream):
    if "kind" in stream:
        return f"to {stream['kind']}, which is not Pulsar"
    return f"{stream.get('topic')} at {stream.get('endpoint')} ({stream.get('auth_strategy')})"


def _failed(message):
    return {"failed": True, "msg": message}
