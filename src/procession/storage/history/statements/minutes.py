"""Processes by the minute: the tables `minutes` and `rollup_state`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from procession.analysis import MINUTE_COLUMNS
from procession.process import ProcessKey
from procession.storage.history.engine.statement import Select
from procession.storage.history.statements.conditions import Where, hours_of
from procession.storage.history.statements.snapshots import RunRow
from procession.window import Window


class MinutesOfHour(NamedTuple):
    """What a process used in the minutes of an hour in which it was seen."""

    hour: int
    minutes: Sequence[int]
    """Of the hour."""
    values: Mapping[str, Sequence[float]]
    """MINUTE_COLUMNS, one for each minute."""


class RolledUp(NamedTuple):
    """An hour of a host that is rolled up."""

    hour: int
    host: int
    received_at: int
    """When the newest of it came."""


class LastSeen(NamedTuple):
    at: int
    """0: never."""


def rolled_up_runs(org_id: int, host: int, window: Window) -> Select[RunRow]:
    """Processes of a host in the hours of a window."""
    where = Where(org_id)
    where.matches(f"host = {where.bind('UInt64', host)}").within(hours_of(window)).there_in(window)
    return Select(
        "SELECT pid, start, argMax(version, last), argMax(label_set, last), max(last) FROM minutes"
        f" WHERE {where} GROUP BY pid, start",
        where.parameters,
        row=RunRow._make,
    )


def minutes_of(org_id: int, key: ProcessKey, window: Window) -> Select[MinutesOfHour]:
    """Of a process in the hours of a window: the newest of each hour."""
    where = Where(org_id).of_process(key).within(hours_of(window))
    return Select(
        f"SELECT hour, minute, {', '.join(MINUTE_COLUMNS)} FROM minutes WHERE {where}"
        " ORDER BY hour, rolled_up_at DESC LIMIT 1 BY hour",
        where.parameters,
        row=lambda row: MinutesOfHour(row[0], row[1], dict(zip(MINUTE_COLUMNS, row[2:], strict=True))),
    )


def last_rolled_up(org_id: int, key: ProcessKey) -> Select[LastSeen]:
    """The newest sighting of a process in the roll-up."""
    where = Where(org_id).of_process(key)
    return Select(f"SELECT max(last) FROM minutes WHERE {where}", where.parameters, row=LastSeen._make)


def rolled_up_hours(
    org_id: int, first_hour: int, last_hour: int, hosts: Sequence[int] | None = None
) -> Select[RolledUp]:
    """Both ends within."""
    where = Where(org_id).within(range(first_hour, last_hour + 1)).on_hosts(hosts)
    return Select(
        f"SELECT hour, host, max(received_at) AS received FROM rollup_state WHERE {where} GROUP BY hour, host",
        where.parameters,
        row=RolledUp._make,
    )
