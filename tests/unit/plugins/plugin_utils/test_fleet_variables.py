# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluating many hosts, in one process or in several."""

from __future__ import annotations

import multiprocessing
import os
import time

import pytest
from ansible_collections.datastax.astra.plugins.plugin_utils import fleet_variables
from ansible_collections.datastax.astra.plugins.plugin_utils.fleet_variables import read_all

NAMES = [f"acme-{number}" for number in range(1, 101)]


def run(read, forks=5, names=NAMES):
    """Return the results, the processes that had them, and the numbers that were reported."""
    progress = []
    results = dict(read_all(names, lambda name: (os.getpid(), read(name)), forks, progress.append))
    processes = {result[0] for result in results.values() if result}
    return {name: result and result[1] for name, result in results.items()}, processes, progress


def test_what_is_quick_stays_in_this_process():
    results, processes, progress = run(str.upper)
    assert results == {name: name.upper() for name in NAMES}
    assert processes == {os.getpid()}
    assert progress == list(range(1, 101))


class TestSeveralProcesses:
    @pytest.fixture(autouse=True)
    def _worth_it(self, monkeypatch):
        monkeypatch.setattr(fleet_variables, "WORTH_FORKING", 0.05)

    def wait(self, name):
        time.sleep(0.01)
        return name.upper()

    def test_what_waits_is_shared(self):
        results, processes, progress = run(self.wait)
        assert results == {name: name.upper() for name in NAMES}
        assert len(processes) == 6  # five and this one, which was the first to know
        assert progress == list(range(1, 101))

    def test_not_more_than_ansible_has_forks(self):
        assert len(run(self.wait, forks=2)[1]) == 3
        assert run(self.wait, forks=1)[1] == {os.getpid()}

    def test_a_process_that_ends_is_the_problem_of_one_host_alone(self):
        parent = os.getpid()

        def read(name):
            if name == "acme-50" and os.getpid() != parent:
                os._exit(1)
            return self.wait(name)

        results, _processes, _progress = run(read)
        assert results == {name: None if name == "acme-50" else name.upper() for name in NAMES}

    def test_an_end_in_the_middle_leaves_no_process(self):
        for _result in read_all(NAMES, self.wait, 5, lambda done: None):
            if len(multiprocessing.active_children()) == 5:
                break
        deadline = time.monotonic() + 10
        while multiprocessing.active_children():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_nobody():
    assert run(str.upper, names=[]) == ({}, set(), [])
