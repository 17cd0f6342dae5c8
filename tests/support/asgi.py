"""Asking an application as a server's own code does: nothing between a test and its bytes has an opinion of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Asker:
    """In this process; each question has its end before the next."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._runner = asyncio.Runner()

    def __call__(
        self,
        path: str,
        query: bytes = b"",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        all_headers = {"host": "procession.test", "content-length": str(len(body)), **(headers or {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in all_headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 7171),
        }
        return self._runner.run(_answer(self._app, scope, body))

    def close(self) -> None:
        self._runner.close()


async def _answer(app: ASGIApp, scope: dict[str, Any], body: bytes) -> Answer:
    status, headers, parts = 0, {}, []
    is_read = False
    is_over = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal is_read
        if is_read:
            await is_over.wait()
            return {"type": "http.disconnect"}
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                is_over.set()

    await app(scope, receive, send)
    return Answer(status, headers, b"".join(parts))
