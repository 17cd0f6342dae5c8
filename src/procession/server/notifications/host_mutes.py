"""`POST /api/v1/host/{host_name}/mute` and `/unmute`, of Datadog's older API: kept as downtimes."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.orgs import Key
from procession.accounts.scopes import Scope
from procession.delivery.notifier import Notifier
from procession.errors import InvalidRequest
from procession.notifications.downtimes.downtime import MAX_LIVE_DOWNTIMES, Downtime, OneTime
from procession.notifications.downtimes.host_mute import host_mute, host_mutes, host_scope
from procession.process import MAX_UINT32
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import NotificationSettingsStore

PATH = "/api/v1/host/{host_name}"
RATE_LIMIT_NAME = "hosts"
MAX_MESSAGE_CHARACTERS = 4_000

_log = logging.getLogger(__name__)


class _Mute(msgspec.Struct):
    end: int | None = None
    message: str | None = None
    override: bool = False


class PublicHostMutes:
    def __init__(
        self,
        store: NotificationSettingsStore,
        changes: ChangeRecorder,
        notifier: Notifier,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._changes = changes
        self._notifier = notifier
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [
            Route(f"{PATH}/mute", self.mute, methods=["POST"]),
            Route(f"{PATH}/unmute", self.unmute, methods=["POST"]),
        ]

    async def mute(self, request: Request) -> Response:
        key, host = await self._admit(request), request.path_params["host_name"]
        body = await parsed_body(request, _Mute) if await request.body() else _Mute()
        if body.end is not None and not 0 <= body.end <= MAX_UINT32:
            raise InvalidRequest("end: it is no time in Unix seconds")
        if body.message is not None and len(body.message) > MAX_MESSAGE_CHARACTERS:
            raise InvalidRequest(f"message: it has more than {MAX_MESSAGE_CHARACTERS} characters")
        downtime = await self._threads.run(key.org_id, lambda: self._mute(key, host, body))
        _say("muted", key, host, downtime)
        said = {"message": body.message, "end": body.end}
        return json_response({"action": "Muted", "hostname": host, **_given(said)})

    async def unmute(self, request: Request) -> Response:
        key, host = await self._admit(request), request.path_params["host_name"]
        downtime = await self._threads.run(key.org_id, lambda: self._unmute(key, host))
        _say("unmuted", key, host, downtime)
        return json_response({"action": "Unmuted", "hostname": host})

    async def _admit(self, request: Request) -> Key:
        key = await self._sessions.key_with(Scope.MONITORS_DOWNTIME, request)
        self._limiter.admit(request, key.org_id, RATE_LIMIT_NAME)
        return key

    def _mute(self, key: Key, host: str, body: _Mute) -> Downtime:
        now = self._now()
        with self._notifier.changing:
            known = self._store.downtimes(key.org_id)
            before = host_mutes(known, now).get(host)
            after = host_mute(
                host,
                downtime_id=str(uuid.uuid4()),
                created_by=key.id,
                message=body.message,
                end=body.end,
                now=now,
            )
            if before is not None:
                if not body.override:
                    raise InvalidRequest(f"Host {host} is muted already; override changes when that ends")
                after = msgspec.structs.replace(
                    before, schedule=OneTime(now, body.end), message=body.message, modified_at=now
                )
            elif sum(one.current(now) is not None for one in known) >= MAX_LIVE_DOWNTIMES:
                raise InvalidRequest(f"This org has {MAX_LIVE_DOWNTIMES} downtimes already that are not over")
            self._changes.record_downtime(key, before, after)
            self._store.put_downtime(key.org_id, after)
        return after

    def _unmute(self, key: Key, host: str) -> Downtime:
        """All that mutes the host."""
        now = self._now()
        host_scope(host)
        canceled = None
        while (before := host_mutes(self._store.downtimes(key.org_id), now).get(host)) is not None:
            canceled = self._cancel(key, before, now)
        if canceled is None:
            raise InvalidRequest(f"Host {host} is not muted")
        return canceled

    def _cancel(self, key: Key, before: Downtime, now: int) -> Downtime:
        with self._notifier.changing:
            after = msgspec.structs.replace(before, canceled_at=now, modified_at=now)
            self._changes.record_downtime(key, before, after)
            self._store.put_downtime(key.org_id, after)
        self._notifier.tell_of_end(key.org_id, after, "canceled", now)
        return after


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _say(what: str, key: Key, host: str, downtime: Downtime) -> None:
    about = {"action": what, "host": host, "downtime": downtime.id, "org_id": key.org_id, "key_id": key.id}
    fields = {"event": "downtime-changed", **about}
    _log.info("%(action)s the host %(host)r of org %(org_id)d, by the key %(key_id)s", fields)
