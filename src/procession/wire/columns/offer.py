"""How a server says that it takes columns, and an agent that it sends some."""

from __future__ import annotations

from procession.process import MAX_UINT32
from procession.text.whole_number import whole_number
from procession.wire.columns.layout import VERSION

PATH = "/api/procession/v1/columns"
MEDIA_TYPE = "application/x-procession-columns"

OFFER_HEADER = "x-procession-columns"
"""On each answer to a snapshot of a server that takes them."""

SEND_WHOLE = 409
"""The status of the answer of a server that lacks the frame before: the whole is to be sent, at once."""


def offer_of(max_processes: int) -> str:
    """The value of the header: the version of the layout, and how many processes a message may hold."""
    return f"{VERSION};processes={max_processes}"


def processes_offered(value: str) -> int | None:
    """How many processes a message may hold; None where the server takes none of this version."""
    version, _, processes = value.partition(";processes=")
    return whole_number(processes, 1, MAX_UINT32) if version == str(VERSION) else None
