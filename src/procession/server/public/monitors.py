"""`/api/v1/monitor…`: authenticate, parse, carry out, render."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from procession.accounts.orgs import Key
from procession.accounts.scopes import Scope
from procession.errors import InvalidRequest, NotFound
from procession.monitors.group_state import GroupState
from procession.monitors.listing import (
    MonitorWithStates,
    group_states,
    has_tags,
    is_over,
    parse_monitor_search,
)
from procession.monitors.monitor import Creator, Monitor, changed_monitor, new_monitor
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.http.json_body import parsed_object
from procession.server.http.responses import json_response
from procession.server.public.monitor_items import cleaned, groups_answer, monitor_item, search_answer
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import MonitorStore
from procession.text.whole_number import whole_number

PREFIX = "/api/v1/monitor"
RATE_LIMIT_NAME = "monitors"
MAX_BODY_BYTES = 256 * 1024
MAX_MONITORS = 5000
"""Of an org."""
MAX_ID = 2**53 - 1
"""Clients in JavaScript can read no greater one."""
MAX_PAGE_SIZE = 1000
_TRUE = ("true", "1")

_log = logging.getLogger(__name__)


class PublicMonitors:
    """The monitors of an org, as Datadog's clients and Terraform ask for them."""

    def __init__(
        self,
        store: MonitorStore,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads
        self._now = now

    @property
    def routes(self) -> list[Route]:
        one = f"{PREFIX}/{{monitor_id}}"
        return [
            Route(PREFIX, self.list_all, methods=["GET"]),
            Route(PREFIX, self.create, methods=["POST"]),
            Route(f"{PREFIX}/validate", self.validate, methods=["POST"]),
            Route(f"{PREFIX}/search", self.search, methods=["GET"]),
            Route(f"{PREFIX}/groups/search", self.search_groups, methods=["GET"]),
            Route(f"{PREFIX}/can_delete", self.can_delete, methods=["GET"]),
            _route_by_id(f"{one}/validate", self.validate_change, "POST"),
            _route_by_id(one, self.show, "GET"),
            _route_by_id(one, self.update, "PUT"),
            _route_by_id(one, self.delete, "DELETE"),
        ]

    # One monitor

    async def create(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_WRITE)
        body = await _body(request)

        def create() -> MonitorWithStates:
            known = self._store.monitors(key.org_id)
            if len(known) >= MAX_MONITORS:
                raise InvalidRequest(f"This org has {MAX_MONITORS} monitors already")
            newest = max((one.id for one in known), default=0)
            monitor = self._new(key, body, max(_new_id(), newest + 1))
            self._store.put_monitor(monitor)
            return MonitorWithStates(monitor, ())

        found = await self._threads.run(key.org_id, create)
        self._log_change("monitor-created", "made", key, found.monitor)
        return json_response(monitor_item(found, is_new=True))

    async def show(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        parameters = parse_parameters(request.scope["query_string"])
        states = group_states(parameters.get("group_states", ""))
        found = await self._threads.run(key.org_id, lambda: self._one(key.org_id, request))
        with_downtimes = parameters.get("with_downtimes") in _TRUE
        return json_response(monitor_item(found, shown_states=states, with_downtimes=with_downtimes))

    async def update(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_WRITE)
        body = await _body(request)

        def update() -> MonitorWithStates:
            found = self._one(key.org_id, request)
            monitor = changed_monitor(found.monitor, body, changed_by=key.id, now_us=self._now_us())
            self._store.put_monitor(monitor)
            if monitor.query_text == found.monitor.query_text:
                return MonitorWithStates(monitor, found.groups)
            # Groups of another query would be expected for ever.
            self._store.drop_groups(key.org_id, monitor.id, [one.group for one in found.groups])
            return MonitorWithStates(monitor, ())

        found = await self._threads.run(key.org_id, update)
        self._log_change("monitor-changed", "changed", key, found.monitor)
        return json_response(monitor_item(found))

    async def delete(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_WRITE)

        def delete() -> Monitor:
            monitor = self._one(key.org_id, request).monitor
            self._store.delete_monitor(key.org_id, monitor.id)
            return monitor

        monitor = await self._threads.run(key.org_id, delete)
        self._log_change("monitor-deleted", "deleted", key, monitor)
        return json_response({"deleted_monitor_id": monitor.id})

    async def validate(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        self._new(key, await _body(request), 1)
        return _valid()

    async def validate_change(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        body = await _body(request)
        found = await self._threads.run(key.org_id, lambda: self._one(key.org_id, request))
        changed_monitor(found.monitor, body, changed_by=key.id, now_us=self._now_us())
        return _valid()

    # Many

    async def list_all(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        parameters = parse_parameters(request.scope["query_string"])
        states = group_states(parameters.get("group_states", ""))
        first, count, after = _list_page(parameters)
        found = [one for one in await self._all(key.org_id) if one.monitor.id > after and _fits(one, parameters)]
        with_downtimes = parameters.get("with_downtimes") in _TRUE
        return json_response(
            [
                monitor_item(one, shown_states=states, with_downtimes=with_downtimes)
                for one in (found[first:] if count is None else found[first : first + count])
            ]
        )

    async def search(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        parameters = parse_parameters(request.scope["query_string"])
        fits = parse_monitor_search(parameters.get("query", ""))
        page, per_page = _page(parameters)
        found = _sorted([one for one in await self._all(key.org_id) if fits(one)], parameters.get("sort", ""))
        return json_response(search_answer(found, page, per_page))

    async def search_groups(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        parameters = parse_parameters(request.scope["query_string"])
        fits = parse_monitor_search(parameters.get("query", ""))
        page, per_page = _page(parameters)
        chosen = _sorted([one for one in await self._all(key.org_id) if fits(one)], parameters.get("sort", ""))
        found = [(one.monitor, state) for one in chosen for state in one.groups]
        return json_response(groups_answer(found, page, per_page))

    async def can_delete(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        parameters = parse_parameters(request.scope["query_string"])
        wanted = [_monitor_id(text) for text in parameters.get("monitor_ids", "").split(",")]
        known = {one.monitor.id for one in await self._all(key.org_id)}
        if any(one not in known for one in wanted):
            raise NotFound("Monitor not found")
        return json_response({"data": {"ok": wanted}, "errors": None})

    # What they have in common

    async def _admit(self, request: Request, scope: Scope) -> Key:
        key = await self._sessions.key_with(scope, request)
        self._limiter.admit(request, key.org_id, RATE_LIMIT_NAME)
        return key

    async def _all(self, org_id: int) -> list[MonitorWithStates]:
        """By id."""

        def read() -> list[MonitorWithStates]:
            states = self._store.groups_by_monitor(org_id)
            return [MonitorWithStates(one, states.get((org_id, one.id), ())) for one in self._store.monitors(org_id)]

        return await self._threads.run(org_id, read)

    def _one(self, org_id: int, request: Request) -> MonitorWithStates:
        wanted = request.path_params["monitor_id"]
        for monitor in self._store.monitors(org_id):
            if monitor.id == wanted:
                groups: tuple[GroupState, ...] = self._store.groups_by_monitor(org_id, wanted).get((org_id, wanted), ())
                return MonitorWithStates(monitor, groups)
        raise NotFound("Monitor not found")

    def _new(self, key: Key, body: Mapping[str, Any], monitor_id: int) -> Monitor:
        creator = Creator(_number_of(key), key.name, key.name, "")
        now_us = self._now_us()
        return new_monitor(key.org_id, monitor_id, body, creator=creator, changed_by=key.id, now_us=now_us)

    def _now_us(self) -> int:
        return self._now() * 1_000_000 + time.time_ns() // 1000 % 1_000_000

    @staticmethod
    def _log_change(event: str, what: str, key: Key, monitor: Monitor) -> None:
        fields = {"event": event, "monitor": monitor.id, "name": monitor.name, "org_id": key.org_id, "key_id": key.id}
        _log.info(f"{what} the monitor %(monitor)d, %(name)r, of org %(org_id)d, by the key %(key_id)s", fields)


def _route_by_id(path: str, answer: Callable[[Request], Awaitable[Response]], method: str) -> Route:
    """Only for numbers: what else may stand in the place of an id has routes of its own."""
    route = Route(path, answer, methods=[method])
    route.path_regex, route.path_format, route.param_convertors = compile_path(path.replace("_id}", "_id:int}"))
    return route


async def _body(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = cleaned(await parsed_object(request, MAX_BODY_BYTES))
    return body


def _valid() -> Response:
    return Response(b"{}\n", media_type="application/json")


def _new_id() -> int:
    """Later ones are greater, so that a list by id can go on while monitors are made."""
    return min(time.time_ns() // 1_000_000 * 1000 + secrets.randbelow(1000), MAX_ID)


def _number_of(key: Key) -> int:
    """Datadog's clients want a number for who made something."""
    return int.from_bytes(key.id.encode()[:6], "big")


def _monitor_id(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise NotFound("Monitor not found")
    return number


def _fits(found: MonitorWithStates, parameters: Mapping[str, str]) -> bool:
    monitor = found.monitor
    return (
        parameters.get("name", "").lower() in monitor.name.lower()
        and is_over(monitor, parameters.get("tags", ""))
        and has_tags(monitor, parameters.get("monitor_tags", ""))
    )


def _number(parameters: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    if name not in parameters:
        return default
    number = whole_number(parameters[name])
    if number is None or not least <= number <= most:
        raise InvalidRequest(f"The value provided for parameter '{name}' is invalid")
    return number


def _list_page(parameters: Mapping[str, str]) -> tuple[int, int | None, int]:
    """The first one, how many, and the id after which they begin."""
    after = _number(parameters, "id_offset", 0, 0, MAX_ID)
    size = _number(parameters, "page_size", 100, 1, MAX_PAGE_SIZE)
    if "page" not in parameters:
        return 0, size if "id_offset" in parameters else None, after
    return _number(parameters, "page", 0, 0, 10**9) * size, size, after


def _page(parameters: Mapping[str, str]) -> tuple[int, int]:
    return _number(parameters, "page", 0, 0, 10**9), _number(parameters, "per_page", 30, 1, MAX_PAGE_SIZE)


def _sorted(found: list[MonitorWithStates], text: str) -> list[MonitorWithStates]:
    column, _, direction = text.partition(",")
    keys: dict[str, Callable[[MonitorWithStates], Any]] = {
        "name": lambda one: one.monitor.name.lower(),
        "status": lambda one: str(one.state),
        "tags": lambda one: one.monitor.tags,
    }
    return sorted(found, key=keys.get(column, keys["name"]), reverse=direction == "desc")
