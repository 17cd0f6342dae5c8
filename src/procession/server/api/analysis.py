"""Questions about many processes at once: counts, sums, series, hosts, comparisons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET
from starlette.routing import Route

from procession.accounts.hosts import HostNotice
from procession.accounts.restriction import Restricted
from procession.accounts.visibility import Visibility
from procession.analysis import (
    MEASURES,
    PERCENTILES,
    REACH_SECONDS,
    STATISTICS,
    TREND_MEASURES,
    ChangedProcess,
    Comparison,
    Grouped,
    HostEntry,
    Match,
    Order,
    ProcessAtInstant,
    Side,
)
from procession.lifecycle.signals import signal_of
from procession.monitors.observing.host_facts import SHUT_DOWN_SLACK_SECONDS, silent_seconds
from procession.process_item import changed_attributes, item_at_instant
from procession.search.comparisons import compared_fields, compares, words_of
from procession.server.api.request import DAY_SECONDS, MAX_OFFSET, ApiRequest
from procession.server.api.routes import ApiRouter
from procession.server.api.rows.completion import complete_tag
from procession.server.api.rows.telling_hosts import hosts_told, oldest_sighting
from procession.storage import AnalysisStore, HostStore
from procession.window import Window

MAX_SILENT_NAMED = 100
MAX_BLIND = 100

MOST_MATCHED_KEYS = 20
"""Among the values of the most frequent ones words are completed."""

_SUMS = ("cpu_total_percent", "rss_bytes")
_FLOWS = (*_SUMS, "read_bytes_per_second", "write_bytes_per_second")
_AMOUNTS = tuple(f"{how}:{measure}" for how in ("sum", "max") for measure in MEASURES)
_STATISTICS = tuple(f"{statistic}:{measure}" for statistic in STATISTICS for measure in MEASURES)


def analysis_routes(
    api: ApiRouter, analysis: AnalysisStore, hosts: HostStore, agent_versions: Callable[[int], Mapping[str, str]]
) -> list[Route]:
    """`agent_versions`: of the agents of an org that post to this server, by host."""
    handlers = Analysis(analysis, hosts, agent_versions)
    return [
        api.route("/facets", handlers.facets, Restricted.ALL),
        api.route("/search", handlers.search, Restricted.ALL),
        api.route("/tags", handlers.tags, Restricted.ALL),
        api.route("/groups", handlers.groups, Restricted.ALL),
        api.route("/points", handlers.points, Restricted.ALL),
        api.route("/timeseries", handlers.timeseries, Restricted.ALL),
        api.route("/trends", handlers.trends, Restricted.ALL),
        api.route("/turnover", handlers.turnover, Restricted.ALL),
        api.route("/hosts", handlers.hosts, Restricted.ALL),
        api.route("/compare", handlers.compare, Restricted.ALL),
    ]


class _AboutHosts(NamedTuple):
    """What is known of the hosts of an org besides their processes."""

    tags: Mapping[str, Collection[str]]
    notices: Mapping[str, HostNotice]
    versions: Mapping[str, str]

    def state(self, host: str, seen_at: int, at: int) -> str:
        """Of one that told of its processes last at `seen_at`."""
        notice = self.notices.get(host)
        if at - seen_at <= silent_seconds(notice):
            return "up"
        shut_down_at = 0 if notice is None else notice.shut_down_at
        return "shut down" if max(seen_at - SHUT_DOWN_SLACK_SECONDS, 1) <= shut_down_at <= at else "silent"


class Analysis:
    def __init__(
        self, analysis: AnalysisStore, hosts: HostStore, agent_versions: Callable[[int], Mapping[str, str]]
    ) -> None:
        self._analysis = analysis
        self._hosts = hosts
        self._agent_versions = agent_versions

    def facets(self, request: ApiRequest) -> Any:
        is_at_instant = request.has("at")
        selection = request.selection() if is_at_instant else request.window_selection()
        keys = request.names("keys", "host,user,command", most=20)
        request.visibility.refuse_hidden(*keys)
        limit = request.number("limit", 20, least=1, most=1000)
        prefix = request.text("prefix")
        when = request.instant() if is_at_instant else request.window(most=DAY_SECONDS)
        if is_at_instant and request.has("ended"):
            request.refuse("ended", "it goes with a window, and not with at")
        request.raise_errors()
        found = self._analysis.facets(selection, when, keys, limit, prefix)
        window = found.window
        meta = {"at": when} if window is None else {"from": window.from_at, "to": window.to_at}
        return {"meta": {**meta, "total": found.total, "known": found.is_known}, "facets": found.facets}

    def search(self, request: ApiRequest) -> Any:
        language, search = request.language(), request.search()
        request.raise_errors()
        return {
            "language": language.value,
            "compares": sorted(compared_fields(search)),
            "words": list(dict.fromkeys(words_of(search))),
        }

    def tags(self, request: ApiRequest) -> Any:
        prefix = request.text("prefix")
        limit = request.number("limit", 50, least=1, most=1000)
        wants_matches = request.choice("matches", "false", ("true", "false")) == "true"
        window = request.window(most=DAY_SECONDS)
        request.raise_errors()
        found = complete_tag(self._analysis, request.visibility, window, prefix, limit)
        keys = [{"key": one.value, "count": one.count} for one in found.keys]
        matches = self._matches(request.visibility, window, prefix, limit) if wants_matches else []
        return {"prefix": prefix, "keys": keys, "values": found.values, "matches": matches}

    def _matches(self, visibility: Visibility, window: Window, prefix: str, limit: int) -> list[dict[str, Any]]:
        """Values of any key that begin so, the most frequent first."""
        if not prefix or ":" in prefix:
            return []
        there = complete_tag(self._analysis, visibility, window, "", MOST_MATCHED_KEYS)
        keys = [one.value for one in there.keys if one.value != "state_zombie"]
        found = self._analysis.facets(visibility.selection(), window, keys, limit, prefix) if keys else None
        values = [(one.key, value) for one in (found.facets if found else ()) for value in one.values]
        values.sort(key=lambda one: (-one[1].count, one[0], one[1].value))
        return [{"key": key, "value": value.value, "count": value.count} for key, value in values[:limit]]

    def groups(self, request: ApiRequest) -> Any:
        selection, at = request.selection(), request.instant()
        by = _by(request)
        keys = tuple(dict.fromkeys(filter(None, map(str.strip, by.split(",")))))
        request.visibility.refuse_hidden(*keys)
        if not 1 <= len(keys) <= 2:
            request.refuse("by", "it has to name a tag key or an attribute, or two with a comma between them")
        names = ("value", "second") if len(keys) == 2 else ("value",)
        order = request.order("sort", "-count", ("count", *names, *_STATISTICS))
        measures = request.measures(",".join(_SUMS))
        statistics = request.names("statistics", "sum,max", most=len(STATISTICS), choices=STATISTICS)
        limit = request.number("limit", 100, least=1, most=10_000)
        request.raise_errors()
        found = self._analysis.groups(
            selection,
            at,
            keys[0],
            _with(measures, order),
            order,
            limit,
            second=keys[1] if len(keys) == 2 else None,
            has_percentiles=not PERCENTILES.keys().isdisjoint((*statistics, order.column.partition(":")[0])),
        )
        return {
            "meta": {
                "at": at,
                "by": ",".join(keys),
                "total": found.total,
                "known": found.is_known,
                "groups": found.groups,
            },
            "data": [_shown(group, measures, statistics) for group in found.found],
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

    def trends(self, request: ApiRequest) -> Any:
        selection, by = request.selection(), _by(request)
        window = request.window(most=7 * DAY_SECONDS, retention_hours=request.sighting_retention_hours)
        measures = request.names("measures", ",".join(_FLOWS), most=len(TREND_MEASURES), choices=TREND_MEASURES)
        rank = request.choice("rank", "cpu_total_percent", ("count", *TREND_MEASURES))
        limit = request.number("limit", 5, least=1, most=20)
        points = request.number("points", 60, least=2, most=500)
        request.raise_errors()
        found = self._analysis.trends(selection, window, by or None, measures, rank, limit, points)
        return {
            "meta": {
                "from": window.from_at,
                "to": window.to_at,
                "step": found.step,
                "instants": found.is_instants,
                "by": by or None,
                "known": found.is_known,
            },
            "times": found.times,
            "trends": found.trends,
        }

    def turnover(self, request: ApiRequest) -> Any:
        selection = request.selection()
        window = request.window(most=7 * DAY_SECONDS, retention_hours=request.sighting_retention_hours)
        points = request.number("points", 60, least=2, most=500)
        if compares(selection.search):
            request.refuse("search", "it compares numbers, and what has begun or ended has none")
        request.raise_errors()
        found = self._analysis.turnover(selection, window, points)
        known = self._analysis.is_known(selection, window)
        codes = [
            {"exit_code": one.exit_code, "signal": signal_of(one.exit_code), "ends": one.ends}
            for one in found.exit_codes
        ]
        return {
            "meta": {"from": window.from_at, "to": window.to_at, "step": found.step, "known": known},
            "times": found.times,
            "starts": found.starts,
            "ends": found.ends,
            "failures": found.failures,
            "exit_codes": codes,
        }

    def hosts(self, request: ApiRequest) -> Any:
        selection, at = request.selection(), request.instant()
        order = request.order("sort", "host", ("host", "processes", *_AMOUNTS))
        measures = request.measures(",".join(_SUMS))
        limit = request.number("limit", 1000, least=1, most=10_000)
        offset = request.number("page[offset]", 0, least=0, most=MAX_OFFSET)
        silent_hours = request.number("silent_hours", 0, least=0, most=7 * 24)
        request.raise_errors()
        found = self._analysis.hosts(selection, at, _with(measures, order), order, offset, limit)
        about = self._about_hosts(request.org_id)
        boots = self._boots(request, at, found.found)
        data = [
            {
                "host": one.host,
                "processes": one.processes,
                "seen_at": one.seen_at,
                "state": about.state(one.host, one.seen_at, at),
                "booted_at": boots.get(one.host),
                "agent_version": about.versions.get(one.host),
                "tags": sorted(about.tags.get(one.host, ())),
                "numbers": {name: one.numbers[name] for name in measures},
            }
            for one in found.found
        ]
        kept_since = max(0, request.now - request.sighting_retention_hours * 3600)
        oldest = max(kept_since, oldest_sighting(self._analysis, request.visibility) or 0)
        blind = [{"host": host, "processes": count} for host, count in request.blind_hosts().items()]
        meta = {"at": at, "total": found.total, "known": found.is_known, "oldest": oldest, "blind": blind[:MAX_BLIND]}
        if not silent_hours:
            return {"meta": meta, "data": data}
        window = Window(max(oldest, at - silent_hours * 3600), at)
        return {"meta": meta, "data": data, "silent": self._silent(request.visibility, window, about)}

    def _boots(self, request: ApiRequest, at: int, shown: Sequence[HostEntry]) -> Mapping[str, int | None]:
        """When hosts were booted, whichever of their processes were asked for."""
        whole = request.visibility.selection()
        if request.selection() != whole and any(one.booted_at is None for one in shown):
            shown = self._analysis.hosts(whole, at, (), Order("host"), 0, MAX_OFFSET).found
        return {one.host: one.booted_at for one in shown}

    def _silent(self, visibility: Visibility, window: Window, about: _AboutHosts) -> list[Any]:
        """Hosts that told of their processes in the window, and not for its end; the newest first."""
        told = hosts_told(self._analysis, visibility, window)
        silent = [(at, host) for host, at in told.items() if at < window.to_at - REACH_SECONDS]
        return [
            {
                "host": host,
                "seen_at": at,
                "state": about.state(host, at, window.to_at),
                "tags": sorted(about.tags.get(host, ())),
            }
            for at, host in sorted(silent, key=lambda one: (-one[0], one[1]))
        ]

    def _about_hosts(self, org_id: int) -> _AboutHosts:
        tags: dict[str, set[str]] = {}
        for entry in self._hosts.host_tags():
            if entry.org_id == org_id:
                tags.setdefault(entry.host, set()).update(entry.tags)
        notices = {one.host: one for one in self._hosts.host_notices(org_id)}
        return _AboutHosts(tags, notices, self._agent_versions(org_id))

    def compare(self, request: ApiRequest) -> Any:
        left, right = _sides(request)
        only_instants = left.selection == right.selection
        names = [match.value for match in Match]
        default = Match.PROCESS if only_instants else Match.COMMAND
        match = Match(request.choice("match", default.value, names))
        request.visibility.refuse_hidden(match.value)
        limit = request.number("limit", 100, least=1, most=1000)
        request.raise_errors()
        without_arguments = not request.visibility.has_arguments
        found = self._analysis.compare(left, right, match, limit, without_arguments=without_arguments)
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
            **_differences(request.visibility, found),
        }


def _sides(request: ApiRequest) -> tuple[Side, Side]:
    """The right side is like the left one where no `other_` parameter says otherwise; its host replaces the left's."""
    host = request.text("host", most=255)
    left = Side(request.selection(host=host), request.instant())
    prefixes = {name: "other_" if request.has(f"other_{name}") else "" for name in ("search", "tags", "host")}
    other_host = request.text(f"{prefixes['host']}host", most=255)
    search = request.selection(prefixes["search"]).search
    tags = request.selection(prefixes["tags"], host=other_host).tags
    return left, Side(request.visible(search, tags), request.instant("other_at", default=left.at))


