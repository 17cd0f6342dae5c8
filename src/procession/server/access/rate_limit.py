"""How many queries an org may make in a minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from procession.errors import TooManyRequests
from procession.server.http.responses import add_headers

PERIOD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """What an org has left after a query."""

    limit: int
    remaining: int
    reset_seconds: int
    is_exceeded: bool

    def headers(self, name: str) -> dict[str, str]:
        """As the real endpoint sends them. One clause each, in lower case: Java's client looks for the name so, and
        Python's breaks on a second copy."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-period": str(PERIOD_SECONDS),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(self.reset_seconds),
            "x-ratelimit-name": name,
        }


class RateLimiter:
    """Counts the queries of each org in the minute of the clock that is under way."""

    def __init__(self, limit: int, now: Callable[[], int]) -> None:
        self._limit = limit
        self._now = now
        self._minute = 0
        self._counts: dict[int, int] = {}

    def count(self, org_id: int) -> RateLimitStatus | None:
        """Count one more; None where there is no limit."""
        if self._limit <= 0:
            return None
        minute, second = divmod(self._now(), PERIOD_SECONDS)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        count = self._counts.get(org_id, 0) + 1
        self._counts[org_id] = count
        return RateLimitStatus(self._limit, max(0, self._limit - count), PERIOD_SECONDS - second, count > self._limit)

    def admit(self, request: Request, org_id: int, name: str) -> None:
        """Count one more, and say in the headers of its answer how many of this `name` are left.

        Raises TooManyRequests where it is one too many.
        """
        status = self.count(org_id)
        if status is not None:
            add_headers(request, status.headers(name))
            if status.is_exceeded:
                raise TooManyRequests
