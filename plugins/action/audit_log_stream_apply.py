# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.datastax.astra.plugins.action import astra_audit_log_stream
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM_CONFIRMED
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import (
    MODULE,
    ROLE,
    find_plan,
    find_secrets,
    read_host,
    wants_verification,
)
from ansible_collections.datastax.astra.plugins.plugin_utils.variables import Label, find_module_defaults

TURN_INTERVAL = 0.05  # seconds between two tries to have a turn


class ActionModule(astra_audit_log_stream.ActionModule):
    """Converges the audit log stream of a host with the variables of the role: all that the role does."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the variables, and do what the module of the same options does."""
        variables = task_vars or {}
        plan = find_plan(variables)
        failure = plan.get("failures", {}).get(variables["inventory_hostname"])
        if failure is not None:
            return {"failed": True, "changed": False, **plain(failure)}
        defaults = find_module_defaults(self._task, self._templar, MODULE)
        reading = read_host(variables, self._templar, self._loader, time.time(), defaults)
        warnings = [warning.text for warning in reading.warnings]
        result: dict[str, Any]
        if reading.problems:
            result = {"failed": True, "changed": False, "msg": " ".join(problem.text for problem in reading.problems)}
            result = remove_values({**result, "warnings": warnings}, find_secrets(reading))
        else:
            options = dict(reading.options)
            if plan:
                if variables["inventory_hostname"] not in plan["unconfirmed"]:
                    self.command = AUDIT_LOG_STREAM_CONFIRMED
                options["verify_destination"] = not plan["verified"] and wants_verification(reading)
            self._task.args = options
            with _take_turn(plan, variables["inventory_hostname"]):
                result = super().run(tmp, variables)
            warnings = [_word(warning, reading.labels) for warning in result.get("warnings", ())]
            if "msg" in result:
                result["msg"] = ROLE.word_as_written(result["msg"], reading.labels)
        # The plan says once for all what their variables give cause for.
        said = {warning.text for warning in reading.warnings} if plan else ()
        result["warnings"] = [warning for warning in warnings if warning not in said]
        return result

    def _execute_module(self, module_name: str | None = None, **keywords: Any) -> dict[str, Any]:
        result: dict[str, Any] = super()._execute_module(module_name=module_name or MODULE, **keywords)
        return result


@contextlib.contextmanager
def _take_turn(plan: Mapping[str, Any], host: str) -> Iterator[None]:
    """Wait until no more hosts are at work than the throttle that the plan hands over allows.

    Ansible's own throttle would cost each host as much as several requests. The kernel frees the lock of a worker that
    is killed.

    :raises AnsibleActionFail: files cannot be locked there.
    """
    throttle = plan.get("throttle", 0)
    if not throttle:
        yield
        return
    for number in itertools.count(plan["hosts"].index(host)):
        # All workers have this directory, and Ansible removes it at the end.
        path = os.path.join(C.DEFAULT_LOCAL_TMP, f"audit_log_stream_{number % throttle}")
        with open(path, "wb") as turn:
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(TURN_INTERVAL)
                continue
            except OSError as error:
                raise AnsibleActionFail(
                    f"The throttle cannot be kept, because {path} cannot be locked ({error.strerror}): set "
                    "ANSIBLE_LOCAL_TEMP to a directory of this machine's own."
                ) from None
            yield
            return


def _word(warning: Any, labels: Mapping[str, Label]) -> Any:
    """Return a warning about what the user wrote. Those of a module are no strings in ansible-core 2.19 and newer."""
    return ROLE.word_as_written(warning, labels) if isinstance(warning, str) else warning
