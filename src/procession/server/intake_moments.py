"""When a payload was taken, where the clock of its agent may be wrong."""

from __future__ import annotations

from collections.abc import Callable

MAX_SKEW_SECONDS = 60
"""An agent whose clock is further ahead than this is taken to have said "now"."""

REMEMBERED_SECONDS = 600
MAX_REMEMBERED = 10_000


class Moments:
    """The chunks of one snapshot share its second, and so they do when it is cut to now: it is that of the first."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._cut: dict[tuple[int, str, int], int] = {}

    def of(self, org_id: int, host: str, said_at: int | None) -> int:
        """The moment that the agent began at, since what is sent again arrives late; now where it says none."""
        now = self._now()
        if not said_at:
            return now
        if said_at <= now + MAX_SKEW_SECONDS:
            return said_at
        snapshot = (org_id, host[:255], said_at)
        if snapshot in self._cut:
            return self._cut[snapshot]
        if len(self._cut) >= MAX_REMEMBERED:
            self._cut = {key: at for key, at in self._cut.items() if at > now - REMEMBERED_SECONDS}
        if len(self._cut) < MAX_REMEMBERED:
            self._cut[snapshot] = now
        return now
