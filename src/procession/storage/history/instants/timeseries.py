"""How many processes there were and what they used, at instants one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from procession.analysis import Grouped, Selection, Series, TimeSeries
from procession.storage.history.instants.group_by import CodeLabels, Sums, code_column, grouped, joined
from procession.storage.history.instants.query_context import QueryContext
from procession.window import Window

MAX_SIGHTINGS = 5_000_000
"""To be read for one answer: of a larger fleet there are fewer instants."""

MIN_POINTS = 10
MIN_STEP_SECONDS = 5


def timeseries(
    context: QueryContext,
    selection: Selection,
    window: Window,
    by: str | None,
    measures: Sequence[str],
    rank: str,
    limit: int,
    points: int,
) -> TimeSeries:
    columns = {*measures, *(() if rank == "count" else (rank,)), *(() if by is None else (code_column(by),))}
    size = len(context.instant(selection, window.to_at, ()))
    points = max(min(points, MAX_SIGHTINGS // max(size, 1)), min(points, MIN_POINTS))
    step = max(-(-(window.to_at - window.from_at) // points), MIN_STEP_SECONDS)
    times = tuple(range(window.to_at - (window.to_at - window.from_at) // step * step, window.to_at + 1, step))
    found, is_known = [], []
    for instant in context.instants(selection, times, columns):
        is_known.append(instant.is_known)
        wanted = sorted(columns - {code_column(by)}) if by is not None else sorted(columns)
        if by is not None:
            found.append(grouped(context, instant, by, wanted))
        else:
            sums = Sums(instant.columns["state"] * 0, instant.columns, wanted)
            found.append(sums.into(CodeLabels.of_lists([[]] * len(sums.codes))))
    if by is None:
        return TimeSeries(step, times, (_series(None, found, measures, is_known, is_rest=False),), any(is_known))
    top = _top(found, rank, limit)
    series = [_series(value, found, measures, is_known, is_rest=False) for value in top]
    rest = [_rest(groups, set(top)) for groups in found]
    if any(None in groups for groups in rest):
        series.append(_series(None, rest, measures, is_known, is_rest=True))
    return TimeSeries(step, times, tuple(series), any(is_known))


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


def _rest(groups: _Point, top: set[str]) -> dict[str | None, Grouped]:
    """What is not among the top, as one group."""
    found: Grouped | None = None
    for value, group in groups.items():
        if value not in top:
            found = group if found is None else joined(found, group)
    return {} if found is None else {None: Grouped(None, found.count, found.numbers)}
