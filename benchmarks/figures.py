# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured, and what it amounts to: medians, growth, and the bars that the collection has to clear. Pure."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

BARS_AT = 200  # organizations


class Sample(NamedTuple):
    """One phase of one contender, measured once.

    :ivar wall: seconds.
    :ivar cpu: seconds, user and system.
    :ivar peak: KiB, of the controller.
    :ivar requests: how many of each method the service received.
    """

    contender: str
    phase: str
    organizations: int
    wall: float
    cpu: float
    peak: int
    requests: dict[str, int]


class Figure(NamedTuple):
    """The medians of the same phase in several runs.

    :ivar walls: the wall time of each run, in seconds.
    """

    organizations: int
    walls: tuple[float, ...]
    cpu: float
    peak: float
    requests: dict[str, float]  # for each organization

    @property
    def wall(self) -> float:
        """Wall time in seconds."""
        return statistics.median(self.walls)

    @property
    def each(self) -> float:
        """Wall time for each organization, in seconds."""
        return self.wall / self.organizations

    @property
    def requests_each(self) -> float:
        """Requests for each organization, of any method."""
        return sum(self.requests.values())

    def times(self, other: Figure) -> float:
        """Return how many times as long as another this took: the median of what it was in each run.

        A machine that others share is faster in one run than in the next, and both are in the same one.
        """
        return statistics.median(ours / theirs for ours, theirs in zip(self.walls, other.walls, strict=False))


class Bar(NamedTuple):
    """A claim about the figures.

    :ivar limit: what is allowed, in words.
    :ivar measured: what it was, in words.
    """

    claim: str
    limit: str
    measured: str
    holds: bool


class Figures:
    """All figures, by contender, phase and number of organizations."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        grouped = defaultdict(list)
        for sample in samples:
            grouped[sample.contender, sample.phase, sample.organizations].append(sample)
        self._figures = {key: _figure(group) for key, group in grouped.items()}

    @property
    def sizes(self) -> list[int]:
        """The numbers of organizations, ascending."""
        return sorted({size for _contender, _phase, size in self._figures})

    @property
    def size_of_bars(self) -> int:
        """The number of organizations at which contenders are compared."""
        return BARS_AT if BARS_AT in self.sizes else self.sizes[0]

    def get(self, contender: str, phase: str, size: int) -> Figure | None:
        """Return a figure, or None when it was not measured."""
        return self._figures.get((contender, phase, size))

    def series(self, contender: str, phase: str) -> list[Figure]:
        """Return the figures of a contender's phase by ascending number of organizations."""
        found = (self.get(contender, phase, size) for size in self.sizes)
        return [figure for figure in found if figure]

    def bars(self, tls: bool) -> list[Bar]:
        """Return the bars that can be judged from what was measured."""
        size = self.size_of_bars
        bars = [
            self._at_most("task", "noop", 1.9 if tls else 1.5, size),
            self._at_most("role", "noop", 2.7, size),
            self._faster("uri", "first", 20, size),
            self._faster("uri", "second", 10, size),
            self._faster("module", "first", 8, size),
            self._faster("module", "second", 8, size),
        ]
        for contender in ("task", "role"):
            bars += self._growth(contender)
        for phase, requests in (("first", 3), ("second", 1), ("check", 1), ("removal", 3)):
            bars.append(self._requests(phase, requests, size))
        return list(filter(None, bars))

    def _at_most(self, contender: str, base: str, limit: float, size: int) -> Bar | None:
        ours, floor = self.get(contender, "second", size), self.get(base, "second", size)
        if not (ours and floor):
            return None
        ratio = ours.times(floor)
        return Bar(f"{contender}, unchanged, against {base}", f"at most {limit:g} x", f"{ratio:.2f} x", ratio <= limit)

    def _faster(self, other: str, phase: str, limit: float, size: int) -> Bar | None:
        theirs, ours = self.get(other, phase, size), self.get("task", phase, size)
        if not (ours and theirs):
            return None
        ratio = theirs.times(ours)
        run = {"first": "first run", "second": "unchanged"}[phase]
        return Bar(f"task, {run}, faster than {other}", f"at least {limit:g} x", f"{ratio:.1f} x", ratio >= limit)

    def _growth(self, contender: str) -> list[Bar]:
        bars = []
        for phase, run in (("first", "first run"), ("second", "unchanged")):
            series = self.series(contender, phase)
            if len(series) > 1:
                small, large = series[0], series[-1]
                sizes = f"from {small.organizations} to {large.organizations} organizations"
                growth = large.times(small) * small.organizations / large.organizations
                claim = f"{contender}, {run}, time for each {sizes}"
                bars.append(Bar(claim, "at most 1.25 x", f"{growth:.2f} x", growth <= 1.25))
                memory = memory_growth(small, large)
                claim = f"{contender}, {run}, memory for each more {sizes}"
                bars.append(Bar(claim, "less than 60 KiB", f"{memory:.0f} KiB", memory < 60))
        return bars

    def _requests(self, phase: str, limit: int, size: int) -> Bar | None:
        measured = {name: self.get(name, phase, size) for name in ("task", "role")}
        counts = {figure.requests_each for figure in measured.values() if figure}
        if not counts:
            return None
        names = " and ".join(name for name, figure in measured.items() if figure)
        shown = ", ".join(f"{count:g}" for count in sorted(counts))
        return Bar(f"{names}, {phase}, requests for each organization", str(limit), shown, counts == {limit})


def memory_growth(small: Figure, large: Figure) -> float:
    """Return the KiB of the controller's peak that each further organization costs."""
    return (large.peak - small.peak) / (large.organizations - small.organizations)


def time_growth(small: Figure, large: Figure) -> float:
    """Return the seconds that each further organization costs: without what every run costs once."""
    return (large.wall - small.wall) / (large.organizations - small.organizations)


def _figure(samples: list[Sample]) -> Figure:
    size = samples[0].organizations
    requests = Counter()
    for sample in samples:
        requests.update(sample.requests)
    return Figure(
        organizations=size,
        walls=tuple(sample.wall for sample in samples),
        cpu=statistics.median(sample.cpu for sample in samples),
        peak=statistics.median(sample.peak for sample in samples),
        requests={method: count / size / len(samples) for method, count in sorted(requests.items())},
    )
