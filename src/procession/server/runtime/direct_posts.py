"""Posts of agents go straight to their routes: what stands before these adds nothing to an answer that says yes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from procession.server.http.responses import STANDARD_HEADERS
from procession.server.runtime.metrics import STARTED_AT, Metrics

_REFUSAL = "procession.refusal"

_STANDARD = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in STANDARD_HEADERS.items()]

Endpoint = Callable[[Request], Awaitable[Response]]


class DirectPosts:
    """What a route refuses takes the usual way a second time, on which it is refused at once for the same reason: so
    there is one place that answers errors."""

    def __init__(self, app: ASGIApp, routes: Iterable[Route], metrics: Metrics) -> None:
        """`routes`: of fixed paths, made by `direct`, for POST alone, whose answers are not compressed."""
        self._app = app
        self._metrics = metrics
        self._routes = {route.path: route for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        started_at = scope[STARTED_AT] = time.perf_counter()
        try:
            response: Response = await route.endpoint(Request(scope, receive))
        except Exception as error:
            scope[_REFUSAL] = error
            await self._app(scope, receive, send)
            return
        status = response.status_code
        headers = [*response.raw_headers, *_STANDARD]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})
        self._metrics.requests.add(1, "POST", route.path, str(status))
        self._metrics.request_seconds.observe(time.perf_counter() - started_at, "POST", route.path)


def direct(endpoint: Endpoint) -> Endpoint:
    """An endpoint that may be asked by `DirectPosts`. Its answers have no headers of the standard ones."""

    async def take(request: Request) -> Response:
        refusal = request.scope.pop(_REFUSAL, None)
        if refusal is not None:
            raise refusal
        return await endpoint(request)

    return take
