"""Numbers of containers over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from procession.containers.container import Container

GroupOf = Callable[[Container], str | None]
"""The group that a container is in; None where nobody asks for it."""


class ContainerHistory(msgspec.Struct, frozen=True, kw_only=True):
    """One container, by steps of whole minutes. Lists have a number for each of `times`; None: not known."""

    step_seconds: int
    times: tuple[int, ...]
    """When each step begins. Steps in which it was not told of are left out."""
    numbers: Mapping[str, tuple[float | None, ...]]
