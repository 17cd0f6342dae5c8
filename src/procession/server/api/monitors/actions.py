"""Monitors before they are kept: what to begin with, what a query says, and whether its messages arrive."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.orgs import Key
from procession.accounts.restriction import Restricted
from procession.accounts.scopes import Scope
from procession.delivery.notifier import Notifier
from procession.errors import InvalidRequest, NotFound
from procession.monitors.monitor import Creator, Monitor, new_monitor
from procession.monitors.query import MonitorQuery, parse_monitor_query
from procession.monitors.starters import STARTERS
from procession.monitors.transition import State
from procession.notifications.message import mentions
from procession.notifications.planning import channel_named
from procession.notifications.trial import trial_of_monitor
from procession.server.access.sessions import Sessions
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.json_body import parsed_object
from procession.server.http.responses import json_response
from procession.server.public.monitor_items import cleaned
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import MonitorStore, NotificationSettingsStore

MAX_BODY_BYTES = 256 * 1024
TESTED_STATES = (State.ALERT, State.WARN, State.NO_DATA, State.OK)


class _QueryItem(msgspec.Struct):
    search: str
    language: str
    over: tuple[str, ...]
    by: tuple[str, ...]
    function: str
    measure: str | None
    window_seconds: int
    comparison: str
    threshold: float
    text: str

    @classmethod
    def of(cls, query: MonitorQuery) -> _QueryItem:
        return cls(
            query.search_text,
            query.language.value,
            query.over,
            query.by,
            str(query.function),
            query.measure,
            query.window_seconds,
            query.comparison,
            query.threshold,
            query.text,
        )


class MonitorActions:
    def __init__(
        self,
        api: ApiRouter,
        sessions: Sessions,
        store: MonitorStore,
        settings: NotificationSettingsStore,
        notifier: Notifier,
        threads: FairThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._api = api
        self._sessions = sessions
        self._store = store
        self._settings = settings
        self._notifier = notifier
        self._threads = threads
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [
            Route(f"{PREFIX}/monitors/query", self.query, methods=["GET"]),
            Route(f"{PREFIX}/monitors/starters", self.starters, methods=["GET"]),
            Route(f"{PREFIX}/monitors/test", self.test, methods=["POST"]),
        ]

    async def query(self, request: Request) -> Response:
        """The parts of a query."""
        await self._admit_reader(request)
        text = parse_parameters(request.scope["query_string"]).get("query", "")
        return json_response(_QueryItem.of(parse_monitor_query(text)))

    async def starters(self, request: Request) -> Response:
        await self._admit_reader(request)
        return json_response(
            {"starters": [{"id": one.id, "about": one.about, "monitor": one.body} for one in STARTERS]}
        )

    async def test(self, request: Request) -> Response:
        """Send what a monitor would send, marked as a test, to those whom its message names for that state."""
        key, body = await self._taken(request)
        state = body.get("state", str(State.ALERT))
        if state not in TESTED_STATES:
            raise InvalidRequest(f"Invalid body: state is none of {', '.join(TESTED_STATES)}")
        cycle_key = f"test-{secrets.token_hex(8)}"

        def send() -> dict[str, Any]:
            monitor = self._monitor(key, body)
            one = trial_of_monitor(monitor, State(state), cycle_key, self._now())
            channels = self._settings.channels(key.org_id)
            named = mentions(one)
            known = [name for name in named if channel_named(name, channels) is not None]
            self._notifier.put([one])
            unknown = [name for name in named if name not in known]
            return {"cycle_key": cycle_key, "sent_to": known, "unknown": unknown}

        return json_response(await self._threads.run(key.org_id, send))

    # What they have in common

    async def _admit_reader(self, request: Request) -> None:
        """For what is told of no monitor."""
        seen = await self._sessions.visibility_with(Scope.MONITORS_READ, request, Restricted.ALL)
        self._api.count(request, seen.org_id)

    async def _admit(self, request: Request, scope: Scope) -> Key:
        key = await self._sessions.key_with(scope, request)
        self._api.count(request, key.org_id)
        return key

    async def _taken(self, request: Request) -> tuple[Key, dict[str, Any]]:
        key = await self._admit(request, Scope.MONITORS_WRITE)
        body: dict[str, Any] = cleaned(await parsed_object(request, MAX_BODY_BYTES))
        return key, body

    def _monitor(self, key: Key, body: Mapping[str, Any]) -> Monitor:
        """The one that is named by its id, or described."""
        definition = body.get("monitor")
        if definition is None:
            return self._known(key, body)
        if not isinstance(definition, dict):
            raise InvalidRequest("Invalid body: monitor is not an object")
        creator = Creator(0, key.name, key.name, "")
        return new_monitor(key.org_id, 0, definition, creator=creator, changed_by=key.id, now_us=0)

    def _known(self, key: Key, body: Mapping[str, Any]) -> Monitor:
        wanted = body.get("monitor_id")
        if type(wanted) is not int:
            raise InvalidRequest("Invalid body: monitor_id is not a whole number")
        for monitor in self._store.monitors(key.org_id):
            if monitor.id == wanted:
                return monitor
        raise NotFound("Monitor not found")
