# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator's clock, which tests can move."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime


class Clock:
    """Tells the time and does what is due.

    What is due is done at the latest when settle() is called, which happens before every request.
    """

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()
        self._plan: list[tuple[float, int, Callable[[], Awaitable[None] | None]]] = []
        self._order = itertools.count()
        self._running: set[asyncio.Future] = set()
        self.advanced = 0.0

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return self._start + time.monotonic() + self.advanced

    def text(self, moment: float | None = None) -> str:
        """Return a moment, or now, in RFC 3339 with milliseconds."""
        moment = self.now() if moment is None else moment
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def advance(self, seconds: float) -> None:
        """Move the clock forward and do what has become due."""
        self.advanced += seconds
        self.settle()

    def call_later(self, seconds: float, action: Callable[[], Awaitable[None] | None]) -> None:
        """Plan an action; nobody has to send a request for it to happen."""
        heapq.heappush(self._plan, (self.now() + seconds, next(self._order), action))
        asyncio.get_running_loop().call_later(seconds, self.settle)

    def stop(self) -> None:
        """Forget what is planned."""
        self._plan.clear()

    def settle(self) -> None:
        """Do what is due, in order."""
        while self._plan and self._plan[0][0] <= self.now():
            result = heapq.heappop(self._plan)[2]()
            if result is not None:
                task = asyncio.ensure_future(result)
                self._running.add(task)
                task.add_done_callback(self._running.discard)
