"""One process over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from procession.analysis import MEASURES, MINUTE_COLUMNS, Every, History
from procession.packed import STATES
from procession.process import ProcessKey
from procession.storage.history.engine.statement import Statement
from procession.storage.history.instants import analysis_statements as statements
from procession.storage.history.instants.query_context import Session
from procession.storage.history.tables.constants import HOUR_SECONDS, ROLLUP_GRACE_SECONDS, is_to_come
from procession.window import Window

_MEANS = ("cpu_total_percent", "read_bytes_per_second", "write_bytes_per_second")
_NUMBERS = tuple(dict.fromkeys(name.removesuffix("_max") for name in MINUTE_COLUMNS))


def history(session: Session, key: ProcessKey, window: Window, every: Every) -> History:
    if every is Every.MINUTE:
        return _by_minute(session, key, window)
    rows = session.rows(statements.sightings(session.org_id, key, window.from_at, window.to_at, ("state", *MEASURES)))
    return History(
        tuple(row[0] for row in rows),
        {name: tuple(_known(row[place]) for row in rows) for place, name in enumerate(MEASURES, start=2)},
        tuple(STATES[row[1]] for row in rows),
        rows[-1][0] if rows else None,
    )


def _by_minute(session: Session, key: ProcessKey, window: Window) -> History:
    """Rolled up where it is, from the sightings elsewhere."""
    first, last = window.from_at // HOUR_SECONDS, window.to_at // HOUR_SECONDS

    def sightings(since: int, until: int) -> Statement:
        return statements.sightings(session.org_id, key, since, until, _NUMBERS)

    # From here on nothing can be rolled up yet.
    newest = max(first, (session.now - ROLLUP_GRACE_SECONDS) // HOUR_SECONDS)
    asked = []
    if newest <= last:
        asked.append(session.aside(sightings(newest * HOUR_SECONDS, (last + 1) * HOUR_SECONDS - 1)))
    try:
        # Which hours are rolled up is written after their minutes, and so it is read before them.
        found = session.rows(statements.rolled_hours(session.org_id, first, last, [key.host_key]))
        rows = session.rows(statements.minutes(session.org_id, key, window)) if found else ()
    finally:
        recent = [one.result() for one in asked]
    # By a clock that was ahead, an hour was rolled up that was not over.
    rolled = {hour for hour, _, received_at in found if not is_to_come(received_at, session.now)}
    points: dict[int, Sequence[float]] = {}
    for hour, minutes, *columns in rows:
        if hour in rolled:
            for minute, *values in zip(minutes, *columns, strict=True):
                points[hour * HOUR_SECONDS + minute * 60] = values
    moments: list[int] = []
    of_gaps = (session.rows(sightings(*gap)) for gap in _gaps(first, min(last, newest - 1), rolled))
    for some in (*of_gaps, *recent):
        points |= _minutes_of(some)
        moments += [row[0] for row in some]
    times = sorted(time for time in points if window.from_at - 59 <= time <= window.to_at)
    if times and times[-1] // HOUR_SECONDS in rolled and times[-1] < newest * HOUR_SECONDS:
        # Said to the minute. Where the sightings are kept no longer, that is all there is.
        rows = session.rows(statements.sightings(session.org_id, key, times[-1], times[-1] + 59, ("state",)))
        moments = [row[0] for row in rows]
    return History(
        tuple(times),
        {name: tuple(_known(points[time][place]) for time in times) for place, name in enumerate(MINUTE_COLUMNS)},
        last_at=max((at for at in moments if times and times[-1] <= at <= window.to_at), default=None),
    )


def _gaps(first: int, last: int, rolled: set[int]) -> list[tuple[int, int]]:
    """The stretches of hours that are not rolled up, in seconds, both ends within."""
    found: list[tuple[int, int]] = []
    for hour in range(first, last + 1):
        if hour in rolled:
            continue
        start, end = hour * HOUR_SECONDS, (hour + 1) * HOUR_SECONDS - 1
        if found and found[-1][1] == start - 1:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _minutes_of(rows: Sequence[Any]) -> dict[int, list[float]]:
    """As the roll-up would have them; -1 for what is not known."""
    minutes: dict[int, list[Any]] = {}
    for row in rows:
        minutes.setdefault(row[0] // 60 * 60, []).append(row)
    found: dict[int, list[float]] = {}
    for time, some in minutes.items():
        values = {name: [row[place] for row in some] for place, name in enumerate(_NUMBERS, start=1)}
        point = []
        for name in MINUTE_COLUMNS:
            known = [value for value in values[name.removesuffix("_max")] if value >= 0]
            if not known:
                point.append(-1.0)
            else:
                point.append(float(np.mean(known)) if name in _MEANS else max(known))
        found[time] = point
    return found


def _known(value: float) -> float | None:
    return None if value < 0 else value
