"""Lines of the log that could come by the thousand."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

PERIOD_SECONDS = 60.0


class LogThrottle:
    """At most `most` lines of one event in a minute. How many were left out is said with the first one after it."""

    def __init__(self, logger: logging.Logger, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._most = most
        self._clock = clock
        self._since: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def log(self, level: int, event: str, message: str, fields: Mapping[str, Any]) -> None:
        """`message` names the fields as `%(name)s`. Events are few, and ours: nobody else may name one."""
        now = self._clock()
        left_out = 0
        if now - self._since.get(event, now - PERIOD_SECONDS) >= PERIOD_SECONDS:
            left_out = max(0, self._counts.get(event, 0) - self._most)
            self._since[event], self._counts[event] = now, 0
        self._counts[event] += 1
        if self._counts[event] > self._most:
            return
        if left_out:
            message += "; %(left_out)d more of this kind were left out"
        self._logger.log(level, message, {"event": event, **fields, "left_out": left_out})
