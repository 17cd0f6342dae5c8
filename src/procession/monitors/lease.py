"""Which of many servers evaluates monitors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEASE_SECONDS = 90
"""Longer than a minute, so that a server that evaluates each minute holds it."""


@dataclass(frozen=True, slots=True)
class EvaluationLease:
    owner: str
    since: int
    """When its owner first asked for it, in nanoseconds."""
    until: int
    """Unix seconds."""
    evaluated_at: int
    """The last minute that its owner evaluated; 0 for none."""


def holder(leases: Sequence[EvaluationLease], now: int) -> EvaluationLease | None:
    """Of several that hold, the one that was asked for first."""
    return min((one for one in leases if one.until > now), key=lambda one: (one.since, one.owner), default=None)


def last_evaluated(leases: Sequence[EvaluationLease]) -> int:
    return max((one.evaluated_at for one in leases), default=0)
