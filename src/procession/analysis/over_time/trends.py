"""Numbers of processes over time, step by step: the least, the mean and the greatest that a minute of the step had.

What a minute has is the mean over the snapshots that a host took in it, added up over the hosts. A snapshot of several
chunks counts as one, and a chunk that is missing takes its share of it along. Partial snapshots do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from procession.analysis.selection import Selection
from procession.analysis.timeseries import Series, TimeSeries
from procession.window import Window

MINUTE_SECONDS = 60

SNAPSHOT_SECONDS = 10
"""From one snapshot of a host to its next, as agents take them: shorter steps have no more than an instant."""

TREND_MEASURES = ("cpu_total_percent", "rss_bytes", "read_bytes_per_second", "write_bytes_per_second")

_AS_GREAT = 1 - 1e-9
"""Of two sums of the same numbers in another order either may be the greater one."""

_STEPS = (60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


class Band(msgspec.Struct, frozen=True):
    """A number over time: an item for each of `Trends.times`, None where it is not known."""

    min: tuple[float | None, ...]
    avg: tuple[float | None, ...]
    max: tuple[float | None, ...]
    max_at: tuple[int | None, ...]
    """When the first minute begins that has the greatest."""

    @classmethod
    def of(cls, values: Sequence[float | None], minutes: range, in_step: int) -> Band:
        """Of the values of these minutes, so many in each step."""
        steps = [
            [
                (minutes[place], value)
                for place, value in enumerate(values[first : first + in_step], first)
                if value is not None
            ]
            for first in range(0, len(values), in_step)
        ]
        greatest = [max((value for _, value in some), default=None) for some in steps]
        return cls(
            tuple(min((value for _, value in some), default=None) for some in steps),
            tuple(sum(value for _, value in some) / len(some) if some else None for some in steps),
            tuple(greatest),
            tuple(
                None if most is None else next(at for at, value in some if value >= most * _AS_GREAT)
                for some, most in zip(steps, greatest, strict=True)
            ),
        )

    @classmethod
    def of_instants(cls, values: tuple[float | None, ...], times: tuple[int, ...]) -> Band:
        at = tuple(None if value is None else time for value, time in zip(values, times, strict=True))
        return cls(values, values, values, at)


class Trend(msgspec.Struct, frozen=True):
    """One group of processes over time."""

    value: str | None
    """As that of a `Series`."""
    is_rest: bool
    count: Band
    numbers: Mapping[str, Band]
    """Sums over the processes, by the names of measures."""


class Trends(msgspec.Struct, frozen=True):
    step: int
    """Seconds."""
    times: tuple[int, ...]
    """When each step begins, ascending; instants where each is one."""
    is_instants: bool
    """Whether a step is one instant, and not the minutes of it."""
    trends: tuple[Trend, ...]
    is_known: bool
    """Whether anything is known of any step."""


@dataclass(frozen=True, slots=True)
class TrendSteps:
    """Steps of whole minutes, which begin where minutes, hours and days do: some of the first and of the last may lie
    outside the window."""

    seconds: int
    times: tuple[int, ...]

    @classmethod
    def of(cls, window: Window, points: int) -> TrendSteps:
        length = window.to_at - window.from_at
        seconds = next((one for one in _STEPS if length <= one * points), _STEPS[-1])
        return cls(seconds, tuple(range(window.from_at // seconds * seconds, window.to_at + 1, seconds)))

    @property
    def minutes(self) -> range:
        """When each minute of them begins."""
        return range(self.times[0], self.times[-1] + self.seconds, MINUTE_SECONDS)


def are_steps(window: Window, points: int) -> bool:
    """Whether a window is told by steps of minutes, and not drawn snapshot by snapshot."""
    return window.to_at - window.from_at > SNAPSHOT_SECONDS * points


def are_totals(selection: Selection, window: Window, by: str | None, points: int) -> bool:
    """Whether it is all processes that are asked for, by steps of minutes."""
    is_whole = selection.search is None and not selection.tags.conditions and by is None
    return is_whole and are_steps(window, points)


class Amount(NamedTuple):
    """A sum over chunks of snapshots, and how many snapshots it is of."""

    sum: float = 0.0
    snapshots: float = 0.0

    def plus(self, other: Amount) -> Amount:
        return Amount(self.sum + other.sum, self.snapshots + other.snapshots)

    @property
    def mean(self) -> float | None:
        return self.sum / self.snapshots if self.snapshots else None


class HostMinute(NamedTuple):
    """What some snapshots of a host have of a minute."""

    host: int
    """Its key."""
    minute: int
    """When it begins."""
    processes: Amount
    numbers: Mapping[str, Amount]
    """By measure."""


@dataclass(slots=True)
class MinuteTotals:
    """What all processes together had in a minute."""

    count: float = 0.0
    numbers: dict[str, float] = field(default_factory=dict)
    """By measure; without those that no process is known to have."""

    def add(self, count: float, numbers: Mapping[str, float | None]) -> None:
        """Those of some hosts more."""
        self.count += count
        for name, value in numbers.items():
            if value is not None:
                self.numbers[name] = self.numbers.get(name, 0.0) + value


def trend_of_totals(minutes: Mapping[int, MinuteTotals], steps: TrendSteps, measures: Sequence[str]) -> Trends:
    """Of all processes. `minutes`: those of which anything is known, by when they begin."""
    found = [minutes.get(at) for at in steps.minutes]

    def band(values: Sequence[float | None]) -> Band:
        return Band.of(values, steps.minutes, steps.seconds // MINUTE_SECONDS)

    counts = band([None if one is None else one.count for one in found])
    numbers = {name: band([None if one is None else one.numbers.get(name) for one in found]) for name in measures}
    whole = Trend(None, False, counts, numbers)
    return Trends(steps.seconds, steps.times, False, (whole,), any(one is not None for one in found))


def trends_of_instants(found: TimeSeries) -> Trends:
    """Of a step there is no more than its instant."""
    return Trends(
        found.step, found.times, True, tuple(_of_series(one, found.times) for one in found.series), found.is_known
    )


def _of_series(series: Series, times: tuple[int, ...]) -> Trend:
    numbers = {name: Band.of_instants(values, times) for name, values in series.numbers.items()}
    return Trend(series.value, series.is_rest, Band.of_instants(series.count, times), numbers)
