"""Lines of the log about events that could come by the thousand."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from procession.log_throttle import LogThrottle


class ThrottledLog:
    """Writes a few lines of each event a minute. The first line after that minute says how many were left out."""

    def __init__(
        self, logger: logging.Logger, lines_per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._throttle = LogThrottle(clock, max_lines=lines_per_minute)

    def log(self, level: int, event: str, message: str, fields: Mapping[str, Any], *, subject: Hashable = None) -> None:
        """`message` names the fields as `%(name)s`. Lines about different subjects of an event are counted apart."""
        left_out = self._throttle.admit((event, subject))
        if left_out is None:
            return
        if left_out:
            message += "; %(left_out)d more of this kind were left out"
        self._logger.log(level, message, {"event": event, **fields, "left_out": left_out})
