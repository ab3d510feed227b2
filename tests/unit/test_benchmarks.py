# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
from collections import Counter

import pytest

from benchmarks import process, soak
from benchmarks.figures import Figures, Sample
from benchmarks.report import markdown

GET = {"GET": 1}
CREATE = {"GET": 2, "POST": 1}


def sample(contender, phase="second", size=200, wall=1.0, peak=1000, requests=None):
    total = {method: count * size for method, count in (requests or GET).items()}
    return Sample(contender, phase, size, wall, 2 * wall, peak, total)


def bars(*samples, tls=False):
    return {one.claim: (one.measured, one.holds) for one in Figures(samples).bars(tls)}


def test_a_figure_is_the_median_of_the_runs():
    figures = Figures([sample("task", wall=wall, peak=peak) for wall, peak in ((3.0, 10), (1.0, 30), (2.0, 20))])
    figure = figures.get("task", "second", 200)
    assert (figure.wall, figure.walls) == (2.0, (3.0, 1.0, 2.0))
    assert (figure.cpu, figure.peak) == (4.0, 20)
    assert figure.each == 0.01
    assert figure.requests == {"GET": 1.0}


def test_contenders_are_compared_within_each_run():
    """In the second run the machine was four times as slow, and in the third the task met something."""
    noop = [sample("noop", wall=wall, requests={}) for wall in (1.0, 4.0, 1.0)]
    task = [sample("task", wall=wall) for wall in (1.5, 6.0, 9.0)]
    assert bars(*noop, *task)["task, unchanged, against noop"] == ("1.50 x", True)


def test_requests_are_counted_for_each_organization_and_run():
    figures = Figures([sample("task", requests=CREATE), sample("task", requests=GET)])
    assert figures.get("task", "second", 200).requests == {"GET": 1.5, "POST": 0.5}


@pytest.mark.parametrize(
    ("task", "tls", "holds"), [(1.5, False, True), (1.51, False, False), (1.9, True, True), (1.91, True, False)]
)
def test_the_task_is_judged_by_the_noop_task(task, tls, holds):
    found = bars(sample("noop", requests={}), sample("task", wall=task), tls=tls)
    assert found["task, unchanged, against noop"] == (f"{task:.2f} x", holds)


@pytest.mark.parametrize(("uri", "holds"), [(20.0, True), (19.9, False)])
def test_the_task_must_be_faster_than_uri(uri, holds):
    found = bars(sample("task", "first", requests=CREATE), sample("uri", "first", wall=uri, requests=CREATE))
    assert found["task, first run, faster than uri"] == (f"{uri:.1f} x", holds)


def test_contenders_are_compared_at_200_organizations_or_else_at_the_fewest():
    both = [sample("task", size=size, wall=size / 100) for size in (100, 200)]
    both += [sample("noop", size=size, wall=1.0) for size in (100, 200)]
    assert bars(*both)["task, unchanged, against noop"] == ("2.00 x", False)
    small = [each._replace(organizations=each.organizations // 10) for each in both]
    assert bars(*small)["task, unchanged, against noop"] == ("1.00 x", True)


def test_growth_compares_the_fewest_with_the_most_organizations():
    grown = bars(
        sample("role", size=100, wall=4.0, peak=50_000),
        sample("role", size=500, wall=9.0, peak=90_000),
        sample("role", size=1000, wall=52.0, peak=104_000),
    )
    sizes = "from 100 to 1000 organizations"
    assert grown[f"role, unchanged, time for each {sizes}"] == ("1.30 x", False)
    assert grown[f"role, unchanged, memory for each more {sizes}"] == ("60 KiB", False)


@pytest.mark.parametrize(("role", "shown", "holds"), [(CREATE, "3", True), ({"GET": 3, "POST": 1}, "3, 4", False)])
def test_task_and_role_must_send_no_needless_request(role, shown, holds):
    found = bars(sample("task", "first", requests=CREATE), sample("role", "first", requests=role))
    assert found["task and role, first, requests for each organization"] == (shown, holds)


def test_the_report_leaves_out_what_was_not_measured():
    figures = Figures([sample("noop", requests={}), sample("uri", wall=10.0), sample("task", size=1000)])
    text = markdown(figures, {"CPU": "a machine"}, {"Forks": "50"}, tls=False)
    assert "| CPU | a machine |" in text
    assert "| ansible.builtin.uri | 10.00 | 10.00-10.00 | 50.0 | 10.00 x | 20.00 | 1 GET | 1 |" in text
    assert "| our task | 1.00 | 1.00-1.00 | 1.0 |  | 2.00 | 1 GET | 1 |" in text
    assert "First run" not in text


RIGHT = soak.Run(process.Usage(1, 1, 1), {"created": 0, "unchanged": 10, "failed": 0}, Counter(GET=11), wrong=0)
FIRST = RIGHT._replace(counts={"created": 9, "unchanged": 0, "failed": 1}, requests=Counter(GET=20, POST=10), wrong=1)


def test_a_soak_holds_when_the_last_run_found_nothing_to_do():
    assert all(soak.judge([FIRST, RIGHT]).values())


@pytest.mark.parametrize(
    "last",
    [
        RIGHT._replace(wrong=1),
        RIGHT._replace(counts={"updated": 1, "unchanged": 9, "failed": 0}),
        RIGHT._replace(counts={"unchanged": 9, "failed": 1}),
        RIGHT._replace(requests=Counter(GET=11, POST=1)),
    ],
)
def test_a_soak_fails_when_the_last_run_was_not_clean(last):
    assert not all(soak.judge([FIRST, last]).values())


def test_a_soak_fails_when_a_run_left_something_wrong_unreported():
    assert not all(soak.judge([FIRST._replace(wrong=2), RIGHT]).values())


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
