"""Questions about a window that take the numbers of its processes or how they ended, answered by listing all of it: for
what is no longer, or was never, in a live table."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from procession.analysis.aggregates import Facet, Facets, ValueCount
from procession.analysis.in_window import (
    ENDING_KEYS,
    ProcessInWindow,
    WindowPage,
    ending_values,
    in_order,
    tag_values,
)
from procession.analysis.selection import Order, Selection
from procession.errors import InvalidRequest
from procession.paging import Page
from procession.process import ProcessDetail, ProcessKey, ProcessSummary
from procession.query import MAX_LIMIT, ProcessQuery
from procession.search.comparisons import compares, without_comparisons
from procession.search.evaluation import accepts
from procession.search.pattern import Pattern, fold
from procession.window import Window

MAX_LISTED = 100_000
"""Processes that are looked at for one answer."""

_MAX_REMEMBERED, _REMEMBERED_LISTS = 20_000, 2
"""Of what was listed for a first page, so that the pages after it cost nothing and are of the same moment."""

Find = Callable[[ProcessQuery], Page]
Details = Callable[[int, Window, Sequence[ProcessSummary]], tuple[ProcessDetail, ...]]


class ListedWindows:
    """For any number of threads."""

    def __init__(self, find: Find, details: Details, is_known: Callable[[Selection, Window], bool]) -> None:
        """The contracts of a store, by which all is found out."""
        self._find = find
        self._details = details
        self._is_known = is_known
        self._lock = threading.Lock()
        self._remembered: OrderedDict[tuple[Selection, Window, Order], list[ProcessInWindow]] = OrderedDict()

    def page(self, selection: Selection, window: Window, order: Order, offset: int, limit: int) -> WindowPage:
        asked = selection, window, order
        with self._lock:
            found = self._remembered.get(asked) if offset else None
        if found is None:
            found = in_order(self._list(selection, window), order)
            self._remember(asked, found)
        page = tuple(found[offset : offset + limit])
        return WindowPage(len(found), page, bool(found) or self._is_known(selection, window))

    def facets(self, selection: Selection, window: Window, keys: Sequence[str], limit: int, prefix: str = "") -> Facets:
        """`window`: in whole slots, as it is to be shown."""
        found = self._list(selection, window)
        is_listed = Pattern.beginning(prefix).matches
        facets = tuple(_facet(found, fold(key), limit, is_listed) for key in keys)
        return Facets(len(found), window, facets, bool(found) or self._is_known(selection, window))

    def _list(self, selection: Selection, window: Window) -> list[ProcessInWindow]:
        """Raises InvalidRequest for too many."""
        query = ProcessQuery(
            selection.org_id, window, without_comparisons(selection.search), selection.tags, limit=MAX_LIMIT
        )
        found: list[ProcessInWindow] = []
        listed = 0
        while True:
            processes = self._find(query).processes
            listed += len(processes)
            if listed > MAX_LISTED:
                raise InvalidRequest(
                    f"more than {MAX_LISTED} processes were seen in the window, too many to look at the numbers of"
                    " each; choose a shorter one, or narrow it by search or tags"
                )
            details = self._details(selection.org_id, window, processes)
            found += [
                ProcessInWindow(process, detail)
                for process, detail in zip(processes, details, strict=True)
                if not compares(selection.search) or accepts(selection.search, process, detail)
            ]
            if len(processes) < query.limit:
                return found
            query = replace(query, after=ProcessKey.of(processes[-1].identity))

    def _remember(self, asked: tuple[Selection, Window, Order], found: list[ProcessInWindow]) -> None:
        with self._lock:
            self._remembered.pop(asked, None)
            if len(found) <= _MAX_REMEMBERED:
                self._remembered[asked] = found
            while len(self._remembered) > _REMEMBERED_LISTS:
                self._remembered.popitem(last=False)


def takes_listing(selection: Selection, keys: Sequence[str] = ()) -> bool:
    """Whether a question about a window takes more than what its processes are."""
    return compares(selection.search) or not {fold(key) for key in keys}.isdisjoint(ENDING_KEYS)


def _facet(processes: Sequence[ProcessInWindow], key: str, limit: int, is_listed: Callable[[str], bool]) -> Facet:
    counts: defaultdict[str, int] = defaultdict(int)
    having = 0
    for one in processes:
        values = ending_values(key, one.detail) if key in ENDING_KEYS else tag_values(one.process, key)
        having += bool(values)
        for value in values:
            counts[value] += 1
    listed = [ValueCount(value, count) for value, count in counts.items() if is_listed(fold(value))]
    listed.sort(key=lambda one: (-one.count, one.value))
    return Facet(key, having, len(listed), tuple(listed[:limit]))
