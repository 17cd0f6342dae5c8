"""Queries -> SQL text and parameters. Nothing that came from outside stands in the text, and every statement names one
org: this is the only place where SQL over processes is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from procession.packed import DEAD, STATE_NUMBERS
from procession.process import ProcessKey
from procession.search.pattern import Pattern
from procession.storage.history.engine.statement import Statement, bind, encodable
from procession.storage.history.read.filters import Filters, is_host
from procession.storage.history.tables.columns import NUMBER_COLUMNS
from procession.storage.history.tables.constants import BLOCK_SECONDS, HOUR_SECONDS, LOW_SLOTS, SLOT_SECONDS
from procession.window import Window

_FEW_HOURS = 6
"""Up to so many are named one by one: the primary index makes more of a few values than of a range."""

_FEW_STARTS = 1000
"""Of so many the primary index looks each up; of more, it goes from the first to the last."""


def hours_of(window: Window) -> range:
    return range(window.from_at // HOUR_SECONDS, window.to_at // HOUR_SECONDS + 1)


def marks(org_id: int, hours: Sequence[int]) -> Statement:
    """Where the granules of `presence` begin in these hours, in no order: `start, host, pid, hour, part,
    number`."""
    return Statement(
        "SELECT start, host, pid, hour, part_name, mark_number FROM mergeTreeIndex(currentDatabase(), 'presence')"
        " WHERE org = {org:UInt32} AND hour IN {hours:Array(UInt32)}",
        {"org": org_id, "hours": list(hours)},
        is_whole=True,
    )


def seen_between(
    org_id: int, window: Window, after: ProcessKey | None, upto: ProcessKey | None, *, with_slots: bool = False
) -> Statement:
    """Rows of processes that may be in the window, after one key, up to another, in no order: `start, host, pid,
    version, first, last`, and with slots `low_slots, high_slots`, as 32 and 16 bytes, the lowest first.

    A process has one for each version, hour and part of the table. Which is the newest is left to us: the engine
    takes longer to think of a plan than to read, and the longer, the more it is told.
    """
    parameters = _window_parameters(org_id, window)
    return _seen(window, _between(after, upto, parameters), parameters, with_slots=with_slots)


def seen_of_keys(org_id: int, window: Window, keys: Sequence[ProcessKey], *, with_slots: bool = False) -> Statement:
    """The same for these processes; a few others may be among them."""
    parameters = _window_parameters(org_id, window)
    return _seen(window, _among(keys, parameters), parameters, with_slots=with_slots)


def _seen(window: Window, condition: str, parameters: dict[str, Any], *, with_slots: bool) -> Statement:
    slots = was_inside = ""
    if with_slots:
        # Of a short window in the past, most of what its hour holds was not seen inside.
        first = max(window.from_at - window.to_at // HOUR_SECONDS * HOUR_SECONDS, 0) // SLOT_SECONDS
        last = window.to_at % HOUR_SECONDS // SLOT_SECONDS
        inside = (1 << last + 1) - (1 << first)
        parameters |= {"low_inside": inside % (1 << LOW_SLOTS), "high_inside": inside >> LOW_SLOTS}
        slots = ", low_slots, high_slots"
        was_inside = (
            " AND (last <= {to:Int64} OR first >= {from:Int64} OR bitAnd(low_slots, {low_inside:UInt256}) != 0"
            " OR bitAnd(high_slots, {high_inside:UInt128}) != 0)"
        )
    return Statement(
        f"SELECT start, host, pid, version, first, last{slots} FROM presence"
        f" WHERE org = {{org:UInt32}} AND {_hour_condition(window, parameters)}"
        f" AND last >= {{from:Int64}} AND first <= {{to:Int64}} AND {condition}{was_inside}",
        parameters,
    )


def matching_between(
    filters: Filters, window: Window, after: ProcessKey | None, upto: ProcessKey | None, columns: str
) -> Statement:
    """Versions that fit the filters, of processes after one key, up to another, in no order: `start, host, pid,
    version`, and then the columns.

    Whether they were seen in the window, and were the newest there, is for `seen_of_keys` to say.
    """
    parameters = dict(filters.parameters)
    condition = f"{_between(after, upto, parameters)} AND {filters.condition}"
    return _texts(window, columns, condition, parameters)


def matching_of_keys(filters: Filters, window: Window, keys: Sequence[ProcessKey], columns: str) -> Statement:
    """The same for these processes."""
    parameters = dict(filters.parameters)
    hosts = bind(parameters, "Array(UInt64)", sorted({key.host_key for key in keys}))  # has an index of its own
    condition = f"host IN {hosts} AND {_among(keys, parameters)} AND {filters.condition}"
    return _texts(window, columns, condition, parameters)


def newest_on_host(filters: Filters, host: Pattern, window: Window, after: ProcessKey | None) -> Statement:
    """The newest sightings in the window of the processes of a host after one key: `start, host, pid, version, at`.
    From the truth: to be asked where that is kept, and of a window that is not too long."""
    parameters = filters.parameters | {"from": window.from_at, "to": window.to_at}
    hosts = f"SELECT host FROM hosts WHERE org = {{org:UInt32}} AND {is_host(host, parameters)}"
    return Statement(
        "SELECT start, host, pid, argMax(version, at), max(at) FROM snapshots ARRAY JOIN pid, start, version"
        f" WHERE org = {{org:UInt32}} AND intDiv(at, {BLOCK_SECONDS}) >= intDiv({{from:Int64}}, {BLOCK_SECONDS})"
        f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{to:Int64}}, {BLOCK_SECONDS})"
        f" AND at >= {{from:Int64}} AND at <= {{to:Int64}} AND host IN ({hosts})"
        f" AND {_between(after, None, parameters)} GROUP BY start, host, pid",
        parameters,
    )


def newest_sightings(org_id: int, window: Window, keys: Sequence[ProcessKey]) -> Statement:
    """The newest sighting inside the window of each of these processes, from the truth: `start, host, pid, at,
    version`. A process without one is left out."""
    parameters = _window_parameters(org_id, window)
    parameters["hosts"] = sorted({key.host_key for key in keys})
    return Statement(
        "SELECT start, host, pid, max(at), argMax(version, at) FROM snapshots ARRAY JOIN pid, start, version"
        f" WHERE org = {{org:UInt32}} AND intDiv(at, {BLOCK_SECONDS}) >= intDiv({{from:Int64}}, {BLOCK_SECONDS})"
        f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{to:Int64}}, {BLOCK_SECONDS})"
        " AND at >= {from:Int64} AND at <= {to:Int64} AND host IN {hosts:Array(UInt64)}"
        f" AND {_among(keys, parameters)} GROUP BY start, host, pid",
        parameters,
    )


def newest_states(org_id: int, window: Window, keys: Sequence[ProcessKey]) -> Statement:
    """The newest sighting inside the window of each of these processes, and its state: `start, host, pid, at, state`.
    Of several in one second that of a dead process counts, and else one that has a state."""
    parameters = _window_parameters(org_id, window)
    parameters |= {"hosts": sorted({key.host_key for key in keys}), "dead": STATE_NUMBERS[DEAD]}
    return Statement(
        "SELECT start, host, pid, max(at), argMax(state, (at, state = {dead:UInt8}, state)) FROM snapshots"
        " ARRAY JOIN pid, start, state"
        f" WHERE org = {{org:UInt32}} AND intDiv(at, {BLOCK_SECONDS}) >= intDiv({{from:Int64}}, {BLOCK_SECONDS})"
        f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{to:Int64}}, {BLOCK_SECONDS})"
        " AND at >= {from:Int64} AND at <= {to:Int64} AND host IN {hosts:Array(UInt64)}"
        f" AND {_among(keys, parameters)} GROUP BY start, host, pid",
        parameters,
    )


def newest_versions(org_id: int, since: int, until: int, hosts: Iterable[int], pids: Iterable[int]) -> Statement:
    """What was last seen under these pids of these hosts, both ends within: `host, pid, start, version, at`."""
    return Statement(
        "SELECT host, pid, start, argMax(version, (at, received_at)), max(at) FROM snapshots"
        " ARRAY JOIN pid, start, version"
        f" WHERE org = {{org:UInt32}} AND {_BLOCKS_CONDITION} AND at >= {{since:Int64}} AND at <= {{until:Int64}}"
        " AND host IN {hosts:Array(UInt64)} AND pid IN {pids:Array(UInt32)} GROUP BY host, pid, start",
        {"org": org_id, "since": since, "until": until, "hosts": sorted(hosts), "pids": sorted(pids)},
    )


def ticks(org_id: int, since: int, until: int, hosts: Iterable[int]) -> Statement:
    """When snapshots of these hosts were taken, both ends within: `host, at`."""
    return Statement(
        f"SELECT DISTINCT host, at FROM snapshots WHERE org = {{org:UInt32}}"
        f" AND intDiv(at, {BLOCK_SECONDS}) >= intDiv({{since:UInt32}}, {BLOCK_SECONDS})"
        f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{until:UInt32}}, {BLOCK_SECONDS})"
        " AND at >= {since:UInt32} AND at <= {until:UInt32} AND host IN {hosts:Array(UInt64)}",
        {"org": org_id, "since": since, "until": until, "hosts": sorted(hosts)},
    )


def starts_near(org_id: int, first_hour: int, last_hour: int, tolerance: int, keys: Sequence[ProcessKey]) -> Statement:
    """What was seen under the pids of these processes with a start near one of theirs, hours both ends within:
    `host, pid, start, first, last`."""
    starts = sorted({key.started_at + shift for key in keys for shift in range(-tolerance, tolerance + 1)})
    return Statement(
        "SELECT host, pid, start, min(first), max(last) FROM presence WHERE org = {org:UInt32}"
        " AND hour >= {first_hour:UInt32} AND hour <= {last_hour:UInt32}"
        " AND start >= {least:Int64} AND start <= {most:Int64} AND start IN {starts:Array(Int64)}"
        " AND (host, pid) IN (SELECT arrayJoin(arrayZip({key_hosts:Array(UInt64)}, {pids:Array(UInt32)})))"
        " GROUP BY host, pid, start",
        {
            "org": org_id,
            "first_hour": first_hour,
            "last_hour": last_hour,
            "least": starts[0],
            "most": starts[-1],
            "starts": starts,
            "key_hosts": [key.host_key for key in keys],
            "pids": [key.pid for key in keys],
        },
    )


def complete_snapshots(org_id: int, since: int, until: int, hosts: Iterable[int]) -> Statement:
    """Snapshots of these hosts of which every chunk is there, both ends within: `host, at`."""
    return Statement(
        "SELECT DISTINCT host, at FROM (SELECT host, at FROM snapshots WHERE org = {org:UInt32}"
        f" AND {_BLOCKS_CONDITION} AND at >= {{since:Int64}} AND at <= {{until:Int64}}"
        " AND host IN {hosts:Array(UInt64)} AND chunk_count > 0"
        " GROUP BY host, at, split_id HAVING uniqExact(request) >= max(chunk_count)) ORDER BY host, at",
        {"org": org_id, "since": since, "until": until, "hosts": sorted(hosts)},
        is_whole=True,
    )


def listing_any(org_id: int, processes: Sequence[tuple[ProcessKey, int]]) -> Statement:
    """Which of these snapshots, each that of the host of a process at a moment, list that process: `host, at`. What
    else was told at the same moment, without being part of a whole snapshot, is left out."""
    parameters: dict[str, Any] = {"org": org_id}
    moments = sorted({at for _, at in processes})
    blocks = bind(parameters, "Array(UInt32)", sorted({at // BLOCK_SECONDS for at in moments}))
    hosts = bind(parameters, "Array(UInt64)", sorted({key.host_key for key, _ in processes}))
    ats = bind(parameters, "Array(UInt32)", moments)
    sums = bind(parameters, "Array(UInt64)", [_sum(key) + at * _MOMENT_FACTOR & _MASK for key, at in processes])
    return Statement(
        f"SELECT DISTINCT host, at FROM snapshots ARRAY JOIN pid, start WHERE org = {{org:UInt32}}"
        f" AND intDiv(at, {BLOCK_SECONDS}) IN {blocks} AND host IN {hosts} AND at IN {ats} AND chunk_count > 0"
        f" AND {_SUM} + at * toUInt64({_MOMENT_FACTOR}) IN {sums}",
        parameters,
    )


def exits(org_id: int, since: int, until: int, keys: Sequence[ProcessKey]) -> Statement:
    """Ends of whatever had the pids of these processes: `host, pid, at, executed_at, exit_code`, by moment."""
    return Statement(
        "SELECT host, pid, at, executed_at, exit_code FROM exits WHERE org = {org:UInt32}"
        f" AND intDiv(at, {HOUR_SECONDS}) >= intDiv({{since:Int64}}, {HOUR_SECONDS})"
        f" AND intDiv(at, {HOUR_SECONDS}) <= intDiv({{until:Int64}}, {HOUR_SECONDS})"
        " AND at >= {since:Int64} AND at <= {until:Int64} AND host IN {hosts:Array(UInt64)}"
        " AND (host, pid) IN (SELECT arrayJoin(arrayZip({key_hosts:Array(UInt64)}, {pids:Array(UInt32)})))"
        " ORDER BY at, exit_code",
        {
            "org": org_id,
            "since": since,
            "until": until,
            "hosts": sorted({key.host_key for key in keys}),
            "key_hosts": [key.host_key for key in keys],
            "pids": [key.pid for key in keys],
        },
    )


def numbers(org_id: int, sightings: Sequence[tuple[int, int]], keys: Sequence[ProcessKey]) -> Statement:
    """What these processes used at these sightings, (moment, host) for each key: `at, host, pid, start, state`, and
    then NUMBER_COLUMNS. Other sightings at the same moments may be among them."""
    moments = sorted({at for at, _ in sightings})
    parameters = {
        "org": org_id,
        "blocks": sorted({at // BLOCK_SECONDS for at in moments}),
        "moments": moments,
        "hosts": sorted({host for _, host in sightings}),
    }
    arrays = ", ".join(("pid", "start", "state", *(name for name, _ in NUMBER_COLUMNS)))
    return Statement(
        f"SELECT at, host, {arrays} FROM (SELECT at, host, {arrays} FROM snapshots ARRAY JOIN {arrays}"
        f" WHERE org = {{org:UInt32}} AND intDiv(at, {BLOCK_SECONDS}) IN {{blocks:Array(Int64)}}"
        f" AND host IN {{hosts:Array(UInt64)}} AND at IN {{moments:Array(UInt32)}} AND {_among(keys, parameters)})",
        parameters,
    )


def live_numbers(org_id: int, since: int, until: int, tolerance: int, keys: Sequence[ProcessKey]) -> Statement:
    """The newest live numbers under the pids of these processes with a start near one of theirs, both ends within:
    columns as of `numbers`."""
    columns = ", ".join(name for name, _ in NUMBER_COLUMNS)
    return Statement(
        f"SELECT at, host, pid, start, state, {columns} FROM live_numbers ARRAY JOIN pid, start, state, {columns}"
        f" WHERE org = {{org:UInt32}} AND {_BLOCKS_CONDITION} AND at >= {{since:Int64}} AND at <= {{until:Int64}}"
        f" AND host IN {{hosts:Array(UInt64)}} AND start >= {{least:Int64}} AND start <= {{most:Int64}}"
        " AND (host, pid) IN (SELECT arrayJoin(arrayZip({key_hosts:Array(UInt64)}, {pids:Array(UInt32)})))"
        " ORDER BY at DESC LIMIT 1 BY start, host, pid",
        {
            "org": org_id,
            "since": since,
            "until": until,
            "hosts": sorted({key.host_key for key in keys}),
            "least": min(key.started_at for key in keys) - tolerance,
            "most": max(key.started_at for key in keys) + tolerance,
            "key_hosts": [key.host_key for key in keys],
            "pids": [key.pid for key in keys],
        },
    )


ALL_TEXTS = (
    "cmdline, exe, cwd, comm, command, user, uid, gid, ppid, namespace_pid, container_id, is_zombie, tag_set, root,"
    " group_name, nice, argument_words"
)
BRIEF_TEXTS = "cmdline, command, user, ppid, is_zombie, tag_set"


def descriptions(
    org_id: int,
    window: Window,
    keys: Sequence[ProcessKey],
    columns: str = ALL_TEXTS,
    versions: Sequence[int] | None = None,
) -> Statement:
    """The rows of `descriptions` for these processes: `start, host, pid, version`, and then the columns."""
    parameters: dict[str, Any] = {"org": org_id}
    condition = _among(keys, parameters)
    if versions is not None:
        condition += " AND version IN {versions:Array(UInt64)}"
        parameters["versions"] = list(versions)
    return _texts(window, columns, condition, parameters)


def texts_between(
    org_id: int, window: Window, after: ProcessKey | None, upto: ProcessKey | None, columns: str
) -> Statement:
    """The same for all processes after one key, up to another: `start, host, pid, version`, and then the columns. What
    was written twice may be there twice."""
    parameters: dict[str, Any] = {"org": org_id}
    return Statement(_select_texts(window, columns, _between(after, upto, parameters), parameters), parameters)


def _texts(window: Window, columns: str, condition: str, parameters: dict[str, Any]) -> Statement:
    text = _select_texts(window, columns, condition, parameters)
    return Statement(f"{text} LIMIT 1 BY start, host, pid, version", parameters)


def _select_texts(window: Window, columns: str, condition: str, parameters: dict[str, Any]) -> str:
    return (
        f"SELECT start, host, pid, version, {columns} FROM descriptions WHERE org = {{org:UInt32}}"
        f" AND {_hour_condition(window, parameters)} AND {condition}"
    )


def tags_of(org_id: int, tag_sets: Iterable[int]) -> Statement:
    return Statement(
        "SELECT tag_set, any(tags) FROM tag_sets WHERE org = {org:UInt32} AND tag_set IN {tag_sets:Array(UInt64)}"
        " GROUP BY tag_set",
        {"org": org_id, "tag_sets": list(tag_sets)},
    )


def has_tag(org_id: int, tag: str) -> Statement:
    """One row if any process may carry this folded tag besides those that every process has, else none."""
    return Statement(
        "SELECT 1 FROM tag_sets WHERE org = {org:UInt32} AND has(folded, {tag:String}) LIMIT 1",
        {"org": org_id, "tag": encodable(tag)},
    )


def names_of(org_id: int, hosts: Iterable[int]) -> Statement:
    return Statement(
        "SELECT host, any(name) FROM hosts WHERE org = {org:UInt32} AND host IN {hosts:Array(UInt64)} GROUP BY host",
        {"org": org_id, "hosts": list(hosts)},
    )


def _between(after: ProcessKey | None, upto: ProcessKey | None, parameters: dict[str, Any]) -> str:
    """A stretch of the order of processes. The primary index understands single columns, so they are named too; where
    an end is that of a second, they say everything."""
    conditions = []
    if after is not None:
        parameters["s"] = after.started_at
        if after.is_last_of_second:
            conditions += ["start > {s:UInt32}"]
        else:
            parameters |= {"h": after.host_key, "p": after.pid}
            conditions += ["start >= {s:UInt32}", "(start, host, pid) > ({s:UInt32}, {h:UInt64}, {p:UInt32})"]
    if upto is not None:
        parameters["us"] = upto.started_at
        conditions += ["start <= {us:UInt32}"]
        if not upto.is_last_of_second:
            parameters |= {"uh": upto.host_key, "up": upto.pid}
            conditions += ["(start, host, pid) <= ({us:UInt32}, {uh:UInt64}, {up:UInt32})"]
    if after is not None and upto is not None and after.started_at == upto.started_at:
        parameters |= {"h": after.host_key, "uh": upto.host_key}
        conditions += ["host >= {h:UInt64}", "host <= {uh:UInt64}"]
    return " AND ".join(conditions) or "true"


_MASK = 2**64 - 1
_START_FACTOR, _PID_FACTOR, _MOMENT_FACTOR = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_SUM = f"host + start * toUInt64({_START_FACTOR}) + pid * toUInt64({_PID_FACTOR})"
"""Stands for the key of a process: to look one number up in a set costs a third of looking a tuple up."""


def _sum(key: ProcessKey) -> int:
    return key.host_key + key.started_at * _START_FACTOR + key.pid * _PID_FACTOR & _MASK


def _among(keys: Sequence[ProcessKey], parameters: dict[str, Any]) -> str:
    starts = [key.started_at for key in keys]
    distinct = sorted(set(starts))
    if len(distinct) <= _FEW_STARTS:
        place = f"start IN {bind(parameters, 'Array(UInt32)', distinct)}"
    else:
        least, most = bind(parameters, "UInt32", distinct[0]), bind(parameters, "UInt32", distinct[-1])
        place = f"start >= {least} AND start <= {most}"
    return f"{place} AND {_SUM} IN {bind(parameters, 'Array(UInt64)', [_sum(key) for key in keys])}"


def _hour_condition(window: Window, parameters: dict[str, Any]) -> str:
    hours = hours_of(window)
    if len(hours) <= _FEW_HOURS:
        return f"hour IN {bind(parameters, 'Array(UInt32)', list(hours))}"
    first, last = bind(parameters, "UInt32", hours.start), bind(parameters, "UInt32", hours.stop - 1)
    return f"hour >= {first} AND hour <= {last}"


def _window_parameters(org_id: int, window: Window) -> dict[str, Any]:
    return {"org": org_id, "from": window.from_at, "to": window.to_at}


_BLOCKS_CONDITION = (
    f"intDiv(at, {BLOCK_SECONDS}) >= intDiv({{since:Int64}}, {BLOCK_SECONDS})"
    f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{until:Int64}}, {BLOCK_SECONDS})"
)
