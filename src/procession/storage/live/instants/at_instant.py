"""The processes at an instant: what every host runs now."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

import numpy as np

from procession.analysis import REACH_SECONDS, Selection
from procession.lifecycle.endings import ReportedExit, exit_of, exits_since, is_last_look
from procession.packed import DEAD, STATE_NUMBERS, STATES
from procession.process import ProcessKey
from procession.search.pattern import Pattern
from procession.search.tree import And, Or, SearchNode, TagTerm
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import Array, pids_of
from procession.storage.live.hosts import Host
from procession.storage.live.instants.table_at import TableAt
from procession.storage.live.org_table import OrgTable
from procession.storage.live.row_filter import RowFilter, has_tag
from procession.window import Window


def at_instant(then: TableAt, selection: Selection, host: Host | None = None) -> Candidates:
    """Those that fit, in no order. `host`: only of this one."""
    if host is not None:
        found = _found(then, _rows_of(then, host))
    else:
        if then.running is None:
            then.running = _found(then, _all_rows(then))
        found = then.running
    return RowFilter(then.table, selection.search, selection.tags).accepted(found)


def _all_rows(then: TableAt) -> Array:
    table = then.table
    own, count = table.rows, table.row_count
    is_there = then.last >= then.since.take(own.host[:count])
    is_there &= then.state != STATE_NUMBERS[DEAD]
    is_there[_is_over(then, np.flatnonzero(is_there & own.is_shared[:count]))] = False
    is_there[_has_ended(then, None)] = False
    return np.flatnonzero(is_there)


def _rows_of(then: TableAt, host: Host) -> Array:
    rows = np.unique(host.rows)
    is_there = (then.last[rows] >= then.since[host.number]) & (then.state[rows] != STATE_NUMBERS[DEAD])
    rows = rows[is_there]
    over = np.union1d(_is_over(then, rows[then.table.rows.is_shared[rows]]), _has_ended(then, host))
    left: Array = rows[~np.isin(rows, over)]
    return left


def _found(then: TableAt, rows: Array) -> Candidates:
    if then.earlier is None:
        return Candidates(then.table, rows, None, None, are_all=len(rows) == then.table.row_count)
    return Candidates(then.table, rows, then.last[rows], then.earlier.source[rows], earlier=then.earlier)


def _is_over(then: TableAt, shared: Array) -> Array:
    """Of rows whose pids are shared, those of processes whose pid another one has by then."""
    table, since, last = then.table, then.since, then.last
    own = table.rows
    if not len(shared):
        return shared
    # Also the dead: a pid was somebody else's if that one was seen later.
    others = np.flatnonzero(own.is_shared[: table.row_count] & (last >= since.min()))
    others = others[last[others] >= since[own.host[others]]]
    newest: dict[tuple[int, int], tuple[int, int]] = {}
    for row, pid in zip(others.tolist(), pids_of(own.key[others]).tolist(), strict=True):
        pid_of_host = int(own.host[row]), pid
        newest[pid_of_host] = max(newest.get(pid_of_host, (0, 0)), (int(last[row]), table.start_of(row)))
    over = [
        row
        for row, pid in zip(shared.tolist(), pids_of(own.key[shared]).tolist(), strict=True)
        if newest[int(own.host[row]), pid] > (int(last[row]), table.start_of(row))
    ]
    return np.array(over, "i4")


def _has_ended(then: TableAt, host: Host | None) -> Array:
    """Rows of processes of which it was reported up to the instant that they have ended."""
    table, since = then.table, then.since
    ended_rows: list[int] = []
    if host is None:
        numbers = np.flatnonzero(table.host_moments.ended[: len(table.hosts)] >= since[: len(table.hosts)]).tolist()
        hosts = [one for number in numbers if (one := table.hosts[number]) is not None]
    else:
        hosts = [host]
    for one in hosts:
        base = _base(then, one)
        for pid in {pid for _, pid in one.endings[bisect_left(one.endings, (base, 0)) :]}:
            of_pid = np.unique(one.rows_with(pid)).tolist()
            ended_rows += [row for row in of_pid if _is_reported(then, one, row, pid, base)]
    return np.array(ended_rows, "i4")


def _base(then: TableAt, host: Host) -> int:
    """When the first of the snapshots of a host that count was taken."""
    oldest = then.at - REACH_SECONDS
    complete = int(then.complete[host.number])
    if complete and complete >= oldest:
        return complete
    place = bisect_left(host.told, max(oldest, 0))
    return min(host.told[place], then.at) if place < len(host.told) else then.at


def _is_reported(then: TableAt, host: Host, row: int, pid: int, base: int) -> bool:
    table, at = then.table, then.at
    seen_at, state = int(then.last[row]), STATES[int(then.state[row])]
    key = ProcessKey(table.start_of(row), host.key, pid)
    since = max(exits_since(key, seen_at, state), base)
    exits = (ReportedExit(one.at, None, one.executed_at) for one in host.exits.get(pid, ()) if one.at <= at)
    looks = (one for one in host.live.get(pid, ()) if one.numbers.state == DEAD and one.at <= at)
    return exit_of(key.started_at, exits, since, None) is not None or any(
        is_last_look(key, seen_at, look.at, look.start) for look in looks
    )


def is_known(table: OrgTable, selection: Selection, window: Window) -> bool:
    """Whether any host that the selection names told of its processes in the window."""
    told = (host for host in table.hosts if host is not None and host.has_told_in(window.from_at, window.to_at))
    if not _named(selection) and selection.search is None:
        return any(True for _ in told)
    return any(may_mean(selection, host.tag, lambda pattern: has_tag(table, pattern)) for host in told)


def may_mean(selection: Selection, tag: str, is_of_processes: Callable[[Pattern], bool]) -> bool:
    """Whether the hosts that a selection names may be those with this `host:` tag, folded. `is_of_processes`: whether
    processes have a tag of their own that fits, on whatever host."""

    def fits(pattern: Pattern) -> bool:
        return pattern.matches(tag) or is_of_processes(pattern)

    def may_be(node: SearchNode | None) -> bool:
        match node:
            case And(operands):
                return all(map(may_be, operands))
            case Or(operands):
                return any(map(may_be, operands))
            case TagTerm(key="host", pattern=pattern):
                return fits(pattern)
            case _:
                return True

    return may_be(selection.search) and all(any(map(fits, patterns)) for patterns in _named(selection))


def told_for(then: TableAt) -> frozenset[int]:
    """Keys of hosts that told of their processes for an instant."""
    since = then.at - REACH_SECONDS
    return frozenset(host.key for host in then.table.hosts if host is not None and host.has_told_in(since, then.at))


def names_by_tags(table: OrgTable, selection: Selection) -> bool:
    """Whether a process has a tag of its own that names hosts in the selection."""

    def patterns(node: SearchNode | None) -> Iterator[Pattern]:
        match node:
            case And(operands) | Or(operands):
                for one in operands:
                    yield from patterns(one)
            case TagTerm(key="host", pattern=pattern):
                yield pattern
            case _:
                pass

    named = (pattern for alternatives in _named(selection) for pattern in alternatives)
    return any(has_tag(table, pattern) for pattern in (*named, *patterns(selection.search)))


def _named(selection: Selection) -> list[tuple[Pattern, ...]]:
    """Tags of hosts, of which each process has to have one of each."""
    return [condition.patterns for condition in selection.tags.conditions if condition.names_hosts]
