"""Values -> responses, and the headers that all of them carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procession.server.audit.note import note_answer

_ENCODER = msgspec.json.Encoder()
_ALSO = "procession.headers"

CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For answers that are no page: a browser that opens one runs and loads nothing."""

STANDARD_HEADERS = {
    "cache-control": "no-cache",
    "pragma": "no-cache",
    "strict-transport-security": "max-age=15724800;",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    # Up to here as recorded from the real endpoint, errors included; the others are ours.
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
}
"""Headers of every answer, unless it sets them itself. None of them opens CORS to pages of other sites."""


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Compact JSON, without a charset in the content type, as the real endpoint has it."""
    note_answer(value)
    return Response(_ENCODER.encode(value), status, headers, media_type="application/json")


def error_response(status: int, *messages: str, headers: Mapping[str, str] | None = None) -> Response:
    """The one shape of every error: `{"errors":["..."]}`."""
    return json_response({"errors": messages}, status, headers)


def add_headers(request: Request, headers: Mapping[str, str]) -> None:
    """Give them to whatever this request is answered, be it an error; but not to a 5xx.

    Clients that try again after a 5xx wait as long as its `x-ratelimit-reset` says.
    """
    request.scope[_ALSO].update(headers)


class AnswerHeaders:
    """Adds the standard headers, and those from `add_headers`, to every response that has not its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        also: dict[str, str] = {}
        scope[_ALSO] = also

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in STANDARD_HEADERS.items():
                    headers.setdefault(name, value)
                if message["status"] < 500:
                    headers.update(also)
            await send(message)

        await self._app(scope, receive, send_with_headers)
