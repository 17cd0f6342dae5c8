"""What hosts told of groups of processes in minutes of which a part is here and a part is there: sums over their
snapshots, of which a mean is made when all are together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from procession.analysis.over_time.group_minutes import GroupMinutes

_HostMinute = tuple[int, int]
"""The key of a host, and when the minute begins."""


class HostGroups:
    """Of the minutes from `since` on."""

    def __init__(self, since: int, measures: Sequence[str]) -> None:
        self.since = since
        self._measures = measures
        self._snapshots: defaultdict[_HostMinute, list[float]] = defaultdict(lambda: [0.0] * (1 + len(measures)))
        """How many, and in how many of them each measure is known."""
        self._sightings: defaultdict[tuple[_HostMinute, tuple[str, ...]], list[float]] = defaultdict(
            lambda: [0.0] * (1 + 2 * len(measures))
        )
        """By host, minute and values: how many processes, and of each measure the sum and of how many it is."""
        self._told: set[int] = set()

    def tell(self, minute: int) -> None:
        """That a host told of its processes in a minute, of those that are meant."""
        self._told.add(minute)

    def add_snapshots(self, host: int, minute: int, count: float, known: Sequence[float]) -> None:
        """A chunk of three is a third of one."""
        _add(self._snapshots[host, minute], (count, *known))

    def add_sightings(
        self, host: int, minute: int, values: Sequence[str], count: float, numbers: Sequence[tuple[float, float]]
    ) -> None:
        """`numbers`: of each measure the sum, and of how many processes it is."""
        flat = (number for pair in numbers for number in pair)
        _add(self._sightings[(host, minute), tuple(values)], (count, *flat))

    def into(self, minutes: GroupMinutes) -> None:
        """Add the means of what is there."""
        minutes.told([*self._told])
        rows = [(at, values, sums) for (at, values), sums in self._sightings.items() if self._snapshots[at][0]]
        numbers = {}
        for place, name in enumerate(self._measures):
            of = [self._snapshots[at][1 + place] for at, _, _ in rows]
            sums = [row[1 + 2 * place] for _, _, row in rows]
            known = [row[2 + 2 * place] for _, _, row in rows]
            means = [total / many if many else 0.0 for total, many in zip(sums, of, strict=True)]
            numbers[name] = means, [count > 0 for count in known]
        counts = [sums[0] / self._snapshots[at][0] for at, _, sums in rows]
        minutes.add([values for _, values, _ in rows], range(len(rows)), [at[1] for at, _, _ in rows], counts, numbers)


def _add(to: list[float], numbers: Sequence[float]) -> None:
    for place, number in enumerate(numbers):
        to[place] += number
