# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One bound on the time of everything that serves a purpose: requests, retries, pauses and polls."""

from __future__ import annotations

import math
import time


class Deadline:
    """A moment by which work has to be done. One is handed down to every request, retry and poll.

    :arg seconds: how long from now, or None for no bound.
    """

    def __init__(self, seconds: float | None) -> None:
        self._due = math.inf if seconds is None else time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left: 0 when the deadline is due, infinity without a bound."""
        return max(0.0, self._due - time.monotonic())

    def is_due(self) -> bool:
        """Tell whether no time is left."""
        return self.remaining() <= 0

    def bound(self, seconds: float) -> float:
        """Return the smaller of these seconds and what is left."""
        return min(seconds, self.remaining())

    def sleep(self, seconds: float) -> bool:
        """Sleep for so many seconds, or return False at once when the deadline would be due by then."""
        if seconds >= self.remaining():
            return False
        time.sleep(seconds)
        return True


UNBOUNDED = Deadline(None)
