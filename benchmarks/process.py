# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running one command and measuring what it used."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

_LOOK_EVERY = 0.05  # seconds
_LAST_LINES = 20


class BenchmarkFailed(Exception):
    """A command failed or did not do its job; the message says which, with the end of its output."""


class Usage(NamedTuple):
    """What a command used.

    :ivar wall: seconds from start to end.
    :ivar cpu: seconds of CPU time, user and system, of the command and all its children.
    :ivar peak: largest memory (KiB) of the command's own process: with Ansible, of the controller.
    """

    wall: float
    cpu: float
    peak: int


def run(command: list[str], directory: Path, environment: dict[str, str], statuses: tuple[int, ...] = (0,)):
    """Run a command; returns its M(Usage) and its output.

    :arg statuses: the exit statuses that are right.
    :raises BenchmarkFailed: it ended with another one.
    """
    log = directory / "output.log"
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        descriptor = os.pidfd_open(process.pid)
        try:
            peak = 0
            while not select.select([descriptor], [], [], _LOOK_EVERY)[0]:
                peak = max(peak, _peak_memory(process.pid))
            _pid, status, usage = os.wait4(process.pid, 0)
        finally:
            os.close(descriptor)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text("utf-8", "replace")
    if process.returncode not in statuses:
        end = "\n".join(text.splitlines()[-_LAST_LINES:])
        raise BenchmarkFailed(f"{' '.join(command)} ended with {process.returncode}:\n{end}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, peak), text


def _peak_memory(pid: int) -> int:
    """Return the peak so far in KiB, 0 when the process is over.

    The kernel's resource usage of a finished process is no substitute: it starts with the peak of the parent.
    """
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0
