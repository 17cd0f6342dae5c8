"""A time series, put together of the groups of processes at one instant after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from procession.analysis.aggregates import Aggregate, Grouped, Groups
from procession.analysis.timeseries import Series, TimeSeries
from procession.window import Window

MAX_SIGHTINGS = 5_000_000
"""To be looked at for one answer: of a larger fleet there are fewer instants."""

MIN_POINTS = 10
MIN_STEP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Steps:
    """The instants of a series."""

    seconds: int
    """From one to the next."""
    times: tuple[int, ...]
    """Ascending."""

    @classmethod
    def of(cls, window: Window, points: int, process_count: int) -> Steps:
        """From the end of the window back. `process_count`: how many processes there are at its end."""
        points = max(min(points, MAX_SIGHTINGS // max(process_count, 1)), min(points, MIN_POINTS))
        length = window.to_at - window.from_at
        seconds = max(-(-length // points), MIN_STEP_SECONDS)
        return cls(seconds, tuple(range(window.to_at - length // seconds * seconds, window.to_at + 1, seconds)))


class GroupsThen(NamedTuple):
    """All groups at an instant."""

    groups: Mapping[str | None, Grouped]
    is_known: bool

    @classmethod
    def of(cls, found: Groups) -> GroupsThen:
        return cls({one.value: one for one in found.found}, found.is_known)

    def as_one(self) -> GroupsThen:
        """Put together, where no process is in two of them."""
        return GroupsThen(_joined(self.groups.values()), self.is_known)


def groups_of(found: TimeSeries) -> list[GroupsThen]:
    """What a series of all groups is made of. It has at least one."""
    then = []
    for place in range(len(found.times)):
        groups = {}
        for series in found.series:
            if count := series.count[place]:
                sums = {name: values[place] for name, values in series.numbers.items()}
                numbers = {name: Aggregate(one, None, int(one is not None)) for name, one in sums.items()}
                groups[series.value] = Grouped(series.value, count, numbers)
        then.append(GroupsThen(groups, found.series[0].count[place] is not None))
    return then


def time_series(
    steps: Steps, found: Sequence[GroupsThen], measures: Sequence[str], rank: str | None, limit: int
) -> TimeSeries:
    """Of what was found at each instant: of the `limit` groups that have the most of `rank`, and of the rest. None: of
    the processes without a value, which are all."""
    is_known = [one.is_known for one in found]
    points = [one.groups for one in found]
    if rank is None:
        whole = _series(None, points, measures, is_known, is_rest=False)
        return TimeSeries(steps.seconds, steps.times, (whole,), any(is_known))
    top = _top(points, rank, limit)
    series = [_series(value, points, measures, is_known, is_rest=False) for value in top]
    rest = [_joined(group for value, group in groups.items() if value not in set(top)) for groups in points]
    if any(rest):
        series.append(_series(None, rest, measures, is_known, is_rest=True))
    return TimeSeries(steps.seconds, steps.times, tuple(series), any(is_known))


_Point = Mapping[str | None, Grouped]


def _series(
    value: str | None, points: Sequence[_Point], measures: Sequence[str], is_known: Sequence[bool], *, is_rest: bool
) -> Series:
    found = [groups.get(value) for groups in points]
    return Series(
        value,
        is_rest,
        tuple(
            (0 if known else None) if group is None else group.count
            for group, known in zip(found, is_known, strict=True)
        ),
        {name: tuple(None if group is None else group.numbers[name].sum for group in found) for name in measures},
    )


def _top(points: Sequence[_Point], rank: str, limit: int) -> list[str]:
    """The values with the most over the window, ties by value."""
    totals: dict[str, float] = {}
    for groups in points:
        for value, group in groups.items():
            if value is not None:
                amount = group.count if rank == "count" else (group.numbers[rank].sum or 0)
                totals[value] = totals.get(value, 0) + amount
    return sorted(totals, key=lambda value: (-totals[value], value))[:limit]


def _joined(groups: Iterable[Grouped]) -> dict[str | None, Grouped]:
    """As one group without a value, if there are any."""
    found: Grouped | None = None
    for group in groups:
        found = group if found is None else _with(found, group)
    return {} if found is None else {None: Grouped(None, found.count, found.numbers)}


def _with(one: Grouped, other: Grouped) -> Grouped:
    numbers = {name: _sum(aggregate, other.numbers[name]) for name, aggregate in one.numbers.items()}
    return Grouped(None, one.count + other.count, numbers)


def _sum(one: Aggregate, other: Aggregate) -> Aggregate:
    if one.sum is None:
        return other
    if other.sum is None:
        return one
    greatest = None if one.max is None or other.max is None else max(one.max, other.max)
    return Aggregate(one.sum + other.sum, greatest, one.known + other.known)
