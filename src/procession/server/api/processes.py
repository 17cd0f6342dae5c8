"""Processes one by one: lists of them, one of them, its history, its relatives and its earlier runs."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.routing import Route

from procession.analysis import SORT_COLUMNS, Branch, Every, History
from procession.errors import NotFound
from procession.paging import InstantCursor
from procession.process import Ending, ProcessDetail, ProcessKey, ProcessSummary
from procession.query import DEFAULT_LIMIT, MAX_LIMIT, ProcessQuery
from procession.server.api.details import Store, details_body
from procession.server.api.request import DAY_SECONDS, ApiRequest
from procession.server.api.routes import Api, item, placed_item
from procession.server.public.parameters import filter_fingerprint, parse_query
from procession.storage import AnalysisStore
from procession.window import Window, out_of_retention

_OF_INSTANTS = ("at", "sort", "page[offset]")
"""Parameters that ask for an instant and not for a window."""

MAX_OFFSET = 10_000_000
RECENT_SECONDS = (900, 7200)
"""How far back one process is looked for, before the roll-up is asked."""


def process_routes_at_instants(api: Api, store: Store, analysis: AnalysisStore) -> list[Route]:
    one = _One(store, analysis)

    def processes(ask: ApiRequest) -> Any:
        cursor = ask.parameters.get("page[cursor]", "")
        if InstantCursor.is_one(cursor) or (not cursor and any(map(ask.has, _OF_INSTANTS))):
            return _instant(ask, analysis)
        query = parse_query(
            ask.org_id, ask.parameters, now=ask.now, retention_hours=ask.retention_hours, has_hints=True
        )
        return details_body(store, analysis, query, filter_fingerprint(ask.parameters, ask.org_id), ask.hints)

    return [
        api.route("/processes", processes),
        api.route("/processes/{process_id}", one.show),
        api.route("/processes/{process_id}/history", one.history),
        api.route("/processes/{process_id}/tree", one.family),
        api.route("/processes/{process_id}/runs", one.runs),
        api.route("/tree", one.host_tree),
    ]


def _instant(ask: ApiRequest, analysis: AnalysisStore) -> Any:
    selection = ask.selection()
    at, order = ask.at(), ask.order("sort", "start", SORT_COLUMNS)
    limit = ask.number("page[limit]", DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    offset = ask.number("page[offset]", 0, least=0, most=MAX_OFFSET)
    for name in ("from", "to"):
        if ask.has(name):
            ask.refuse(name, f"it goes with a window, not with {', '.join(_OF_INSTANTS)}")
    ask.raise_errors()
    filters = filter_fingerprint(ask.parameters, ask.org_id)
    after = None
    if text := ask.parameters.get("page[cursor]", ""):
        cursor = InstantCursor.decode(text, fingerprint=filters)
        if cursor.at < ask.now - ask.sighting_retention_hours * 3600:
            raise out_of_retention(ask.sighting_retention_hours)
        at, order, after = cursor.at, cursor.order, cursor.last
    page = analysis.instant_page(selection, at, order, offset, limit, after)
    way_on = ""
    if page.processes:
        last = ProcessKey.of(page.processes[-1].process.identity)
        way_on = InstantCursor(at, order, last, filters).encode()
    return {
        "meta": {
            "at": at,
            "total": page.total,
            "known": page.is_known,
            "page": {"after": way_on, "size": len(page.processes)},
        },
        "data": [placed_item(ask.org_id, at_instant) for at_instant in page.processes],
    }


class _One:
    def __init__(self, store: Store, analysis: AnalysisStore) -> None:
        self._store = store
        self._analysis = analysis

    def show(self, ask: ApiRequest) -> Any:
        key = ask.process()
        windows = self._windows(ask)
        ask.raise_errors()
        process, detail = self._found(ask, key, windows)
        return {"data": item(ask.org_id, process, detail)}

    def history(self, ask: ApiRequest) -> Any:
        key = ask.process()
        every = Every(ask.choice("every", "minute", [each.value for each in Every]))
        by_minute = every is Every.MINUTE
        window = ask.window(
            seconds=3600,
            most=(31 * 24 if by_minute else 25) * 3600,
            retention_hours=ask.retention_hours if by_minute else ask.sighting_retention_hours,
        )
        ask.raise_errors()
        found = self._analysis.history(ask.org_id, key, window, every)
        ended = Ending()
        if (last_at := self._last_at(ask.org_id, key, window, found)) is not None:
            (ended,) = self._store.endings(ask.org_id, _until(ask, last_at), [(key, last_at)])
        numbers: dict[str, Any] = dict(found.numbers)
        if found.states is not None:
            numbers["state"] = found.states
        return {
            "meta": {"from": window.from_at, "to": window.to_at, "every": every.value},
            "times": found.times,
            "numbers": numbers,
            "ended": ended.at,
            "exit_code": ended.exit_code,
        }

    def _last_at(self, org_id: int, key: ProcessKey, window: Window, history: History) -> int | None:
        if history.last_at is not None or not history.times:
            return history.last_at
        # To look through all of a day or a month takes longer; but the last minute may have its only sighting later.
        last = Window(max(history.times[-1], window.from_at), min(history.times[-1] + 59, window.to_at))
        process = self._newest(org_id, key, last) or self._newest(org_id, key, window)
        return None if process is None else process.seen_at

    def family(self, ask: ApiRequest) -> Any:
        key, at = ask.process(), ask.at()
        ask.raise_errors()
        found = self._analysis.family(ask.org_id, key, at)
        if found is None:
            raise NotFound("The process was not there at this instant")
        return {
            "meta": {"at": at, "host": found.process.at_instant.process.identity.host},
            "ancestors": [_branch(ask, branch) for branch in found.ancestors],
            "process": _branch(ask, found.process),
            "descendants": [_branch(ask, branch) for branch in found.descendants],
        }

    def host_tree(self, ask: ApiRequest) -> Any:
        host, at = ask.text("host", most=255), ask.at()
        if not host:
            ask.refuse("host", "it has to name a host")
        ask.raise_errors()
        found = self._analysis.host_tree(ask.org_id, host, at)
        return {
            "meta": {"at": at, "host": host, "total": found.total, "known": found.is_known},
            "data": [_branch(ask, branch) for branch in found.branches],
        }

    def runs(self, ask: ApiRequest) -> Any:
        key = ask.process()
        window = ask.window(seconds=7 * DAY_SECONDS)
        limit = ask.number("limit", 20, least=1, most=100)
        ask.raise_errors()
        process, _ = self._found(ask, key, [Window(ask.now - seconds, ask.now) for seconds in RECENT_SECONDS])
        runs = self._analysis.runs(ask.org_id, process, window, limit)
        data = []
        for run in runs:
            shown = item(ask.org_id, run.process, run.detail)
            also = {"last_seen": run.process.seen_at, "same_cmdline": run.has_same_cmdline}
            data.append({"type": shown.type, "id": shown.id, "attributes": shown.attributes} | also)
        return {"data": data}

    def _windows(self, ask: ApiRequest) -> list[Window]:
        if ask.has("at"):
            at = ask.at()
            return [Window(at - 60, at)]
        if ask.has("from") or ask.has("to"):
            return [ask.window()]
        return [Window(ask.now - seconds, ask.now) for seconds in RECENT_SECONDS]

    def _found(self, ask: ApiRequest, key: ProcessKey, windows: list[Window]) -> tuple[ProcessSummary, ProcessDetail]:
        """Its newest sighting in the first window that has one; without bounds also before. Raises NotFound."""
        for window in windows:
            process = self._newest(ask.org_id, key, window)
            if process is not None:
                break
        else:
            last = self._analysis.last_seen(ask.org_id, key) if len(windows) > 1 else None
            oldest = ask.now - ask.retention_hours * 3600
            process = None if last is None or last < oldest else self._newest(ask.org_id, key, Window(last, last))
        if process is None:
            raise NotFound("There is no such process")
        until = _until(ask, process.seen_at)
        (detail,) = self._store.details(ask.org_id, Window(process.seen_at, min(until, window.to_at)), [process])
        if window.to_at < until:  # it may have gone on after the window
            (ended,) = self._store.endings(ask.org_id, until, [(key, process.seen_at)])
            detail = msgspec.structs.replace(detail, ended_at=ended.at, exit_code=ended.exit_code)
        return process, detail

    def _newest(self, org_id: int, key: ProcessKey, window: Window) -> ProcessSummary | None:
        page = self._store.find(ProcessQuery(org_id, window, only=key, limit=1))
        return next(iter(page.processes), None)


def _until(ask: ApiRequest, seen_at: int) -> int:
    """Up to when it is looked for how a process ended: some time after a sighting."""
    return min(seen_at + 600, max(ask.now, seen_at))


def _branch(ask: ApiRequest, branch: Branch) -> Any:
    shown = placed_item(ask.org_id, branch.at_instant)
    return {"type": shown.type, "id": shown.id, "depth": branch.depth, "attributes": shown.attributes}
