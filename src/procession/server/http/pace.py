"""Ends connections of clients that send a request or read a response too slowly."""

from __future__ import annotations

import asyncio
import enum
from typing import Protocol

PERIOD_SECONDS = 10.0
"""How long the first line and the headers of a request may take, and how often the progress of the rest is checked."""

LEAST_BODY_BYTES = 5000
LEAST_READ_BYTES = 100_000
"""Bytes that must arrive or leave within a period: few enough for a slow line, too many for a client that only wants to
hold the connection."""


class Awaited(enum.Enum):
    """What the server waits for the client to do."""

    HEAD = "head"
    BODY = "body"
    READING = "reading"


class PacedClient(Protocol):
    def awaited(self) -> Awaited | None:
        """None while the server waits for nothing."""

    def progress(self, awaited: Awaited) -> int:
        """Bytes that have arrived or left, counted from any beginning: only the difference is used."""

    def is_held_up_by_us(self, awaited: Awaited) -> bool: ...

    def too_slow(self, awaited: Awaited) -> None:
        """End the connection."""


class Pace:
    """Watches the pace of one connection."""

    def __init__(self, client: PacedClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop
        self._awaited: Awaited | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._progress_before = 0
        """At the beginning of the period."""

    def update(self) -> None:
        """To be called whenever what is awaited may have changed."""
        awaited = self._client.awaited()
        if awaited is not self._awaited:
            self._begin_period(awaited)

    def stop(self) -> None:
        self._begin_period(None)

    def _begin_period(self, awaited: Awaited | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._awaited = awaited
        if awaited is not None:
            self._progress_before = self._client.progress(awaited)
            due = self._loop.time() + PERIOD_SECONDS
            self._timer = self._loop.call_at(due, self._end_period, awaited, due)

    def _end_period(self, awaited: Awaited, due: float) -> None:
        self._timer = None
        # Held up itself, the server has not looked yet at what has come meanwhile.
        was_held_up = self._loop.time() - due > PERIOD_SECONDS / 10
        if was_held_up or self._goes_on(awaited):
            self._begin_period(awaited)
        else:
            self._client.too_slow(awaited)

    def _goes_on(self, awaited: Awaited) -> bool:
        if awaited is Awaited.HEAD:
            return False
        if self._client.is_held_up_by_us(awaited):
            return True
        least = LEAST_READ_BYTES if awaited is Awaited.READING else LEAST_BODY_BYTES
        return self._client.progress(awaited) - self._progress_before >= least
