"""gzip for clients that accept it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Receive, Scope, Send

LEVEL = 6
"""Takes a third of the time of 9, for 5 % more bytes."""

AS_THEY_ARE = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/x-protobuf")
"""Agents take gzip as well, but to compress the 20 bytes of their answer was a tenth of what a payload costs."""


class Compress:
    """As Starlette's middleware, but that looks for the letters `gzip`, and would send it also to a client that says
    `gzip;q=0`. Small bodies are compressed, too, as recorded: an empty page has 49 bytes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif takes_gzip(Headers(scope=scope).get("accept-encoding", "")):
            await GZipResponder(self._app, minimum_size=1, compresslevel=LEVEL, exclude_content_types=AS_THEY_ARE)(
                scope, receive, send
            )
        else:
            await IdentityResponder(self._app, minimum_size=1)(scope, receive, send)


def takes_gzip(accept_encoding: str) -> bool:
    """Whether the header names gzip, or everything, without a quality of 0."""
    qualities: dict[str, bool] = {}
    for item in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        qualities[coding] = not any(_is_zero(parameter) for parameter in parameters)
    for coding in ("gzip", "x-gzip", "*"):
        if coding in qualities:
            return qualities[coding]
    return False


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and not value.strip(" 0.")
