"""When a payload was taken, where the clock of its agent may be wrong."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from procession.clock_skew import is_ahead
from procession.log_throttle import LogThrottle

_log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 600
MAX_REMEMBERED = 10_000

LOG_PERIOD_SECONDS = 600
"""Between two lines of the log about one host."""


class Timestamps:
    """The chunks of one snapshot share its second, and so they do when it is cut to now: it is that of the first."""

    def __init__(self, now: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._throttle = LogThrottle(clock, period_seconds=LOG_PERIOD_SECONDS)
        self._now_instead: OrderedDict[tuple[int, str, int], int] = OrderedDict()
        """The oldest first."""

    def of(self, org_id: int, host: str, reported_at: int | None) -> int:
        """The moment that the agent began at, since what is sent again arrives late; now where it says none."""
        now = self._now()
        if not reported_at:
            return now
        if not is_ahead(reported_at, now):
            return reported_at
        snapshot = (org_id, host[:255], reported_at)
        if snapshot in self._now_instead:
            return self._now_instead[snapshot]
        self._log_skew(org_id, host[:255], reported_at - now)
        self._forget_until(now - REMEMBERED_SECONDS)
        if len(self._now_instead) < MAX_REMEMBERED:
            self._now_instead[snapshot] = now
        return now

    def _log_skew(self, org_id: int, host: str, seconds: int) -> None:
        if self._throttle.admits((org_id, host)):
            _log.warning(
                "the clock of %(host)r is %(seconds)d s ahead of this server's: what it sends is kept as of its "
                "arrival; no more of this host for %(quiet_minutes)d minutes",
                {"event": "clock-ahead", "host": host, "seconds": seconds, "quiet_minutes": LOG_PERIOD_SECONDS // 60},
            )

    def _forget_until(self, moment: int) -> None:
        while self._now_instead and next(iter(self._now_instead.values())) <= moment:
            self._now_instead.popitem(last=False)
