"""What happened to a monitor, or to one of its groups, at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """Datadog's `overall_state`, with its spelling."""

    OK = "OK"
    ALERT = "Alert"
    WARN = "Warn"
    NO_DATA = "No Data"
    SKIPPED = "Skipped"
    IGNORED = "Ignored"
    UNKNOWN = "Unknown"


class TransitionKind(StrEnum):
    TRIGGERED = "triggered"
    ESCALATED = "escalated"
    """It was sent again, and the monitor has a message of its own for that."""
    RENOTIFY = "renotify"
    RECOVERED = "recovered"
    NO_DATA = "no data"
    SKIPPED = "skipped"
    TEST = "test"


class Late(StrEnum):
    """What is said of a transition by what came late out of a spool."""

    ADDED = "added"
    """It was found only then. Nobody was told: it was over, or the next evaluation told of it."""
    REFUTED = "refuted"
    """It was not so."""


@dataclass(frozen=True, slots=True)
class Transition:
    """All that a notification says. `at` is the instant that was evaluated, in Unix seconds."""

    org_id: int
    monitor_id: int
    monitor_name: str
    message: str
    """The template, with its @names."""
    tags: tuple[str, ...]
    """Those of the monitor."""
    priority: int | None
    query: str
    group: tuple[tuple[str, str], ...]
    """(("host", "web-1"),); empty for a simple alert."""
    previous: State
    state: State
    at: int
    value: float | None
    threshold: float | None
    warn_threshold: float | None
    reason: str
    """Plain text: "process gone", "agent silent", "host gone", or nothing; and how many silent hosts are not counted,
    where they might refute it."""
    processes: tuple[str, ...]
    """At most 10 that are behind it: "nginx (pid 12 on web-1, exit code 137)"."""
    cycle_key: str
    """The same for all transitions of one alert of one group, from trigger to recovery."""
    kind: TransitionKind
    late: Late | None = None


class TransitionSink(Protocol):
    def put(self, transitions: Sequence[Transition]) -> None:
        """Take what is stored already. The same transition may come again, after a crash: its cycle key, kind and
        instant are then the same."""
