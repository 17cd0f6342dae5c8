"""One process over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from procession.analysis import MEASURES, MINUTE_COLUMNS, Every, History, of_minute
from procession.packed import STATES
from procession.process import ProcessKey
from procession.storage.history.engine.statement import Select
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.statements.minutes import minutes_of, rolled_up_hours
from procession.storage.history.statements.snapshots import NumbersThen, numbers_over_time
from procession.storage.history.tables.constants import HOUR_SECONDS, ROLLUP_GRACE_SECONDS, is_to_come
from procession.window import Window

_NUMBERS = tuple(dict.fromkeys(name.removesuffix("_max") for name in MINUTE_COLUMNS))


def history(context: QueryContext, key: ProcessKey, window: Window, every: Every) -> History:
    if every is Every.MINUTE:
        return _by_minute(context, key, window)
    rows = context.rows(numbers_over_time(context.org_id, key, window.from_at, window.to_at, ("state", *MEASURES)))
    return History(
        tuple(row.at for row in rows),
        {name: tuple(_known(row.values[name]) for row in rows) for name in MEASURES},
        tuple(STATES[row.values["state"]] for row in rows),
        rows[-1].at if rows else None,
    )


def _by_minute(context: QueryContext, key: ProcessKey, window: Window) -> History:
    """Rolled up where it is, from the sightings elsewhere."""
    first, last = window.from_at // HOUR_SECONDS, window.to_at // HOUR_SECONDS

    def sightings(since: int, until: int) -> Select[NumbersThen]:
        return numbers_over_time(context.org_id, key, since, until, _NUMBERS)

    # From here on nothing can be rolled up yet.
    newest = max(first, (context.now - ROLLUP_GRACE_SECONDS) // HOUR_SECONDS)
    asked = []
    if newest <= last:
        asked.append(context.submit(sightings(newest * HOUR_SECONDS, (last + 1) * HOUR_SECONDS - 1)))
    try:
        # Which hours are rolled up is written after their minutes, and so it is read before them.
        found = context.rows(rolled_up_hours(context.org_id, first, last, [key.host_key]))
        rows = context.rows(minutes_of(context.org_id, key, window)) if found else ()
    finally:
        recent = [one.result() for one in asked]
    # By a clock that was ahead, an hour was rolled up that was not over.
    rolled_up = {one.hour for one in found if not is_to_come(one.received_at, context.now)}
    points: dict[int, Mapping[str, float]] = {}
    for row in rows:
        if row.hour in rolled_up:
            for index, minute in enumerate(row.minutes):
                at = row.hour * HOUR_SECONDS + minute * 60
                points[at] = {name: values[index] for name, values in row.values.items()}
    moments: list[int] = []
    of_gaps = (context.rows(sightings(*gap)) for gap in _gaps(first, min(last, newest - 1), rolled_up))
    for some in (*of_gaps, *recent):
        points |= _minutes_of(some)
        moments += [row.at for row in some]
    times = sorted(time for time in points if window.from_at - 59 <= time <= window.to_at)
    if times and times[-1] // HOUR_SECONDS in rolled_up and times[-1] < newest * HOUR_SECONDS:
        # Known to the minute. Where the sightings are kept no longer, that is all there is.
        last_minute = context.rows(numbers_over_time(context.org_id, key, times[-1], times[-1] + 59, ("state",)))
        moments = [row.at for row in last_minute]
    return History(
        tuple(times),
        {name: tuple(_known(points[time][name]) for time in times) for name in MINUTE_COLUMNS},
        last_at=max((at for at in moments if times and times[-1] <= at <= window.to_at), default=None),
    )


def _gaps(first: int, last: int, rolled_up: set[int]) -> list[tuple[int, int]]:
    """The hours in a row that are not rolled up, in seconds, both ends within."""
    found: list[tuple[int, int]] = []
    for hour in range(first, last + 1):
        if hour in rolled_up:
            continue
        start, end = hour * HOUR_SECONDS, (hour + 1) * HOUR_SECONDS - 1
        if found and found[-1][1] == start - 1:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _minutes_of(rows: Sequence[NumbersThen]) -> dict[int, dict[str, float]]:
    """As the roll-up would have them; -1 for what is not known."""
    minutes: dict[int, list[NumbersThen]] = {}
    for row in rows:
        minutes.setdefault(row.at // 60 * 60, []).append(row)
    return {time: {name: _of_minute(name, some) for name in MINUTE_COLUMNS} for time, some in minutes.items()}


def _of_minute(name: str, rows: Sequence[NumbersThen]) -> float:
    found = of_minute(name, [_known(row.values[name.removesuffix("_max")]) for row in rows])
    return -1.0 if found is None else found


def _known(value: float) -> float | None:
    return None if value < 0 else value
