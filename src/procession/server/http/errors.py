"""Errors -> responses, in this one place."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procession.errors import MethodNotAllowed, NotFound, RequestError
from procession.log_throttle import LogThrottle
from procession.server.http.responses import error_response

DATADOG_PREFIXES = ("/api/v1/", "/api/v2/")
"""Of the paths of Datadog's API."""

_log = logging.getLogger(__name__)


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


class RouteErrors:
    """The answers to errors of Starlette itself: no such route, no such method."""

    def __init__(self, datadog_routes: Iterable[Route] = ()) -> None:
        """`datadog_routes`: those of Datadog's API that are here, to be named where somebody asks for another one."""
        roots: list[str] = []
        for path in sorted({route.path for route in datadog_routes}):
            if not any(path.startswith(f"{root}/") for root in roots):
                roots.append(path)
        self._those_of_datadog = f"of Datadog's API Procession answers {', '.join(roots)} and what is below them"

    async def answer(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 (it is registered for nothing else)
        reads_datadog = request.method in ("GET", "HEAD") and request.url.path.startswith(DATADOG_PREFIXES)
        if error.status_code == 404:
            return _error_response(NotFound(f"Not found: {self._those_of_datadog}") if reads_datadog else NotFound())
        if error.status_code == 405:
            allowed = _allowed_methods(request)
            # Agents post to paths where Datadog has something to get.
            if reads_datadog:
                return _error_response(MethodNotAllowed(allowed, f"Method not allowed: {self._those_of_datadog}"))
            return _error_response(MethodNotAllowed(allowed))
        return error_response(error.status_code, error.detail, headers=error.headers)


def _allowed_methods(request: Request) -> tuple[str, ...]:
    """The methods of all routes with this path; Starlette itself only knows those of the first route."""
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
