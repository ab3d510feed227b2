# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugins that are about all organizations of a play, in one task."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.datastax.astra.plugins.module_utils import _http
from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.plugin_utils import screens
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet import Look, Organization, Pace, gather, look_at_all
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_variables import FleetVariables, read_all
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain
from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import PREFIX, HostReading
from ansible_collections.datastax.astra.plugins.plugin_utils.variables import validate

PROGRESS_INTERVAL = 5  # seconds
PACE_SPEC = {"concurrency": {"type": "int", "default": 64}, "throttle": {"type": "int", "default": 0}}
PACE_SPEC["rate"] = {"type": "float"}

_COLOURS = {"ok": "COLOR_OK", "changed": "COLOR_CHANGED", "error": "COLOR_ERROR", "warn": "COLOR_WARN"}
_COLOURS["skip"] = "COLOR_SKIP"

display = Display()


class FleetAction(ActionBase):
    """Runs once for all hosts of a play.

    :cvar argument_spec: the options, each of which the playbooks take from the variable of the same name.
    """

    BYPASS_HOST_LOOP = True
    _supports_check_mode = True
    _requires_connection = False

    argument_spec: Mapping[str, Any] = {}

    def _read_args(self) -> dict[str, Any]:
        """Return the validated options.

        :raises AnsibleActionFail: with everything that is wrong with them.
        """
        problems: list[str] = []
        given = {name: value for name, value in plain(self._task.args).items() if value not in (None, "")}
        args = validate(self.argument_spec, given, problems)
        if args.get("concurrency", 1) < 1:
            problems.append("concurrency must be 1 or more.")
        if args.get("rate") is not None and args["rate"] <= 0:
            problems.append("rate must be above 0.")
        if args.get("throttle", 0) < 0:
            problems.append("throttle must not be negative.")
        if problems:
            raise AnsibleActionFail(" ".join(PREFIX + problem for problem in problems))
        if _http.REQUESTS_IMPORT_ERROR:
            raise AnsibleActionFail(missing_required_lib("requests"))
        return args

    def _read_variables(self, task_vars: dict[str, Any], only_look: bool = False) -> list[Organization]:
        """Return the organizations of the play, with all that their variables tell.

        :raises AnsibleActionFail: there is no inventory.
        """
        names = task_vars["ansible_play_hosts"]
        if names == ["localhost"] and task_vars["hostvars"]._inventory.get_host("localhost").implicit:
            raise AnsibleActionFail("audit_log_stream_hosts names no host or group of the inventory, which is empty.")
        variables = FleetVariables(self._task, task_vars, self._templar, self._loader, only_look)
        progress = Progress("Reading variables", len(names))
        forks = context.CLIARGS.get("forks") or C.DEFAULT_FORKS
        return gather(read_all(names, variables.read, forks, progress), names)

    def _ask_service(
        self, organizations: Sequence[Organization], look: Callable[[HostReading, Api], Look], args: Mapping[str, Any]
    ) -> None:
        """Note at each organization what the service has stored for it."""
        progress = Progress("Asking the service", len(organizations))
        concurrency = min(args["concurrency"], args["throttle"] or args["concurrency"])
        look_at_all(organizations, look, Pace(concurrency, args["rate"]), progress)

    def _find_shape(self) -> screens.Shape:
        """Return how much room the screen has. That of the terminal: this process has none."""
        return screens.Shape(display.columns, display.verbosity > 0)

    def _show(self, lines: Iterable[screens.Line]) -> None:
        """Show a screen."""
        show_lines([screens.Line(""), *lines, screens.Line("")])


def show_lines(lines: Iterable[screens.Line]) -> None:
    """Show lines in their colours. Empty ones go with a neighbour, because jobs of AWX drop what is empty by itself."""
    shown: list[screens.Line] = []
    empty = ""
    for line in lines:
        if line.text:
            shown.append(line._replace(text=empty + line.text))
            empty = ""
        else:
            empty += "\n"
    if empty and shown:
        # Ansible takes one away.
        shown[-1] = shown[-1]._replace(text=f"{shown[-1].text}{empty}\n")
    for line in shown:
        display.display(line.text, color=getattr(C, _COLOURS[line.kind]) if line.kind else None)


def make_statistics(outcomes: Sequence[screens.Outcome]) -> dict[str, Any]:
    """Return what the next node of a workflow may want to know, as a result has it."""
    failed = sorted({each.name for each in outcomes if each.kind == "failed"})
    stats = {"audit_log_stream_counts": screens.count_outcomes(outcomes), "audit_log_stream_failed": failed}
    return {"data": stats, "per_host": False, "aggregate": False}


class Progress:
    """Says now and then how far work is. What is done within seconds is not worth a line."""

    def __init__(self, doing: str, total: int) -> None:
        self._doing = doing
        self._total = total
        self._said_at = time.monotonic()

    def __call__(self, done: int) -> None:
        if time.monotonic() - self._said_at >= PROGRESS_INTERVAL and done < self._total:
            self._said_at = time.monotonic()
            for line in screens.show_progress(done, self._total, self._doing):
                display.display(line.text)
