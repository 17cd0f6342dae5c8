"""Time, as the loop of the agent takes it."""

from __future__ import annotations

import threading
import time


class Clock:
    """The machine's. A test may hand in one that goes faster."""

    def now(self) -> float:
        """The time of day, as Unix time."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that nobody sets."""
        return time.monotonic()

    def cpu(self) -> float:
        """Seconds of CPU that this process has used, in all its threads."""
        return time.process_time()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Whether `stop` was set meanwhile."""
        return stop.wait(max(0.0, seconds))
