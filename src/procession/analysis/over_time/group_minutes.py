"""Groups of processes by the minute: what minutes have is put together, and steps are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from procession.analysis.over_time.trends import MINUTE_SECONDS, Band, Trend, Trends, TrendSteps, are_steps
from procession.analysis.selection import DESCRIPTION_ATTRIBUTES, Selection
from procession.search.comparisons import compares
from procession.window import Window

MAX_SIGHTINGS = 30_000_000
"""To be looked at for one answer, which takes a second on two processors; of more it is only asked what there was at
single instants."""

MAX_CELLS = 3_000_000
"""Groups times minutes."""


def are_minutes(selection: Selection, window: Window, by: str | None, points: int) -> bool:
    """Whether it can be told by the minute: not of so short a window that it is drawn snapshot by snapshot, nor where
    the number of each process counts, or its description."""
    return are_steps(window, points) and not compares(selection.search) and by not in DESCRIPTION_ATTRIBUTES


def measures_with(measures: Sequence[str], rank: str) -> tuple[str, ...]:
    """Also that by which groups are ranked."""
    return tuple(dict.fromkeys((*measures, *(() if rank == "count" else (rank,)))))


class GroupMinutes:
    """What each group had in each minute: sums over hosts of means over their snapshots."""

    def __init__(self, steps: TrendSteps, measures: Sequence[str]) -> None:
        self._steps = steps
        self._minutes = steps.minutes
        self._values: dict[str | None, int] = {}
        self._counts = np.zeros((0, len(self._minutes)))
        self._numbers = dict.fromkeys(measures, self._counts)
        self._are_known = {name: np.zeros(self._counts.shape, np.bool_) for name in measures}
        self._told = np.zeros(len(self._minutes), np.bool_)
        """Whether any host told of its processes in a minute."""

    def told(self, minutes: Any) -> None:
        """In these minutes, by when they begin, hosts told of their processes."""
        self._told[self._places(minutes)] = True

    def add(
        self,
        values: Sequence[Sequence[str]],
        of: Any,
        minutes: Any,
        counts: Any,
        numbers: Mapping[str, tuple[Any, Any]],
    ) -> None:
        """What some groups had in some minutes. `of`: places among `values`, each of which has the groups of a code;
        none stands for the group without a value. `numbers`: what is added, and whether it is known, by measure."""
        codes = np.asarray(of).tolist()
        lists = {code: self._groups(values[code]) for code in dict.fromkeys(codes)}
        rows = np.repeat(np.arange(len(codes)), np.array([len(lists[code]) for code in codes], np.int64))
        groups = np.array([group for code in codes for group in lists[code]], np.int64)
        places = self._places(minutes)[rows]
        np.add.at(self._counts, (groups, places), np.asarray(counts)[rows])
        for name, (amounts, are_known) in numbers.items():
            known = np.asarray(are_known, np.bool_)
            np.add.at(self._numbers[name], (groups, places), np.where(known, amounts, 0.0)[rows])
            np.logical_or.at(self._are_known[name], (groups, places), known[rows])

    def trends(self, measures: Sequence[str], rank: str | None, limit: int) -> Trends:
        """Of the `limit` groups with the most of `rank`, and of the rest. None: of all processes as one."""
        if rank is None:
            return self._together([self._trend(None, slice(None), measures, is_rest=False)])
        amounts = self._counts if rank == "count" else self._numbers[rank]
        sums = amounts.sum(axis=1)[: len(self._values)].tolist()
        totals = {value: _rounded(total) for value, total in zip(self._values, sums, strict=True)}
        named = [value for value in totals if value is not None]
        top = sorted(named, key=lambda value: (-totals[value], value))[:limit]
        shown = [self._trend(value, [self._values[value]], measures, is_rest=False) for value in top]
        rest = [group for value, group in self._values.items() if value not in set(top)]
        if rest:
            shown.append(self._trend(None, rest, measures, is_rest=True))
        return self._together(shown)

    def _together(self, shown: Sequence[Trend]) -> Trends:
        steps = self._steps
        return Trends(steps.seconds, steps.times, False, tuple(shown), bool(self._told.any()))

    def _trend(self, value: str | None, groups: Any, measures: Sequence[str], *, is_rest: bool) -> Trend:
        counts = self._counts[groups].sum(axis=0)
        numbers = {}
        for name in measures:
            # Of a minute without any of them all is known: nothing was used.
            is_known = self._are_known[name][groups].any(axis=0) | (counts == 0)
            numbers[name] = self._band(self._numbers[name][groups].sum(axis=0), is_known)
        return Trend(value, is_rest, self._band(counts, True), numbers)

    def _band(self, values: Any, is_known: Any) -> Band:
        listed = np.where(self._told & is_known, values, np.nan).tolist()
        in_step = self._steps.seconds // MINUTE_SECONDS
        return Band.of([None if value != value else value for value in listed], self._minutes, in_step)

    def _groups(self, values: Sequence[str]) -> list[int]:
        found = [self._values.setdefault(value, len(self._values)) for value in values or (None,)]
        if (missing := len(self._values) - len(self._counts)) > 0:
            # By more than one at once: each time costs a copy.
            more = max(missing, len(self._counts))
            self._counts = _longer(self._counts, more)
            self._numbers = {name: _longer(one, more) for name, one in self._numbers.items()}
            self._are_known = {name: _longer(one, more) for name, one in self._are_known.items()}
        return found

    def _places(self, minutes: Any) -> Any:
        return (np.asarray(minutes, np.int64) - self._minutes.start) // MINUTE_SECONDS


def _rounded(total: float) -> float:
    """Of two sums of the same numbers in another order either may be the greater one: they must not change places."""
    return float(f"{total:.9g}")


def _longer(rows: Any, more: int) -> Any:
    return np.concatenate((rows, np.zeros((more, rows.shape[1]), rows.dtype)))
