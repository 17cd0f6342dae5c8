"""JSON bodies of requests -> values."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from procession.errors import InvalidRequest, PayloadTooLarge
from procession.server.audit.note import note_body

MAX_BODY_BYTES = 16 * 1024

B = TypeVar("B", bound=msgspec.Struct)


async def parsed_body(request: Request, shape: type[B]) -> B:
    """Raises InvalidRequest for what has not this shape, PayloadTooLarge for what is too large to have it."""
    body = await _body(request, MAX_BODY_BYTES)
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"Invalid body: {error}") from None


async def parsed_object(request: Request, max_bytes: int) -> dict[str, Any]:
    """Any JSON object. Raises as `parsed_body` does."""
    body = await _body(request, max_bytes)
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"Invalid body: {error}") from None


async def _body(request: Request, max_bytes: int) -> bytearray:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise PayloadTooLarge(f"The body is larger than {max_bytes} bytes")
    note_body(body)
    return body
