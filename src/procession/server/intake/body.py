"""What all that agents post has in common: a key and a body of bounded size."""

from __future__ import annotations

from starlette.requests import Request

from procession.errors import PayloadTooLarge
from procession.process import MAX_UINT64
from procession.server.intake.quota import Reservation
from procession.text.whole_number import whole_number


def api_key_of(request: Request) -> str:
    """From the header, or from the query, where some requests of agents have it."""
    return request.headers.get("dd-api-key") or request.query_params.get("api_key", "")


async def read_body(request: Request, max_bytes: int, reservation: Reservation) -> bytes:
    """Raises PayloadTooLarge as soon as there is more, and as `reservation.hold` does."""
    too_large = PayloadTooLarge(f"The payload has more than {max_bytes} bytes")
    declared = whole_number(request.headers.get("content-length", ""), 0, MAX_UINT64)
    if declared is not None and declared > max_bytes:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise too_large
        reservation.hold(len(body))
    return bytes(body)
