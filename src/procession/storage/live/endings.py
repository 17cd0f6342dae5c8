"""How processes did at their newest sighting, and how they ended. None where the table does not know it, but history
may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from procession.lifecycle.endings import earliest_exit, ending_of, exit_of, is_near
from procession.packed import DEAD, numbers_from
from procession.process import Ending, ProcessDetail, ProcessKey, ProcessNumbers, ProcessSummary
from procession.storage.live.candidates import newest_sightings
from procession.storage.live.columns import NUMBERS_ROW, Array
from procession.storage.live.hosts import Host
from procession.storage.live.org_table import OrgTable
from procession.window import Window

_LIVE_REACH = 301
"""Seconds before the end of a window in which live numbers count."""


def find_details(
    table: OrgTable, window: Window, processes: Sequence[ProcessSummary]
) -> tuple[ProcessDetail, ...] | None:
    """One for each process of a page that was found in this window.

    A process that was seen again meanwhile in the window is as of then: numbers that came live would be newer than the
    page, too.
    """
    found = []
    for detail in known_details(table, window, processes):
        if detail is None:
            return None
        found.append(detail)
    return tuple(found)


def known_details(
    table: OrgTable, window: Window, processes: Sequence[ProcessSummary]
) -> Iterator[ProcessDetail | None]:
    """The same for each by itself."""
    keys = [ProcessKey.of(process.identity) for process in processes]
    rows = [table.row_of(key) for key in keys]
    known = np.array([row for row in rows if row is not None], "i4")
    moments = iter(newest_sightings(table, known, window.to_at)[0].tolist())
    for process, key, row in zip(processes, keys, rows, strict=True):
        seen_at = 0 if row is None else next(moments)
        if row is None or seen_at < process.seen_at:
            yield None
        else:
            yield _detail_of(table, window, key, row, seen_at)


def _detail_of(table: OrgTable, window: Window, key: ProcessKey, row: int, seen_at: int) -> ProcessDetail | None:
    host = table.host_with_key(key.host_key)
    if host is None:
        return None
    since = _live_since(seen_at, window.to_at)
    if since < host.live_kept_since:
        return None
    numbers = _live_numbers(host, key, since, window.to_at) or _numbers_at(table, host, row, seen_at)
    if numbers is None:
        return None
    ending = _ending(table, host, key, seen_at, numbers.state, window.to_at)
    if ending is None:
        return None
    return ProcessDetail(numbers=numbers).with_ending(ending)


def find_endings(table: OrgTable, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...] | None:
    """Of processes and newest sightings that are known."""
    found = []
    for key, at in seen:
        ending = ending_of_known(table, key, at, until)
        if ending is None:
            return None
        found.append(ending)
    return tuple(found)


def ending_of_known(table: OrgTable, key: ProcessKey, at: int, until: int) -> Ending | None:
    """Of a process that was seen at a moment."""
    host, row = table.host_with_key(key.host_key), table.row_of(key)
    if host is None or row is None:
        return None
    last = int(newest_sightings(table, np.array([row], "i4"), until)[0][0])
    numbers = _numbers_at(table, host, row, last) if last >= at else None
    return None if numbers is None else _ending(table, host, key, last, numbers.state, until)


def ending_in_window(
    table: OrgTable, host: Host, key: ProcessKey, seen_at: int, state: str, until: int
) -> Ending | None:
    """As `details` have it. `state`: at its newest sighting in the window."""
    live = _live_numbers(host, key, _live_since(seen_at, until), until)
    return _ending(table, host, key, seen_at, state if live is None else live.state, until)


# What was told since a moment, of processes that somebody else knows


def has_news(table: OrgTable, key: ProcessKey, seen_at: int, since: int, until: int) -> bool:
    """Whether a process may have been seen from a moment on, or numbers of it may have come live after `seen_at`."""
    host = table.host_with_key(key.host_key)
    if host is None:
        return False
    rows = np.array(host.rows_near(key.pid, key.started_at), "i4")
    if len(rows) and (newest_sightings(table, rows, until)[0] >= since).any():
        return True
    came_since = max(since, _live_since(seen_at, until))
    return came_since < host.live_kept_since or _live_numbers(host, key, came_since, until) is not None


def ending_since(table: OrgTable, key: ProcessKey, since: int, until: int) -> Ending:
    """How a process ended that lived up to a moment and was not seen from then on."""
    host = table.host_with_key(key.host_key)
    if host is None:
        return Ending()
    missing_at = host.first_complete_after(since - 1, until)
    exits = (one for one in host.exits.get(key.pid, ()) if one.at <= until)
    found = exit_of(key.started_at, exits, since, missing_at)
    return Ending(missing_at) if found is None else Ending(found.at, found.exit_code, found.facts)


def numbers_of(table: OrgTable, row: int) -> ProcessNumbers:
    """At the newest sighting."""
    return unpacked(table.rows.numbers[row : row + 1])[0]


def _numbers_at(table: OrgTable, host: Host, row: int, seen_at: int) -> ProcessNumbers | None:
    """At one sighting; None where they are not kept."""
    if int(table.rows.last[row]) == seen_at:
        return numbers_of(table, row)
    earlier = host.earlier.of(row, seen_at)
    return None if earlier is None else unpacked(earlier)[0]


def unpacked(rows: Array) -> list[ProcessNumbers]:
    """Of rows of numbers."""
    return [numbers_from(values, state) for *values, state in rows.view(NUMBERS_ROW).tolist()]


def _live_since(seen_at: int, until: int) -> int:
    return max(seen_at, until - _LIVE_REACH) + 1


def _live_numbers(host: Host, key: ProcessKey, since: int, until: int) -> ProcessNumbers | None:
    readings = [
        (one.at, number, one.numbers)
        for number, one in enumerate(host.live.get(key.pid, ()))
        if since <= one.at <= until and is_near(one.start, key.started_at)
    ]
    return max(readings, key=lambda reading: reading[:2])[2] if readings else None


def _ending(table: OrgTable, host: Host, key: ProcessKey, seen_at: int, state: str, until: int) -> Ending | None:
    if state in ("", DEAD) and earliest_exit(key, seen_at) < table.exits_since:
        return None
    missing_at = seen_at if state == DEAD else host.first_complete_after(seen_at, until)
    exits = (one for one in host.exits.get(key.pid, ()) if one.at <= until)
    return ending_of(key, seen_at, state, missing_at, exits)
