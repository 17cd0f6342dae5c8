"""Stops working for clients that have gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

T = TypeVar("T")


class StopWhenGone:
    """What only asks is dropped together with its connection: else it would wait its turn, and be asked of the store,
    for nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            await while_there(receive, _as_coroutine(self._app, scope, receive, send))
        else:
            await self._app(scope, receive, send)


async def while_there(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What comes of this work. Raises ClientDisconnect, and cancels it, where the client goes before; its request has
    to be read already."""
    working = asyncio.create_task(work)
    going = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait((working, going), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        going.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _as_coroutine(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
