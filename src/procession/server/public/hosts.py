"""`/api/v1/hosts` and `/api/v1/hosts/totals`: which hosts told of their processes, and which of them still do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.hosts import TagSource
from procession.accounts.restriction import Restricted
from procession.accounts.visibility import Visibility
from procession.analysis import REACH_SECONDS, Order
from procession.errors import InvalidParameter
from procession.monitors.observing.host_facts import silent_seconds
from procession.notifications.downtimes.downtime import Downtime, OneTime
from procession.notifications.downtimes.host_mute import host_mutes
from procession.process import host_key
from procession.query import MAX_LIMIT, ProcessQuery
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagCondition, TagFilter
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.http.responses import json_response
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import AnalysisStore, HostStore, NotificationSettingsStore, ProcessStore
from procession.text.whole_number import moment_parameter, number_parameter
from procession.window import Window

PATH = "/api/v1/hosts"
RATE_LIMIT_NAME = "hosts"
DEFAULT_COUNT = 100
MAX_COUNT = 1000
DEFAULT_SECONDS = 2 * 3600
MAX_SECONDS = 86400
MAX_HOSTS = 100_000
MAX_FILTER = 1000

_CPU = "cpu_total_percent"
_SORTS = ("name", "status", "cpu")
_SOURCE_NAMES = {TagSource.AGENT: "Datadog", TagSource.USER: "Users"}
_NUMBER_BITS = 53
"""As many as JavaScript has for a whole number."""


@dataclass(slots=True)
class _Host:
    name: str
    seen_at: int | None
    """None: longer ago than anybody needs to know by now."""
    cpu: float | None = None
    is_up: bool = True
    tags: dict[str, list[str]] = field(default_factory=dict)
    """By Datadog's names of sources."""


