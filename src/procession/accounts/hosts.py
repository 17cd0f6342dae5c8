"""What is said of a host as a whole, besides its processes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

MAX_HOST_LENGTH = 255


def host_name(text: str) -> str | None:
    """Without blanks around it; None for what cannot be the name of a host."""
    name = text.strip()
    return name if 0 < len(name) <= MAX_HOST_LENGTH else None


class TagSource(enum.Enum):
    """Who said that a host has tags. What one of them says never takes away what the other said."""

    AGENT = "agent"
    """The host's own Datadog Agent, in its metadata."""
    USER = "user"
    """`procession hosts tag`."""


@dataclass(frozen=True, slots=True)
class HostTags:
    """Each process of the host has these tags."""

    org_id: int
    host: str
    source: TagSource
    tags: tuple[str, ...]
    """Lower-cased, sorted, unique."""
    said_at: int = field(default=0, compare=False)
    """When the store was told last."""


@dataclass(frozen=True, slots=True)
class WatchLease:
    """Somebody watches live until then, unless the lease is renewed."""

    org_id: int
    host: str
    """Empty: all hosts of the org."""
    until: int
