"""How much CPU the agent may use, and so when it may go on."""

from __future__ import annotations

import math

from procession.agent.clock import Clock

_NEARLY = 0.1


class Budget:
    """CPU time comes in at a fixed rate, and no more of it is saved up than one interval brings.

    What costs more goes into debt and has to wait until that is paid. So over any stretch of time the agent uses its
    share, and at most one interval's worth and the cost of one round more.
    """

    def __init__(self, share: float | None, interval_seconds: float, clock: Clock) -> None:
        """`share` is of one core; None is no limit."""
        self._share = share
        self._clock = clock
        self._most = 0.0 if share is None else share * interval_seconds
        self._credit = self._most
        self._at = clock.monotonic()
        self._used = clock.cpu()

    def seconds_until(self, cost: float) -> float:
        """Seconds to wait before something that costs `cost` seconds of CPU."""
        if self._share is None:
            return 0.0
        missing = min(cost, self._most) - self._settled()
        # To ask costs something too: nobody would ever have all of it.
        return missing / self._share if missing > self._most * _NEARLY else 0.0

    def allows(self, cost: float, *, before: float, seconds: float) -> bool:
        """Whether there is enough for it as well as for what costs `before` and comes in `seconds`."""
        if self._share is None:
            return True
        return self._settled() + self._share * seconds >= cost + min(before, self._most)

    @property
    def per_interval(self) -> float | None:
        """Seconds of CPU that one interval brings. None: no limit."""
        return None if self._share is None else self._most

    @property
    def is_limited(self) -> bool:
        return self._share is not None

    def _settled(self) -> float:
        at, used = self._clock.monotonic(), self._clock.cpu()
        earned = (at - self._at) * (self._share or 0.0)
        self._credit = min(self._most, self._credit + earned) - (used - self._used)
        self._at, self._used = at, used
        return self._credit


def share_of(text: str) -> float | None:
    """`1%` or `1` as 0.01; None for `0` and nothing. Raises ValueError."""
    text = text.strip().removesuffix("%").strip()
    percent = float(text or "0")
    if not (math.isfinite(percent) and percent >= 0):
        raise ValueError(f"{text} is no percentage")
    return percent / 100 or None
