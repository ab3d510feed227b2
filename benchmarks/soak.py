# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet on a bad day: random faults, and three runs that must end with every organization right."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.bench import PULSAR_TOKEN, STREAM, Bench, fleet

SHARE = 0.01  # of all requests meet a fault

FAULTS = (
    {"status": 503},
    {"status": 500, "body": "<html>Internal Server Error</html>"},
    {"status": 429, "headers": {"Retry-After": "1"}},
    {"drop": "before"},
    {"drop": "after"},
    {"close": "before"},
    {"truncate": 3},
    {"delay": 1},
)


def soak(size: int, forks: int) -> str:
    """Run the playbook three times over so many organizations; return the figures as Markdown.

    :raises SystemExit: an organization is not right in the end, or the third run changed something.
    """
    wanted = {"pulsar": {**STREAM, "auth_strategy": "token", "auth_name": "token", "token": PULSAR_TOKEN}}
    lines = [
        "| run | exit status | requests | faults met | organizations right | changes asked for |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    emulator, ids = fleet(size, latency=0.02)
    with emulator, tempfile.TemporaryDirectory(prefix="astra-soak-") as directory:
        bench = Bench(emulator, ids, Path(directory), forks)
        right, writes = 0, size
        for number in (1, 2, 3):
            emulator.clear_faults()
            for fault in FAULTS:
                emulator.fault(times=None, probability=SHARE / len(FAULTS), **fault)
            run = bench.play("datastax.astra.audit_log_stream")
            met = sum(fault["fired"] for fault in emulator.faults())
            right = bench.stored().count(wanted)
            writes = run.requests.get("POST", 0)
            requests = sum(run.requests.values())
            lines.append(f"| {number} | {run.code} | {requests} | {met} | {right} of {size} | {writes} |")
    text = "\n".join([*lines, ""])
    if right != size or writes:
        raise SystemExit(f"The soak failed.\n{text}")
    return text
