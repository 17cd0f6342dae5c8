"""What was told of containers in minutes -> numbers of groups of them at instants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from procession.analysis import Series, TimeSeries
from procession.analysis.process_metrics import COUNT
from procession.containers.metrics import GREATEST

_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class ContainerMinutes:
    """A row for each minute and container that was told of in it."""

    times: Sequence[int]
    """The instants that were asked for."""
    time: Any
    """Of each row the place of its instant."""
    container: Any
    """Of each row the place of what it was."""
    numbers: Mapping[str, Any]
    """By measure, of each row; less than 0 where not known."""


def grouped_over_time(
    told: ContainerMinutes, groups: Sequence[str | None], measures: Sequence[str], rank: str, limit: int
) -> TimeSeries:
    """`groups`: of each container. Those that have the most of `rank` over all instants, and then the rest."""
    times = told.times
    # What was told anew within its minute is no longer what a container was.
    names = sorted({group for place in np.unique(told.container).tolist() if (group := groups[place]) is not None})
    number_of: dict[str | None, int] = {name: number for number, name in enumerate(names)}
    of_container = np.array([number_of.get(group, _NONE) for group in groups], np.int64)
    is_known = np.bincount(told.time, minlength=len(times)) > 0
    group = of_container[told.container]
    is_in = group != _NONE
    group, time = group[is_in], told.time[is_in]
    numbers = {measure: values[is_in] for measure, values in told.numbers.items()}
    shown, place = _most(len(names), group, None if rank == COUNT else numbers[rank], limit)
    has_rest = len(shown) < len(names)
    cells = _Cells(len(times), len(shown) + has_rest, time, place[group])
    counts = cells.counts()
    series = []
    of_measures = {measure: cells.put_together(numbers[measure], measure in GREATEST) for measure in measures}
    for number in range(len(shown) + has_rest):
        is_rest = number == len(shown)
        series.append(
            Series(
                None if is_rest else names[shown[number]],
                is_rest,
                tuple(int(one) if known else None for one, known in zip(counts[number], is_known, strict=True)),
                {measure: _known(values[number]) for measure, values in of_measures.items()},
            )
        )
    step = times[1] - times[0] if len(times) > 1 else 1
    return TimeSeries(step, tuple(times), tuple(series), bool(is_known.any()))


@dataclass(frozen=True, slots=True)
class _Cells:
    """Rows, by the group and the instant that they count for."""

    times: int
    groups: int
    time: Any
    group: Any

    @property
    def cell(self) -> Any:
        return self.group * self.times + self.time

    def counts(self) -> Any:
        return self._shaped(np.bincount(self.cell, minlength=self.times * self.groups))

    def put_together(self, values: Any, is_greatest: bool) -> Any:
        """NaN where not known of any."""
        is_known = values >= 0
        cell, known = self.cell[is_known], values[is_known].astype(np.float64)
        size = self.times * self.groups
        if is_greatest:
            found = np.full(size, np.nan)
            np.fmax.at(found, cell, known)
            return self._shaped(found)
        sums = np.bincount(cell, known, minlength=size)
        return self._shaped(np.where(np.bincount(cell, minlength=size) > 0, sums, np.nan))

    def _shaped(self, values: Any) -> Any:
        return values.reshape(self.groups, self.times)


def _most(groups: int, group: Any, values: Any | None, limit: int) -> tuple[list[int], Any]:
    """The groups that are shown, and of each group its place among them; the place after the last is that of the
    rest."""
    weights = np.where(values >= 0, values, 0.0) if values is not None else None
    totals = np.bincount(group, weights, minlength=groups)
    order = np.argsort(-totals, kind="stable")[:limit]
    place = np.full(groups, len(order), np.int64)
    place[order] = np.arange(len(order))
    return order.tolist(), place


def _known(values: Any) -> tuple[float | None, ...]:
    return tuple(None if value != value else value for value in values.tolist())