def _differences(visibility: Visibility, found: Comparison) -> dict[str, Any]:
    def shown(one: ProcessAtInstant | Grouped) -> Any:
        return item_at_instant(visibility, one) if isinstance(one, ProcessAtInstant) else one

    changed: list[Any] = []
    for one in found.changed:
        if isinstance(one, ChangedProcess):
            before, after = (item_at_instant(visibility, side) for side in (one.before, one.after))
            fields = changed_attributes(one.fields, before.attributes, after.attributes)
            changed.append({"before": before, "after": after, "fields": fields})
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
    by = request.text("by", most=200).strip().lower()
    request.visibility.refuse_hidden(by)
    return by


def _with(measures: tuple[str, ...], order: Order) -> tuple[str, ...]:
    """The measures, and what is ordered by."""
    _, _, measure = order.column.partition(":")
    return measures if not measure or measure in measures else (*measures, measure)


def _shown(group: Grouped, measures: tuple[str, ...], statistics: tuple[str, ...]) -> Any:
    numbers = {}
    for name in measures:
        aggregate = group.numbers[name]
        numbers[name] = {one: aggregate.statistic(one) for one in statistics} | {"known": aggregate.known}
    second = {} if group.second is UNSET else {"second": group.second}
    return {"value": group.value, **second, "count": group.count, "numbers": numbers}
