"""Pages of windows that begin before the live table reaches and end within it: the history answers for what was before,
the live table for the rest."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace

from procession.paging import Page
from procession.process import ProcessKey, ProcessSummary
from procession.query import MAX_LIMIT, ProcessQuery
from procession.storage.live.pages import find_page, places_seen
from procession.storage.live.table import LiveTable
from procession.window import Window

_HOUR = 3600
"""The history finds faster who was seen up to the end of an hour."""

_TRIES = 3
"""The live table may forget what it was to answer while the history is asked."""

_MOST_PAST = 4 * MAX_LIMIT
"""Processes that are read of the history for one page. Where nearly all of them have changed since, the history alone
finds the page sooner."""


class JoinedPages:
    """For any number of threads."""

    def __init__(
        self, live: LiveTable, find_in_history: Callable[[ProcessQuery], Page], waits_since: Callable[[int], int | None]
    ) -> None:
        """`waits_since`: of an org, the earliest moment that anything tells of which the history does not have yet."""
        self._live = live
        self._find_in_history = find_in_history
        self._waits_since = waits_since

    def find(self, query: ProcessQuery) -> Page | None:
        """As `ProcessStore.find`. None where the history has to answer alone, with all that waits."""
        for _ in range(_TRIES):
            cut = self._cut(query)
            if cut is None or query.limit < 1:
                return None
            past = _PastPages(self._find_in_history, replace(query, window=Window(query.window.from_at, cut - 1)))
            found = self._find(query, cut, past)
            if found is not None or past.is_too_much:
                return found
        return None

    def _cut(self, query: ProcessQuery) -> int | None:
        """The moment from which on the live table answers. The history has all that was taken before it."""
        since, window = self._live.since_of(query.org_id), query.window
        waits_since = self._waits_since(query.org_id)
        if waits_since is None or not window.from_at < since <= min(waits_since, window.to_at):
            return None
        hour = -(-since // _HOUR) * _HOUR
        return hour if hour <= min(waits_since, window.to_at) else since

    def _find(self, query: ProcessQuery, cut: int, past: _PastPages) -> Page | None:
        """None where the live table does not reach back to the cut any more, or is not sure who is who, and where too
        much would have to be read of the past."""
        recent = replace(query, window=Window(cut, query.window.to_at))
        while not past.is_too_much:
            past.read_on()
            with self._live.reading(query.org_id) as table:
                if table.since > cut:
                    return None
                newest = find_page(table, recent).processes
                seen = places_seen(table, recent.window, past.keys)
            if seen is None:
                return None
            # Whether it fits or not: who was seen since is no more what it was before.
            older = [one for place, one in enumerate(past.found) if place not in seen]
            found = past.sure_of(list(heapq.merge(newest, older, key=_key)))
            if past.is_all or len(found) >= query.limit:
                return Page(tuple(found[: query.limit]))
        return None


class _PastPages:
    """One page of the history after the other."""

    def __init__(self, find: Callable[[ProcessQuery], Page], query: ProcessQuery) -> None:
        self._find = find
        self._query = query
        self.found: list[ProcessSummary] = []
        self.keys: list[ProcessKey] = []
        """Of what was found."""
        self.is_all = False

    def read_on(self) -> None:
        page = self._find(self._query).processes
        self.found += page
        self.keys += [_key(one) for one in page]
        self.is_all = len(page) < self._query.limit
        if page:
            limit = max(self._query.limit, min(2 * self._query.limit, MAX_LIMIT))
            self._query = replace(self._query, after=self.keys[-1], limit=limit)

    @property
    def is_too_much(self) -> bool:
        return len(self.found) >= _MOST_PAST

    def sure_of(self, processes: list[ProcessSummary]) -> list[ProcessSummary]:
        """Those of these, in order, before which there is no other one in the history."""
        if self.is_all:
            return processes
        last = self._query.after
        return [one for one in processes if last is not None and _key(one) <= last]


def _key(process: ProcessSummary) -> ProcessKey:
    return ProcessKey.of(process.identity)
