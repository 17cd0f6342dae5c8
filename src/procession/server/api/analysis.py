"""Questions about many processes at once: counts, sums, series, hosts, comparisons."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.routing import Route

from procession.analysis import (
    MEASURES,
    ChangedProcess,
    Comparison,
    Grouped,
    Match,
    Order,
    ProcessAtInstant,
    Selection,
    Side,
)
from procession.process_item import attribute_names, item_at_instant
from procession.server.api.request import DAY_SECONDS, MAX_OFFSET, ApiRequest
from procession.server.api.routes import ApiRouter
from procession.storage import AnalysisStore, HostStore

MAX_SILENT_NAMED = 100
MAX_BLIND = 100

_SUMS = ("cpu_total_percent", "rss_bytes")
_FLOWS = (*_SUMS, "read_bytes_per_second", "write_bytes_per_second")
_AMOUNTS = tuple(f"{how}:{measure}" for how in ("sum", "max") for measure in MEASURES)


def analysis_routes(api: ApiRouter, analysis: AnalysisStore, hosts: HostStore) -> list[Route]:
    handlers = Analysis(analysis, hosts)
    return [
        api.route("/facets", handlers.facets),
        api.route("/tags", handlers.tags),
        api.route("/groups", handlers.groups),
        api.route("/points", handlers.points),
        api.route("/timeseries", handlers.timeseries),
        api.route("/hosts", handlers.hosts),
        api.route("/compare", handlers.compare),
    ]


class Analysis:
    def __init__(self, analysis: AnalysisStore, hosts: HostStore) -> None:
        self._analysis = analysis
        self._hosts = hosts

    def facets(self, request: ApiRequest) -> Any:
        selection = request.selection()
        keys = request.names("keys", "host,user,command", most=20)
        limit = request.number("limit", 20, least=1, most=1000)
        prefix = request.text("prefix")
        when = request.instant() if request.has("at") else request.window(most=DAY_SECONDS)
        request.raise_errors()
        found = self._analysis.facets(selection, when, keys, limit, prefix)
        window = found.window
        meta = {"at": when} if window is None else {"from": window.from_at, "to": window.to_at}
        return {"meta": {**meta, "total": found.total, "known": found.is_known}, "facets": found.facets}

    def tags(self, request: ApiRequest) -> Any:
        prefix = request.text("prefix")
        limit = request.number("limit", 50, least=1, most=1000)
        window = request.window(most=DAY_SECONDS)
        request.raise_errors()
        found = self._analysis.complete_tag(request.org_id, window, prefix, limit)
        keys = [{"key": one.value, "count": one.count} for one in found.keys]
        return {"prefix": prefix, "keys": keys, "values": found.values}

    def groups(self, request: ApiRequest) -> Any:
        selection, at = request.selection(), request.instant()
        by = _by(request)
        if not by:
            request.refuse("by", "it has to name a tag key or an attribute")
        order = request.order("sort", "-count", ("count", "value", *_AMOUNTS))
        measures = request.measures(",".join(_SUMS))
        limit = request.number("limit", 100, least=1, most=1000)
        request.raise_errors()
        found = self._analysis.groups(selection, at, by, _with(measures, order), order, limit)
        return {
            "meta": {"at": at, "by": by, "total": found.total, "known": found.is_known, "groups": found.groups},
            "data": [_only(group, measures) for group in found.found],
        }

    def points(self, request: ApiRequest) -> Any:
        selection, at, by = request.selection(), request.instant(), _by(request)
        x, y = request.measure("x", "cpu_total_percent"), request.measure("y", "rss_bytes")
        limit = request.number("limit", 5000, least=1, most=10_000)
        request.raise_errors()
        found = self._analysis.points(selection, at, x, y, by or None, limit)
        return {
            "meta": {"at": at, "total": found.total, "known": found.is_known, "x": x, "y": y, "by": by or None},
            "groups": found.groups,
            "points": {
                "id": [key.id_of(request.org_id).hex() for key in found.keys],
                "x": found.x,
                "y": found.y,
                "group": found.group,
            },
        }

    def timeseries(self, request: ApiRequest) -> Any:
        selection, by = request.selection(), _by(request)
        window = request.window(most=7 * DAY_SECONDS, retention_hours=request.sighting_retention_hours)
        measures = request.measures(",".join(_FLOWS))
        rank = request.choice("rank", "cpu_total_percent", ("count", *MEASURES))
        limit = request.number("limit", 5, least=1, most=20)
        points = request.number("points", 60, least=2, most=500)
        request.raise_errors()
        found = self._analysis.timeseries(selection, window, by or None, measures, rank, limit, points)
        return {
            "meta": {
                "from": window.from_at,
                "to": window.to_at,
                "step": found.step,
                "by": by or None,
                "known": found.is_known,
            },
            "times": found.times,
            "series": found.series,
        }

    def hosts(self, request: ApiRequest) -> Any:
        selection, at = request.selection(), request.instant()
        order = request.order("sort", "host", ("host", "processes", *_AMOUNTS))
        measures = request.measures(",".join(_SUMS))
        limit = request.number("limit", 1000, least=1, most=10_000)
        offset = request.number("page[offset]", 0, least=0, most=MAX_OFFSET)
        request.raise_errors()
        found = self._analysis.hosts(selection, at, _with(measures, order), order, offset, limit)
        tags: dict[str, set[str]] = {}
        for entry in self._hosts.host_tags():
            if entry.org_id == request.org_id:
                tags.setdefault(entry.host, set()).update(entry.tags)
        data = [
            {
                "host": one.host,
                "processes": one.processes,
                "seen_at": one.seen_at,
                "tags": sorted(tags.get(one.host, ())),
                "numbers": {name: one.numbers[name] for name in measures},
            }
            for one in found.found
        ]
        oldest = max(0, request.now - request.sighting_retention_hours * 3600)
        blind = [{"host": host, "processes": count} for host, count in request.blind_hosts().items()]
        meta = {"at": at, "total": found.total, "known": found.is_known, "oldest": oldest, "blind": blind[:MAX_BLIND]}
        return {"meta": meta, "data": data}

    def compare(self, request: ApiRequest) -> Any:
        left, right = _sides(request)
        only_instants = left.selection == right.selection
        names = [match.value for match in Match]
        default = Match.PROCESS if only_instants else Match.COMMAND
        match = Match(request.choice("match", default.value, names))
        limit = request.number("limit", 100, least=1, most=1000)
        request.raise_errors()
        found = self._analysis.compare(left, right, match, limit)
        return {
            "meta": {
                "left": {
                    "at": left.at,
                    "total": found.left_total,
                    "known": found.left_known,
                    **_silent(found.left_silent),
                },
                "right": {
                    "at": right.at,
                    "total": found.right_total,
                    "known": found.right_known,
                    **_silent(found.right_silent),
                },
                "match": match.value,
                "started": found.started_total,
                "ended": found.ended_total,
                "changed": found.changed_total,
                "same": found.same_total,
            },
            **_differences(request.org_id, found),
        }


def _sides(request: ApiRequest) -> tuple[Side, Side]:
    """The right side is like the left one where no `other_` parameter says otherwise; its host replaces the left's."""
    host = request.text("host", most=255)
    left = Side(request.selection(host=host), request.instant())
    prefixes = {name: "other_" if request.has(f"other_{name}") else "" for name in ("search", "tags", "host")}
    other_host = request.text(f"{prefixes['host']}host", most=255)
    search = request.selection(prefixes["search"]).search
    tags = request.selection(prefixes["tags"], host=other_host).tags
    return left, Side(Selection(request.org_id, search, tags), request.instant("other_at", default=left.at))


