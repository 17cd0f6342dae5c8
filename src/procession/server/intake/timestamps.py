"""When a payload was taken, where the clock of its agent may be wrong."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

_log = logging.getLogger(__name__)

_Key = TypeVar("_Key")
_Moment = TypeVar("_Moment", int, float)

MAX_SKEW_SECONDS = 60
"""An agent whose clock is further ahead than this is taken to have said "now"."""

REMEMBERED_SECONDS = 600
MAX_REMEMBERED = 10_000

QUIET_SECONDS = 600
"""Between two lines of the log about one host."""
MAX_HOSTS = 1000
"""So many are spoken of in that time, whoever makes up more names."""


class Timestamps:
    """The chunks of one snapshot share its second, and so they do when it is cut to now: it is that of the first."""

    def __init__(self, now: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._clock = clock
        # The eldest first.
        self._cut: OrderedDict[tuple[int, str, int], int] = OrderedDict()
        self._said_at: OrderedDict[tuple[int, str], float] = OrderedDict()

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
        self._say(org_id, host[:255], said_at - now)
        _drop_until(self._cut, now - REMEMBERED_SECONDS)
        if len(self._cut) < MAX_REMEMBERED:
            self._cut[snapshot] = now
        return now

    def _say(self, org_id: int, host: str, seconds: int) -> None:
        moment = self._clock()
        _drop_until(self._said_at, moment - QUIET_SECONDS)
        if (org_id, host) in self._said_at or len(self._said_at) >= MAX_HOSTS:
            return
        self._said_at[org_id, host] = moment
        _log.warning(
            "the clock of %(host)r is %(seconds)d s ahead of this server's: what it sends is kept as of its arrival; "
            "no more of this host for %(quiet_minutes)d minutes",
            {"event": "clock-ahead", "host": host, "seconds": seconds, "quiet_minutes": QUIET_SECONDS // 60},
        )


def _drop_until(moments: OrderedDict[_Key, _Moment], moment: _Moment) -> None:
    while moments and next(iter(moments.values())) <= moment:
        moments.popitem(last=False)
