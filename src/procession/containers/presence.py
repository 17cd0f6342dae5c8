"""When a container is there: the one place that knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from procession.containers.container import Container

REACH_SECONDS: Final = 300
"""A host that has told of no container for longer has none that anybody knows of."""

LINGER_SECONDS: Final = 15
"""So much longer than the newest of its host a container may be told of: a host tells in several messages, and they
need not come at once. One that has gone is shown for as long."""


class FoundContainer(msgspec.Struct, frozen=True):
    """A container as it was told of last."""

    host: str
    seen_at: int
    container: Container

    @property
    def key(self) -> ContainerKey:
        """By start, as processes are."""
        return self.container.started_at or 0, self.host, self.container.container_id


ContainerKey = tuple[int, str, str]
"""When it was started (0: not known), its host and its id."""


def present(newest: Iterable[FoundContainer]) -> tuple[FoundContainer, ...]:
    """Those that are still there, by their keys, of the newest of each that a host has told within REACH_SECONDS."""
    newest = tuple(newest)
    told: dict[str, int] = {}
    for one in newest:
        told[one.host] = max(told.get(one.host, 0), one.seen_at)
    return tuple(sorted((one for one in newest if one.seen_at >= told[one.host] - LINGER_SECONDS), key=key_of))


def key_of(found: FoundContainer) -> ContainerKey:
    return found.key
