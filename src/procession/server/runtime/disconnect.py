"""Stops the work for clients that have disconnected."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

T = TypeVar("T")


class StopOnDisconnect:
    """Drops a query when its connection ends: else it would wait its turn, and be put to the store, for nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            await while_connected(receive, _as_coroutine(self._app, scope, receive, send))
        else:
            await self._app(scope, receive, send)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of this work. Raises ClientDisconnect, and cancels the work, if the client disconnects before; its
    request has to be read already."""
    has_left = False
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 (a coroutine runs in one)

    async def watch() -> None:
        nonlocal has_left
        await _disconnected(receive)
        has_left = True
        task.cancel()

    leaving = asyncio.create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        # Whoever else has cancelled the task gets it cancelled.
        if has_left and not task.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        leaving.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _as_coroutine(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
