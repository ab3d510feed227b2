# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
import os
import sys

import pytest

from benchmarks import process
from benchmarks.__main__ import Bar, Key, Sample, format_report

OURS = Key(1000, "plain", "unchanged", "playbook")
FLOOR = OURS._replace(contender="no-op")


def samples(ours, floor):
    """Measurements with these wall times, run by run."""
    return {
        key: [Sample(wall, 1.0, 2048, {"GET": 1000}) for wall in walls] for key, walls in ((OURS, ours), (FLOOR, floor))
    }


def test_contenders_are_compared_within_each_run():
    """In the second run the machine was four times as slow, and in the third ours met something."""
    claim = Bar("claim", OURS, FLOOR, 0.3)
    assert claim.judge(samples([0.3, 1.2, 0.9], [1.0, 4.0, 1.0])) == (pytest.approx(0.3), True)


@pytest.mark.parametrize(("ours", "holds"), [(0.3, True), (0.31, False)])
def test_a_ceiling(ours, holds):
    assert Bar("claim", OURS, FLOOR, 0.3).judge(samples([ours], [1.0]))[1] is holds


@pytest.mark.parametrize(("floor", "holds"), [(40.0, True), (39.9, False)])
def test_a_floor(floor, holds):
    assert Bar("claim", OURS, FLOOR, 40, is_floor=True).judge(samples([1.0], [floor]))[1] is holds


def test_what_was_not_measured_is_not_judged():
    assert Bar("claim", OURS, FLOOR, 1).judge({}) is None


def test_the_report_has_every_figure_and_every_bar_that_can_be_judged():
    text = format_report(samples([2.0, 3.0, 2.5], [10.0] * 3), argparse.Namespace(runs=3, forks=50, latency=0.05))
    assert "| playbook, unchanged, to the no-op | <= 0.3 | 0.25 | yes |" in text
    assert "| 1000 | plain | unchanged | playbook | 2.50 | 2.0-3.0 | 2.5 | 1 GET | 2 |" in text
    assert "uri" not in text


def test_a_command_is_measured_with_its_children(tmp_path):
    child = "import time; sum(range(5 * 10**6)); print(time.process_time())"
    parent = f"import subprocess, sys; held = bytearray(64 << 20); subprocess.run([sys.executable, '-c', {child!r}])"
    usage, output = process.run([sys.executable, "-c", parent], tmp_path, dict(os.environ))
    assert usage.cpu > float(output)
    assert usage.wall > 0
    assert usage.peak > 64 * 1024


def test_a_command_that_fails_shows_the_end_of_its_output(tmp_path):
    command = [sys.executable, "-c", "print('reason'); raise SystemExit(3)"]
    with pytest.raises(process.BenchmarkFailed, match=r"ended with 3:\nreason"):
        process.run(command, tmp_path, dict(os.environ))
    assert process.run(command, tmp_path, dict(os.environ), statuses=(0, 3))[1] == "reason\n"
