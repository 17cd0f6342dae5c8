"""What Datadog's API has no place for: states with their reasons, what happened to monitors, and the back-test."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.orgs import Key
from procession.accounts.restriction import Restricted
from procession.accounts.scopes import Scope
from procession.accounts.visibility import Visibility
from procession.errors import InvalidParameter, InvalidRequest, NotFound
from procession.monitors.backtest import Backtest, run_backtest
from procession.monitors.evaluation import Moment, Rules
from procession.monitors.group_state import GroupState, group_name
from procession.monitors.listing import MonitorWithStates
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.muting import is_muted, scope_of
from procession.monitors.observing.host_facts import KnownHosts
from procession.monitors.observing.observer import Observer, Unheard, is_anything_known
from procession.monitors.restricted.seen import seen_monitor
from procession.monitors.transition import Transition
from procession.server.access.sessions import Sessions
from procession.server.api.monitors.seen_transitions import seen_transitions
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.json_body import parsed_object
from procession.server.http.responses import json_response
from procession.server.public.monitor_items import cleaned
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import AnalysisStore, HostStore, MonitorStore, ReadStore
from procession.text.whole_number import moment_parameter, number_parameter
from procession.window import Window

MAX_BODY_BYTES = 256 * 1024
MAX_TRANSITIONS = 1000
MAX_GROUPS = 25_000
DAY_SECONDS = 86400
MAX_BACKTEST_SECONDS = 7 * DAY_SECONDS
BACKTEST_DEADLINE_SECONDS = 30.0
"""So long it evaluates; what it asked last may still take longer."""


class _GroupItem(msgspec.Struct):
    group: str
    tags: dict[str, str]
    state: str
    reason: str
    value: float | None
    since: int
    last_seen_at: int | None
    hosts: tuple[str, ...]
    processes: tuple[str, ...]
    is_muted: bool
    scope: str
    """By which this group alone is muted."""

    @classmethod
    def of(cls, state: GroupState, *, is_muted: bool) -> _GroupItem:
        return cls(
            group_name(state.group),
            dict(state.group),
            str(state.state),
            state.reason,
            state.value,
            state.since,
            state.last_seen_at,
            state.hosts,
            state.processes,
            is_muted,
            scope_of(state.group),
        )


class _TransitionItem(msgspec.Struct):
    monitor_id: int
    monitor_name: str
    at: int
    kind: str
    group: str
    tags: dict[str, str]
    previous: str
    state: str
    value: float | None
    threshold: float | None
    reason: str
    processes: tuple[str, ...]
    cycle_key: str
    late: str | None

    @classmethod
    def of(cls, one: Transition) -> _TransitionItem:
        return cls(
            one.monitor_id,
            one.monitor_name,
            one.at,
            str(one.kind),
            group_name(one.group),
            dict(one.group),
            str(one.previous),
            str(one.state),
            one.value,
            one.threshold,
            one.reason,
            one.processes,
            one.cycle_key,
            one.late and str(one.late),
        )


class MonitorHistory:
    """Each handler wants the scope to read monitors."""

    def __init__(
        self,
        api: ApiRouter,
        sessions: Sessions,
        store: MonitorStore,
        processes: ReadStore,
        analysis: AnalysisStore,
        hosts: HostStore,
        threads: FairThreadPool,
        now: Callable[[], int],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._sessions = sessions
        self._store = store
        self._processes = processes
        self._analysis = analysis
        self._hosts = KnownHosts(hosts)
        self._threads = threads
        self._now = now
        self._clock = clock

    @property
    def routes(self) -> list[Route]:
        return [
            Route(f"{PREFIX}/monitors/groups", self.groups, methods=["GET"]),
            Route(f"{PREFIX}/monitors/transitions", self.transitions, methods=["GET"]),
            Route(f"{PREFIX}/monitors/backtest", self.backtest, methods=["POST"]),
        ]

    async def groups(self, request: Request) -> Response:
        """The groups of one monitor, with the reasons of their states."""
        seen = await self._admit_reader(request)
        monitor_id = _monitor_id(parse_parameters(request.scope["query_string"]))
        if monitor_id is None:
            raise InvalidParameter("monitor_id", "it is missing")

        def read() -> list[_GroupItem]:
            monitor = next((one for one in self._store.monitors(seen.org_id) if one.id == monitor_id), None)
            if monitor is None:
                raise NotFound("Monitor not found")
            states = self._store.groups_by_monitor(seen.org_id, monitor_id).get((seen.org_id, monitor_id), ())
            found = seen_monitor(seen, MonitorWithStates(monitor, states))
            if found is None:
                raise NotFound("Monitor not found")
            silenced, now = monitor.rules.silenced, self._now()
            groups = found.groups[:MAX_GROUPS]
            return [_GroupItem.of(one, is_muted=is_muted(silenced, one.group, now)) for one in groups]

        return json_response({"groups": await self._threads.run(seen.org_id, read)})

    async def transitions(self, request: Request) -> Response:
        """The newest first."""
        seen = await self._admit_reader(request)
        parameters = parse_parameters(request.scope["query_string"])
        now = self._now()
        from_at = moment_parameter("from", parameters.get("from", str(now - DAY_SECONDS)))
        to_at = moment_parameter("to", parameters.get("to", str(now)))
        limit = number_parameter("limit", parameters.get("limit", "100"), least=1, most=MAX_TRANSITIONS)
        monitor_id = _monitor_id(parameters)
        if from_at > to_at:
            raise InvalidParameter("from", "it is after to")
        window = Window(min(max(from_at, 0), now), min(max(to_at, 0), now))
        found = await self._threads.run(
            seen.org_id, lambda: seen_transitions(self._store, seen, window, limit, monitor_id)
        )
        return json_response({"transitions": [_TransitionItem.of(one) for one in found]})

    async def backtest(self, request: Request) -> Response:
        """What a monitor that need not be saved would have done."""
        key = await self._admit(request)
        body = cleaned(await parsed_object(request, MAX_BODY_BYTES))
        from_at, to_at = self._bounds(body)

        def observer_at(moment: Moment, unheard: Unheard) -> Observer:
            return Observer(self._processes, self._analysis, self._hosts, key.org_id, moment, unheard)

        def run() -> Backtest:
            rules = _rules(key, body.get("monitor"))  # which parses them: not on the event loop
            ends_at = self._clock() + BACKTEST_DEADLINE_SECONDS
            return run_backtest(
                rules,
                from_at,
                to_at,
                observer_at,
                lambda: self._clock() > ends_at,
                is_known=lambda window: is_anything_known(self._analysis, key.org_id, window),
            )

        found = await self._threads.run(key.org_id, run)
        answer = {"from": from_at, "to": to_at, "step_seconds": found.step_seconds}
        curves = [
            {"group": group_name(one.group), "tags": dict(one.group), "values": one.values} for one in found.curves
        ]
        transitions = [_TransitionItem.of(one) for one in found.transitions]
        return json_response(answer | {"transitions": transitions, "times": found.times, "curves": curves})

    async def _admit_reader(self, request: Request) -> Visibility:
        """What the reader may see of monitors, as `seen_monitor` says."""
        seen = await self._sessions.visibility_with(Scope.MONITORS_READ, request, Restricted.ALL)
        self._api.count(request, seen.org_id)
        return seen

    async def _admit(self, request: Request) -> Key:
        key = await self._sessions.key_with(Scope.MONITORS_READ, request)
        self._api.count(request, key.org_id)
        return key

    def _bounds(self, body: Mapping[str, Any]) -> tuple[int, int]:
        """The last day, unless it is said; by `seconds`, where the asker's clock is not the server's."""
        now = self._now()
        to_at = _seconds(body, "to", now)
        from_at = _seconds(body, "from", to_at - _seconds(body, "seconds", DAY_SECONDS))
        if not 0 <= to_at - from_at <= MAX_BACKTEST_SECONDS or not 0 <= from_at <= to_at <= now:
            raise InvalidRequest(
                f"Invalid body: from and to are of the past, and at most {MAX_BACKTEST_SECONDS} s apart"
            )
        return from_at, to_at


def _seconds(body: Mapping[str, Any], name: str, default: int) -> int:
    found = body.get(name, default)
    if type(found) is not int:
        raise InvalidRequest(f"Invalid body: {name} is not a whole number of seconds")
    return found


def _rules(key: Key, definition: Any) -> Rules:
    if not isinstance(definition, dict):
        raise InvalidRequest("Invalid body: monitor is not an object")
    creator = Creator(0, key.name, key.name, "")
    return Rules.of(new_monitor(key.org_id, 0, definition, creator=creator, changed_by=key.id, now_us=0))


def _monitor_id(parameters: Mapping[str, str]) -> int | None:
    text = parameters.get("monitor_id")
    return None if text is None else number_parameter("monitor_id", text, least=1, most=2**53 - 1)
