"""The application: its routes, and errors into responses, in this one place."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procession.config import ServerSettings
from procession.errors import MethodNotAllowed, NotFound, RequestError
from procession.log_throttle import LogThrottle
from procession.server.access.key_cache import KeyCache
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.api.admin import admin_routes
from procession.server.api.analysis import analysis_routes
from procession.server.api.debug import debug_routes
from procession.server.api.health import METRICS_PATH, health_routes
from procession.server.api.process_list import process_list_routes
from procession.server.api.routes import ApiRouter
from procession.server.api.session import SignInThrottle, sign_in_routes
from procession.server.api.single_process import single_process_routes
from procession.server.api.store import StoreSize, store_routes
from procession.server.api.views import view_routes
from procession.server.api.watch import WatchCache, watch_routes
from procession.server.http.client_certificates import asking_for_certificates
from procession.server.http.compression import Compress
from procession.server.http.host_names import AllowNames, Names, name_of
from procession.server.http.responses import AnswerHeaders, error_response
from procession.server.intake.agents import Agents
from procession.server.intake.host_tags import HostTagCache
from procession.server.intake.payloads import intake_routes
from procession.server.intake.quota import MemoryQuota
from procession.server.public.processes import PublicProcesses
from procession.server.runtime.disconnect import StopWhenGone
from procession.server.runtime.fair_pool import FairThreads, Threads
from procession.server.runtime.metrics import CountingSink, MeasureRequests, Metrics, Sink
from procession.server.runtime.rollup_task import RollupTask
from procession.server.web.assets import page_routes
from procession.server.web.openapi import openapi_routes
from procession.storage import AnalysisStore, HostStore, KeyStore, ReadStore, SessionStore

_log = logging.getLogger(__name__)

QUERY_THREADS = 8
"""Queries that the store works on at once; the others wait."""


def create_app(
    *,
    store: ReadStore,
    analysis: AnalysisStore,
    keys: KeyStore,
    hosts: HostStore,
    sessions: SessionStore,
    sink: Sink,
    settings: ServerSettings,
    metrics: Metrics | None = None,
    own_names: Iterable[str] = (),
    log_lines: Callable[[], Sequence[str]] = tuple,
    now: Callable[[], int] = lambda: int(time.time()),
) -> Starlette:
    """The whole of a server but its socket. `sink`, where the intake puts what it took, is started and stopped by
    whoever made it. By `own_names`, and those of the settings, clients may call it. `log_lines` gives the last of the
    log."""
    query_threads = FairThreads(QUERY_THREADS, "query")
    # What every request needs is on a thread of its own, and so is what every payload needs.
    key_thread = Threads(1, "keys")
    host_thread = Threads(1, "hosts")
    tag_threads = FairThreads(1, "tags", what="tags of hosts", max_waiting=2000)  # a fleet may be started at once
    store_threads = Threads(2, "events")
    # One: decoding holds the interpreter, so that a second would only slow down the rest.
    decode_thread = FairThreads(1, "decode", what="payloads", max_waiting=2000)  # their bytes are bounded elsewhere
    roll_thread = Threads(1, "roll-up")
    size_thread = Threads(1, "size")
    ring = KeyCache(keys, key_thread)
    who = Sessions(sessions, ring, key_thread, now)
    book = HostTagCache(hosts, host_thread, tag_threads, now)
    watch = WatchCache(hosts, host_thread, now)
    metrics = metrics or Metrics()
    counting = CountingSink(sink, metrics.sightings)
    agents = Agents()
    metrics.waiting_sightings.read = lambda: {(): counting.waiting}
    metrics.agents.read = agents.by_version
    metrics.blind_agents.read = lambda: {(): agents.blind()}
    metrics.watch_leases.read = lambda: {(): watch.held}
    size = StoreSize(store, size_thread, now)
    size.show_in(metrics)
    own = ApiRouter(
        sessions=who,
        limiter=RateLimiter(settings.own_rate_limit, now),
        threads=query_threads,
        retention_hours=settings.retention_hours,
        sighting_retention_hours=settings.sighting_retention_hours,
        now=now,
    )
    roller = RollupTask(analysis, keys, roll_thread)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with roller.running(), agents.watched():
            yield
        fair = (query_threads, decode_thread, tag_threads)
        for threads in (*fair, key_thread, host_thread, store_threads, roll_thread, size_thread):
            threads.close()

    from_agents = intake_routes(
        sink=counting,
        store=store,
        store_threads=store_threads,
        keys=ring,
        settings=settings,
        now=now,
        threads=decode_thread,
        room=MemoryQuota(settings.max_intake_bytes),
        dropped=metrics.dropped_sightings,
        host_tags=book,
        watch=watch,
        agents=agents,
    )
    if settings.tls_client_ca:
        from_agents = asking_for_certificates(from_agents)
    health = health_routes(keys=ring, metrics=metrics, size=size)

    app = Starlette(
        routes=[
            # They are tried in turn, and agents ask far more often than all others.
            *from_agents,
            *PublicProcesses(
                store,
                keys=ring,
                limiter=RateLimiter(settings.rate_limit, now),
                threads=query_threads,
                retention_hours=settings.retention_hours,
                now=now,
            ).routes,
            *process_list_routes(own, store, analysis),
            *single_process_routes(own, store, analysis),
            *analysis_routes(own, analysis, hosts),
            *view_routes(own, analysis),
            *store_routes(own, size),
            *sign_in_routes(
                api=own,
                sessions=who,
                keys=keys,
                throttle=SignInThrottle(settings.sign_in_limit, now),
                thread=key_thread,
            ),
            *watch_routes(api=own, sessions=who, book=watch),
            *debug_routes(keys=ring, size=size, settings=settings, log_lines=log_lines, now=now),
            *admin_routes(store=keys, hosts=hosts, book=book, keys=ring, thread=key_thread, now=now),
            *health,
            *openapi_routes(),
            *page_routes(),
        ],
        lifespan=lifespan,
        # The first sees the response last.
        middleware=[
            Middleware(MeasureRequests, metrics=metrics),
            Middleware(AnswerHeaders),
            Middleware(
                AllowNames,
                names=Names((*settings.allowed_hosts, name_of(settings.listen), *own_names)),
                open_paths=[route.path for route in (*from_agents, *health) if route.path != METRICS_PATH],
            ),
            Middleware(Compress),
            Middleware(AnswerBugs),
            Middleware(StopWhenGone),
        ],
        exception_handlers={RequestError: ErrorAnswers().answer, HTTPException: _answer_http_exception},
    )
    # `/api/v2/processes/` is another path, and there is nothing.
    app.router.redirect_slashes = False
    return app


class ErrorAnswers:
    """A RequestError into its response. Those of the server's own making are logged, but not for each request: an agent
    that is told to try again does, and so do a thousand others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._throttle = LogThrottle(clock)

    async def answer(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestError)  # noqa: S101 (it is registered for nothing else)
        if error.status >= 500:
            self._log(request.scope["route"].path, str(error))
        return _error_response(error)

    def _log(self, path: str, text: str) -> None:
        if self._throttle.admits((path, text)):
            _log.warning("cannot answer %(path)s: %(reason)s", {"event": "cannot-answer", "path": path, "reason": text})


def _error_response(error: RequestError) -> Response:
    headers = {"allow": ", ".join(error.allowed)} if isinstance(error, MethodNotAllowed) else {}
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(error.retry_after_seconds)
    return error_response(error.status, *error.messages, headers=headers)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own: no such route, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 (it is registered for nothing else)
    if error.status_code == 404:
        return _error_response(NotFound())
    if error.status_code == 405:
        return _error_response(MethodNotAllowed(_allowed_methods(request)))
    return error_response(error.status_code, error.detail, headers=error.headers)


def _allowed_methods(request: Request) -> tuple[str, ...]:
    """Of all routes with this path: Starlette knows those of the first one."""
    methods: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return tuple(sorted(methods))


class AnswerBugs:
    """What is in no tree of errors is a bug: logged with its traceback, answered with a bare 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal is_started
            is_started = is_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            return  # Nobody is there to be answered.
        except Exception:
            if scope["type"] != "http" or is_started:
                raise
            # Never the query string: it may hold a key.
            _log.exception("cannot answer %s %r", scope["method"], scope["path"])
            await error_response(500, "Internal Server Error")(scope, receive, send)
