# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is compared: each contender does the same job, and each at its best."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.fleet import Organization, Workplace

HERE = Path(__file__).resolve().parent

# In the order in which they are run.
PHASES = {
    "first": "first run: nothing is configured, everything has to be",
    "second": "second run: everything is as it should be",
    "check": "check run: the same, with --check",
    "removal": "removal: audit_log_stream_state is absent",
}
_COMMON_PHASES = ("first", "second", "check")
_OPTIONS = {"check": ["--check"], "removal": ["--extra-vars", "audit_log_stream_state=absent"]}


class Contender(NamedTuple):
    """One way to do the job.

    :ivar playbook: its file, or None for the bare HTTP client.
    :ivar options: further arguments of ansible-playbook.
    :ivar configures: whether it does the job at all.
    """

    name: str
    title: str
    playbook: str | None
    options: tuple[str, ...] = ()
    phases: tuple[str, ...] = _COMMON_PHASES
    configures: bool = True

    def command(self, phase: str, place: Workplace, fleet: list[Organization], forks: int) -> list[str]:
        """Return the command line of a phase."""
        options = [*self.options, *_OPTIONS.get(phase, [])]
        if self.playbook is None:
            return [sys.executable, str(HERE / "http_client.py"), str(place.write_plan(fleet, forks)), *options]
        return place.playbook_command(str(HERE / "playbooks" / self.playbook), place.write_inventory(fleet), *options)


CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("http", "bare HTTP client", None),
        Contender("noop", "no-op task", "noop.yml", configures=False),
        Contender("task", "our task", "task.yml"),
        Contender("role", "our role", "role.yml", phases=(*_COMMON_PHASES, "removal")),
        Contender("module", "our task, as a module", "task.yml", ("--extra-vars", "astra_in_process=false")),
        Contender("uri", "ansible.builtin.uri", "uri.yml"),
    )
}
