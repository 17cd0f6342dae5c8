"""Statements over many processes at once, as in `sql`: fixed text, bound values, one org."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from procession.analysis import MINUTE_COLUMNS
from procession.process import ProcessKey
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagFilter
from procession.search.tree import And, Not, Or, SearchNode, TagTerm, TextTerm
from procession.storage.history.engine.statement import Statement
from procession.storage.history.read.filters import carries_tag, filter_condition, is_host
from procession.storage.history.tables.constants import BLOCK_SECONDS, HOUR_SECONDS, LOW_SLOTS, SLOT_SECONDS
from procession.window import Window

_BLOCKS = (
    f"intDiv(at, {BLOCK_SECONDS}) >= intDiv({{since:Int64}}, {BLOCK_SECONDS})"
    f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{until:Int64}}, {BLOCK_SECONDS})"
    " AND at >= {since:Int64} AND at <= {until:Int64}"
)


def chunks(
    org_id: int,
    moments: Sequence[int],
    hosts: Sequence[int] | None = None,
    named: Sequence[Sequence[Pattern]] = ((),),
) -> Statement:
    """Which chunks of snapshots there are at these moments, ascending: `host, at, request, split_id, chunk_count`, and
    how many sightings each has: `size`. One that was stored twice may be there twice.

    `named`: of hosts whose `host:` tag fits all patterns of one of these. Read in the same statement, so that none is
    left out whose name came with its first snapshot.
    """
    parameters: dict[str, Any] = {"org": org_id}
    condition = _hosts_condition(hosts, parameters)
    if all(named):
        alternatives = [" AND ".join(is_host(pattern, parameters) for pattern in patterns) for patterns in named]
        fits = " OR ".join(f"({one})" for one in dict.fromkeys(alternatives))
        condition += f" AND host IN (SELECT host FROM hosts WHERE org = {{org:UInt32}} AND ({fits}))"
    if moments[-1] - moments[0] + 1 == len(moments):
        parameters |= {"since": moments[0], "until": moments[-1]}
        place = _BLOCKS
    else:
        parameters |= {"moments": list(moments), "blocks": sorted({at // BLOCK_SECONDS for at in moments})}
        place = f"intDiv(at, {BLOCK_SECONDS}) IN {{blocks:Array(UInt32)}} AND at IN {{moments:Array(UInt32)}}"
    return Statement(
        "SELECT host, at, request, split_id, chunk_count, pid.size0 AS size FROM snapshots"
        f" WHERE org = {{org:UInt32}} AND {place}{condition}",
        parameters,
    )


def any_chunk(org_id: int, since: int, until: int, hosts: Sequence[int] | None = None) -> Statement:
    """A row if any of these hosts, or any at all, told of its processes, both ends within."""
    parameters: dict[str, Any] = {"org": org_id, "since": since, "until": until}
    condition = _hosts_condition(hosts, parameters)
    return Statement(f"SELECT 1 FROM snapshots WHERE org = {{org:UInt32}} AND {_BLOCKS}{condition} LIMIT 1", parameters)


def any_seen(org_id: int, window: Window, hosts: Sequence[int] | None = None) -> Statement:
    """The same to the hour, for windows of which snapshots are kept no longer."""
    parameters: dict[str, Any] = {"org": org_id, "from": window.from_at, "to": window.to_at} | _hours(window)
    condition = _hosts_condition(hosts, parameters)
    return Statement(
        "SELECT 1 FROM presence WHERE org = {org:UInt32} AND hour >= {first_hour:UInt32} AND hour <= {last_hour:UInt32}"
        f" AND last >= {{from:Int64}} AND first <= {{to:Int64}}{condition} LIMIT 1",
        parameters,
    )


def arrays(org_id: int, snapshots: Sequence[tuple[int, int]], columns: Sequence[str]) -> Statement:
    """The chunks of these snapshots, (host, moment): `host, at, request` and `columns`, which are arrays over
    processes."""
    moments = sorted({at for _, at in snapshots})
    hosts = sorted({host for host, _ in snapshots})
    return Statement(
        f"SELECT host, at, request, {', '.join(columns)} FROM snapshots PREWHERE org = {{org:UInt32}}"
        f" AND intDiv(at, {BLOCK_SECONDS}) IN {{blocks:Array(UInt32)}} AND host IN {{hosts:Array(UInt64)}}"
        " AND at IN {moments:Array(UInt32)}"
        " AND (host, at) IN (SELECT arrayJoin(arrayZip({of_hosts:Array(UInt64)}, {ats:Array(UInt32)})))",
        {
            "org": org_id,
            "blocks": sorted({at // BLOCK_SECONDS for at in moments}),
            "hosts": hosts,
            "moments": moments,
            "of_hosts": [host for host, _ in snapshots],
            "ats": [at for _, at in snapshots],
        },
    )


def exits_between(org_id: int, since: int, until: int, hosts: Sequence[int] | None = None) -> Statement:
    """What was said of ends, both ends within: `host, pid, at, executed_at`."""
    parameters: dict[str, Any] = {"org": org_id, "since": since, "until": until}
    condition = _hosts_condition(hosts, parameters)
    return Statement(
        "SELECT host, pid, at, executed_at FROM exits WHERE org = {org:UInt32}"
        f" AND intDiv(at, {HOUR_SECONDS}) >= intDiv({{since:Int64}}, {HOUR_SECONDS})"
        f" AND intDiv(at, {HOUR_SECONDS}) <= intDiv({{until:Int64}}, {HOUR_SECONDS})"
        f" AND at >= {{since:Int64}} AND at <= {{until:Int64}}{condition}",
        parameters,
    )


def dead_live(org_id: int, since: int, until: int, dead: int, hosts: Sequence[int] | None = None) -> Statement:
    """Last looks at the dead among live numbers, both ends within: `host, pid, at, start`."""
    parameters: dict[str, Any] = {"org": org_id, "since": since, "until": until, "dead": dead}
    condition = _hosts_condition(hosts, parameters)
    return Statement(
        "SELECT host, one_pid AS pid, at, one_start AS start FROM live_numbers"
        " ARRAY JOIN pid AS one_pid, start AS one_start, state AS one_state"
        f" WHERE org = {{org:UInt32}} AND {_BLOCKS}{condition} AND has(state, {{dead:UInt8}})"
        " AND one_state = {dead:UInt8}",
        parameters,
    )


def matching_versions(
    org_id: int, hours: Sequence[int], search: SearchNode | None, tags: TagFilter, *, with_host: bool
) -> Statement:
    """Versions that fit the filters: `version`, and `host` if these ask for it."""
    parameters: dict[str, Any] = {"org": org_id, "hours": list(hours)}
    condition = filter_condition(search, tags, parameters)
    columns = "host, version" if with_host else "version"
    return Statement(
        f"SELECT DISTINCT {columns} FROM descriptions"
        f" WHERE org = {{org:UInt32}} AND hour IN {{hours:Array(UInt32)}} AND {condition}",
        parameters,
    )


def label_sets_with_tag(org_id: int, pattern: Pattern) -> Statement:
    """Label sets of which a tag fits, but for that of the host: `label_set`."""
    parameters: dict[str, Any] = {"org": org_id}
    condition = carries_tag(pattern, parameters, with_host=False)
    return Statement(
        f"SELECT DISTINCT label_set FROM label_sets WHERE org = {{org:UInt32}} AND {condition}", parameters
    )


def hosts_with_tag(org_id: int, pattern: Pattern) -> Statement:
    """Hosts whose `host:` tag fits: `host`."""
    parameters: dict[str, Any] = {"org": org_id}
    condition = is_host(pattern, parameters)
    return Statement(f"SELECT DISTINCT host FROM hosts WHERE org = {{org:UInt32}} AND {condition}", parameters)


def mentions_host(search: SearchNode | None) -> bool:
    """Whether a search may look at the host: then what fits is not said by the version alone."""
    match search:
        case None | TextTerm():
            return False
        case TagTerm(key=key):
            return key == "host"
        case Not(operand):
            return mentions_host(operand)
        case And(operands) | Or(operands):
            return any(map(mentions_host, operands))


def label_sets_table(org_id: int, numbers: Sequence[int] | None) -> Statement:
    """`label_set` and what it stands for, of these or of all."""
    parameters: dict[str, Any] = {"org": org_id}
    chosen = ""
    if numbers is not None:
        parameters["label_sets"] = list(numbers)
        chosen = " AND label_set IN {label_sets:Array(UInt64)}"
    columns = ("command", "user", "container_id", "is_zombie", "tag_set")
    return Statement(
        f"SELECT label_set, {', '.join(f'any({name}) AS {name}' for name in columns)} FROM label_sets"
        f" WHERE org = {{org:UInt32}}{chosen} GROUP BY label_set",
        parameters,
    )


def tag_sets_table(org_id: int, numbers: Sequence[int] | None) -> Statement:
    """`tag_set, tags` of these or of all."""
    parameters: dict[str, Any] = {"org": org_id}
    chosen = ""
    if numbers is not None:
        parameters["tag_sets"] = list(numbers)
        chosen = " AND tag_set IN {tag_sets:Array(UInt64)}"
    return Statement(
        f"SELECT tag_set, any(tags) AS tags FROM tag_sets WHERE org = {{org:UInt32}}{chosen} GROUP BY tag_set",
        parameters,
    )


def texts(org_id: int, hours: Sequence[int], column: str, versions: Sequence[int]) -> Statement:
    """One column of what these versions are: `version, value`."""
    return Statement(
        f"SELECT version, any({column}) AS value FROM descriptions WHERE org = {{org:UInt32}}"
        " AND hour IN {hours:Array(UInt32)} AND version IN {versions:Array(UInt64)} GROUP BY version",
        {"org": org_id, "hours": list(hours), "versions": list(versions)},
    )


# One host, one process


def runs_seen(org_id: int, host: int, since: int, until: int) -> Statement:
    """Processes of a host by its snapshots, both ends within: `pid, start, version, label_set, last`."""
    return Statement(
        "SELECT pid, start, argMax(version, at), argMax(label_set, at), max(at) FROM snapshots"
        " ARRAY JOIN pid, start, version, label_set"
        f" WHERE org = {{org:UInt32}} AND {_BLOCKS} AND host = {{host:UInt64}} GROUP BY pid, start",
        {"org": org_id, "host": host, "since": since, "until": until},
    )


def runs_rolled_up(org_id: int, host: int, window: Window) -> Statement:
    """The same by the roll-up of its hours."""
    return Statement(
        "SELECT pid, start, argMax(version, last), argMax(label_set, last), max(last) FROM minutes"
        " WHERE org = {org:UInt32} AND host = {host:UInt64}"
        " AND hour >= {first_hour:UInt32} AND hour <= {last_hour:UInt32}"
        " AND last >= {from:Int64} AND first <= {to:Int64} GROUP BY pid, start",
        {"org": org_id, "host": host, "from": window.from_at, "to": window.to_at} | _hours(window),
    )


def minutes(org_id: int, key: ProcessKey, window: Window) -> Statement:
    """The roll-up of a process: `hour, minute` and MINUTE_COLUMNS, which are arrays; the newest of each hour."""
    return Statement(
        f"SELECT hour, minute, {', '.join(MINUTE_COLUMNS)} FROM minutes"
        " WHERE org = {org:UInt32} AND host = {host:UInt64} AND pid = {pid:UInt32} AND start = {start:UInt32}"
        " AND hour >= {first_hour:UInt32} AND hour <= {last_hour:UInt32}"
        " ORDER BY hour, rolled_up_at DESC LIMIT 1 BY hour",
        {"org": org_id, "host": key.host_key, "pid": key.pid, "start": key.started_at} | _hours(window),
    )


def last_rolled_up(org_id: int, key: ProcessKey) -> Statement:
    """The newest sighting of a process in the roll-up: `last`; 0 if there is none."""
    return Statement(
        "SELECT max(last) FROM minutes WHERE org = {org:UInt32} AND host = {host:UInt64} AND pid = {pid:UInt32}"
        " AND start = {start:UInt32}",
        {"org": org_id, "host": key.host_key, "pid": key.pid, "start": key.started_at},
    )


def rolled_hours(org_id: int, first_hour: int, last_hour: int, hosts: Sequence[int] | None = None) -> Statement:
    """What has been rolled up: `hour, host, received`, the last being when the newest of it came."""
    parameters: dict[str, Any] = {"org": org_id, "first_hour": first_hour, "last_hour": last_hour}
    return Statement(
        "SELECT hour, host, max(received_at) AS received FROM rollup_state WHERE org = {org:UInt32}"
        " AND hour >= {first_hour:UInt32} AND hour <= {last_hour:UInt32}"
        f"{_hosts_condition(hosts, parameters)} GROUP BY hour, host",
        parameters,
    )


def sightings(org_id: int, key: ProcessKey, since: int, until: int, columns: Sequence[str]) -> Statement:
    """Every sighting of a process, both ends within, by moment: `at`, and then the columns, of `state` and MEASURES."""
    shown = ", ".join(f"{name}[place] AS {name}_" for name in columns)
    return Statement(
        f"SELECT at, {shown} FROM (SELECT at, request, {', '.join(columns)},"
        " arrayFirstIndex((p, s) -> p = {pid:UInt32} AND s = {start:UInt32}, pid, start) AS place FROM snapshots"
        f" WHERE org = {{org:UInt32}} AND {_BLOCKS} AND host = {{host:UInt64}} AND has(pid, {{pid:UInt32}}))"
        " WHERE place > 0 ORDER BY at, request LIMIT 1 BY at",
        {
            "org": org_id,
            "host": key.host_key,
            "pid": key.pid,
            "start": key.started_at,
            "since": since,
            "until": until,
        },
    )


# The roll-up


def days_of_snapshots() -> Statement:
    """Days since 1970 of which there are any, of whatever org."""
    return Statement(
        "SELECT DISTINCT toUInt32(partition) FROM system.parts"
        " WHERE database = currentDatabase() AND table = 'snapshots' AND active",
        is_whole=True,
    )


def to_roll_up(org_id: int, since: int, until: int, received_since: int) -> Statement:
    """What may have to be rolled up: `hour, host, received, sightings` of the snapshots from `since` to before `until`
    of which any came since then."""
    return Statement(
        f"SELECT intDiv(at, {HOUR_SECONDS}) AS hour, host, max(received_at) AS received,"
        " sum(length(pid)) AS sightings FROM snapshots WHERE org = {org:UInt32}"
        f" AND {_BLOCKS} AND received_at >= {{received:Int64}} GROUP BY hour, host",
        {"org": org_id, "since": since, "until": until - 1, "received": received_since},
    )


def roll_up(org_id: int, hour: int, hosts: Sequence[int], rolled_up_at: int) -> Statement:
    """Writes the minutes of one hour of these hosts, all of them anew."""
    per_minute = ", ".join(
        (
            *(f"if(countIf({name} >= 0) = 0, -1, avgIf({name}, {name} >= 0)) AS {name}_" for name in _MEANS),
            *(f"max({name}) AS {name}_" for name in _GREATEST),
            "max(cpu_total_percent) AS cpu_total_percent_max_",
        )
    )
    arrays = ", ".join(
        f"arrayMap(m -> m.{number}, all) AS {name}" for number, name in enumerate(MINUTE_COLUMNS, start=2)
    )
    listed = ", ".join(f"{name}_" for name in MINUTE_COLUMNS)
    columns = ", ".join((*_MEANS, *_GREATEST))
    chunks = (
        f"SELECT host, at, pid, start, version, label_set, {columns} FROM snapshots FINAL"
        f" WHERE org = {{org:UInt32}} AND {_BLOCKS} AND host IN {{hosts:Array(UInt64)}}"
    )
    sightings = (
        f"SELECT at, host, pid, start, version, label_set, {columns} FROM ({chunks})"
        f" ARRAY JOIN pid, start, version, label_set, {columns}"
    )
    by_minute = (
        "SELECT host, pid, start, toUInt8(intDiv(at, 60) % 60) AS of, argMax(version, at) AS version_,"
        f" argMax(label_set, at) AS label_set_, min(at) AS first_, max(at) AS last_, {per_minute} FROM ({sightings})"
        " GROUP BY host, pid, start, of"
    )
    by_process = (
        "SELECT host, pid, start, argMax(version_, last_) AS version, argMax(label_set_, last_) AS label_set,"
        f" min(first_) AS first, max(last_) AS last, arraySort(groupArray((of, {listed}))) AS all FROM ({by_minute})"
        " GROUP BY host, pid, start"
    )
    names = ", ".join(MINUTE_COLUMNS)
    return Statement(
        "INSERT INTO minutes (org, host, pid, start, hour, version, label_set, first, last, minute,"
        f" {names}, rolled_up_at)"
        " SELECT {org:UInt32}, host, pid, start, {hour:UInt32}, version, label_set, first, last,"
        f" arrayMap(m -> m.1, all), {arrays}, {{rolled_up_at:UInt32}} FROM ({by_process})"
        # Nobody waits for it, and one thread takes a third less in all.
        " SETTINGS max_threads = 1",
        {
            "org": org_id,
            "hour": hour,
            "hosts": list(hosts),
            "since": hour * HOUR_SECONDS,
            "until": (hour + 1) * HOUR_SECONDS - 1,
            "rolled_up_at": rolled_up_at,
        },
        is_whole=True,
    )


def newest_roll_up(org_id: int, hour: int) -> Statement:
    """When an hour was rolled up last."""
    return Statement(
        "SELECT max(rolled_up_at) FROM minutes WHERE org = {org:UInt32} AND hour = {hour:UInt32}",
        {"org": org_id, "hour": hour},
    )


def note_rolled(org_id: int, hour: int, hosts: Sequence[int], received: Sequence[int]) -> Statement:
    return Statement(
        "INSERT INTO rollup_state SELECT {org:UInt32}, {hour:UInt32}, one.1, one.2 FROM (SELECT arrayJoin(arrayZip("
        "{hosts:Array(UInt64)}, {received:Array(UInt32)})) AS one)",
        {"org": org_id, "hour": hour, "hosts": list(hosts), "received": list(received)},
    )


_MEANS = ("cpu_total_percent", "read_bytes_per_second", "write_bytes_per_second")
_GREATEST = ("rss_bytes", "threads", "open_files")


def _hours(window: Window) -> dict[str, int]:
    return {"first_hour": window.from_at // HOUR_SECONDS, "last_hour": window.to_at // HOUR_SECONDS}


# Windows


def whole_slots(window: Window) -> Window:
    """The ten seconds around both ends."""
    from_at = window.from_at // SLOT_SECONDS * SLOT_SECONDS
    return Window(from_at, window.to_at // SLOT_SECONDS * SLOT_SECONDS + SLOT_SECONDS - 1)


def counts(
    org_id: int, window: Window, search: SearchNode | None, tags: TagFilter, *, by_host: bool, is_past: bool
) -> Statement:
    """How many processes of the window, in `whole_slots`, fit the filters: `of_host, label_set, number`, once by
    label set with host 0 and, if wanted, once by host with label set 0. `is_past`: whether there may be sightings after
    the window."""
    first, last = window.from_at // HOUR_SECONDS, window.to_at // HOUR_SECONDS
    parameters: dict[str, Any] = {"org": org_id, "from": window.from_at, "to": window.to_at}
    parameters |= {"first_hour": first, "last_hour": last}
    place, in_window = "last", ""
    if is_past:
        parameters |= _slot_parameters(window)
        place, in_window = _PLACE, f" AND (last <= {{to:Int64}} OR {_LOW} != 0 OR {_HIGH} != 0)"
    is_filtered = search is not None or bool(tags.conditions)
    rows = (
        # What is counted is not found again by it, so that any hash will do that is fast.
        f"SELECT cityHash64(host, pid, start) AS process, host, label_set, version, {place} AS place FROM presence"
        " WHERE org = {org:UInt32} AND hour >= {first_hour:UInt32} AND hour <= {last_hour:UInt32}"
        f" AND last >= {{from:Int64}} AND first <= {{to:Int64}}{in_window}"
    )
    columns = ["argMax(label_set, place) AS label_set"]
    if by_host or is_filtered:
        columns.append("any(host) AS host")
    condition = ""
    if is_filtered:
        columns.append("argMax(version, place) AS version")
        parameters |= {"hours": list(range(first, last + 1))}
        condition = (
            " WHERE (host, version) IN (SELECT host, version FROM descriptions WHERE org = {org:UInt32}"
            " AND hour IN {hours:Array(UInt32)} AND " + filter_condition(search, tags, parameters) + ")"
        )
    newest = f"SELECT {', '.join(columns)} FROM ({rows}) GROUP BY process"
    # Not under its own name: that would be what the condition takes for the host.
    host, groups = ("host", "GROUPING SETS ((host), (label_set))") if by_host else ("toUInt64(0)", "label_set")
    return Statement(
        f"SELECT {host} AS of_host, label_set, count() AS number FROM ({newest}){condition} GROUP BY {groups}",
        parameters,
        is_whole=True,
    )


_LOW = "bitAnd(low_slots, {low:UInt256})"
_HIGH = "bitAnd(high_slots, {high:UInt128})"


def _top_bit(value: str) -> str:
    """Without what lies below its first gap, since a long run of ones would round up as a float."""
    return f"toUInt32(floor(log2(toFloat64(bitAnd({value}, bitNot(bitShiftRight({value}, 1)))))))"


_PLACE = (
    "if(last <= {to:Int64}, last, toUInt32({last_hour:UInt32} * "
    f"{HOUR_SECONDS} + {SLOT_SECONDS} * if({_HIGH} != 0, {_top_bit(_HIGH)} + {LOW_SLOTS}, {_top_bit(_LOW)})"
    f" + {SLOT_SECONDS - 1}))"
)
"""Where the newest sighting in the window lies, to order versions by: its moment, or the end of its slot."""


def _slot_parameters(window: Window) -> dict[str, Any]:
    """The slots of the window in the hour in which it ends."""
    start = window.to_at // HOUR_SECONDS * HOUR_SECONDS
    first = max(window.from_at - start, 0) // SLOT_SECONDS
    last = (window.to_at - start) // SLOT_SECONDS
    slots = (1 << (last + 1)) - (1 << first)
    return {"low": slots % (1 << LOW_SLOTS), "high": slots >> LOW_SLOTS}


def _hosts_condition(hosts: Sequence[int] | None, parameters: dict[str, Any]) -> str:
    if hosts is None:
        return ""
    parameters["hosts"] = list(hosts)
    return " AND host IN {hosts:Array(UInt64)}"


def views(org_id: int) -> Statement:
    return Statement(
        "SELECT name, state, changed_at FROM views FINAL WHERE org = {org:UInt32} AND NOT is_deleted ORDER BY name",
        {"org": org_id},
    )


def put_view(org_id: int, name: str, state: str, changed_at: int, change: int, *, is_deleted: bool) -> Statement:
    """Of several changes of one view the one with the greatest `change` holds."""
    return Statement(
        "INSERT INTO views SELECT {org:UInt32}, {name:String}, {state:String}, {at:UInt32}, {deleted:Bool},"
        " {change:UInt64}",
        {"org": org_id, "name": name, "state": state, "at": changed_at, "deleted": is_deleted, "change": change},
    )
