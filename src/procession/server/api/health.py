"""For operators: whether the server is alive, whether it is ready, and its metrics."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.errors import Unavailable
from procession.server.access.key_cache import KeyCache
from procession.server.api.store import StoreSize
from procession.server.http.responses import json_response
from procession.server.runtime.metrics import CONTENT_TYPE, Metrics

METRICS_PATH = "/metrics"
STORE_SECONDS = 2.0
"""How long `/metrics` waits for the figures of the store."""


def health_routes(*, keys: KeyCache, metrics: Metrics, size: StoreSize) -> list[Route]:
    async def is_alive(_: Request) -> Response:
        return json_response({"status": "ok"})

    async def is_ready(_: Request) -> Response:
        # The cheapest question to the store, and one that is asked at most every two seconds, so it needs no key.
        await keys.refresh()
        return json_response({"status": "ok"})

    async def show_metrics(request: Request) -> Response:
        await keys.visibility_of_reader(request.headers)
        # While the store cannot say, or is slow, all else is shown.
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(STORE_SECONDS):
                await size.get()
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    return [
        Route("/healthz", is_alive, methods=["GET"]),
        Route("/readyz", is_ready, methods=["GET"]),
        Route(METRICS_PATH, show_metrics, methods=["GET"]),
    ]
