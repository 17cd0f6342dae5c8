"""Stops the work for clients that have disconnected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from procession.server.http.exchange import WHEN_LEFT

T = TypeVar("T")


class StopOnDisconnect:
    """Drops a query when its connection ends: else it would wait its turn, and be put to the store, for nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            await while_connected(scope, receive, _as_coroutine(self._app, scope, receive, send))
        else:
            await self._app(scope, receive, send)


async def while_connected(scope: Scope, receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of this work. Raises ClientDisconnect, and cancels the work, if the client disconnects before; its
    request has to be read already."""
    has_left = is_over = False
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 (a coroutine runs in one)

    def leave() -> None:
        nonlocal has_left
        if not (is_over or has_left):
            has_left = True
            task.cancel()

    stop_watching = _watch(scope, receive, leave)
    try:
        return await work
    except asyncio.CancelledError:
        # Whoever else has cancelled the task gets it cancelled.
        if has_left and not task.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        is_over = True
        stop_watching()


def _watch(scope: Scope, receive: Receive, leave: Callable[[], None]) -> Callable[[], object]:
    """Have this called when the client leaves; gives what ends that."""
    when_left = scope.get(WHEN_LEFT)
    if when_left is not None and when_left(leave):
        return lambda: when_left(None)

    async def listen() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        leave()

    return asyncio.create_task(listen()).cancel


async def _as_coroutine(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
