"""When a service gets which version, on one host after the other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

ROLLOUT_SECONDS = 900
"""From the first host to the last."""


@dataclass(frozen=True, slots=True)
class Version:
    name: str
    since: int | None
    """None: since ever."""
    until: int | None
    """None: for ever."""


class Rollouts:
    def __init__(self, seed: int, deploy_hours: float) -> None:
        self._seed = seed
        self._period = round(deploy_hours * 3600)

    def version(self, service: str, host: str, at: int) -> Version:
        """What runs there then."""
        lot = self._lot(service)
        major, minor = 1 + lot % 5, lot // 5 % 20
        if not self._period:
            return Version(f"{major}.{minor}.0", None, None)
        # Each service has its own rhythm.
        period = max(1, round(self._period * (0.75 + 0.5 * (lot & 0xFF) / 0xFF)))
        offset = lot % period + self._lot(service, host) % ROLLOUT_SECONDS
        number = (at - offset) // period
        since = number * period + offset
        return Version(f"{major}.{minor}.{number % 1000}", since, since + period)

    def _lot(self, *parts: str) -> int:
        data = "/".join((str(self._seed), *parts)).encode()
        return int.from_bytes(hashlib.blake2b(data, digest_size=6).digest(), "big")
