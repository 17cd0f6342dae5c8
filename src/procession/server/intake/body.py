"""What all that agents post has in common: a key and a body of bounded size."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request

from procession.errors import PayloadTooLarge
from procession.process import MAX_UINT64
from procession.server.intake.quota import Reservation
from procession.text.whole_number import whole_number


def headers_of(request: Request) -> dict[str, str]:
    """By their names in small letters; of those that come twice, the first. Some fifteen of a post are looked at, and
    Starlette looks through all for each of them."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(request.scope["headers"])}


def api_key_of(request: Request, headers: Mapping[str, str]) -> str:
    """From the header, or from the query, where some requests of agents have it."""
    return headers.get("dd-api-key") or request.query_params.get("api_key", "")


async def read_body(request: Request, max_bytes: int, reservation: Reservation) -> bytes:
    """Raises PayloadTooLarge as soon as there is more, and as `reservation.hold` does."""
    too_large = PayloadTooLarge(f"The payload has more than {max_bytes} bytes")
    declared = whole_number(request.headers.get("content-length", ""), 0, MAX_UINT64)
    if declared is not None and declared > max_bytes:
        raise too_large
    body = bytearray()
    has_more = True
    while has_more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
        if len(body) > max_bytes:
            raise too_large
        reservation.hold(len(body))
    return bytes(body)
