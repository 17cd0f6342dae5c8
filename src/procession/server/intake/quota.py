"""How much memory what agents post may take until it is stored, shared out among orgs."""

from __future__ import annotations

from asyncio import sleep
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response

from procession.errors import RequestError, TooManyRequests, Unavailable

MIB = 2**20
RETRY_SECONDS = 2
REFUSAL_SECONDS = 1.0

NEWEST_SHARE = 0.1
"""The weight of the newest payload in the growth that is expected of the next one."""

SIGHTING_BYTES = 600
"""About what a sighting takes, besides its description, in objects."""


class MemoryQuota:
    """An org may hold as much as is free. So one alone gets half of it, two that post without end a third each, and
    something is always free for the org that comes next."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held: Counter[int] = Counter()
        self.held_bytes = 0
        self.growth: dict[int, float] = {}
        """By org: how many times as large a payload has become when it was decoded, of late."""

    @contextmanager
    def reserve(self, org_id: int) -> Iterator[Reservation]:
        """Holds nothing at first, and nothing any more after the block."""
        reservation = Reservation(self, org_id)
        try:
            yield reservation
        finally:
            reservation.hold(0)

    def change(self, org_id: int, before: int, after: int) -> None:
        """Change one reservation of the org from `before` to `after` bytes. Raises TooManyRequests or Unavailable."""
        more = after - before
        # A single payload is always let in, however large it is.
        if more > 0 and self.held_bytes > before:
            of_org = self._held[org_id]
            if of_org + more > self._max_bytes - self.held_bytes:
                raise self._refusal(of_org)
        self.held_bytes += more
        self._held[org_id] += more
        if not self._held[org_id]:
            del self._held[org_id]

    def _refusal(self, of_org: int) -> RequestError:
        if of_org * len(self._held) < self.held_bytes:
            return Unavailable("The intake is full; try again", retry_after_seconds=RETRY_SECONDS)
        return TooManyRequests(
            f"{of_org / MIB:.1f} MiB that this org has posted are not stored yet, which is its share; try again",
            retry_after_seconds=RETRY_SECONDS,
        )


class Reservation:
    """What one payload holds of the quota."""

    def __init__(self, quota: MemoryQuota, org_id: int) -> None:
        self._quota = quota
        self._org_id = org_id
        self._bytes = 0

    def hold(self, size: int) -> None:
        """`size` bytes from now on. Raises TooManyRequests or Unavailable if they are not free."""
        self._quota.change(self._org_id, self._bytes, size)
        self._bytes = size

    def hold_to_decode(self, body_bytes: int) -> None:
        """As much as it may become: what will not fit need not be decoded to find out. Raises as `hold`."""
        self.hold(int(body_bytes * self._quota.growth.get(self._org_id, 1.0)))

    def hold_decoded(self, body_bytes: int, size: int) -> None:
        """`size` bytes, which a body of `body_bytes` has become. Raises as `hold`."""
        now = size / max(1, body_bytes)
        before = self._quota.growth.get(self._org_id, now)
        self._quota.growth[self._org_id] = before + (now - before) * NEWEST_SHARE
        self.hold(size)


Endpoint = Callable[[Request], Awaitable[Response]]


def refusing_slowly(endpoint: Endpoint) -> Endpoint:
    """Delays refusals that tell a client to retry later, by REFUSAL_SECONDS.

    A client that retries at once gains nothing by it, and refusing it does not keep the server busy.
    """

    async def take(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RequestError as error:
            if error.retry_after_seconds is None:
                raise
            # The frames in its traceback hold what was refused.
            refusal = error.with_traceback(None)
            refusal.__context__ = None
        await sleep(REFUSAL_SECONDS)
        raise refusal

    return take
