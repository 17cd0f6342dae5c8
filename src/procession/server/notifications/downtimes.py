"""`/api/v2/downtime…`: when monitors say nothing, as Datadog's clients keep it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from procession.accounts.orgs import Key
from procession.accounts.scopes import Scope
from procession.delivery.notifier import Notifier
from procession.errors import InvalidParameter, InvalidRequest, NotFound
from procession.monitors.group_state import group_name
from procession.notifications.downtimes.downtime import MAX_LIVE_DOWNTIMES, Downtime
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.http.responses import json_response
from procession.server.notifications.body import object_of
from procession.server.notifications.downtime_body import (
    attributes_of,
    changed_downtime,
    downtime_item,
    new_downtime,
    times_of,
)
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import MonitorStore, NotificationSettingsStore
from procession.text.whole_number import number_parameter

PATH = "/api/v2/downtime"
RATE_LIMIT_NAME = "downtimes"
MAX_PAGE = 1_000

T = TypeVar("T")

_log = logging.getLogger(__name__)


class PublicDowntimes:
    def __init__(
        self,
        store: NotificationSettingsStore,
        monitors: MonitorStore,
        changes: ChangeRecorder,
        notifier: Notifier,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._monitors = monitors
        self._changes = changes
        self._notifier = notifier
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads
        self._now = now

    @property
    def routes(self) -> list[Route]:
        one = f"{PATH}/{{downtime_id}}"
        matches = Route("/api/v2/monitor/{monitor_id}/downtime_matches", self.list_matches, methods=["GET"])
        matches.path_regex, matches.path_format, matches.param_convertors = compile_path(
            "/api/v2/monitor/{monitor_id:int}/downtime_matches"
        )
        return [
            Route(PATH, self.list_all, methods=["GET"]),
            Route(PATH, self.create, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.update, methods=["PATCH"]),
            Route(one, self.cancel, methods=["DELETE"]),
            matches,
        ]

    async def list_all(self, request: Request) -> Response:
        key = await self._admit(request)
        parameters = parse_parameters(request.scope["query_string"])
        current_only = parameters.get("current_only", "false")
        if current_only not in ("true", "false"):
            raise InvalidParameter("current_only", "it is neither true nor false")
        page = _page(parameters)

        def read() -> dict[str, Any]:
            found, now = self._store.downtimes(key.org_id), self._now()
            if current_only == "true":
                found = tuple(one for one in found if one.status(now) in ("active", "scheduled"))
            shown = sorted(found, key=lambda one: (-one.created_at, one.id))[page]
            return {"data": [downtime_item(one, now) for one in shown], "meta": _meta(len(found))}

        return json_response(await self._run(key, read))

    async def create(self, request: Request) -> Response:
        key = await self._admit(request)
        attributes = attributes_of(await object_of(request))

        def create() -> tuple[Downtime, dict[str, Any]]:
            now = self._now()
            downtime = new_downtime(attributes, str(uuid.uuid4()), key.id, now)
            self._check_room(key, now)
            self._changes.record_downtime(key, None, downtime)
            self._store.put_downtime(key.org_id, downtime)
            return downtime, downtime_item(downtime, now)

        downtime, item = await self._run(key, create)
        _say("made", key, downtime)
        return json_response({"data": item})

    async def show(self, request: Request) -> Response:
        key = await self._admit(request)
        item = await self._run(key, lambda: downtime_item(self._one(key, request), self._now()))
        return json_response({"data": item})

    async def update(self, request: Request) -> Response:
        key = await self._admit(request)
        attributes = attributes_of(await object_of(request))

        def update() -> tuple[Downtime, dict[str, Any]]:
            now = self._now()
            with self._notifier.changing:
                before = self._one(key, request)
                if before.canceled_at is not None:
                    raise InvalidRequest("This downtime was canceled")
                downtime = changed_downtime(before, attributes, now)
                if before.current(now) is None and downtime.current(now) is not None:
                    self._check_room(key, now)
                self._changes.record_downtime(key, before, downtime)
                self._store.put_downtime(key.org_id, downtime)
            return downtime, downtime_item(downtime, now)

        downtime, item = await self._run(key, update)
        _say("changed", key, downtime)
        return json_response({"data": item})

    async def cancel(self, request: Request) -> Response:
        key = await self._admit(request)

        def cancel() -> Downtime:
            now = self._now()
            with self._notifier.changing:
                before = self._one(key, request)
                if before.canceled_at is not None:
                    return before
                downtime = msgspec.structs.replace(before, canceled_at=now, modified_at=now)
                self._changes.record_downtime(key, before, downtime)
                self._store.put_downtime(key.org_id, downtime)
            if before.holds_at(now):
                self._notifier.tell_of_end(key.org_id, downtime, "canceled", now)
            return downtime

        _say("canceled", key, await self._run(key, cancel))
        return Response(status_code=204)

    async def list_matches(self, request: Request) -> Response:
        """The downtimes that hold for a monitor, now or later."""
        key = await self._admit(request)
        wanted, now = request.path_params["monitor_id"], self._now()
        parameters = parse_parameters(request.scope["query_string"])

        def read() -> list[dict[str, Any]]:
            monitor = next((one for one in self._monitors.monitors(key.org_id) if one.id == wanted), None)
            if monitor is None:
                raise NotFound("Monitor not found")
            those = [one for one in self._store.downtimes(key.org_id) if one.concerns_monitor(monitor.id, monitor.tags)]
            groups = self._monitors.groups_by_monitor(key.org_id, wanted).get((key.org_id, wanted), ())
            return [
                {
                    "type": "downtime_match",
                    "id": one.id,
                    "attributes": {
                        "groups": [group_name(g.group) for g in groups if one.covers(g.group, monitor.query_text)],
                        "scope": one.scope,
                        **times_of(current),
                    },
                }
                for one in those
                if (current := one.current(now)) is not None
            ]

        found = await self._run(key, read)
        return json_response({"data": found[_page(parameters)], "meta": _meta(len(found))})

    async def _admit(self, request: Request) -> Key:
        key = await self._sessions.key_with(Scope.MONITORS_DOWNTIME, request)
        self._limiter.admit(request, key.org_id, RATE_LIMIT_NAME)
        return key

    async def _run(self, key: Key, work: Callable[[], T]) -> T:
        return await self._threads.run(key.org_id, work)

    def _check_room(self, key: Key, now: int) -> None:
        """For one more. Raises InvalidRequest."""
        live = sum(one.current(now) is not None for one in self._store.downtimes(key.org_id))
        if live >= MAX_LIVE_DOWNTIMES:
            raise InvalidRequest(f"This org has {MAX_LIVE_DOWNTIMES} downtimes already that are not over")

    def _one(self, key: Key, request: Request) -> Downtime:
        for downtime in self._store.downtimes(key.org_id):
            if downtime.id == request.path_params["downtime_id"]:
                return downtime
        raise NotFound("Downtime not found")


def _page(parameters: Mapping[str, str]) -> slice:
    first = number_parameter("page[offset]", parameters.get("page[offset]", "0"), least=0, most=10**6)
    count = number_parameter("page[limit]", parameters.get("page[limit]", "30"), least=1, most=MAX_PAGE)
    return slice(first, first + count)


def _meta(total: int) -> dict[str, Any]:
    return {"page": {"total_filtered_count": total}}


def _say(what: str, key: Key, downtime: Downtime) -> None:
    about = {"action": what, "downtime": downtime.id, "org_id": key.org_id, "key_id": key.id}
    fields = {"event": "downtime-changed", **about}
    _log.info("%(action)s the downtime %(downtime)s of org %(org_id)d, by the key %(key_id)s", fields)
