"""Live numbers of every process of a host -> sightings: what each process is, the table itself says."""

from __future__ import annotations

import msgspec
import numpy as np

from procession.lifecycle.reported_events import snapshot_of_live
from procession.process import LiveSnapshot, ProcessDescription, Snapshot
from procession.storage.live.candidates import Candidates, newest_sightings
from procession.storage.live.columns import Array, starts_of
from procession.storage.live.hosts import Host
from procession.storage.live.org_table import OrgTable

LOOK_BACK_SECONDS = 3600
"""How far back it is looked for what a process is."""


def sightings_of(table: OrgTable, live: LiveSnapshot) -> Snapshot | None:
    """A chunk as a snapshot.

    None where the table does not reach back far enough. It need not reach back for a process that it has under the very
    start that the chunk says, since what was seen before counts for less, and for one that has started since.
    """
    host = table.host_named(live.host)
    descriptions: list[ProcessDescription | None] = [None] * len(live.processes)
    doubtful = {one.started_at for one in live.processes} if host is None else _fill(descriptions, table, host, live)
    reaches_back = max(live.taken_at - LOOK_BACK_SECONDS, 0) >= table.since
    if not reaches_back and doubtful and not table.knows_all_since(min(doubtful)):
        return None
    return snapshot_of_live(live, descriptions)


def parted(table: OrgTable, live: LiveSnapshot) -> tuple[LiveSnapshot, LiveSnapshot] | None:
    """A chunk in two: of processes that the table has under the very start, whatever was seen before it reaches, and of
    those that it has not seen. None where it has one under another start, which the history may have under its own."""
    host = table.host_named(live.host)
    if host is None:
        return msgspec.structs.replace(live, processes=()), live
    pids = np.array([one.pid for one in live.processes], "u4")
    starts = np.array([one.started_at for one in live.processes], "u4")
    places, rows = host.all_near(pids, starts)
    is_in = newest_sightings(table, rows, live.taken_at)[0] >= max(live.taken_at - LOOK_BACK_SECONDS, 1)
    is_exact = is_in & (starts_of(table.rows.key[rows]) == starts[places])
    exact = set(places[is_exact].tolist())
    if not exact.issuperset(places[is_in].tolist()):
        return None
    known = tuple(one for place, one in enumerate(live.processes) if place in exact)
    unseen = tuple(one for place, one in enumerate(live.processes) if place not in exact)
    return msgspec.structs.replace(live, processes=known), msgspec.structs.replace(live, processes=unseen)


def _fill(descriptions: list[ProcessDescription | None], table: OrgTable, host: Host, live: LiveSnapshot) -> set[int]:
    """With what is known. Gives the starts of the processes that are not kept under the very start."""
    pids = np.array([one.pid for one in live.processes], "u4")
    starts = np.array([one.started_at for one in live.processes], "u4")
    places, rows = host.all_near(pids, starts)
    seen, source = newest_sightings(table, rows, live.taken_at)
    is_in = seen >= max(live.taken_at - LOOK_BACK_SECONDS, 1)
    is_exact = starts_of(table.rows.key[rows]) == starts[places]
    best = _best(places, is_exact, seen, np.flatnonzero(is_in))
    found = Candidates(table, rows[best], seen[best], None if source is None else source[best])
    columns = [found.column(name).tolist() for name in ("text", "labels", "ppid", "namespace_pid")]
    remembered = table.descriptions.remembered
    for place, *parts in zip(places[best].tolist(), *columns, strict=True):
        description, other = remembered((parts[0], parts[1], parts[2], parts[3])), descriptions[place]
        if other is None or msgspec.msgpack.encode(other) < msgspec.msgpack.encode(description):
            descriptions[place] = description
    is_doubtful = np.ones(len(descriptions), bool)
    is_doubtful[places[best[is_exact[best]]]] = False
    return set(starts[is_doubtful].tolist())


def _best(places: Array, is_exact: Array, seen: Array, which: Array) -> Array:
    """Of several rows of one process the one with its start, and else that which was seen last; all that were seen
    then."""
    order = which[np.lexsort((seen[which], is_exact[which], places[which]))]
    is_last = np.ones(len(order), bool)
    is_last[:-1] = places[order[1:]] != places[order[:-1]]
    lasts = np.flatnonzero(is_last)
    best = np.repeat(order[lasts], np.diff(lasts, prepend=-1))
    as_good: Array = order[(is_exact[order] == is_exact[best]) & (seen[order] == seen[best])]
    return as_good
