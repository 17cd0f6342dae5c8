"""One process: what it is, its history, its relatives and its earlier runs; and the tree of a host."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from procession.accounts.restriction import Restricted
from procession.analysis import REACH_SECONDS, Branch, Every, Family, History
from procession.errors import NotFound
from procession.process import Ending, ProcessDetail, ProcessKey, ProcessSummary
from procession.process_item import detailed_item, item_at_instant
from procession.query import ProcessQuery
from procession.server.api.request import DAY_SECONDS, ApiRequest
from procession.server.api.routes import ApiRouter
from procession.server.api.rows.relations import host_tree, runs, seen_family
from procession.storage import AnalysisStore, ReadStore
from procession.window import Window

RECENT_SECONDS = (900, 7200)
"""How far back a process is looked for, before the minutes are asked when it was seen last."""


_NOBODY = ProcessKey(0, 0, 0)
"""In place of a process that a reader may not see: to him there is none."""


def single_process_routes(api: ApiRouter, store: ReadStore, analysis: AnalysisStore) -> list[Route]:
    process = SingleProcess(store, analysis)
    return [
        api.route("/processes/{process_id}", process.show, Restricted.ALL),
        api.route("/processes/{process_id}/history", process.history, Restricted.ALL),
        api.route("/processes/{process_id}/tree", process.family, Restricted.ALL),
        api.route("/processes/{process_id}/runs", process.runs, Restricted.ALL),
        api.route("/tree", process.host_tree, Restricted.ALL),
    ]


class SingleProcess:
    def __init__(self, store: ReadStore, analysis: AnalysisStore) -> None:
        self._store = store
        self._analysis = analysis

    def show(self, request: ApiRequest) -> Any:
        key = request.process_key()
        windows = self._windows(request)
        request.raise_errors()
        process, detail = self._found(request, key, windows)
        return {"data": detailed_item(request.visibility, process, detail)}

    def history(self, request: ApiRequest) -> Any:
        key = request.process_key()
        every = Every(request.choice("every", "minute", [each.value for each in Every]))
        by_minute = every is Every.MINUTE
        window = request.window(
            seconds=3600,
            most=(31 * 24 if by_minute else 25) * 3600,
            retention_hours=request.retention_hours if by_minute else request.sighting_retention_hours,
        )
        request.raise_errors()
        if not self._is_seen(request, key, window):
            key = _NOBODY
        found = self._analysis.history(request.org_id, key, window, every)
        ended = Ending()
        if (last_at := self._last_at(request, key, window, found)) is not None:
            (ended,) = self._store.endings(request.org_id, _until(request, last_at), [(key, last_at)])
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

    def _is_seen(self, request: ApiRequest, key: ProcessKey, window: Window) -> bool:
        """Whether it is a process that the reader may see."""
        if request.visibility.has_all_rows:
            return True
        try:
            self._found(request, key, [window, *_recent_windows(request)])
        except NotFound:
            return False
        return True

    def _last_at(self, request: ApiRequest, key: ProcessKey, window: Window, history: History) -> int | None:
        if history.last_at is not None or not history.times:
            return history.last_at
        # To look through all of a day or a month takes longer; but the last minute may have its only sighting later.
        last = Window(max(history.times[-1], window.from_at), min(history.times[-1] + 59, window.to_at))
        process = self._newest(request, key, last) or self._newest(request, key, window)
        return None if process is None else process.seen_at

    def family(self, request: ApiRequest) -> Any:
        key, at = request.process_key(), request.instant()
        request.raise_errors()
        found = self._family(request, key, at)
        if found is None:
            raise NotFound("The process was not there at this instant")
        return {
            "meta": {"at": at, "host": found.process.at_instant.process.identity.host},
            "ancestors": [_branch(request, branch) for branch in found.ancestors],
            "process": _branch(request, found.process),
            "descendants": [_branch(request, branch) for branch in found.descendants],
        }

    def _family(self, request: ApiRequest, key: ProcessKey, at: int) -> Family | None:
        if request.visibility.has_all_rows:
            return self._analysis.family(request.org_id, key, at)
        process = self._newest(request, key, Window(max(at - REACH_SECONDS, 0), at))
        return None if process is None else seen_family(self._analysis, request.visibility, process, at)

    def host_tree(self, request: ApiRequest) -> Any:
        host, at = request.text("host", most=255), request.instant()
        if not host:
            request.refuse("host", "it has to name a host")
        request.raise_errors()
        found = host_tree(self._analysis, request.visibility, host, at)
        return {
            "meta": {"at": at, "host": host, "total": found.total, "known": found.is_known},
            "data": [_branch(request, branch) for branch in found.branches],
        }

    def runs(self, request: ApiRequest) -> Any:
        key = request.process_key()
        window = request.window(seconds=7 * DAY_SECONDS)
        limit = request.number("limit", 20, least=1, most=100)
        request.raise_errors()
        process, _ = self._found(request, key, _recent_windows(request))
        data = []
        for run in runs(self._analysis, request.visibility, process, window, limit):
            shown = detailed_item(request.visibility, run.process, run.detail)
            also = {"last_seen": run.process.seen_at, "same_cmdline": run.has_same_cmdline}
            data.append({"type": shown.type, "id": shown.id, "attributes": shown.attributes} | also)
        return {"data": data}

    def _windows(self, request: ApiRequest) -> list[Window]:
        if request.has("at"):
            at = request.instant()
            return [Window(at - 60, at)]
        if request.has("from") or request.has("to"):
            return [request.window()]
        return _recent_windows(request)

    def _found(
        self, request: ApiRequest, key: ProcessKey, windows: list[Window]
    ) -> tuple[ProcessSummary, ProcessDetail]:
        """Its newest sighting in the first window that has one; without bounds also before. Raises NotFound."""
        for window in windows:
            process = self._newest(request, key, window)
            if process is not None:
                break
        else:
            last = self._analysis.last_seen(request.org_id, key) if len(windows) > 1 else None
            oldest = request.now - request.retention_hours * 3600
            process = None if last is None or last < oldest else self._newest(request, key, Window(last, last))
        if process is None:
            raise NotFound("There is no such process")
        until = _until(request, process.seen_at)
        (detail,) = self._store.details(request.org_id, Window(process.seen_at, min(until, window.to_at)), [process])
        if window.to_at < until:  # it may have gone on after the window
            (ended,) = self._store.endings(request.org_id, until, [(key, process.seen_at)])
            detail = detail.with_ending(ended)
        return process, detail

    def _newest(self, request: ApiRequest, key: ProcessKey, window: Window) -> ProcessSummary | None:
        seen = request.visibility.selection()
        page = self._store.find(ProcessQuery(seen.org_id, window, tags=seen.tags, only=key, limit=1))
        return next(iter(page.processes), None)


def _recent_windows(request: ApiRequest) -> list[Window]:
    return [Window(request.now - seconds, request.now) for seconds in RECENT_SECONDS]


def _until(request: ApiRequest, seen_at: int) -> int:
    """Up to which moment we look for how a process ended: ten minutes after its sighting."""
    return min(seen_at + 600, max(request.now, seen_at))


def _branch(request: ApiRequest, branch: Branch) -> Any:
    shown = item_at_instant(request.visibility, branch.at_instant)
    return {"type": shown.type, "id": shown.id, "depth": branch.depth, "attributes": shown.attributes}
