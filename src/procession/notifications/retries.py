"""When a notification that was not taken is tried again."""

from __future__ import annotations

from dataclasses import dataclass

WEBHOOK_ATTEMPTS = 6
"""One, and five more, as Datadog has it."""
ATTEMPTS = 10
"""Of other channels: within about three hours."""
FIRST_WAIT_SECONDS = 5
MOST_WAIT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class NotSent(Exception):
    """Why a channel did not take it. `is_final`: to try again would change nothing."""

    reason: str
    is_final: bool = False

    def __str__(self) -> str:
        return self.reason


def wait_seconds(attempts: int) -> int:
    """After so many, the first being 1: 5 s, 15 s, 45 s, ..."""
    return int(min(FIRST_WAIT_SECONDS * 3.0 ** (attempts - 1), MOST_WAIT_SECONDS))


def most_attempts(channel: str) -> int:
    return WEBHOOK_ATTEMPTS if channel.startswith("webhook-") else ATTEMPTS
