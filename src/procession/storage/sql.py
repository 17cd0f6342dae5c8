"""Queries -> SQL text and parameters. Nothing that came from outside stands in the text, and every statement names one
org: this is the only place where SQL over processes is made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from procession.patterns import Pattern
from procession.process import ProcessKey
from procession.search import And, Not, Or, SearchNode, TagTerm, TextTerm
from procession.storage.rows import SEPARATOR
from procession.storage.schema import BLOCK_SECONDS, BUCKET_SECONDS, NUMBER_COLUMNS
from procession.tags import TagCondition, TagFilter
from procession.window import Window

MAX_UNION = 6
"""Up to so many buckets are read one by one, each in key order with an early stop; more in one go."""

_KNOWN = (
    "if(last <= {to:Int64}, last, if(first >= {from:Int64}, first, 0)) AS known,"
    " if(last > {to:Int64},"
    " concat(hex(high_slots), leftPad(hex(low_slots), 64, '0')), '') AS slots"
)

_GENERATED_KEYS = ("user", "command", "state_zombie")
"""Of the tags in `what.own_tags`; `host:` is looked up in `hosts`."""


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    parameters: dict[str, Any] = field(default_factory=dict)


def buckets_of(window: Window) -> range:
    return range(window.from_at // BUCKET_SECONDS, window.to_at // BUCKET_SECONDS + 1)


def marks(org_id: int, buckets: Sequence[int]) -> Statement:
    """Where the granules of `seen` begin in these buckets, in no order: `start, host, pid`."""
    return Statement(
        "SELECT start, host, pid FROM mergeTreeIndex(currentDatabase(), 'seen')"
        " WHERE org = {org:UInt32} AND bucket IN {buckets:Array(UInt32)}",
        {"org": org_id, "buckets": list(buckets)},
    )


def newest_between(org_id: int, window: Window, after: ProcessKey | None, upto: ProcessKey | None) -> Statement:
    """Processes of the window after one key, up to another, in no order: `start, host, pid, version, known, goes_on`.

    `known` is the newest sighting inside the window that first and last prove, with its version; 0 if they prove none.
    Where sightings go on after the window, there may be newer ones inside: then `goes_on` is set, and `seen_between`
    tells more.
    """
    parameters = _window_parameters(org_id, window)
    return Statement(
        "SELECT start, host, pid, argMax(version, newest), max(newest), max(goes_on) FROM ("
        "SELECT start, host, pid, version, if(last <= {to:Int64}, last, if(first >= {from:Int64}, first, 0)) AS newest,"
        " last > {to:Int64} AS goes_on FROM seen"
        f" WHERE {_seen_condition(window, parameters)} AND {_between(after, upto, parameters)})"
        " GROUP BY start, host, pid",
        parameters,
    )


def seen_between(org_id: int, window: Window, after: ProcessKey | None, upto: ProcessKey | None) -> Statement:
    """The same with a row for each version and bucket: `start, host, pid, version, known, slots`.

    Where sightings go on after the window, `slots` holds those of the row as a hexadecimal number; else it is empty.
    Only rows of the bucket in which the window ends can have any.
    """
    parameters = _window_parameters(org_id, window)
    return Statement(
        f"SELECT start, host, pid, version, {_KNOWN} FROM seen"
        f" WHERE {_seen_condition(window, parameters)} AND {_between(after, upto, parameters)}",
        parameters,
    )


def matching_keys(
    org_id: int, window: Window, search: SearchNode | None, tags: TagFilter, after: ProcessKey | None, limit: int
) -> Statement:
    """Versions that fit the filters, in key order, from the buckets of the window: `source, start, host, pid, version`.

    Whether they were seen in the window, and were the newest there, is for `seen_of_keys` to say.
    """
    parameters = {"org": org_id} | _after_parameters(after)
    condition = filter_condition(search, tags, parameters) + _after_condition(after)
    return _from_buckets("what", "start, host, pid, version", condition, window, limit, parameters)


def seen_of_keys(org_id: int, window: Window, keys: Sequence[ProcessKey]) -> Statement:
    """As `seen_between`, for these processes only."""
    parameters = _window_parameters(org_id, window) | _keys_parameters(keys)
    return Statement(
        f"SELECT start, host, pid, version, {_KNOWN} FROM seen"
        f" WHERE {_seen_condition(window, parameters)} AND {_KEYS_CONDITION}",
        parameters,
    )


def newest_sightings(org_id: int, window: Window, keys: Sequence[ProcessKey]) -> Statement:
    """The newest sighting inside the window of each of these processes, from the truth: `start, host, pid, at,
    version`. A process without one is left out."""
    parameters = _window_parameters(org_id, window) | _keys_parameters(keys)
    parameters["hosts"] = sorted({key.host_key for key in keys})
    return Statement(
        "SELECT start, host, pid, max(at) AS newest, argMax(version, at) AS version FROM ("
        "SELECT at, host, pid, start, version FROM snap ARRAY JOIN pid, start, version"
        f" WHERE org = {{org:UInt32}} AND intDiv(at, {BLOCK_SECONDS}) >= intDiv({{from:Int64}}, {BLOCK_SECONDS})"
        f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{to:Int64}}, {BLOCK_SECONDS})"
        " AND at >= {from:Int64} AND at <= {to:Int64} AND host IN {hosts:Array(UInt64)}"
        f" AND {_KEYS_CONDITION}) GROUP BY start, host, pid",
        parameters,
    )


def newest_versions(org_id: int, since: int, until: int, hosts: Iterable[int], pids: Iterable[int]) -> Statement:
    """What was last seen under these pids of these hosts, both ends within: `host, pid, start, version, at`."""
    return Statement(
        "SELECT host, pid, start, argMax(version, (at, received_at)), max(at) FROM ("
        "SELECT host, pid, start, version, at, received_at FROM snap ARRAY JOIN pid, start, version"
        f" WHERE org = {{org:UInt32}} AND {_BLOCKS_CONDITION} AND at >= {{since:Int64}} AND at <= {{until:Int64}}"
        " AND host IN {hosts:Array(UInt64)} AND pid IN {pids:Array(UInt32)}) GROUP BY host, pid, start",
        {"org": org_id, "since": since, "until": until, "hosts": sorted(hosts), "pids": sorted(pids)},
    )


def ticks(org_id: int, since: int, until: int, hosts: Iterable[int]) -> Statement:
    """When snapshots of these hosts were taken, both ends within: `host, at`."""
    return Statement(
        f"SELECT DISTINCT host, at FROM snap WHERE org = {{org:UInt32}}"
        f" AND intDiv(at, {BLOCK_SECONDS}) >= intDiv({{since:UInt32}}, {BLOCK_SECONDS})"
        f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{until:UInt32}}, {BLOCK_SECONDS})"
        " AND at >= {since:UInt32} AND at <= {until:UInt32} AND host IN {hosts:Array(UInt64)}",
        {"org": org_id, "since": since, "until": until, "hosts": sorted(hosts)},
    )


def starts_near(
    org_id: int, first_bucket: int, last_bucket: int, tolerance: int, keys: Sequence[ProcessKey]
) -> Statement:
    """What was seen under the pids of these processes with a start near one of theirs, buckets both ends within:
    `host, pid, start, first, last`."""
    starts = sorted({key.started_at + shift for key in keys for shift in range(-tolerance, tolerance + 1)})
    return Statement(
        "SELECT host, pid, start, min(first), max(last) FROM seen WHERE org = {org:UInt32}"
        " AND bucket >= {first_bucket:UInt32} AND bucket <= {last_bucket:UInt32}"
        " AND start >= {least:Int64} AND start <= {most:Int64} AND start IN {starts:Array(Int64)}"
        " AND (host, pid) IN (SELECT arrayJoin(arrayZip({key_hosts:Array(UInt64)}, {pids:Array(UInt32)})))"
        " GROUP BY host, pid, start",
        {
            "org": org_id,
            "first_bucket": first_bucket,
            "last_bucket": last_bucket,
            "least": starts[0],
            "most": starts[-1],
            "starts": starts,
            "key_hosts": [key.host_key for key in keys],
            "pids": [key.pid for key in keys],
        },
    )


def complete_snapshots(org_id: int, since: int, until: int, hosts: Iterable[int]) -> Statement:
    """Snapshots of these hosts of which every chunk is there, both ends within: `host, at`, ascending."""
    return Statement(
        "SELECT DISTINCT host, at FROM (SELECT host, at FROM snap WHERE org = {org:UInt32}"
        f" AND {_BLOCKS_CONDITION} AND at >= {{since:Int64}} AND at <= {{until:Int64}}"
        " AND host IN {hosts:Array(UInt64)} AND group_size > 0"
        " GROUP BY host, at, group_id HAVING uniqExact(request) >= max(group_size)) ORDER BY host, at",
        {"org": org_id, "since": since, "until": until, "hosts": sorted(hosts)},
    )


def exits(org_id: int, since: int, until: int, keys: Sequence[ProcessKey]) -> Statement:
    """Ends of whatever had the pids of these processes: `host, pid, at, executed_at, exit_code`, by moment."""
    return Statement(
        "SELECT host, pid, at, executed_at, exit_code FROM ends WHERE org = {org:UInt32}"
        f" AND intDiv(at, {BUCKET_SECONDS}) >= intDiv({{since:Int64}}, {BUCKET_SECONDS})"
        f" AND intDiv(at, {BUCKET_SECONDS}) <= intDiv({{until:Int64}}, {BUCKET_SECONDS})"
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
    parameters = {"org": org_id} | _keys_parameters(keys)
    moments = sorted({at for at, _ in sightings})
    parameters |= {
        "blocks": sorted({at // BLOCK_SECONDS for at in moments}),
        "moments": moments,
        "hosts": sorted({host for _, host in sightings}),
    }
    columns = ", ".join(name for name, _ in NUMBER_COLUMNS)
    return Statement(
        f"SELECT at, host, pid, start, state, {columns} FROM (SELECT at, host, pid, start, state, {columns} FROM snap"
        f" ARRAY JOIN pid, start, state, {columns} WHERE org = {{org:UInt32}}"
        f" AND intDiv(at, {BLOCK_SECONDS}) IN {{blocks:Array(Int64)}} AND host IN {{hosts:Array(UInt64)}}"
        f" AND at IN {{moments:Array(UInt32)}} AND {_KEYS_CONDITION})",
        parameters,
    )


def live_numbers(org_id: int, since: int, until: int, tolerance: int, keys: Sequence[ProcessKey]) -> Statement:
    """The newest live numbers under the pids of these processes with a start near one of theirs, both ends within:
    columns as of `numbers`."""
    columns = ", ".join(name for name, _ in NUMBER_COLUMNS)
    return Statement(
        f"SELECT at, host, pid, start, state, {columns} FROM live ARRAY JOIN pid, start, state, {columns}"
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
    "cmdline, exe, cwd, comm, command, user, uid, gid, ppid, namespace_pid, container_id, is_zombie, tagset, root,"
    " group_name, nice"
)
BRIEF_TEXTS = "cmdline, command, user, ppid, is_zombie, tagset"


def descriptions(org_id: int, window: Window, keys: Sequence[ProcessKey], columns: str = ALL_TEXTS) -> Statement:
    """The rows of `what` for these processes: `start, host, pid, version`, and then the columns."""
    parameters = {"org": org_id} | _keys_parameters(keys)
    return _texts(window, columns, _KEYS_CONDITION, parameters)


def texts_between(
    org_id: int, window: Window, after: ProcessKey | None, upto: ProcessKey | None, columns: str
) -> Statement:
    """The same for all processes after one key, up to another: `start, host, pid, version`, and then the columns."""
    parameters: dict[str, Any] = {"org": org_id}
    return _texts(window, columns, _between(after, upto, parameters), parameters)


def _texts(window: Window, columns: str, condition: str, parameters: dict[str, Any]) -> Statement:
    return Statement(
        f"SELECT start, host, pid, version, {columns} FROM what WHERE org = {{org:UInt32}}"
        f" AND {_bucket_condition(window, parameters)} AND {condition} LIMIT 1 BY start, host, pid, version",
        parameters,
    )


def tags_of(org_id: int, tagsets: Iterable[int]) -> Statement:
    return Statement(
        "SELECT tagset, any(tags) FROM tagsets WHERE org = {org:UInt32} AND tagset IN {tagsets:Array(UInt64)}"
        " GROUP BY tagset",
        {"org": org_id, "tagsets": list(tagsets)},
    )


def names_of(org_id: int, hosts: Iterable[int]) -> Statement:
    return Statement(
        "SELECT host, any(name) FROM hosts WHERE org = {org:UInt32} AND host IN {hosts:Array(UInt64)} GROUP BY host",
        {"org": org_id, "hosts": list(hosts)},
    )


def filter_condition(search: SearchNode | None, tags: TagFilter, parameters: dict[str, Any]) -> str:
    """A condition over `what`. Adds the values it binds to `parameters`."""
    conditions = [_tag_condition(condition, parameters) for condition in tags.conditions]
    if search is not None:
        conditions.append(_search_condition(search, parameters))
    return " AND ".join(conditions) or "true"


def _search_condition(node: SearchNode, parameters: dict[str, Any]) -> str:
    match node:
        case TextTerm(pattern):
            return _text_condition(pattern, parameters)
        case TagTerm(key, pattern):
            has_tag = carries_tag(pattern, parameters)
            if key in (*_GENERATED_KEYS, "host"):  # every process has these
                return has_tag
            return f"if({_has_key(key, parameters)}, {has_tag}, {_text_condition(pattern, parameters)})"
        case Not(operand):
            return f"NOT ({_search_condition(operand, parameters)})"
        case And(operands):
            return "(" + " AND ".join(_search_condition(operand, parameters) for operand in operands) + ")"
        case Or(operands):
            return "(" + " OR ".join(_search_condition(operand, parameters) for operand in operands) + ")"


def _text_condition(pattern: Pattern, parameters: dict[str, Any]) -> str:
    if pattern.is_literal:
        # LIKE, since the text index serves it; on folded text it needs no case rules of its own.
        text = pattern.text.replace(SEPARATOR, "\ufffd")
        return f"text LIKE {_bind(parameters, 'String', '%' + _like_escaped(text) + '%')}"
    parts = [part.replace(SEPARATOR, "\ufffd") for part in pattern.parts]
    separator = _bind(parameters, "String", SEPARATOR)
    return f"arrayExists(one -> {_find_in_order('one', parts, parameters)} > 0, splitByString({separator}, text))"


def _fits(column: str, pattern: Pattern, parameters: dict[str, Any]) -> str:
    """Whether the whole of a folded text fits a pattern with stars. In time that grows with the text: LIKE and regular
    expressions take half a minute for a pattern of 100 kB."""
    first, *middle, last = pattern.parts
    conditions = [
        f"startsWith({column}, {_bind(parameters, 'String', first)})",
        f"endsWith({column}, {_bind(parameters, 'String', last)})",
    ]
    shortest = _bind(parameters, "UInt64", _byte_length(first) + _byte_length(last))
    if not middle:
        conditions.append(f"length({column}) >= {shortest}")
    else:
        end = _find_in_order(column, middle, parameters, start=_byte_length(first) + 1)
        # `end` is where the last of them ends, plus one; 0 where one of them is missing.
        last_length = _bind(parameters, "UInt64", _byte_length(last))
        conditions.append(f"{end} > 0 AND {end} - 1 + {last_length} <= length({column})")
    return "(" + " AND ".join(conditions) + ")"


def _find_in_order(column: str, parts: Sequence[str], parameters: dict[str, Any], start: int = 1) -> str:
    """The byte after the last of the parts, found one after another as early as possible, counted from 1; 0 if not all
    are there."""
    bound = _bind(parameters, "Array(String)", list(parts))
    first = _bind(parameters, "UInt64", start)
    step = f"position({column}, part, at)"
    return (
        f"arrayFold((at, part) -> if(at = 0 OR {step} = 0, toUInt64(0), toUInt64({step} + length(part))),"
        f" {bound}, {first})"
    )


def _tag_condition(condition: TagCondition, parameters: dict[str, Any]) -> str:
    has_tag = carries_tag(condition.pattern, parameters)
    return f"NOT {has_tag}" if condition.negated else has_tag


def carries_tag(pattern: Pattern, parameters: dict[str, Any], *, with_host: bool = True) -> str:
    """Whether any tag of the process fits, wherever it is kept; `with_host`: also the one that names its host."""
    first = pattern.parts[0]
    if pattern.is_literal:
        tag = _bind(parameters, "String", pattern.text)
        in_tags, in_own_tags = (f"has({column}, {tag})" for column in ("folded", "own_tags"))
    else:
        fits = _fits("tag", pattern, parameters)
        in_tags, in_own_tags = (f"arrayExists(tag -> {fits}, {column})" for column in ("folded", "own_tags"))
    conditions = [_in_tagsets(in_tags)]
    # The generated tags are asked only where the beginning of the pattern leaves them possible.
    if any(_may_begin(first, f"{key}:", pattern) for key in _GENERATED_KEYS):
        conditions.append(in_own_tags)
    if with_host and may_name_host(pattern):
        named = is_host(pattern, parameters)
        conditions.append(f"host IN (SELECT host FROM hosts WHERE org = {{org:UInt32}} AND {named})")
    return "(" + " OR ".join(conditions) + ")"


def may_name_host(pattern: Pattern) -> bool:
    return _may_begin(pattern.parts[0], "host:", pattern)


def is_host(pattern: Pattern, parameters: dict[str, Any]) -> str:
    """A condition over `hosts`: whether the tag that names the host fits."""
    tag = "concat('host:', folded)"
    if pattern.is_literal:
        return f"{tag} = {_bind(parameters, 'String', pattern.text)}"
    return _fits(tag, pattern, parameters)


def _has_key(key: str, parameters: dict[str, Any]) -> str:
    prefix = _bind(parameters, "String", f"{key}:")
    return _in_tagsets(f"arrayExists(tag -> startsWith(tag, {prefix}), folded)")


def _in_tagsets(condition: str) -> str:
    return f"tagset IN (SELECT tagset FROM tagsets WHERE org = {{org:UInt32}} AND {condition})"


def _may_begin(first: str, prefix: str, pattern: Pattern) -> bool:
    """Whether a tag `prefix…` can fit a pattern whose first literal part is `first`."""
    return first.startswith(prefix) or (not pattern.is_literal and prefix.startswith(first))


def _from_buckets(
    table: str, columns: str, condition: str, window: Window, limit: int, parameters: dict[str, Any]
) -> Statement:
    """Rows in key order from each bucket of the window. A plain ordered LIMIT on one bucket stops early; a GROUP BY or
    a LIMIT BY over several does not."""
    buckets = buckets_of(window)
    parameters |= {"limit": limit}
    order = "ORDER BY org, bucket, start, host, pid LIMIT {limit:UInt64}"
    if len(buckets) > MAX_UNION:
        order = "ORDER BY start, host, pid LIMIT {limit:UInt64}"
        return Statement(
            f"SELECT DISTINCT 0 AS source, {columns} FROM {table} WHERE org = {{org:UInt32}}"
            f" AND {_bucket_condition(window, parameters)} AND {condition} {order}",
            parameters,
        )
    selects = []
    for number, bucket in enumerate(buckets):
        parameters[f"bucket{number}"] = bucket
        selects.append(
            f"(SELECT {number} AS source, {columns} FROM {table}"
            f" WHERE org = {{org:UInt32}} AND bucket = {{bucket{number}:UInt32}} AND {condition} {order})"
        )
    return Statement(" UNION ALL ".join(selects), parameters)


def _seen_condition(window: Window, parameters: dict[str, Any]) -> str:
    return (
        f"org = {{org:UInt32}} AND {_bucket_condition(window, parameters)}"
        " AND last >= {from:Int64} AND first <= {to:Int64}"
    )


def _between(after: ProcessKey | None, upto: ProcessKey | None, parameters: dict[str, Any]) -> str:
    """A stretch of the order of processes. The primary index understands single columns, so they are named too."""
    conditions = ["true"]
    if after is not None:
        conditions = ["start >= {s:UInt32}", "(start, host, pid) > ({s:UInt32}, {h:UInt64}, {p:UInt32})"]
        parameters |= _after_parameters(after)
    if upto is not None:
        conditions += ["start <= {us:UInt32}", "(start, host, pid) <= ({us:UInt32}, {uh:UInt64}, {up:UInt32})"]
        parameters |= {"us": upto.started_at, "uh": upto.host_key, "up": upto.pid}
    if after is not None and upto is not None and after.started_at == upto.started_at:
        conditions += ["host >= {h:UInt64}", "host <= {uh:UInt64}"]
    return " AND ".join(conditions)


def _bucket_condition(window: Window, parameters: dict[str, Any]) -> str:
    buckets = buckets_of(window)
    if len(buckets) <= MAX_UNION:  # the primary index makes more of a few values than of a range
        return f"bucket IN {_bind(parameters, 'Array(UInt32)', list(buckets))}"
    first, last = _bind(parameters, "UInt32", buckets.start), _bind(parameters, "UInt32", buckets.stop - 1)
    return f"bucket >= {first} AND bucket <= {last}"


def _window_parameters(org_id: int, window: Window) -> dict[str, Any]:
    return {"org": org_id, "from": window.from_at, "to": window.to_at}


def _after_parameters(after: ProcessKey | None) -> dict[str, Any]:
    return {} if after is None else {"s": after.started_at, "h": after.host_key, "p": after.pid}


def _after_condition(after: ProcessKey | None) -> str:
    if after is None:
        return ""
    # The first term says nothing new, but it is the one that the primary index understands.
    return " AND start >= {s:UInt32} AND (start, host, pid) > ({s:UInt32}, {h:UInt64}, {p:UInt32})"


_BLOCKS_CONDITION = (
    f"intDiv(at, {BLOCK_SECONDS}) >= intDiv({{since:Int64}}, {BLOCK_SECONDS})"
    f" AND intDiv(at, {BLOCK_SECONDS}) <= intDiv({{until:Int64}}, {BLOCK_SECONDS})"
)

_KEYS_CONDITION = (
    "start >= {least:UInt32} AND start <= {most:UInt32} AND (start, host, pid) IN (SELECT arrayJoin(arrayZip("
    "{starts:Array(UInt32)}, {key_hosts:Array(UInt64)}, {pids:Array(UInt32)})))"
)


def _keys_parameters(keys: Sequence[ProcessKey]) -> dict[str, Any]:
    starts = [key.started_at for key in keys]
    return {
        "least": min(starts),
        "most": max(starts),
        "starts": starts,
        "key_hosts": [key.host_key for key in keys],
        "pids": [key.pid for key in keys],
    }


def _bind(parameters: dict[str, Any], kind: str, value: Any) -> str:
    name = f"v{len(parameters)}"
    parameters[name] = [_encodable(item) for item in value] if kind == "Array(String)" else _encodable(value)
    return f"{{{name}:{kind}}}"


def _byte_length(text: str) -> int:
    return len(_encodable(text).encode())


def _encodable(value: Any) -> Any:
    """Half a surrogate cannot be stored, so it must be found nowhere: three separators never follow each other."""
    return re.sub("[\ud800-\udfff]", SEPARATOR * 3, value) if isinstance(value, str) else value


def _like_escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
