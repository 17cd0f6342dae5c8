"""Exits of processes of which nothing else is known: their exec was lost, and no snapshot has seen them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from procession.lifecycle.endings import has_ended_between, is_near
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessKey, host_key
from procession.storage.history.engine.statement import Rows, Submit
from procession.storage.history.read.complete_snapshots import CompleteSnapshots
from procession.storage.history.statements.exits import exits_of_pids
from procession.storage.history.statements.snapshots import seen_under_pids

LOOK_AROUND_SECONDS = (60, 3600)
"""How far from an exit sightings of its process are looked for, at first and then for what was not found. After it too:
what comes and goes between two snapshots is seen in the second."""

_PidOfHost = tuple[int, int]
"""Host key, pid."""


class _Seen(NamedTuple):
    """A newest sighting, and the start of its process."""

    at: int
    start: int


class _Exit(NamedTuple):
    """An exit that may be an orphan."""

    pid_of_host: _PidOfHost
    event: ProcessExit

    @property
    def begin(self) -> int:
        """When the process became the program that ended, as far as is known."""
        return self.event.executed_at or self.event.at


def unknown_exits(rows: Rows, submit: Submit, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
    """One for each, in their order, with the exits in it that are those of no known process."""
    by_org: defaultdict[int, list[_Exit]] = defaultdict(list)
    for org_id, of_host in exits:
        by_org[org_id] += [_Exit((host_key(of_host.host), one.pid), one) for one in of_host.exits]
    orphans = {id(one) for org_id, found in by_org.items() for one in _orphans(rows, submit, org_id, found)}
    return tuple(
        ProcessExits(one.host, tuple(exit_ for exit_ in one.exits if id(exit_) in orphans)) for _, one in exits
    )


def _orphans(rows: Rows, submit: Submit, org_id: int, exits: Sequence[_Exit]) -> Iterator[ProcessExit]:
    left = list(exits)
    doubtful: list[_Exit] = []
    seen: dict[_PidOfHost, list[_Seen]] = {}
    for seconds in LOOK_AROUND_SECONDS:
        if not left:
            break
        seen |= _seen(rows, org_id, left, seconds)
        left = [one for one in left if not any(is_near(other.start, one.begin) for other in _under(seen, one))]
        # What started long before it became this program is the same process, unless that has ended in between.
        doubtful += [one for one in left if _has_begun_before(seen, one)]
        left = [one for one in left if not _has_begun_before(seen, one)]
    yield from (one.event for one in left)
    if doubtful:
        yield from _of_others(rows, submit, org_id, exits, doubtful, seen)


def _under(seen: Mapping[_PidOfHost, Sequence[_Seen]], one: _Exit) -> Sequence[_Seen]:
    """What was seen under the pid of an exit."""
    return seen.get(one.pid_of_host, ())


def _has_begun_before(seen: Mapping[_PidOfHost, Sequence[_Seen]], one: _Exit) -> bool:
    return any(other.start < one.begin for other in _under(seen, one))


def _seen(rows: Rows, org_id: int, exits: Sequence[_Exit], seconds: int) -> dict[_PidOfHost, list[_Seen]]:
    moments = [one.event.at for one in exits]
    hosts, pids = {one.pid_of_host[0] for one in exits}, {one.event.pid for one in exits}
    since, until = max(min(moments) - seconds, 0), max(moments) + seconds
    found: dict[_PidOfHost, list[_Seen]] = {}
    for row in rows(seen_under_pids(org_id, since, until, hosts, pids)):
        found.setdefault((row.host, row.pid), []).append(_Seen(row.at, row.start))
    return found


def _of_others(
    rows: Rows,
    submit: Submit,
    org_id: int,
    exits: Iterable[_Exit],
    doubtful: Sequence[_Exit],
    seen: Mapping[_PidOfHost, Sequence[_Seen]],
) -> Iterator[ProcessExit]:
    """Those that came after the process that was seen under their pid had ended."""
    since = min(other.at for one in doubtful for other in seen[one.pid_of_host])
    until = max(one.begin for one in doubtful)
    newest = [(one, *_newest_before(one, seen[one.pid_of_host])) for one in doubtful]
    snapshots = CompleteSnapshots(submit, org_id, since, until, {key.host_key for _, key, _ in newest})
    missing_at = snapshots.first_without({key: seen_at for _, key, seen_at in newest})
    exited_at: defaultdict[_PidOfHost, list[int]] = defaultdict(list)
    for one in exits:
        exited_at[one.pid_of_host].append(one.event.at)
    for row in rows(exits_of_pids(org_id, since, until, [key for _, key, _ in newest])):
        exited_at[row.host, row.pid].append(row.at)
    for one, key, seen_at in newest:
        lacking = [missing_at[key]] if key in missing_at else []
        if has_ended_between(seen_at, one.begin, lacking, exited_at[one.pid_of_host]):
            yield one.event


def _newest_before(one: _Exit, seen: Iterable[_Seen]) -> tuple[ProcessKey, int]:
    """The process that was seen last of those that had started before it, and when."""
    newest = max(other for other in seen if other.start < one.begin)
    return ProcessKey(newest.start, *one.pid_of_host), newest.at
