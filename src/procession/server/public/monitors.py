"""`/api/v1/monitor…`: authenticate, parse, carry out, render."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from procession.accounts.orgs import Key, hash_secret
from procession.accounts.restriction import Restricted
from procession.accounts.scopes import Scope
from procession.accounts.users import is_user
from procession.accounts.visibility import Visibility
from procession.errors import InvalidRequest, NotFound
from procession.monitors.group_state import GroupState
from procession.monitors.listing import MonitorWithStates, group_states, parse_monitor_search
from procession.monitors.monitor import Creator, Monitor, changed_monitor, new_monitor
from procession.monitors.muting import ALL, muted, unmuted
from procession.monitors.restricted.seen import seen_monitor
from procession.monitors.transition import State
from procession.notifications.template_names import check_message
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.http.json_body import parsed_object
from procession.server.http.responses import json_response
from procession.server.public.monitor_items import (
    cleaned,
    groups_answer,
    matching_downtimes,
    monitor_definition,
    monitor_item,
    search_answer,
)
from procession.server.public.monitor_parameters import (
    MAX_ID,
    fits,
    in_order,
    is_true,
    list_page,
    monitor_ids,
    search_page,
)
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import MonitorStore, NotificationSettingsStore

PREFIX = "/api/v1/monitor"
RATE_LIMIT_NAME = "monitors"
MAX_BODY_BYTES = 256 * 1024
MAX_MONITORS = 5000
"""Of an org."""

NOT_FOUND = "Monitor not found"

_log = logging.getLogger(__name__)


class PublicMonitors:
    """The monitors of an org, as Datadog's clients and Terraform ask for them."""

    def __init__(
        self,
        store: MonitorStore,
        downtimes: NotificationSettingsStore,
        changes: ChangeRecorder,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._downtimes = downtimes
        self._changes = changes
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
            _route_by_id(f"{one}/mute", self.mute, "POST"),
            _route_by_id(f"{one}/unmute", self.unmute, "POST"),
            _route_by_id(one, self.show, "GET"),
            _route_by_id(one, self.update, "PUT"),
            _route_by_id(one, self.delete, "DELETE"),
        ]

    # One monitor

    async def create(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_WRITE)
        body = await _body(request)

        def create() -> tuple[Monitor, dict[str, Any]]:
            known = self._store.monitors(key.org_id)
            if len(known) >= MAX_MONITORS:
                raise InvalidRequest(f"This org has {MAX_MONITORS} monitors already")
            newest = max((one.id for one in known), default=0)
            monitor = self._new(key, body, max(_new_id(), newest + 1))
            self._put(key, None, monitor)
            return monitor, monitor_item(MonitorWithStates(monitor, ()), is_new=True)

        made, item = await self._threads.run(key.org_id, create)
        self._log_change("monitor-created", "made", key, made)
        return json_response(item)

    async def show(self, request: Request) -> Response:
        seen = await self._admit_reader(request)
        parameters = parse_parameters(request.scope["query_string"])
        states = group_states(parameters.get("group_states", ""))
        with_downtimes = _wants_downtimes(seen, parameters)

        def read() -> dict[str, Any]:
            found = seen_monitor(seen, self._one(seen.org_id, request))
            if found is None:
                raise NotFound(NOT_FOUND)
            (item,) = self._items([found], states, with_downtimes)
            return item

        return json_response(await self._threads.run(seen.org_id, read))

    async def update(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_WRITE)
        body = await _body(request)

        def update() -> tuple[Monitor, dict[str, Any]]:
            found = self._one(key.org_id, request)
            monitor = self._changed(found.monitor, key, body)
            self._put(key, found.monitor, monitor)
            if monitor.query_text == found.monitor.query_text:
                return monitor, monitor_item(MonitorWithStates(monitor, found.groups))
            # Groups of another query would be expected for ever.
            self._store.drop_groups(key.org_id, monitor.id, [one.group for one in found.groups])
            return monitor, monitor_item(MonitorWithStates(monitor, ()))

        changed, item = await self._threads.run(key.org_id, update)
        self._log_change("monitor-changed", "changed", key, changed)
        return json_response(item)

    async def delete(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_WRITE)

        def delete() -> Monitor:
            monitor = self._one(key.org_id, request).monitor
            self._changes.record_monitor(key, monitor.id, monitor_definition(monitor), None)
            self._store.delete_monitor(key.org_id, monitor.id)
            return monitor

        monitor = await self._threads.run(key.org_id, delete)
        self._log_change("monitor-deleted", "deleted", key, monitor)
        return json_response({"deleted_monitor_id": monitor.id})

    async def validate(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        body = await _body(request)
        await self._threads.run(key.org_id, lambda: self._new(key, body, 1))
        return _valid()

    async def validate_change(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        body = await _body(request)
        await self._threads.run(key.org_id, lambda: self._changed(self._one(key.org_id, request).monitor, key, body))
        return _valid()

    async def mute(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_DOWNTIME)
        body = await _optional_body(request)
        scope, end = body.get("scope") or ALL, body.get("end")
        if not isinstance(scope, str):
            raise InvalidRequest("The value provided for parameter 'scope' is invalid: it is not a text")
        if end is not None and type(end) is not int:
            raise InvalidRequest("The value provided for parameter 'end' is invalid: it is not a time in Unix seconds")
        return await self._with_mutes(
            request, key, lambda monitor: muted(monitor, scope, end, changed_by=key.id, now_us=self._now_us())
        )

    async def unmute(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_DOWNTIME)
        body = await _optional_body(request)
        scope = None if body.get("all_scopes") is True else body.get("scope") or ALL
        if scope is not None and not isinstance(scope, str):
            raise InvalidRequest("The value provided for parameter 'scope' is invalid: it is not a text")
        return await self._with_mutes(
            request, key, lambda monitor: unmuted(monitor, scope, changed_by=key.id, now_us=self._now_us())
        )

    # Many

    async def list_all(self, request: Request) -> Response:
        seen = await self._admit_reader(request)
        parameters = parse_parameters(request.scope["query_string"])
        states = group_states(parameters.get("group_states", ""))
        first, count, after = list_page(parameters)
        with_downtimes = _wants_downtimes(seen, parameters)

        def read() -> list[dict[str, Any]]:
            found = [one for one in self._seen(seen) if one.monitor.id > after and fits(one, parameters)]
            return self._items(found[first:] if count is None else found[first : first + count], states, with_downtimes)

        return json_response(await self._threads.run(seen.org_id, read))

    async def search(self, request: Request) -> Response:
        seen = await self._admit_reader(request)
        parameters = parse_parameters(request.scope["query_string"])
        is_wanted = parse_monitor_search(parameters.get("query", ""))
        page, per_page = search_page(parameters)

        def read() -> Any:
            found = in_order([one for one in self._seen(seen) if is_wanted(one)], parameters)
            return search_answer(found, page, per_page)

        return json_response(await self._threads.run(seen.org_id, read))

    async def search_groups(self, request: Request) -> Response:
        seen = await self._admit_reader(request)
        parameters = parse_parameters(request.scope["query_string"])
        is_wanted = parse_monitor_search(parameters.get("query", ""))
        page, per_page = search_page(parameters)

        def read() -> Any:
            chosen = in_order([one for one in self._seen(seen) if is_wanted(one)], parameters)
            return groups_answer([(one.monitor, state) for one in chosen for state in one.groups], page, per_page)

        return json_response(await self._threads.run(seen.org_id, read))

    async def can_delete(self, request: Request) -> Response:
        seen = await self._admit_reader(request)
        parameters = parse_parameters(request.scope["query_string"])
        wanted = monitor_ids(parameters)
        known = {one.monitor.id for one in await self._threads.run(seen.org_id, lambda: self._seen(seen))}
        if any(one not in known for one in wanted):
            raise NotFound(NOT_FOUND)
        return json_response({"data": {"ok": wanted}, "errors": None})

    # What they have in common

    async def _admit(self, request: Request, scope: Scope) -> Key:
        key = await self._sessions.key_with(scope, request)
        self._limiter.admit(request, key.org_id, RATE_LIMIT_NAME)
        return key

    async def _admit_reader(self, request: Request) -> Visibility:
        """What the reader may see of monitors, as `seen_monitor` says."""
        seen = await self._sessions.visibility_with(Scope.MONITORS_READ, request, Restricted.ALL)
        self._limiter.admit(request, seen.org_id, RATE_LIMIT_NAME)
        return seen

    def _seen(self, visibility: Visibility) -> list[MonitorWithStates]:
        """By id, those that the reader may see. Blocks; so does what parses the queries of all of them."""
        org_id = visibility.org_id
        states = self._store.groups_by_monitor(org_id)
        found = (MonitorWithStates(one, states.get((org_id, one.id), ())) for one in self._store.monitors(org_id))
        return [seen for one in found if (seen := seen_monitor(visibility, one)) is not None]

    def _one(self, org_id: int, request: Request) -> MonitorWithStates:
        wanted = request.path_params["monitor_id"]
        for monitor in self._store.monitors(org_id):
            if monitor.id == wanted:
                groups: tuple[GroupState, ...] = self._store.groups_by_monitor(org_id, wanted).get((org_id, wanted), ())
                return MonitorWithStates(monitor, groups)
        raise NotFound(NOT_FOUND)

    def _new(self, key: Key, body: Mapping[str, Any], monitor_id: int) -> Monitor:
        creator = Creator(_number_of(key), key.name, key.name, "")
        now_us = self._now_us()
        monitor = new_monitor(key.org_id, monitor_id, body, creator=creator, changed_by=key.id, now_us=now_us)
        _check_templates(monitor)
        return monitor

    def _changed(self, monitor: Monitor, key: Key, body: Mapping[str, Any]) -> Monitor:
        changed = changed_monitor(monitor, body, changed_by=key.id, now_us=self._now_us())
        _check_templates(changed)
        return changed

    def _put(self, key: Key, before: Monitor | None, after: Monitor) -> None:
        fields = None if before is None else monitor_definition(before)
        self._changes.record_monitor(key, after.id, fields, monitor_definition(after))
        self._store.put_monitor(after)

    async def _with_mutes(self, request: Request, key: Key, change: Callable[[Monitor], Monitor]) -> Response:
        def put() -> tuple[Monitor, dict[str, Any]]:
            found = self._one(key.org_id, request)
            monitor = change(found.monitor)
            if monitor is not found.monitor:
                self._put(key, found.monitor, monitor)
            return monitor, monitor_item(MonitorWithStates(monitor, found.groups))

        changed, item = await self._threads.run(key.org_id, put)
        self._log_change("monitor-changed", "muted or unmuted", key, changed)
        return json_response(item)

    def _items(
        self, found: Sequence[MonitorWithStates], states: Collection[State], with_downtimes: bool
    ) -> list[dict[str, Any]]:
        """Of one org. Blocks where downtimes are wanted."""
        downtimes = self._downtimes.downtimes(found[0].monitor.org_id) if with_downtimes and found else ()
        now = self._now()
        return [
            monitor_item(
                one,
                shown_states=states,
                downtimes=matching_downtimes(one, downtimes, now) if with_downtimes else None,
            )
            for one in found
        ]

    def _now_us(self) -> int:
        return self._now() * 1_000_000 + time.time_ns() // 1000 % 1_000_000

    @staticmethod
    def _log_change(event: str, what: str, key: Key, monitor: Monitor) -> None:
        fields = {"event": event, "monitor": monitor.id, "name": monitor.name, "org_id": key.org_id, "key_id": key.id}
        _log.info(f"{what} the monitor %(monitor)d, %(name)r, of org %(org_id)d, by the key %(key_id)s", fields)


def _wants_downtimes(visibility: Visibility, parameters: Mapping[str, str]) -> bool:
    """Raises Forbidden for a reader who is restricted: they are of the whole org."""
    is_wanted = is_true(parameters, "with_downtimes")
    if is_wanted:
        visibility.require(Restricted.NOTHING)
    return is_wanted


def _route_by_id(path: str, answer: Callable[[Request], Awaitable[Response]], method: str) -> Route:
    """Only for numbers: what else may stand in the place of an id has routes of its own."""
    route = Route(path, answer, methods=[method])
    route.path_regex, route.path_format, route.param_convertors = compile_path(path.replace("_id}", "_id:int}"))
    return route


async def _body(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = cleaned(await parsed_object(request, MAX_BODY_BYTES))
    return body


async def _optional_body(request: Request) -> dict[str, Any]:
    return await _body(request) if await request.body() else {}


def _check_templates(monitor: Monitor) -> None:
    """Raises InvalidRequest."""
    for text in (monitor.name, monitor.message, monitor.rules.escalation_message):
        check_message(text, monitor.query.by)


def _valid() -> Response:
    return Response(b"{}\n", media_type="application/json")


def _new_id() -> int:
    """Later ones are greater, so that a list by id can go on while monitors are made."""
    return min(time.time_ns() // 1_000_000 * 1000 + secrets.randbelow(1000), MAX_ID)


def _number_of(key: Key) -> int:
    """Datadog's clients want a number for who made something."""
    # Names of users begin alike, and ids of keys do not.
    text = hash_secret(key.id) if is_user(key) else key.id.encode()
    return int.from_bytes(text[:6], "big")
