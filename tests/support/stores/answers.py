"""Many questions, and what a store answers: two stores that hold the same give the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from procession.analysis import Every, Match, Order, Selection, Side
from procession.process import ProcessKey, ProcessSummary
from procession.query import ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.storage.embedded.store import EmbeddedStore
from procession.window import Window

FILTERS = (("", ""), ("nginx", ""), ("user:root OR worker", "env:prod"), ("no such text", ""), ("", "host:web-1"))
"""Search and tags."""
MEASURES = ("rss_bytes", "cpu_total_percent")


def answers(store: EmbeddedStore, org_id: int, moments: Sequence[int]) -> dict[str, list[Any]]:
    """Question -> what it gives, piece by piece: processes with their details, groups, points. `moments` are in
    order."""
    asked = Asked(store, org_id, Window(moments[0], moments[-1]))
    found: dict[str, list[Any]] = {}
    for name, ask in (*asked.lists(), *asked.instants(moments), *asked.processes()):
        assert name not in found
        found[name] = list(ask())
    return found


Question = tuple[str, Callable[[], Sequence[Any]]]


class Asked:
    def __init__(self, store: EmbeddedStore, org_id: int, window: Window) -> None:
        self._store = store
        self._org_id = org_id
        self._window = window

    def lists(self) -> Iterator[Question]:
        half = (self._window.from_at + self._window.to_at) // 2
        for search, tags in FILTERS:
            yield f"list {search!r} {tags}", partial(self._list, self._window, search, tags)
        for window in (Window(self._window.from_at, half), Window(half, self._window.to_at)):
            yield f"list of {window}", partial(self._list, window, "", "")

    def _list(self, window: Window, search: str, tags: str) -> Sequence[Any]:
        page = self._found(window, search, tags)
        details = self._store.details(self._org_id, window, page)
        return [f"{one}: {detail}" for one, detail in zip(page, details, strict=True)]

    def _found(self, window: Window, search: str = "", tags: str = "") -> tuple[ProcessSummary, ...]:
        query = ProcessQuery(self._org_id, window, parse_search(search), TagFilter.parse(tags), limit=1000)
        return self._store.find(query).processes

    def instants(self, moments: Sequence[int]) -> Iterator[Question]:
        for at in moments:
            for column in ("start", "rss_bytes"):
                yield f"instant {at} {column}", partial(self._instant, at, Order(column, is_descending=True))
            yield f"relations {at}", partial(self._relations, at)
            yield f"groups {at}", partial(self._groups, at)
        yield "curves", self._curves

    def _instant(self, at: int, order: Order) -> Sequence[Any]:
        page = self._store.analysis.instant_page(Selection(self._org_id), at, order, 0, 1000)
        return [repr(one) for one in page.processes]

    def _relations(self, at: int) -> Sequence[Any]:
        whole = Selection(self._org_id)
        compared = self._store.analysis.compare(Side(whole, at - 600), Side(whole, at), Match.PROCESS, 100)
        branches = self._store.analysis.host_tree(self._org_id, "web-1", at).branches
        return [repr(compared), *map(repr, branches)]

    def _groups(self, at: int) -> Sequence[Any]:
        whole, analysis = Selection(self._org_id), self._store.analysis
        groups = analysis.groups(whole, at, "user", MEASURES, Order("count", True), 10)
        return [repr(analysis.facets(whole, at, ("host", "user", "env"), 10)), repr(groups)]

    def _curves(self) -> Sequence[Any]:
        whole = Selection(self._org_id)
        curves = self._store.analysis.timeseries(whole, self._window, "user", MEASURES, "count", 5, 30)
        return [repr(curves)]

    def processes(self) -> Iterator[Question]:
        for one in self._found(self._window)[::50]:
            yield f"past of {ProcessKey.of(one.identity)}", partial(self._past, one)

    def _past(self, one: ProcessSummary) -> Sequence[Any]:
        analysis, key = self._store.analysis, ProcessKey.of(one.identity)
        histories = [analysis.history(self._org_id, key, self._window, every) for every in Every]
        return [*map(repr, histories), repr(analysis.runs(self._org_id, one, self._window, 10))]
