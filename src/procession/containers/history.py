"""Numbers of containers over time."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class ContainerHistory(msgspec.Struct, frozen=True, kw_only=True):
    """One container, by steps of whole minutes. Lists have a number for each of `times`; None: not known."""

    step_seconds: int
    times: tuple[int, ...]
    """When each step begins. Steps in which it was not told of are left out."""
    numbers: Mapping[str, tuple[float | None, ...]]
