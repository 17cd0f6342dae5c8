"""Who was seen when, with which numbers: the table `snapshots`, a row for each chunk, with arrays over its processes.

It is the truth, and kept for days: to be asked where it is kept, and of windows that are not too long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.packed import DEAD, STATE_NUMBERS, STATES, numbers_from
from procession.process import ProcessKey, ProcessNumbers
from procession.search.pattern import Pattern
from procession.storage.history.engine.statement import Select, ShardSelect, Statement
from procession.storage.history.statements.conditions import Where
from procession.storage.history.statements.hosts import is_named_host
from procession.storage.history.tables.columns import NUMBER_COLUMNS
from procession.window import Window

NUMBER_NAMES = ", ".join(("state", *dict(NUMBER_COLUMNS)))

_PART_OF_A_WHOLE = f"chunk_count > {NEVER_COMPLETE}"
_IS_COMPLETE = "uniqExact(request) >= max(chunk_count)"
"""Of the chunks of one split that are part of a whole: `procession.lifecycle.completeness.is_complete`."""


class HostMoment(NamedTuple):
    """A moment at which a snapshot of a host was taken."""

    host: int
    at: int


class SeenVersion(NamedTuple):
    """The newest sighting of a process, and its version there."""

    start: int
    host: int
    pid: int
    version: int
    at: int

    @property
    def key(self) -> ProcessKey:
        return ProcessKey(self.start, self.host, self.pid)


class SeenState(NamedTuple):
    """The newest sighting of a process, and its state there."""

    start: int
    host: int
    pid: int
    at: int
    state_number: int

    @property
    def key(self) -> ProcessKey:
        return ProcessKey(self.start, self.host, self.pid)

    @property
    def state(self) -> str:
        return STATES[self.state_number]


class SightingNumbers(NamedTuple):
    """What a process used at a sighting."""

    at: int
    key: ProcessKey
    numbers: ProcessNumbers

    @classmethod
    def of(cls, row: Sequence[Any]) -> SightingNumbers:
        at, host, pid, start, state, *values = row
        return cls(at, ProcessKey(start, host, pid), numbers_from(values, state))


class NumbersThen(NamedTuple):
    at: int
    values: Mapping[str, Any]
    """By column; numbers of states, and -1 for what is not known."""


class RunRow(NamedTuple):
    """A process of a host, with its newest sighting."""

    pid: int
    start: int
    version: int
    label_set: int
    last: int


# Sightings


def seen_on_host(org_id: int, host: Pattern, window: Window, after: ProcessKey | None) -> Select[SeenVersion]:
    """The newest sightings in the window of the processes of a host after one key."""
    where = Where(org_id).taken_between(window.from_at, window.to_at)
    where.matches(is_named_host(where, [[[host]]])).in_key_range(after, None)
    return _newest_versions(where, by="at")


def newest_sightings(org_id: int, window: Window, keys: Sequence[ProcessKey]) -> Select[SeenVersion]:
    """The newest sighting inside the window of each of these processes. A process without one is left out."""
    where = Where(org_id).taken_between(window.from_at, window.to_at).on_hosts({key.host_key for key in keys})
    return _newest_versions(where.among(keys), by="at")


def seen_under_pids(
    org_id: int, since: int, until: int, hosts: Collection[int], pids: Iterable[int]
) -> Select[SeenVersion]:
    """The newest sightings of whatever had these pids on these hosts, both ends within."""
    where = Where(org_id).taken_between(since, until).on_hosts(hosts)
    where.matches(f"pid IN {where.bind('Array(UInt32)', sorted(pids))}")
    return _newest_versions(where, by="(at, received_at)")


def _newest_versions(where: Where, *, by: str) -> Select[SeenVersion]:
    return Select(
        f"SELECT start, host, pid, argMax(version, {by}), max(at) FROM snapshots ARRAY JOIN pid, start, version"
        f" WHERE {where} GROUP BY start, host, pid",
        where.parameters,
        row=SeenVersion._make,
    )


def newest_states(org_id: int, window: Window, keys: Sequence[ProcessKey]) -> Select[SeenState]:
    """The newest sighting inside the window of each of these processes, and its state. Of several in one second that of
    a dead process counts, and else one that has a state: `procession.lifecycle.endings.told_by`."""
    where = Where(org_id).taken_between(window.from_at, window.to_at).on_hosts({key.host_key for key in keys})
    dead = where.bind("UInt8", STATE_NUMBERS[DEAD])
    return Select(
        f"SELECT start, host, pid, max(at), argMax(state, (at, state = {dead}, state)) FROM snapshots"
        f" ARRAY JOIN pid, start, state WHERE {where.among(keys)} GROUP BY start, host, pid",
        where.parameters,
        row=SeenState._make,
    )


def numbers_at(org_id: int, sightings: Sequence[tuple[ProcessKey, int]]) -> Select[SightingNumbers]:
    """What these processes used at these moments. Other sightings at the same moments may be among them."""
    keys = [key for key, _ in sightings]
    where = Where(org_id).taken_at(at for _, at in sightings).on_hosts({key.host_key for key in keys}).among(keys)
    columns = f"pid, start, {NUMBER_NAMES}"
    return Select(
        f"SELECT at, host, {columns} FROM snapshots ARRAY JOIN {columns} WHERE {where}",
        where.parameters,
        row=SightingNumbers.of,
    )


def numbers_over_time(
    org_id: int, key: ProcessKey, since: int, until: int, columns: Sequence[str]
) -> Select[NumbersThen]:
    """Every sighting of a process, both ends within, by moment, with these columns of `state` and MEASURES."""
    where = Where(org_id).taken_between(since, until)
    host, pid, start = (
        where.bind("UInt64", key.host_key),
        where.bind("UInt32", key.pid),
        where.bind("UInt32", key.started_at),
    )
    where.matches(f"host = {host}").matches(f"has(pid, {pid})")
    shown = ", ".join(f"{name}[nth] AS {name}_" for name in columns)
    return Select(
        f"SELECT at, {shown} FROM (SELECT at, request, {', '.join(columns)},"
        f" arrayFirstIndex((p, s) -> p = {pid} AND s = {start}, pid, start) AS nth FROM snapshots"
        f" WHERE {where}) WHERE nth > 0 ORDER BY at, request LIMIT 1 BY at",
        where.parameters,
        row=lambda row: NumbersThen(row[0], dict(zip(columns, row[1:], strict=True))),
    )


def seen_runs(org_id: int, host: int, since: int, until: int) -> Select[RunRow]:
    """Processes of a host by its snapshots, both ends within."""
    where = Where(org_id).taken_between(since, until)
    where.matches(f"host = {where.bind('UInt64', host)}")
    return Select(
        "SELECT pid, start, argMax(version, at), argMax(label_set, at), max(at) FROM snapshots"
        f" ARRAY JOIN pid, start, version, label_set WHERE {where} GROUP BY pid, start",
        where.parameters,
        row=RunRow._make,
    )


# Snapshots


def snapshot_moments(org_id: int, since: int, until: int, hosts: Collection[int]) -> Select[HostMoment]:
    """When snapshots of these hosts were taken, both ends within."""
    where = Where(org_id).taken_between(since, until).on_hosts(hosts)
    return Select(f"SELECT DISTINCT host, at FROM snapshots WHERE {where}", where.parameters, row=HostMoment._make)


def newest_moments(org_id: int, since: int, until: int) -> Select[HostMoment]:
    """When the newest snapshot of each host was taken, both ends within."""
    where = Where(org_id).taken_between(since, until)
    return Select(
        f"SELECT host, max(at) FROM snapshots WHERE {where} GROUP BY host", where.parameters, row=HostMoment._make
    )


def complete_snapshots(org_id: int, since: int, until: int, hosts: Collection[int]) -> Select[HostMoment]:
    """Those of these hosts, both ends within."""
    where = Where(org_id).taken_between(since, until).on_hosts(hosts).matches(_PART_OF_A_WHOLE)
    complete = ShardSelect(
        lambda names: (
            f"SELECT DISTINCT host, at FROM (SELECT host, at FROM {names('snapshots')} WHERE {where}"
            f" GROUP BY host, at, split_id HAVING {_IS_COMPLETE}) ORDER BY host, at"
        )
    )
    return Select(complete.text, where.parameters, complete, row=HostMoment._make)


def snapshots_listing(org_id: int, processes: Sequence[tuple[ProcessKey, int]]) -> Select[HostMoment]:
    """Which of these snapshots, each that of the host of a process at a moment, list that process. What else was told
    at the same moment, without being part of a whole snapshot, is left out."""
    where = Where(org_id).taken_at(at for _, at in processes).on_hosts({key.host_key for key, _ in processes})
    where.matches(_PART_OF_A_WHOLE).among_sightings(processes)
    return Select(
        f"SELECT DISTINCT host, at FROM snapshots ARRAY JOIN pid, start WHERE {where}",
        where.parameters,
        row=HostMoment._make,
    )


# Chunks


def chunks(
    org_id: int,
    moments: Sequence[int],
    hosts: Sequence[int] | None = None,
    named: Sequence[Sequence[Sequence[Pattern]]] = ((),),
) -> Statement:
    """Which chunks of snapshots there are at these moments, ascending, as columns: `host, at, request, split_id,
    chunk_count, received_at`, and how many sightings each has: `size`. One that was stored twice may be there twice.

    `named`: of hosts whose `host:` tag fits all patterns of one of these. Read in the same statement, so that none is
    left out whose name came with its first snapshot.
    """
    where = Where(org_id)
    if moments[-1] - moments[0] + 1 == len(moments):
        where.taken_between(moments[0], moments[-1])
    else:
        where.taken_at(moments)
    where.on_hosts(hosts)
    if all(named):
        where.matches(is_named_host(where, named))
    return Statement(
        f"SELECT host, at, request, split_id, chunk_count, received_at, pid.size0 AS size FROM snapshots WHERE {where}",
        where.parameters,
    )


def any_chunk(org_id: int, since: int, until: int, hosts: Sequence[int] | None = None) -> Statement:
    """A row if any of these hosts, or any at all, told of its processes, both ends within."""
    where = Where(org_id).taken_between(since, until).on_hosts(hosts)
    return Statement(f"SELECT 1 FROM snapshots WHERE {where} LIMIT 1", where.parameters)


def chunk_arrays(org_id: int, snapshots: Sequence[tuple[int, int]], columns: Sequence[str]) -> Statement:
    """The chunks of these snapshots, (host, moment): `host, at, request` and `columns`, which are arrays over
    processes."""
    where = Where(org_id).taken_at(at for _, at in snapshots).on_hosts({host for host, _ in snapshots})
    hosts = where.bind("Array(UInt64)", [host for host, _ in snapshots])
    moments = where.bind("Array(UInt32)", [at for _, at in snapshots])
    where.matches(f"(host, at) IN (SELECT arrayJoin(arrayZip({hosts}, {moments})))")
    return Statement(
        f"SELECT host, at, request, {', '.join(columns)} FROM snapshots PREWHERE {where}", where.parameters
    )
