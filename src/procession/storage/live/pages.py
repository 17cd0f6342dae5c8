"""Pages of processes, as the public API asks for them."""

from __future__ import annotations

import itertools
import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from procession.paging import Page
from procession.process import MAX_UINT32, ProcessKey
from procession.query import ProcessQuery
from procession.storage.live.candidates import Candidates, all_in_window, in_window, newest_sightings
from procession.storage.live.columns import KEY, Array, starts_of
from procession.storage.live.org_table import OrgTable
from procession.storage.live.row_filter import RowFilter
from procession.window import Window

_KEY = struct.Struct(">IQI")

_FIRST = 2000
"""Rows after which it is reckoned whether going on in order costs less than looking at all."""

_MOST = 16_384

_DEARER = 3
"""Times that a row in order costs more than one of a pass over all: it lies anywhere in memory."""


def find_page(table: OrgTable, query: ProcessQuery) -> Page:
    """The page right after `query.after`, full unless it is the last. What is older than `table.since` is not in it."""
    window = _known_part(table, query.window)
    if window.from_at > window.to_at or query.limit < 1:
        return Page(())
    row_filter = RowFilter(table, query.search, query.tags)
    after = _packed(query.after)
    if query.only is not None:
        found = _only(table, query.only, window)
        if after is not None:
            found = found.select(found.column("key") > np.array([after], KEY))
        found = row_filter.accepted(found)
    else:
        walked = _walk(table, row_filter, window, after, query.limit)
        found = _pass(table, row_filter, window, after, query.limit) if walked is None else walked
    return Page(tuple(found.summaries(is_brief=query.is_brief)))


def has_only(table: OrgTable, query: ProcessQuery) -> bool:
    """Whether the only process that is asked for was seen in the window, as far back as the table reaches."""
    return query.only is not None and len(_only(table, query.only, _known_part(table, query.window))) > 0


def places_seen(table: OrgTable, window: Window, keys: Sequence[ProcessKey]) -> set[int] | None:
    """Places of those processes that were seen in a window. None where one may have been, but under a start that is
    near: who knows less of its past cannot tell whether both are the same."""
    by_host: defaultdict[int, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        by_host[key.host_key].append(place)
    owners, rows = [np.zeros(0, "i8")], [np.zeros(0, "i4")]
    for host_key, places in by_host.items():
        host = table.host_with_key(host_key)
        if host is not None:
            pids, starts = (
                np.array([getattr(keys[place], name) for place in places]) for name in ("pid", "started_at")
            )
            near, of_host = host.all_near(pids, starts)
            owners.append(np.array(places, "i8")[near])
            rows.append(of_host)
    owner, row = np.concatenate(owners), np.concatenate(rows)
    is_seen = newest_sightings(table, row, window.to_at)[0] >= max(window.from_at, 1)
    is_same = starts_of(table.rows.key[row]) == np.array([keys[place].started_at for place in owner.tolist()], "u4")
    is_known = np.isin(owner, owner[is_same])
    if (is_seen & ~is_known).any():
        return None
    return set(owner[is_seen & is_same].tolist())


def _known_part(table: OrgTable, window: Window) -> Window:
    return Window(max(window.from_at, table.since, 0), min(window.to_at, MAX_UINT32))


def _packed(key: ProcessKey | None) -> bytes | None:
    if key is None or key.started_at < 0:
        return None
    return (
        _KEY.pack(min(key.started_at, MAX_UINT32), key.host_key, key.pid)
        if key.started_at <= MAX_UINT32
        else b"\xff" * 16
    )


def _only(table: OrgTable, key: ProcessKey, window: Window) -> Candidates:
    row = table.row_of(key)
    rows = np.array([] if row is None else [row], "i4")
    return in_window(table, rows, window)


def _walk(table: OrgTable, row_filter: RowFilter, window: Window, after: bytes | None, limit: int) -> Candidates | None:
    """In order, up to the end of the page. None where a pass over all rows costs less."""
    parts: list[Candidates] = []
    walked = found = 0
    for rows in table.order.rows_after(after, _sizes(limit, row_filter)):
        part = row_filter.accepted(in_window(table, rows, window))
        parts.append(part)
        walked += len(rows)
        found += len(part)
        if found >= limit:
            break
        share = max(found, 0.5) / walked
        if walked >= _FIRST and (limit - found) / share * _DEARER > table.row_count + _DEARER * walked:
            return None
    return _joined(table, parts, limit)


def _sizes(limit: int, row_filter: RowFilter) -> Iterator[int]:
    first = limit + limit // 4 + 50 if row_filter.lets_all_pass else _FIRST
    yield min(first, _MOST)
    for number in itertools.count(1):
        yield min(_FIRST << min(number, 8), _MOST)


def _joined(table: OrgTable, parts: list[Candidates], limit: int) -> Candidates:
    if len(parts) == 1:
        return parts[0].select(slice(limit))
    return Candidates.joined(table, parts).select(slice(limit))


def _pass(table: OrgTable, row_filter: RowFilter, window: Window, after: bytes | None, limit: int) -> Candidates:
    """Over all rows."""
    found = row_filter.accepted(all_in_window(table, window))
    if after is not None:
        found = found.select(found.column("key") > np.array([after], KEY))
    if len(found) > 2 * limit:
        starts = starts_of(found.column("key"))
        found = found.select(starts <= np.partition(starts, limit - 1)[limit - 1])
    order: Array = np.argsort(found.column("key"), kind="stable")
    return found.select(order[:limit])
