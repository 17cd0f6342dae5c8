"""`GET /api/procession/v1/processes`: the processes of a window page by page, or those at an instant in any order."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from procession.analysis import SORT_COLUMNS, InstantPage, Order, Selection
from procession.paging import InstantCursor
from procession.process import ProcessKey
from procession.process_item import detailed_item, item_at_instant
from procession.query import DEFAULT_LIMIT, MAX_LIMIT
from procession.server.api.detailed_page import find_detailed_page
from procession.server.api.request import MAX_OFFSET, ApiRequest
from procession.server.api.routes import ApiRouter
from procession.server.public.parameters import filter_fingerprint, parse_query
from procession.server.public.processes import cursor_after, render_items
from procession.storage import AnalysisStore, ReadStore
from procession.window import out_of_retention

_OF_INSTANTS = ("at", "sort", "page[offset]")
"""Parameters that ask for an instant and not for a window."""


def process_list_routes(api: ApiRouter, store: ReadStore, analysis: AnalysisStore) -> list[Route]:
    return [api.route("/processes", ProcessList(store, analysis).show)]


class ProcessList:
    def __init__(self, store: ReadStore, analysis: AnalysisStore) -> None:
        self._store = store
        self._analysis = analysis

    def show(self, request: ApiRequest) -> Any:
        cursor = request.parameters.get("page[cursor]", "")
        if InstantCursor.is_one(cursor) or (not cursor and any(map(request.has, _OF_INSTANTS))):
            return self._at_instant(request)
        return self._in_window(request)

    def _in_window(self, request: ApiRequest) -> bytes:
        query = parse_query(
            request.org_id,
            request.parameters,
            now=request.now,
            retention_hours=request.retention_hours,
            has_hints=True,
        )
        page, details = find_detailed_page(self._store, query)
        selection = Selection(query.org_id, query.search, query.tags)
        is_known = bool(page.processes) or self._analysis.is_known(selection, query.window)
        if is_known and not page.processes and query.after is None:
            # A snapshot may have come since, by which the window is known now.
            page, details = find_detailed_page(self._store, query)
        items = [
            detailed_item(query.org_id, process, detail)
            for process, detail in zip(page.processes, details, strict=True)
        ]
        after = cursor_after(page, query, filter_fingerprint(request.parameters, request.org_id))
        # A page beyond the last one is empty, too, and says nothing of what was found.
        hints = request.hints(bool(page.processes) or query.after is not None)
        return render_items(items, after, is_known=is_known, hints=hints)

    def _at_instant(self, request: ApiRequest) -> Any:
        selection = request.selection()
        at, order = request.instant(), request.order("sort", "start", SORT_COLUMNS)
        limit = request.number("page[limit]", DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
        offset = request.number("page[offset]", 0, least=0, most=MAX_OFFSET)
        for name in ("from", "to"):
            if request.has(name):
                request.refuse(name, f"it goes with a window, not with {', '.join(_OF_INSTANTS)}")
        request.raise_errors()
        fingerprint = filter_fingerprint(request.parameters, request.org_id)
        after, pin = None, None
        if text := request.parameters.get("page[cursor]", ""):
            cursor = InstantCursor.decode(text, fingerprint=fingerprint)
            if cursor.at < request.now - request.sighting_retention_hours * 3600:
                raise out_of_retention(request.sighting_retention_hours)
            at, order, after, pin = cursor.at, cursor.order, cursor.last, cursor.pin
        page = self._analysis.instant_page(selection, at, order, offset, limit, after, pin)
        return {
            "meta": {
                "at": at,
                "total": page.total,
                "known": page.is_known,
                "page": {"after": _cursor_after(page, at, order, fingerprint), "size": len(page.processes)},
            },
            "data": [item_at_instant(request.org_id, found) for found in page.processes],
        }


def _cursor_after(page: InstantPage, at: int, order: Order, fingerprint: bytes) -> str:
    if not page.processes:
        return ""
    last = ProcessKey.of(page.processes[-1].process.identity)
    return InstantCursor(at, order, last, fingerprint, page.pin).encode()
