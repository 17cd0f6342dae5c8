"""Many processes at once: counts, sums, series, hosts, comparisons."""

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
from procession.server.api.details import attribute_names
from procession.server.api.processes import MAX_OFFSET
from procession.server.api.request import DAY_SECONDS, ApiRequest
from procession.server.api.routes import Api, placed_item
from procession.storage import AnalysisStore, HostStore

MAX_SILENT_NAMED = 100

_SUMS = ("cpu_total_percent", "rss_bytes")
_FLOWS = (*_SUMS, "read_bytes_per_second", "write_bytes_per_second")
_AMOUNTS = tuple(f"{how}:{measure}" for how in ("sum", "max") for measure in MEASURES)


def count_routes(api: Api, analysis: AnalysisStore, hosts: HostStore) -> list[Route]:
    counts = _Counts(analysis, hosts)
    return [
        api.route("/facets", counts.facets),
        api.route("/tags", counts.tags),
        api.route("/groups", counts.groups),
        api.route("/points", counts.points),
        api.route("/timeseries", counts.timeseries),
        api.route("/hosts", counts.hosts),
        api.route("/compare", counts.compare),
    ]


class _Counts:
    def __init__(self, analysis: AnalysisStore, hosts: HostStore) -> None:
        self._analysis = analysis
        self._hosts = hosts

    def facets(self, ask: ApiRequest) -> Any:
        selection = ask.selection()
        keys = ask.names("keys", "host,user,command", most=20)
        limit = ask.number("limit", 20, least=1, most=1000)
        prefix = ask.text("prefix")
        when = ask.at() if ask.has("at") else ask.window(most=DAY_SECONDS)
        ask.raise_errors()
        found = self._analysis.facets(selection, when, keys, limit, prefix)
        window = found.window
        meta = {"at": when} if window is None else {"from": window.from_at, "to": window.to_at}
        return {"meta": {**meta, "total": found.total, "known": found.is_known}, "facets": found.facets}

    def tags(self, ask: ApiRequest) -> Any:
        prefix = ask.text("prefix")
        limit = ask.number("limit", 50, least=1, most=1000)
        window = ask.window(most=DAY_SECONDS)
        ask.raise_errors()
        found = self._analysis.complete_tag(ask.org_id, window, prefix, limit)
        keys = [{"key": one.value, "count": one.count} for one in found.keys]
        return {"prefix": prefix, "keys": keys, "values": found.values}

    def groups(self, ask: ApiRequest) -> Any:
        selection, at = ask.selection(), ask.at()
        by = _by(ask)
        if not by:
            ask.refuse("by", "it has to name a tag key or an attribute")
        order = ask.order("sort", "-count", ("count", "value", *_AMOUNTS))
        measures = ask.measures(",".join(_SUMS))
        limit = ask.number("limit", 100, least=1, most=1000)
        ask.raise_errors()
        found = self._analysis.groups(selection, at, by, _with(measures, order), order, limit)
        return {
            "meta": {"at": at, "by": by, "total": found.total, "known": found.is_known, "groups": found.groups},
            "data": [_only(group, measures) for group in found.found],
        }

    def points(self, ask: ApiRequest) -> Any:
        selection, at, by = ask.selection(), ask.at(), _by(ask)
        x, y = ask.measure("x", "cpu_total_percent"), ask.measure("y", "rss_bytes")
        limit = ask.number("limit", 5000, least=1, most=10_000)
        ask.raise_errors()
        found = self._analysis.points(selection, at, x, y, by or None, limit)
        return {
            "meta": {"at": at, "total": found.total, "known": found.is_known, "x": x, "y": y, "by": by or None},
            "groups": found.groups,
            "points": {
                "id": [key.id_of(ask.org_id).hex() for key in found.keys],
                "x": found.x,
                "y": found.y,
                "group": found.group,
            },
        }

    def timeseries(self, ask: ApiRequest) -> Any:
        selection, by = ask.selection(), _by(ask)
        window = ask.window(most=7 * DAY_SECONDS, retention_hours=ask.sighting_retention_hours)
        measures = ask.measures(",".join(_FLOWS))
        rank = ask.choice("rank", "cpu_total_percent", ("count", *MEASURES))
        limit = ask.number("limit", 5, least=1, most=20)
        points = ask.number("points", 60, least=2, most=500)
        ask.raise_errors()
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

    def hosts(self, ask: ApiRequest) -> Any:
        selection, at = ask.selection(), ask.at()
        order = ask.order("sort", "host", ("host", "processes", *_AMOUNTS))
        measures = ask.measures(",".join(_SUMS))
        limit = ask.number("limit", 1000, least=1, most=10_000)
        offset = ask.number("page[offset]", 0, least=0, most=MAX_OFFSET)
        ask.raise_errors()
        found = self._analysis.hosts(selection, at, _with(measures, order), order, offset, limit)
        tags: dict[str, set[str]] = {}
        for entry in self._hosts.host_tags():
            if entry.org_id == ask.org_id:
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
        oldest = max(0, ask.now - ask.sighting_retention_hours * 3600)
        return {"meta": {"at": at, "total": found.total, "known": found.is_known, "oldest": oldest}, "data": data}

    def compare(self, ask: ApiRequest) -> Any:
        left, right = _sides(ask)
        only_instants = left.selection == right.selection
        names = [match.value for match in Match]
        default = Match.PROCESS if only_instants else Match.COMMAND
        match = Match(ask.choice("match", default.value, names))
        limit = ask.number("limit", 100, least=1, most=1000)
        ask.raise_errors()
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
            **_differences(ask.org_id, found),
        }


def _sides(ask: ApiRequest) -> tuple[Side, Side]:
    """What is not said of the right side is as on the left; a host of its own takes the place of the left one's."""
    host = ask.text("host", most=255)
    left = Side(ask.selection(host=host), ask.at())
    prefixes = {name: "other_" if ask.has(f"other_{name}") else "" for name in ("search", "tags", "host")}
    other_host = ask.text(f"{prefixes['host']}host", most=255)
    search = ask.selection(prefixes["search"]).search
    tags = ask.selection(prefixes["tags"], host=other_host).tags
    return left, Side(Selection(ask.org_id, search, tags), ask.at("other_at", default=left.at))


def _differences(org_id: int, found: Comparison) -> dict[str, Any]:
    def shown(one: ProcessAtInstant | Grouped) -> Any:
        return placed_item(org_id, one) if isinstance(one, ProcessAtInstant) else one

    changed: list[Any] = []
    for one in found.changed:
        if isinstance(one, ChangedProcess):
            before, after = placed_item(org_id, one.before), placed_item(org_id, one.after)
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


def _by(ask: ApiRequest) -> str:
    return ask.text("by", most=200).strip().lower()


def _with(measures: tuple[str, ...], order: Order) -> tuple[str, ...]:
    """The measures, and what is ordered by."""
    _, _, measure = order.column.partition(":")
    return measures if not measure or measure in measures else (*measures, measure)


def _only(group: Grouped, measures: tuple[str, ...]) -> Grouped:
    return msgspec.structs.replace(group, numbers={name: group.numbers[name] for name in measures})
