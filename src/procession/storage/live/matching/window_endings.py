"""The processes of a window with their numbers at their newest sightings there, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from procession.packed import DEAD, NO_STATE, STATE_NUMBERS, STATES
from procession.process import MAX_UINT32, ProcessKey
from procession.storage.live.candidates import NO_CODE, Candidates, Endings, all_in_window
from procession.storage.live.columns import Array, pids_of, starts_of
from procession.storage.live.endings import ending_in_window
from procession.storage.live.hosts import Host
from procession.storage.live.instants.table_at import numbers_up_to
from procession.storage.live.org_table import OrgTable
from procession.window import Window


class NotKept(Exception):
    """The table does not know it any more; the history does."""


def seen_with_numbers(table: OrgTable, window: Window) -> Candidates:
    """All that were seen in a window, in no order; what is asked of their numbers is of then. Raises NotKept."""
    window = Window(max(window.from_at, 0), min(window.to_at, MAX_UINT32))
    found = all_in_window(table, window)
    moved_on = table.rows.last[found.rows] > found.seen if window.to_at < table.newest else np.zeros(0, bool)
    if moved_on.any():
        earlier = numbers_up_to(table, window.to_at, found.rows[moved_on], found.seen[moved_on])
        if earlier is None:
            raise NotKept
        found = found.with_earlier(earlier)
    found.until = window.to_at
    return found


def endings_of(candidates: Candidates) -> Endings:
    """Up to the end of their window; at an instant nothing has ended. Raises NotKept."""
    if candidates.endings is None:
        candidates.endings = _endings(candidates)
    return candidates.endings


def _endings(candidates: Candidates) -> Endings:
    count = len(candidates)
    ended, codes, oom_killed = np.full(count, -1, "i8"), np.full(count, NO_CODE, "i8"), np.full(count, -1, "i1")
    until = candidates.until
    if until is None or not count:
        return Endings(ended, codes, oom_killed)
    seen, states = candidates.seen.astype("i8"), candidates.numbers("state")
    is_odd = (states == NO_STATE) | (states == STATE_NUMBERS[DEAD])
    pids, starts = pids_of(candidates.column("key")), starts_of(candidates.column("key"))
    for host, places in _by_host(candidates):
        complete = np.array(host.complete, "i8")
        complete = complete[: np.searchsorted(complete, until, side="right")]
        following = np.searchsorted(complete, seen[places], side="right")
        is_missing = following < len(complete)
        ended[places[is_missing]] = complete[following[is_missing]]
        told = np.isin(pids[places], list({*host.exits, *host.live})) | is_odd[places]
        for place in places[told].tolist():
            key = ProcessKey(int(starts[place]), host.key, int(pids[place]))
            state = STATES[int(states[place])]
            ending = ending_in_window(candidates.table, host, key, int(seen[place]), state, until)
            if ending is None:
                raise NotKept
            ended[place] = -1 if ending.at is None else ending.at
            codes[place] = NO_CODE if ending.exit_code is None else ending.exit_code
            oom_killed[place] = -1 if ending.facts.oom_killed is None else ending.facts.oom_killed
    return Endings(ended, codes, oom_killed)


def _by_host(candidates: Candidates) -> Iterator[tuple[Host, Array]]:
    """Each host, and the places of its processes."""
    hosts = candidates.column("host")
    order = np.argsort(hosts, kind="stable")
    numbers, first = np.unique(hosts[order], return_index=True)
    for number, places in zip(numbers.tolist(), np.split(order, first[1:]), strict=True):
        yield candidates.table.host(number), places
