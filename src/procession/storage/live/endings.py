"""How processes did at their newest sighting, and how they ended. None where the table does not know it, but history
may."""

from __future__ import annotations

from collections.abc import Sequence

from procession.lifecycle.endings import earliest_exit, ending_of, is_near
from procession.packed import DEAD, numbers_from
from procession.process import Ending, ProcessDetail, ProcessKey, ProcessNumbers, ProcessSummary
from procession.storage.live.columns import NUMBERS_ROW
from procession.storage.live.hosts import Host
from procession.storage.live.org_table import OrgTable
from procession.window import Window

_LIVE_REACH = 301
"""Seconds before the end of a window in which live numbers count."""


def find_details(
    table: OrgTable, window: Window, processes: Sequence[ProcessSummary]
) -> tuple[ProcessDetail, ...] | None:
    """One for each process of a page that was found in this window.

    A process that was seen again meanwhile is as of then: numbers that came live would be newer than the page, too.
    """
    found = []
    for process in processes:
        key = ProcessKey.of(process.identity)
        host, row = table.host_with_key(key.host_key), table.row_of(key)
        if host is None or row is None:
            return None
        seen_at = int(table.rows.last[row])
        if not process.seen_at <= seen_at <= window.to_at:
            return None
        since = max(seen_at, window.to_at - _LIVE_REACH) + 1
        if since < host.live_kept_since:
            return None
        numbers = _live_numbers(host, key, since, window.to_at) or numbers_of(table, row)
        ending = _ending(table, host, key, seen_at, numbers.state, window.to_at)
        if ending is None:
            return None
        found.append(ProcessDetail(numbers=numbers, ended_at=ending.at, exit_code=ending.exit_code))
    return tuple(found)


def find_endings(table: OrgTable, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...] | None:
    """Of processes and newest sightings that are known."""
    found = []
    for key, at in seen:
        host, row = table.host_with_key(key.host_key), table.row_of(key)
        if host is None or row is None:
            return None
        last = int(table.rows.last[row])
        if not at <= last <= until:
            return None
        ending = _ending(table, host, key, last, numbers_of(table, row).state, until)
        if ending is None:
            return None
        found.append(ending)
    return tuple(found)


def numbers_of(table: OrgTable, row: int) -> ProcessNumbers:
    """At the newest sighting."""
    *values, state = table.rows.numbers[row : row + 1].view(NUMBERS_ROW)[0].item()
    return numbers_from(values, state)


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
