"""From `snapshots` to `minutes`, and what of it is done: `rollup_state`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from procession.analysis import MEANS, MINUTE_COLUMNS
from procession.storage.history.engine.statement import Select, ShardSelect, Statement, TableNames, bind
from procession.storage.history.statements.conditions import Where
from procession.storage.history.tables.constants import HOUR_SECONDS

_GREATEST = ("rss_bytes", "threads", "open_files")


class HourOfHost(NamedTuple):
    """What may have to be rolled up."""

    hour: int
    host: int
    received_at: int
    """When the newest of it came."""
    sightings: int


class Day(NamedTuple):
    number: int
    """Since 1970."""


class Moment(NamedTuple):
    at: int


def days_of_snapshots() -> Select[Day]:
    """Those of which there are any, of whatever org."""
    days = ShardSelect(
        lambda names: (
            "SELECT DISTINCT toUInt32(partition) FROM system.parts"
            f" WHERE database = {names.database_value} AND table = 'snapshots' AND active"
        )
    )
    return Select(days.text, {}, days, row=Day._make)


def to_roll_up(org_id: int, since: int, until: int, received_since: int) -> Select[HourOfHost]:
    """Of the snapshots from `since` to before `until`, those hours of hosts of which any came since then."""
    where = Where(org_id).taken_between(since, until - 1)
    where.matches(f"received_at >= {where.bind('Int64', received_since)}")
    return Select(
        f"SELECT intDiv(at, {HOUR_SECONDS}) AS hour, host, max(received_at) AS received,"
        f" sum(length(pid)) AS sightings FROM snapshots WHERE {where} GROUP BY hour, host",
        where.parameters,
        row=HourOfHost._make,
    )


def roll_up(org_id: int, hour: int, hosts: Sequence[int], rolled_up_at: int) -> Statement:
    """Writes the minutes of one hour of these hosts, all of them anew."""
    where = Where(org_id).taken_between(hour * HOUR_SECONDS, (hour + 1) * HOUR_SECONDS - 1).on_hosts(hosts)
    of_hour, at = where.bind("UInt32", hour), where.bind("UInt32", rolled_up_at)
    columns = ", ".join((*MEANS, *_GREATEST))
    arrays = ", ".join(
        f"arrayMap(m -> m.{number}, all) AS {name}" for number, name in enumerate(MINUTE_COLUMNS, start=2)
    )

    def select(names: TableNames) -> str:
        chunks = (
            f"SELECT host, at, pid, start, version, label_set, {columns} FROM {names('snapshots')} FINAL WHERE {where}"
        )
        sightings = (
            f"SELECT at, host, pid, start, version, label_set, {columns} FROM ({chunks})"
            f" ARRAY JOIN pid, start, version, label_set, {columns}"
        )
        return (
            f"SELECT {{org:UInt32}}, host, pid, start, {of_hour}, version, label_set, first, last,"
            f" arrayMap(m -> m.1, all), {arrays}, {at} FROM ({_by_process(_by_minute(sightings))})"
        )

    rows = ShardSelect(
        select,
        insert="INSERT INTO minutes (org, host, pid, start, hour, version, label_set, first, last, minute,"
        f" {', '.join(MINUTE_COLUMNS)}, rolled_up_at) ",
        # Nobody waits for it, and one thread takes a third less in all.
        settings=" SETTINGS max_threads = 1",
    )
    return Statement(rows.text, where.parameters, rows)


def _by_minute(sightings: str) -> str:
    columns = ", ".join(
        (
            *(f"if(countIf({name} >= 0) = 0, -1, avgIf({name}, {name} >= 0)) AS {name}_" for name in MEANS),
            *(f"max({name}) AS {name}_" for name in _GREATEST),
            "max(cpu_total_percent) AS cpu_total_percent_max_",
        )
    )
    return (
        "SELECT host, pid, start, toUInt8(intDiv(at, 60) % 60) AS of, argMax(version, at) AS version_,"
        f" argMax(label_set, at) AS label_set_, min(at) AS first_, max(at) AS last_, {columns} FROM ({sightings})"
        " GROUP BY host, pid, start, of"
    )


def _by_process(minutes: str) -> str:
    listed = ", ".join(f"{name}_" for name in MINUTE_COLUMNS)
    return (
        "SELECT host, pid, start, argMax(version_, last_) AS version, argMax(label_set_, last_) AS label_set,"
        f" min(first_) AS first, max(last_) AS last, arraySort(groupArray((of, {listed}))) AS all FROM ({minutes})"
        " GROUP BY host, pid, start"
    )


def newest_roll_up(org_id: int, hour: int) -> Select[Moment]:
    """When an hour was rolled up last."""
    where = Where(org_id)
    where.matches(f"hour = {where.bind('UInt32', hour)}")
    return Select(f"SELECT max(rolled_up_at) FROM minutes WHERE {where}", where.parameters, row=Moment._make)


def note_rolled_up(org_id: int, hour: int, hosts: Sequence[int], received: Sequence[int]) -> Statement:
    """`received`: of each host, when the newest of its hour came."""
    parameters: dict[str, Any] = {"org": org_id, "hour": hour}
    pairs = f"arrayZip({bind(parameters, 'Array(UInt64)', hosts)}, {bind(parameters, 'Array(UInt32)', received)})"
    return Statement(
        f"INSERT INTO rollup_state SELECT {{org:UInt32}}, {{hour:UInt32}}, one.1, one.2 FROM (SELECT arrayJoin({pairs})"
        " AS one)",
        parameters,
    )