class PublicHosts:
    def __init__(
        self,
        processes: ProcessStore,
        analysis: AnalysisStore,
        hosts: HostStore,
        downtimes: NotificationSettingsStore,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._processes = processes
        self._analysis = analysis
        self._hosts = hosts
        self._downtimes = downtimes
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [
            Route(PATH, self.list_all, methods=["GET"]),
            Route(f"{PATH}/totals", self.totals, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        visibility = await self._admit(request)
        org_id = visibility.org_id
        parameters = parse_parameters(request.scope["query_string"])
        window = _window(parameters, self._now())
        words = parameters.get("filter", "").lower().split()
        if sum(map(len, words)) > MAX_FILTER:
            raise InvalidParameter("filter", f"it has more than {MAX_FILTER} characters")
        column, is_descending = _order(parameters)
        start = number_parameter("start", parameters.get("start", "0"), least=0, most=MAX_HOSTS)
        count = number_parameter("count", parameters.get("count", str(DEFAULT_COUNT)), least=0, most=MAX_COUNT)

        def find() -> dict[str, Any]:
            found = [one for one in self._find(visibility, window) if _fits(one, words)]
            found.sort(key=lambda one: one.name)
            found.sort(key=lambda one: _place(one, column), reverse=is_descending)
            shown = found[start : start + count]
            mutes = host_mutes(self._downtimes.downtimes(org_id), window.to_at)
            for one in shown:
                if one.seen_at is None:
                    one.seen_at = self._seen_at(visibility, one.name, window)
            return {
                "exact_total_matching": True,
                "host_list": [_item(one, mutes.get(one.name)) for one in shown],
                "total_matching": len(found),
                "total_returned": len(shown),
            }

        return json_response(await self._threads.run(org_id, find))

    async def totals(self, request: Request) -> Response:
        visibility = await self._admit(request)
        window = _window(parse_parameters(request.scope["query_string"]), self._now())
        found = await self._threads.run(visibility.org_id, lambda: self._find(visibility, window))
        return json_response({"total_active": len(found), "total_up": sum(one.is_up for one in found)})

    async def _admit(self, request: Request) -> Visibility:
        visibility = await self._sessions.visibility_of(request, Restricted.ALL)
        self._limiter.admit(request, visibility.org_id, RATE_LIMIT_NAME)
        return visibility

    def _find(self, visibility: Visibility, window: Window) -> list[_Host]:
        """All that told of processes in the window."""
        selection, at, org_id = visibility.selection(), window.to_at, visibility.org_id
        telling = self._analysis.hosts(selection, at, (_CPU,), Order("host"), 0, MAX_HOSTS).found
        hosts = {one.host: _Host(one.host, one.seen_at, one.numbers[_CPU].sum) for one in telling}
        notices = {one.host: one for one in self._hosts.host_notices(org_id)}
        (facet,) = self._analysis.facets(selection, window, ("host",), MAX_HOSTS).facets
        for name in (one.value for one in facet.values if one.value not in hosts):
            hosts[name] = _Host(name, None, is_up=False)
            # Those that tell seldom have no newest snapshot for most of the time.
            silent = silent_seconds(notices.get(name))
            if silent > REACH_SECONDS:
                hosts[name].seen_at = seen_at = self._seen_at(visibility, name, window)
                hosts[name].is_up = seen_at is not None and seen_at > at - silent
        for entry in self._hosts.host_tags():
            if entry.org_id == org_id and entry.host in hosts:
                hosts[entry.host].tags[_SOURCE_NAMES[entry.source]] = list(entry.tags)
        return list(hosts.values())

    def _seen_at(self, visibility: Visibility, host: str, window: Window) -> int | None:
        """When any process of the host was seen last."""
        seen = visibility.selection(tags=TagFilter((TagCondition((Pattern.literal(f"host:{host}"),)),)))
        query = ProcessQuery(seen.org_id, window, tags=seen.tags, limit=MAX_LIMIT, is_brief=True)
        return max((one.seen_at for one in self._processes.find(query).processes), default=None)


def _window(parameters: Mapping[str, str], now: int) -> Window:
    if "from" not in parameters:
        return Window(now - DEFAULT_SECONDS, now)
    since = moment_parameter("from", parameters["from"])
    if since < now - MAX_SECONDS:
        raise InvalidParameter("from", f"it is more than {MAX_SECONDS} seconds ago")
    return Window(min(since, now), now)


def _order(parameters: Mapping[str, str]) -> tuple[str, bool]:
    """The column, and whether its order is descending."""
    column, direction = parameters.get("sort_field", "name"), parameters.get("sort_dir", "asc")
    if column not in _SORTS:
        raise InvalidParameter("sort_field", f"it is none of {', '.join(_SORTS)}")
    if direction not in ("asc", "desc"):
        raise InvalidParameter("sort_dir", "it is neither asc nor desc")
    return column, direction == "desc"


def _place(host: _Host, column: str) -> Any:
    if column == "name":
        return host.name
    return host.is_up if column == "status" else (-1.0 if host.cpu is None else host.cpu)


def _fits(host: _Host, words: list[str]) -> bool:
    """Whether each word is a tag of the host, or in its name."""
    tags = {f"host:{host.name.lower()}", *(tag for those in host.tags.values() for tag in those)}
    return all(word in tags or word in host.name.lower() for word in words)


def _item(host: _Host, mute: Downtime | None) -> dict[str, Any]:
    end = mute.schedule.end if mute is not None and isinstance(mute.schedule, OneTime) else None
    of_agent = [f"host:{host.name}", *host.tags.get("Datadog", ())]
    item = {
        "aliases": [host.name],
        "apps": ["agent"],
        "host_name": host.name,
        "id": host_key(host.name) % 2**_NUMBER_BITS,
        "is_muted": mute is not None,
        "meta": {},
        "metrics": {} if host.cpu is None else {"cpu": host.cpu},
        "mute_timeout": end,
        "name": host.name,
        "sources": ["agent"],
        "tags_by_source": {**host.tags, "Datadog": of_agent},
        "up": host.is_up,
    }
    return item if host.seen_at is None else item | {"last_reported_time": host.seen_at}
