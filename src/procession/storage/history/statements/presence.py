"""When processes were there, by the hour: the table `presence`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from procession.lifecycle.endings import START_TOLERANCE
from procession.process import ProcessKey
from procession.storage.history.engine.statement import Select, ShardSelect, Statement, bind
from procession.storage.history.statements.conditions import Where, hours_of
from procession.storage.history.statements.search_conditions import Filters
from procession.storage.history.tables.constants import HOUR_SECONDS, LOW_SLOTS, SLOT_SECONDS
from procession.window import Window


class KeySample(NamedTuple):
    """A key at which a granule of the table begins."""

    start: int
    host: int
    pid: int
    hour: int
    part: str
    number: int
    """Of the granule in its part."""

    @property
    def key(self) -> ProcessKey:
        return ProcessKey(self.start, self.host, self.pid)


class Presence(NamedTuple):
    """When a process was there."""

    host: int
    pid: int
    start: int
    first: int
    last: int


def key_samples(org_id: int, hours: Sequence[int]) -> Select[KeySample]:
    """Of these hours, in no order."""
    where = Where(org_id)
    where.matches(f"hour IN {where.bind('Array(UInt32)', list(hours))}")
    samples = ShardSelect(
        lambda names: (
            "SELECT start, host, pid, hour, part_name, mark_number"
            f" FROM mergeTreeIndex({names.database_value}, 'presence') WHERE {where}"
        )
    )
    return Select(samples.text, where.parameters, samples, row=KeySample._make)


def presence_in_key_range(
    org_id: int, window: Window, after: ProcessKey | None, upto: ProcessKey | None, *, with_slots: bool = False
) -> Statement:
    """Columns of processes that may be in the window, after one key, up to another, in no order: `start, host, pid,
    version, first, last`, and with slots `low_slots, high_slots`, as 32 and 16 bytes, the lowest first.

    A process has a row for each version, hour and part of the table. Which is the newest is left to us: the engine
    takes longer to think of a plan than to read, and the longer, the more it is told.
    """
    where = Where(org_id).in_hours(hours_of(window)).there_in(window).in_key_range(after, upto)
    return _presence(where, window, with_slots=with_slots)


def presence_of_keys(org_id: int, window: Window, keys: Sequence[ProcessKey], *, with_slots: bool = False) -> Statement:
    """The same for these processes; a few others may be among them."""
    where = Where(org_id).in_hours(hours_of(window)).there_in(window).among(keys)
    return _presence(where, window, with_slots=with_slots)


def presence_of_matching(
    filters: Filters,
    window: Window,
    after: ProcessKey | None,
    upto: ProcessKey | None,
    most: int | None,
    *,
    with_slots: bool = False,
) -> Statement:
    """The same for processes of which one of the first so many versions fits the filters that do, by their keys (None:
    one of all).

    The engine takes its view of a table where it first reads of it: of `presence` before that of `descriptions`, which
    are written first. So each process that is seen there can be judged.
    """
    fits = Where(filters.org_id, filters.parameters).in_hours(hours_of(window)).in_key_range(after, upto)
    fitting = f"SELECT start, host, pid FROM descriptions WHERE {fits.matches(str(filters.condition))}"
    if most is not None:
        fitting += f" ORDER BY start, host, pid LIMIT 1 BY start, host, pid, version LIMIT {most} WITH TIES"
    where = Where(filters.org_id, fits.parameters).in_hours(hours_of(window)).there_in(window)
    where.in_key_range(after, upto).matches(f"(start, host, pid) IN ({fitting})")
    return _presence(where, window, with_slots=with_slots)


def _presence(where: Where, window: Window, *, with_slots: bool) -> Statement:
    slots = ""
    if with_slots:
        slots = ", low_slots, high_slots"
        # Of a short window in the past, most of what its hour holds was not seen inside.
        inside = slots_inside(window)
        low, high = where.bind("UInt256", inside.low), where.bind("UInt128", inside.high)
        since, until = where.bind("Int64", window.from_at), where.bind("Int64", window.to_at)
        where.matches(
            f"(last <= {until} OR first >= {since} OR bitAnd(low_slots, {low}) != 0 OR bitAnd(high_slots, {high}) != 0)"
        )
    return Statement(
        f"SELECT start, host, pid, version, first, last{slots} FROM presence WHERE {where}", where.parameters
    )


def sightings_of_presence(since: int, before: int, received_since: int) -> Select[int]:
    """How many `write_presence` reads, of all hosts."""
    parameters: dict[str, Any] = {}
    bounds = _received(parameters, since, before, received_since)
    return Select(f"SELECT sum(length(pid)) FROM snapshots WHERE {bounds}", parameters, row=lambda row: int(row[0]))


def _received(parameters: dict[str, Any], since: int, before: int, received_since: int) -> str:
    return (
        f"at >= {bind(parameters, 'UInt32', since)} AND at < {bind(parameters, 'UInt64', before)}"
        f" AND received_at >= {bind(parameters, 'UInt32', received_since)}"
    )


def write_presence(since: int, before: int, received_since: int, first_host: int, last_host: int) -> Statement:
    """Presence of all orgs out of `snapshots`: of moments from one to before another, as far as they were received
    since then, of hosts whose keys are from one to another. What is there already changes nothing.

    On one thread: nobody waits for it, and there is more to do.
    """
    parameters: dict[str, Any] = {}
    bounds = (
        f"{_received(parameters, since, before, received_since)} AND host >= {bind(parameters, 'UInt64', first_host)}"
        f" AND host <= {bind(parameters, 'UInt64', last_host)}"
    )
    slot = f"intDiv(at % {HOUR_SECONDS}, {SLOT_SECONDS})"
    return Statement(
        "INSERT INTO presence (org, hour, start, host, pid, version, label_set, first, last, low_slots, high_slots)"
        f" SELECT org, intDiv(at, {HOUR_SECONDS}) AS hour, start, host, pid, version, any(label_set), min(at), max(at),"
        f" groupBitOr(if({slot} < {LOW_SLOTS}, bitShiftLeft(toUInt256(1), {slot}), 0)),"
        f" groupBitOr(if({slot} < {LOW_SLOTS}, 0, bitShiftLeft(toUInt128(1), {slot} % {LOW_SLOTS})))"
        " FROM (SELECT org, at, host, pid, start, version, label_set FROM snapshots"
        f" WHERE {bounds}) ARRAY JOIN pid, start, version, label_set"
        " GROUP BY org, hour, start, host, pid, version SETTINGS max_threads = 1",
        parameters,
    )


class Slots(NamedTuple):
    """Bits of an hour as the columns `low_slots` and `high_slots` have them."""

    low: int
    high: int


def slots_inside(window: Window) -> Slots:
    """The slots of the window in the hour in which it ends."""
    hour_start = window.to_at // HOUR_SECONDS * HOUR_SECONDS
    first = max(window.from_at - hour_start, 0) // SLOT_SECONDS
    last = (window.to_at - hour_start) // SLOT_SECONDS
    inside = (1 << last + 1) - (1 << first)
    return Slots(inside % (1 << LOW_SLOTS), inside >> LOW_SLOTS)


def presence_near_starts(
    org_id: int, first_hour: int, last_hour: int, keys: Sequence[ProcessKey], waiting: Window | None
) -> Select[Presence]:
    """What was seen under the pids of these processes with a start that may be theirs, hours both ends within. It may
    be near the start of another of them. `waiting`: moments of which the snapshots alone may tell."""
    tolerance = range(-START_TOLERANCE, START_TOLERANCE + 1)
    starts = sorted({key.started_at + shift for key in keys for shift in tolerance})
    where = Where(org_id).within(range(first_hour, last_hour + 1))
    least, most = where.bind("Int64", starts[0]), where.bind("Int64", starts[-1])
    near = f"start >= {least} AND start <= {most} AND start IN {where.bind('Array(Int64)', starts)}"
    where.matches(near).of_pids(keys)
    source = f"presence WHERE {where}"
    if waiting is not None:
        since = max(waiting.from_at, first_hour * HOUR_SECONDS)
        until = min(waiting.to_at, (last_hour + 1) * HOUR_SECONDS - 1)
        seen = Where(org_id, where.parameters).taken_between(since, until).on_hosts({key.host_key for key in keys})
        seen.matches(near).of_pids(keys)
        source = (
            f"(SELECT host, pid, start, first, last FROM {source} UNION ALL"
            f" SELECT host, pid, start, at AS first, at AS last FROM snapshots ARRAY JOIN pid, start WHERE {seen})"
        )
        where = seen
    return Select(
        f"SELECT host, pid, start, min(first), max(last) FROM {source} GROUP BY host, pid, start",
        where.parameters,
        row=Presence._make,
    )


def any_presence(org_id: int, window: Window, hosts: Sequence[int] | None = None) -> Statement:
    """A row if any of these hosts, or any at all, told of its processes in a window, to the hour: for windows of which
    snapshots are kept no longer."""
    where = Where(org_id).within(hours_of(window)).there_in(window).on_hosts(hosts)
    return Statement(f"SELECT 1 FROM presence WHERE {where} LIMIT 1", where.parameters)
