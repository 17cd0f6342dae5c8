"""Stops working for clients that have gone."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class StopWhenGone:
    """What only asks is dropped together with its connection: else it would wait its turn, and be asked of the store,
    for nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        answering = asyncio.ensure_future(self._app(scope, receive, send))
        going = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((answering, going), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            answering.cancel()
            going.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
