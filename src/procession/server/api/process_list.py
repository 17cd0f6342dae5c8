"""`GET /api/procession/v1/processes`: the processes of a window, page by page or in any order, or of an instant."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from procession.accounts.restriction import Restricted
from procession.analysis import REACH_SECONDS, SORT_COLUMNS, WINDOW_SORT_COLUMNS, InstantPage, Order
from procession.errors import InvalidParameter
from procession.paging import InstantCursor
from procession.process import ProcessKey
from procession.process_item import detailed_item, item_at_instant
from procession.query import DEFAULT_LIMIT, MAX_LIMIT, ProcessQuery
from procession.server.api.detailed_page import find_detailed_page
from procession.server.api.request import MAX_OFFSET, ApiRequest
from procession.server.api.routes import ApiRouter
from procession.server.public.parameters import filter_fingerprint, parse_query
from procession.server.public.processes import cursor_after, render_items
from procession.storage import AnalysisStore, ReadStore
from procession.window import Window, out_of_retention

_BOUNDS = ("from", "to")

_OF_ORDERS = ("sort", "page[offset]")
"""Parameters that ask for an order, or a part of one: of an instant, or of a window if its bounds are there."""


def process_list_routes(api: ApiRouter, store: ReadStore, analysis: AnalysisStore) -> list[Route]:
    return [api.route("/processes", ProcessList(store, analysis).show, Restricted.ALL)]


class ProcessList:
    def __init__(self, store: ReadStore, analysis: AnalysisStore) -> None:
        self._store = store
        self._analysis = analysis

    def show(self, request: ApiRequest) -> Any:
        cursor = request.parameters.get("page[cursor]", "")
        if InstantCursor.is_one(cursor):
            return self._at_instant(request)
        if cursor:
            return self._in_window(request)
        if request.has("at"):
            return self._at_instant(request)
        is_of_window = request.has("ended") or any(map(request.has, _BOUNDS))
        has_order = any(map(request.has, _OF_ORDERS))
        if has_order and not is_of_window:
            return self._at_instant(request)
        # What compares numbers is listed whole: only so it is known what is on which page.
        if has_order or request.has("ended") or request.compares():
            return self._of_window_in_order(request)
        return self._in_window(request)

    def _in_window(self, request: ApiRequest) -> bytes:
        language = request.language()
        request.raise_errors()
        query = parse_query(
            request.visibility,
            request.parameters,
            now=request.now,
            retention_hours=request.retention_hours,
            language=language,
        )
        page, details = find_detailed_page(self._store, query)
        selection = request.visible(query.search, query.tags)
        is_known = bool(page.processes) or self._analysis.is_known(selection, query.window)
        if is_known and not page.processes and query.after is None:
            # A snapshot may have come since, by which the window is known now.
            page, details = find_detailed_page(self._store, query)
        items = [
            detailed_item(request.visibility, process, detail)
            for process, detail in zip(page.processes, details, strict=True)
        ]
        after = cursor_after(page, query, filter_fingerprint(request.parameters, request.visibility, language))
        # A page beyond the last one is empty, too, and says nothing of what was found.
        hints = request.hints(bool(page.processes) or query.after is not None)
        return render_items(items, after, is_known=is_known, hints=hints)

    def _of_window_in_order(self, request: ApiRequest) -> Any:
        selection, window = request.window_selection(), request.window()
        order = request.order("sort", "start", WINDOW_SORT_COLUMNS, has_tags=True)
        limit = request.number("page[limit]", DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
        offset = request.number("page[offset]", 0, least=0, most=MAX_OFFSET)
        request.raise_errors()
        page = self._analysis.window_page(selection, window, order, offset, limit)
        return {
            "meta": {
                "from": window.from_at,
                "to": window.to_at,
                "total": page.total,
                "known": page.is_known,
                "page": {"after": "", "size": len(page.processes)},
            },
            "data": [detailed_item(request.visibility, one.process, one.detail) for one in page.processes],
        }

    def _at_instant(self, request: ApiRequest) -> Any:
        selection = request.selection()
        at, order = request.instant(), request.order("sort", "start", SORT_COLUMNS, has_tags=True)
        limit = request.number("page[limit]", DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
        offset = request.number("page[offset]", 0, least=0, most=MAX_OFFSET)
        for name in (*_BOUNDS, "ended"):
            if request.has(name):
                request.refuse(name, "it goes with a window, and not with at")
        language = request.language()
        request.raise_errors()
        fingerprint = filter_fingerprint(request.parameters, request.visibility, language)
        after, pin = None, None
        if text := request.parameters.get("page[cursor]", ""):
            cursor = InstantCursor.decode(text, fingerprint=fingerprint)
            if cursor.at < request.now - request.sighting_retention_hours * 3600:
                raise out_of_retention(request.sighting_retention_hours)
            # Whoever gave it back may have written another order into it.
            request.visibility.refuse_hidden(cursor.order.column)
            at, order, after, pin = cursor.at, cursor.order, cursor.last, cursor.pin
            self._refuse_hidden_process(request, at, after)
        page = self._analysis.instant_page(selection, at, order, offset, limit, after, pin)
        return {
            "meta": {
                "at": at,
                "total": page.total,
                "known": page.is_known,
                "page": {"after": _cursor_after(page, at, order, fingerprint), "size": len(page.processes)},
            },
            "data": [item_at_instant(request.visibility, found) for found in page.processes],
        }

    def _refuse_hidden_process(self, request: ApiRequest, at: int, key: ProcessKey) -> None:
        """Likewise, the key of a process that the reader may not see: its place would tell what its numbers are."""
        if request.visibility.has_all_rows:
            return
        rows = request.visibility.selection()
        window = Window(max(at - REACH_SECONDS, 0), at)
        found = self._store.find(ProcessQuery(rows.org_id, window, tags=rows.tags, only=key, limit=1, is_brief=True))
        if not found.processes:
            raise InvalidParameter("page[cursor]", "it is not a cursor that this server gave")


def _cursor_after(page: InstantPage, at: int, order: Order, fingerprint: bytes) -> str:
    # Its bytes have no room for the key of a tag: that goes on with an offset.
    if not page.processes or order.tag_key is not None:
        return ""
    last = ProcessKey.of(page.processes[-1].process.identity)
    return InstantCursor(at, order, last, fingerprint, page.pin).encode()
