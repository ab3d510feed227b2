# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables of all hosts of a play, evaluated in one task as Ansible would for each host."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Callable, TypeVar

from ansible_collections.datastax.astra.plugins.plugin_utils.role_variables import HostReading, read_host

Result = TypeVar("Result")

SAMPLE = 8  # hosts, of which it is known what one costs
WORTH_FORKING = 1.0  # seconds that are left for one process


class FleetVariables:
    """What Ansible knows of the hosts of a play.

    :arg task: the running task.
    :arg task_vars: its variables.
    :arg templar: Ansible's templar, which is left with the variables of the last host.
    :arg loader: Ansible's data loader.
    :arg only_look: read only what it takes to see what is stored.
    """

    def __init__(
        self, task: Any, task_vars: dict[str, Any], templar: Any, loader: Any, only_look: bool = False
    ) -> None:
        hostvars = task_vars["hostvars"]
        self._manager = hostvars._variable_manager
        self._inventory = hostvars._inventory
        self._task = task
        self._play = task._parent._play
        self._templar = templar
        self._loader = loader
        # The same for all hosts; asked of the variable manager, they would be made anew for each.
        names = ("ansible_play_hosts_all", "ansible_play_hosts", "ansible_play_batch", "play_hosts")
        self._shared = {name: task_vars[name] for name in (*names, "ansible_search_path") if name in task_vars}
        self._omit = task_vars.get("omit")
        self._options: dict[str, Any] = {
            "files": {},
            "extra": {*self._manager.extra_vars, *self._play.get_vars()},
            "only_look": only_look,
        }

    def read(self, name: str) -> HostReading:
        """Return what the role's variables of a host amount to."""
        host = self._inventory.get_host(name)
        variables = self._manager.get_vars(
            play=self._play, host=host, task=self._task, _hosts=[name], _hosts_all=[name]
        )
        variables.update(self._shared)
        if self._omit is not None:
            variables["omit"] = self._omit
        self._templar.available_variables = variables
        return read_host(variables, self._templar, self._loader, time.time(), **self._options)


def read_all(
    names: Sequence[str], read: Callable[[str], Result], forks: int, progress: Callable[[int], None]
) -> Iterator[tuple[str, Result | None]]:
    """Yield each name with what ``read`` returns for it, in the order in which they are done.

    Decrypting takes the processor's time, and lookups often wait for a service. Where that adds up, several processes
    share the work: as many as there are processors, or more for what waits, and never more than Ansible has forks.

    :arg read: called once for each name, maybe in another process.
    :arg progress: called now and then with the number of those that are done.
    :returns: None instead of a result where the process ended before it had one.
    """
    left = list(names)
    started, used = time.monotonic(), time.process_time()
    done = 0
    while left:
        processes = 1
        if done >= SAMPLE:
            wall, cpu = (time.monotonic() - started) / done, (time.process_time() - used) / done
            if wall * len(left) > WORTH_FORKING:
                processes = min(forks, len(left), round(_count_processors() * max(1.0, wall / max(cpu, 1e-6))))
        if processes > 1:
            for result in _share_among(processes, left, read):
                yield result
                done += 1
                progress(done)
            return
        name = left.pop(0)
        yield name, read(name)
        done += 1
        progress(done)


def _count_processors() -> int:
    with contextlib.suppress(AttributeError):  # macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share_among(
    processes: int, names: Sequence[str], read: Callable[[str], Result]
) -> Iterator[tuple[str, Result | None]]:
    context = multiprocessing.get_context("fork")
    following = context.Value("i", 0)  # the first that nobody has taken
    workers: dict[Connection, Any] = {}
    missing = dict.fromkeys(names)
    try:
        for _number in range(processes):
            receiver, sender = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(sender, following, names, read), daemon=True)
            worker.start()
            sender.close()
            workers[receiver] = worker
        while workers:
            ready: list[Any] = wait(list(workers))
            for receiver in ready:
                try:
                    name, result = receiver.recv()
                except EOFError:
                    workers.pop(receiver).join()
                    continue
                del missing[name]
                yield name, result
    finally:
        for worker in workers.values():
            worker.terminate()
    for name in missing:
        yield name, None


def _work(sender: Connection, following: Any, names: Sequence[str], read: Callable[[str], Result]) -> None:
    # Those of Ansible's worker, from which this process is forked, would end the worker.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    while True:
        with following.get_lock():
            index = following.value
            following.value += 1
        if index >= len(names):
            return
        sender.send((names[index], read(names[index])))
