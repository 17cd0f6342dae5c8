"""The JSON object of a request, with all of its texts such as can be stored and sent."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from procession.server.http.json_body import parsed_object
from procession.text.characters import encodable, text

MAX_BODY_BYTES = 256 * 1024


async def object_of(request: Request) -> dict[str, Any]:
    """Raises InvalidRequest, PayloadTooLarge."""
    body: dict[str, Any] = _storable(await parsed_object(request, MAX_BODY_BYTES))
    return body


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return text(encodable(value))
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return value
