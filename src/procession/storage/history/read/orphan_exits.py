"""Exits of processes of which nothing else is known: their exec was lost, and no snapshot has seen them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from procession.lifecycle.endings import has_ended_between, is_near
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessKey, host_key
from procession.storage.history.engine.statement import Aside, Rows
from procession.storage.history.read import process_statements
from procession.storage.history.read.complete_snapshots import CompleteSnapshots

LOOK_AROUND_SECONDS = (60, 3600)
"""How far from an exit sightings of its process are looked for, at first and then for what was not found. After it too:
what comes and goes between two snapshots is seen in the second."""

_Place = tuple[int, int]
"""Host key, pid."""
_Seen = tuple[int, int]
"""Start and newest sighting."""


def unknown_exits(rows: Rows, ask: Aside, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
    """One for each, in their order, with the exits in it that are those of no known process."""
    by_org: defaultdict[int, list[tuple[_Place, ProcessExit]]] = defaultdict(list)
    for org_id, of_host in exits:
        by_org[org_id] += [((host_key(of_host.host), one.pid), one) for one in of_host.exits]
    unknown = {id(one) for org_id, found in by_org.items() for one in _unknown(rows, ask, org_id, found)}
    return tuple(
        ProcessExits(one.host, tuple(exit_ for exit_ in one.exits if id(exit_) in unknown)) for _, one in exits
    )


def _unknown(rows: Rows, ask: Aside, org_id: int, exits: Sequence[tuple[_Place, ProcessExit]]) -> Iterator[ProcessExit]:
    left = [(place, one, _begin(one)) for place, one in exits]
    doubtful: list[tuple[_Place, ProcessExit, int]] = []
    seen: dict[_Place, list[_Seen]] = {}
    for seconds in LOOK_AROUND_SECONDS:
        if not left:
            break
        seen |= _seen(rows, org_id, [(place, one) for place, one, _ in left], seconds)
        begun_before = [item for item in left if any(is_near(start, item[2]) for start, _ in seen.get(item[0], ()))]
        known = {id(item) for item in begun_before}
        left = [item for item in left if id(item) not in known]
        # What started long before it became this program is the same process, unless that has ended in between.
        doubtful += [item for item in left if any(start < item[2] for start, _ in seen.get(item[0], ()))]
        left = [item for item in left if not any(start < item[2] for start, _ in seen.get(item[0], ()))]
    yield from (one for _, one, _ in left)
    if doubtful:
        yield from _of_others(rows, ask, org_id, exits, doubtful, seen)


def _seen(
    rows: Rows, org_id: int, exits: Sequence[tuple[_Place, ProcessExit]], seconds: int
) -> dict[_Place, list[_Seen]]:
    moments = [one.at for _, one in exits]
    hosts, pids = {host for (host, _), _ in exits}, {pid for (_, pid), _ in exits}
    statement = process_statements.newest_versions(
        org_id, max(min(moments) - seconds, 0), max(moments) + seconds, hosts, pids
    )
    found: dict[_Place, list[_Seen]] = {}
    for host, pid, start, _, seen_at in rows(statement):
        found.setdefault((host, pid), []).append((start, seen_at))
    return found


def _of_others(
    rows: Rows,
    ask: Aside,
    org_id: int,
    exits: Iterable[tuple[_Place, ProcessExit]],
    doubtful: Sequence[tuple[_Place, ProcessExit, int]],
    seen: dict[_Place, list[_Seen]],
) -> Iterator[ProcessExit]:
    """Those that came after the process that was seen under their pid had ended."""
    since = min(seen_at for place, _, _ in doubtful for _, seen_at in seen[place])
    until = max(begin for _, _, begin in doubtful)
    newest = {id(item): _newest_before(item[2], item[0], seen[item[0]]) for item in doubtful}
    snapshots = CompleteSnapshots(ask, org_id, since, until, {host for (host, _), _, _ in doubtful})
    missing_at = snapshots.first_without(dict(newest.values()))
    ends: defaultdict[_Place, list[int]] = defaultdict(list)
    for place, one in exits:
        ends[place].append(one.at)
    keys = [ProcessKey(0, *place) for place, _, _ in doubtful]
    for host, pid, at, *_ in rows(process_statements.exits(org_id, since, until, keys)):
        ends[host, pid].append(at)
    for item in doubtful:
        place, one, begin = item
        key, seen_at = newest[id(item)]
        lacking = [missing_at[key]] if key in missing_at else []
        if has_ended_between(seen_at, begin, lacking, ends[place]):
            yield one


def _newest_before(begin: int, place: _Place, seen: Iterable[_Seen]) -> tuple[ProcessKey, int]:
    """The process that was seen last of those that had started by then, and when."""
    seen_at, start = max((seen_at, start) for start, seen_at in seen if start < begin)
    return ProcessKey(start, *place), seen_at


def _begin(one: ProcessExit) -> int:
    """When it became the program that ended, as far as is known."""
    return one.executed_at or one.at
