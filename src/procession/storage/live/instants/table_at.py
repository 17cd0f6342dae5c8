"""The table as it was at an instant: now, or so little before that memory has what was then."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from procession.analysis import REACH_SECONDS
from procession.storage.live.candidates import Candidates, EarlierSightings, newest_sightings
from procession.storage.live.columns import NO_NUMBER, NUMBERS_ROW, PACKED, Array
from procession.storage.live.hosts import Host
from procession.storage.live.org_table import OrgTable


@dataclass(slots=True)
class TableAt:
    """`last`, `state`: of each row, at its newest sighting up to the instant. `complete`, `since`: of each host, its
    last complete snapshot, 0 where there is none, and from when on sightings count."""

    table: OrgTable
    at: int
    last: Array
    state: Array
    complete: Array
    since: Array
    earlier: EarlierSightings | None
    """Of the rows that were seen again since the instant."""
    running: Candidates | None = None
    """All that ran then, once somebody has asked for them."""


def table_at(table: OrgTable, at: int) -> TableAt | None:
    """None where the numbers of a sighting are not known any more."""
    if at < table.numbers_since and at < table.newest:
        return None
    own, count = table.rows, table.row_count
    told, complete = (getattr(table.host_moments, name)[: len(table.hosts)] for name in ("told", "complete"))
    oldest = max(at - REACH_SECONDS, 0)
    ahead = [host for number in np.flatnonzero(told > at).tolist() if (host := table.hosts[number]) is not None]
    if not ahead:
        since = np.maximum(complete, oldest).astype("u4")
        return TableAt(table, at, own.last[:count], own.state[:count], complete, since, None)
    complete = complete.copy()
    is_ahead = np.zeros(len(table.hosts), bool)
    for host in ahead:
        complete[host.number], is_ahead[host.number] = _last_up_to(host, at), True
    since = np.maximum(complete, oldest).astype("u4")
    last, state = own.last[:count].copy(), own.state[:count].copy()
    rows = np.flatnonzero(is_ahead[own.host[:count]])
    last[rows], source = newest_sightings(table, rows, at)
    needed = rows[(last[rows] < own.last[rows]) & (last[rows] >= since[own.host[rows]])]
    earlier = _earlier(ahead, at, since, last, needed)
    if earlier is None:
        return None
    if source is not None:
        earlier.source[rows] = source
    state[needed] = earlier.packed[earlier.places[needed]].view(NUMBERS_ROW)["state"]
    return TableAt(table, at, last, state, complete, since, earlier)


def numbers_up_to(table: OrgTable, at: int, rows: Array, seen: Array) -> EarlierSightings | None:
    """The numbers of rows that were seen again after a moment, at their newest sightings up to it; None where one is
    not known any more."""
    if at < table.numbers_since:
        return None
    last = np.zeros(table.row_count, "u4")
    last[rows] = seen
    told = table.host_moments.told[: len(table.hosts)]
    ahead = [host for number in np.flatnonzero(told > at).tolist() if (host := table.hosts[number]) is not None]
    return _earlier(ahead, at, np.zeros(len(table.hosts), "u4"), last, rows)


def _last_up_to(host: Host, at: int) -> int:
    place = bisect_right(host.complete, at)
    return host.complete[place - 1] if place else 0


def _earlier(hosts: list[Host], at: int, since: Array, last: Array, needed: Array) -> EarlierSightings | None:
    """The numbers of rows at the sightings of which `last` has the moments; None where one is needed that is not
    known."""
    places = np.full(len(last), NO_NUMBER, "i4")
    packed, count = [np.zeros(0, PACKED)], 0
    for host in hosts:
        for moment, rows, numbers in host.earlier.between(int(since[host.number]), at):
            is_then = last[rows] == moment
            found = numbers[is_then]
            places[rows[is_then]] = np.arange(count, count + len(found), dtype="i4")
            packed.append(found)
            count += len(found)
    if (places[needed] == NO_NUMBER).any():
        return None
    return EarlierSightings(np.full(len(last), NO_NUMBER, "i4"), places, np.concatenate(packed))