def _differences(org_id: int, found: Comparison) -> dict[str, Any]:
    def shown(one: ProcessAtInstant | Grouped) -> Any:
        return item_at_instant(org_id, one) if isinstance(one, ProcessAtInstant) else one

    changed: list[Any] = []
    for one in found.changed:
        if isinstance(one, ChangedProcess):
            before, after = item_at_instant(org_id, one.before), item_at_instant(org_id, one.after)
            changed.append({"before": before, "after": after, "fields": attribute_names(one.fields)})
        else:
            changed.append({"value": one.value, "before": _side(one.before), "after": _side(one.after)})
    return {
        "started": [shown(one) for one in found.started],
        "ended": [shown(one) for one in found.ended],
        "changed": changed,
    }


def _silent(hosts: tuple[str, ...]) -> Any:
    return {"silent": len(hosts), "silent_hosts": hosts[:MAX_SILENT_NAMED]}


def _side(group: Grouped) -> Any:
    return {"count": group.count, "numbers": group.numbers}


def _by(request: ApiRequest) -> str:
    return request.text("by", most=200).strip().lower()


def _with(measures: tuple[str, ...], order: Order) -> tuple[str, ...]:
    """The measures, and what is ordered by."""
    _, _, measure = order.column.partition(":")
    return measures if not measure or measure in measures else (*measures, measure)


def _only(group: Grouped, measures: tuple[str, ...]) -> Grouped:
    return msgspec.structs.replace(group, numbers={name: group.numbers[name] for name in measures})
