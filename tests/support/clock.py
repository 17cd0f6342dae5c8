"""A clock that goes as fast as it is asked for the time to pass."""

from __future__ import annotations

import threading

from procession.agent.clock import Clock
from tests.support.builders import NOON


class FastClock(Clock):
    def __init__(self) -> None:
        self._passed = 0.0
        self._used = 0.0

    def now(self) -> float:
        return NOON + self._passed

    def monotonic(self) -> float:
        return self._passed

    def cpu(self) -> float:
        return self._used

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Nobody waits; others come to their turn."""
        self.sleep(max(0.0, seconds))
        return stop.wait(0.0002)

    def sleep(self, seconds: float) -> None:
        self._passed += seconds

    def use(self, seconds: float) -> None:
        """So much CPU."""
        self._used += seconds
