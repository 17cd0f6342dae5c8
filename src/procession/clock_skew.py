"""When the clock of an agent is too far ahead to be believed."""

from __future__ import annotations

MAX_SKEW_SECONDS = 60


def is_ahead(reported_at: int, now: int) -> bool:
    """Whether an agent that reports this moment has to be taken to have said "now"."""
    return reported_at > now + MAX_SKEW_SECONDS
