"""Starts and stops an ASGI application around the time that it is served."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message


class Lifespan:
    """An asynchronous context manager. Raises what the application raises as it starts or stops."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.create_task(self._run(scope))
        await self._send("startup")

    async def __aexit__(self, *_: object) -> None:
        await self._send("shutdown")
        await self._task

    async def _run(self, scope: Message) -> None:
        await self._app(scope, self._to_app.get, self._from_app.put)

    async def _send(self, step: str) -> None:
        self._to_app.put_nowait({"type": f"lifespan.{step}"})
        answering = asyncio.create_task(self._from_app.get())
        await asyncio.wait((answering, self._task), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            answering.cancel()
            await self._task  # raises what went wrong
            raise RuntimeError(f"the application ended in place of its {step}")
        answer = answering.result()
        if answer["type"] != f"lifespan.{step}.complete":
            await self._task
            raise RuntimeError(f"the application's {step} failed: {answer.get('message', '')}")
