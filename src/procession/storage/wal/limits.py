"""How large a log may grow, and how long it may gather."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 2**20
_MOST_SEGMENT_BYTES = 2**31
"""A record says in 32 bits where its group begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimits:
    segment_bytes: int = 64 * _MIB
    """A segment that would grow beyond is followed by another one. Segments are removed as a whole."""
    total_bytes: int = 2048 * _MIB
    """Of all segments. Beyond it nothing is taken until the store has taken something out."""
    waiting_bytes: int = 64 * _MIB
    """Of all records that wait for the disk, in memory. One record alone may be larger."""
    group_bytes: int = 8 * _MIB
    """What is written and synced at once."""
    gather_seconds: float = 0.0
    """How long a record may wait for others to share its sync."""
    retry_seconds: float = 0.5
    """How long a disk that lets nobody begin a segment is left alone."""

    def __post_init__(self) -> None:
        if not 0 < self.segment_bytes <= _MOST_SEGMENT_BYTES:
            raise ValueError(f"segment_bytes is not from 1 to {_MOST_SEGMENT_BYTES}")
        if self.total_bytes < 2 * self.segment_bytes:
            # The newest segment is never removed, so there must be more than that.
            raise ValueError("total_bytes has no space for two segments")
        if not 0 < self.group_bytes <= _MOST_SEGMENT_BYTES:
            raise ValueError(f"group_bytes is not from 1 to {_MOST_SEGMENT_BYTES}")
