"""JSON bodies of requests -> values."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request

from procession.errors import InvalidRequest, PayloadTooLarge

MAX_BODY_BYTES = 16 * 1024

B = TypeVar("B", bound=msgspec.Struct)


async def parsed_body(request: Request, shape: type[B]) -> B:
    """Raises InvalidRequest for what has not this shape, PayloadTooLarge for what is too large to have it."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"Invalid body: {error}") from None
