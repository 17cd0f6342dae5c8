"""The connections that are open: how many there may be, and who goes first where there are more."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from procession.log_throttle import LogThrottle

MAX_UNREAD_BYTES = 256 * 2**20
"""How much of answers that clients do not read may wait in memory, over all connections."""

_log = logging.getLogger(__name__)


class Client(Protocol):
    """One connection."""

    def leave(self) -> None:
        """End it now: it has been silent for longer than any other, and there is no room."""

    def unread_bytes(self) -> int:
        """How many bytes of answers to this client wait in this process."""

    def abort(self) -> None:
        """End it now, and drop what was to be sent."""


class OpenConnections:
    """Counts them. Those that are silent, in front of a request or after an answer, make room for new ones."""

    def __init__(
        self, most: int, on_closed: Callable[[str], object] = str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`on_closed` is called with the reason of each that is closed before its client wants it."""
        self.most = most
        self._on_closed = on_closed
        self.count = 0
        self.closed: Counter[str] = Counter()
        """How many of those there were, by reason."""
        self._throttle = LogThrottle(clock)
        self._silent: dict[Client, None] = {}
        """In the order in which they fell silent."""
        self._unread: dict[Client, int] = {}
        """Clients that do not read, in the order in which they stopped, and the bytes that waited when last counted."""

    def begin(self) -> bool:
        """Whether one more connection may be open. If so, the caller must call `end` once when it ends."""
        if self.count >= self.most and not self._end_silent():
            self.count_closed("full")
            return False
        self.count += 1
        return True

    def end(self, client: Client | None = None) -> None:
        """A connection has ended. `client` is None if it never spoke HTTP."""
        self.count -= 1
        if client is not None:
            self._silent.pop(client, None)
            self._unread.pop(client, None)

    def falls_silent(self, client: Client) -> None:
        self._silent.pop(client, None)
        self._silent[client] = None

    def speaks(self, client: Client) -> None:
        self._silent.pop(client, None)

    def stops_reading(self, client: Client) -> None:
        """A client does not read. If more than MAX_UNREAD_BYTES wait in total, those that stopped first are ended."""
        self._unread[client] = client.unread_bytes()
        if sum(self._unread.values()) <= MAX_UNREAD_BYTES:
            return
        self._unread = {one: one.unread_bytes() for one in self._unread}
        total = sum(self._unread.values())
        for slowest in list(self._unread):
            if total <= MAX_UNREAD_BYTES:
                break
            total -= self._unread.pop(slowest)
            self.count_closed("unread")
            slowest.abort()

    def reads(self, client: Client) -> None:
        self._unread.pop(client, None)

    def count_closed(self, reason: str) -> None:
        """One was closed for this reason: counted, and now and then logged."""
        self.closed[reason] += 1
        self._on_closed(reason)
        left_out = self._throttle.admit(reason)
        if left_out is not None:
            fields = {"event": "connections-closed", "reason": _REASONS[reason], "connections": 1 + left_out}
            _log.warning("%(reason)s: closed %(connections)d connections for it", fields)

    def _end_silent(self) -> bool:
        if not self._silent:
            return False
        longest = next(iter(self._silent))
        del self._silent[longest]
        self.count_closed("silent")
        longest.leave()
        return True


_REASONS = {
    "full": "as many connections are open as may be, and none is silent",
    "silent": "as many connections are open as may be, so those that were silent for longest make room",
    "unread": "more of answers waits than may, for clients that do not read",
    "head": "a request did not arrive in time",
    "body": "the body of a request arrives too slowly",
    "reading": "a client reads its answer too slowly",
}
