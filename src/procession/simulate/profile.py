"""How recorded processes behaved: `profile.json`, which `bench/record_profile.py` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Quantiles:
    """A distribution, known by some of its quantiles; straight between them."""

    def __init__(self, percents: Sequence[float], values: Sequence[float]) -> None:
        self._shares = np.asarray(percents, float) / 100
        self._values = np.asarray(values, float)

    def at(self, shares: Floats) -> Floats:
        """The values below which such shares of all lie."""
        found: Floats = np.interp(shares, self._shares, self._values)
        return found

    def one(self, share: float) -> float:
        return float(np.interp(share, self._shares, self._values))


class Profile:
    """The recorded figures, as the simulation asks for them."""

    def __init__(self, recorded: Mapping[str, Any]) -> None:
        percents = recorded["quantiles"]

        def quantiles(values: Sequence[float]) -> Quantiles:
            return Quantiles(percents, values)

        self.changed = quantiles(recorded["share_changed_by_process"])
        """In which share of its snapshots a process has a number that it did not have before."""
        self.when_changed = {name: quantiles(values) for name, values in recorded["when_changed"].items()}
        """What rates are where they are not 0, and by how much all else moves when it does."""
        self.moves: dict[str, float] = recorded["changed_field_given_any"]
        """How often each number is among those that changed, where any did."""
        self.lifetimes = quantiles(recorded["lifetime_in_snapshots_of_those_seen_begin_and_end"])
        self.levels = {name: quantiles(values) for name, values in recorded["levels"].items()}


@lru_cache(maxsize=1)
def recorded_profile() -> Profile:
    """The profile that comes with Procession."""
    return Profile(json.loads(Path(__file__).with_name("profile.json").read_text(encoding="utf-8")))
