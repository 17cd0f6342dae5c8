"""What is kept of a host besides its processes: its tags, what its agent says of itself, and who watches it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

MAX_HOST_LENGTH = 255


def host_name(text: str) -> str | None:
    """The name of a host without blanks around it. None if it is empty or longer than MAX_HOST_LENGTH characters."""
    name = text.strip()
    return name if 0 < len(name) <= MAX_HOST_LENGTH else None


class TagSource(enum.Enum):
    """Where tags of a host come from. A change by one source leaves the tags of the other as they are."""

    AGENT = "agent"
    """The host's own Datadog Agent, in its metadata."""
    USER = "user"
    """`procession hosts tag`."""


@dataclass(frozen=True, slots=True)
class HostTags:
    """The tags of a host from one source. All its processes have them."""

    org_id: int
    host: str
    source: TagSource
    tags: tuple[str, ...]
    """Lower-cased, sorted, unique."""
    said_at: int = field(default=0, compare=False)
    """When the source said so last, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class WatchLease:
    """Somebody watches a host live. The lease ends at `until` unless it is renewed."""

    org_id: int
    host: str
    """Empty: all hosts of the org."""
    until: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class HostNotice:
    """What the agent of a host says of itself, so that its silence can be told from its end, and of its machine."""

    org_id: int
    host: str
    interval_seconds: int = 0
    """How often it takes a snapshot; 0: it does not say."""
    shut_down_at: int = 0
    """When it said that its machine is being shut down; 0: it told of its processes since, or never said so."""
    cpus: int = 0
    """How many CPUs its machine has; 0: it does not say."""
