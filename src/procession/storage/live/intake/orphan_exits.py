"""Exits of processes of which nothing else is known: their exec was lost, and no snapshot has seen them."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from procession.lifecycle.endings import ReportedExit, has_ended_between, is_near
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.storage.live.candidates import newest_sightings
from procession.storage.live.columns import Array, starts_of
from procession.storage.live.hosts import Host
from procession.storage.live.org_table import OrgTable

LOOK_AROUND_SECONDS = 3600
"""How far from an exit sightings of its process are looked for. After it too: what comes and goes between two snapshots
is seen in the second."""

_NONE = np.zeros(0, "i4")

Reported = Mapping[tuple[int, str, int], Sequence[int]]
"""Org id, host, pid -> when whatever had the pid ended, ascending."""


def reported(exits: Iterable[tuple[int, ProcessExits]]) -> Reported:
    """What is reported at once: each says of the others under its pid that they have ended."""
    moments: defaultdict[tuple[int, str, int], list[int]] = defaultdict(list)
    for org_id, of_host in exits:
        for one in of_host.exits:
            moments[org_id, of_host.host, one.pid].append(one.at)
    for of_pid in moments.values():
        of_pid.sort()
    return moments


def unknown_exits(table: OrgTable, org_id: int, exits: ProcessExits, at_once: Reported) -> ProcessExits | None:
    """Those in it of no known process. None where one of them may be that of a process which was seen before the table
    reaches."""
    host = table.host_named(exits.host)
    pids = [one.pid for one in exits.exits]
    rows = [_NONE] * len(pids) if host is None else host.rows_with_each(pids)
    unknown = []
    for one, of_pid in zip(exits.exits, rows, strict=True):
        at_once_of_pid = at_once[org_id, exits.host, one.pid]
        if host is not None and len(of_pid) and _is_known(table, host, of_pid, one, at_once_of_pid):
            continue
        if max(one.at - LOOK_AROUND_SECONDS, 0) < table.since and not _is_new(table, host, one):
            return None
        unknown.append(one)
    return ProcessExits(exits.host, tuple(unknown))


def known_exits(table: OrgTable, org_id: int, exits: ProcessExits, at_once: Reported) -> frozenset[int]:
    """Places of those in it that are of a known process, whatever was seen before the table reaches."""
    host = table.host_named(exits.host)
    if host is None:
        return frozenset()
    rows = host.rows_with_each([one.pid for one in exits.exits])
    return frozenset(
        place
        for place, (one, of_pid) in enumerate(zip(exits.exits, rows, strict=True))
        if len(of_pid) and _is_known(table, host, of_pid, one, at_once[org_id, exits.host, one.pid])
    )


def _is_known(table: OrgTable, host: Host, rows: Array, one: ProcessExit, at_once: Sequence[int]) -> bool:
    """Whether one of these, which had the pid, is the process that ended. It is known then, whatever was seen of others
    before the table reaches."""
    begin = one.executed_at or one.at
    seen, _ = newest_sightings(table, rows, one.at + LOOK_AROUND_SECONDS)
    starts: Any = starts_of(table.rows.key[rows]).astype("i8")
    is_around = seen >= max(one.at - LOOK_AROUND_SECONDS, 1)
    if (is_around & is_near(starts, begin)).any():
        return True
    # What started long before it became this program is the same process, unless that has ended in between.
    before = seen[is_around & (starts < begin)]
    if not len(before):
        return False
    seen_at = int(before.max())
    complete = host.first_complete_after(seen_at, begin)
    of_pid = host.exits.get(one.pid, ())
    earlier = bisect_left(of_pid, seen_at, key=_moment)
    exits = [*map(_moment, of_pid[earlier : earlier + 1]), *at_once[bisect_left(at_once, seen_at) :][:1]]
    return not has_ended_between(seen_at, begin, () if complete is None else (complete,), exits)


def is_sure_of(table: OrgTable, exits: ProcessExits, since: int) -> bool:
    """Whether those of these exits that the history takes for exits of known processes are that, though it lacks what
    was told from a moment on: nothing of it says that one of these processes has ended, or is another one."""
    host = table.host_named(exits.host)
    if host is None:
        return True
    rows = host.rows_with_each([one.pid for one in exits.exits])
    for one, of_pid in zip(exits.exits, rows, strict=True):
        begin = one.executed_at or one.at
        has_others = len(of_pid) > 0 or any(other.at < begin for other in host.exits.get(one.pid, ()))
        if has_others or host.first_complete_after(since - 1, begin - 1) is not None:
            return False
    return True


def _is_new(table: OrgTable, host: Host | None, one: ProcessExit) -> bool:
    """Whether what ended began after all that was seen before the table reaches had ended or was seen again."""
    begin = one.executed_at or one.at
    if host is None or not table.knows_all_since(begin):
        return False
    return host.first_complete_after(table.since - 1, begin - 1) is not None


def _moment(exit_: ReportedExit) -> int:
    return exit_.at
