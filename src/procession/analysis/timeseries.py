"""Numbers over time: of groups of processes, and of one process."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec


class Series(msgspec.Struct, frozen=True):
    """One group of processes over time; columns as long as `TimeSeries.times`."""

    value: str | None
    """What its processes have in common; None for those that have no such value."""
    is_rest: bool
    """Whether it is all groups together that have no series of their own."""
    count: tuple[int | None, ...]
    """None where nothing is known of the instant."""
    numbers: Mapping[str, tuple[float | None, ...]]


class TimeSeries(msgspec.Struct, frozen=True):
    """Groups of processes over time."""

    step: int
    """Seconds between two instants."""
    times: tuple[int, ...]
    """Instants, ascending."""
    series: tuple[Series, ...]
    is_known: bool
    """At any of them."""


class Every(enum.Enum):
    """How often a history has a reading."""

    MINUTE = "minute"
    SIGHTING = "sighting"


MINUTE_COLUMNS = (
    "cpu_total_percent",
    "cpu_total_percent_max",
    "rss_bytes",
    "threads",
    "open_files",
    "read_bytes_per_second",
    "write_bytes_per_second",
)
"""Of a minute: means of cpu and I/O, the greatest of the others."""


class History(msgspec.Struct, frozen=True):
    """Columns of one length. By the minute, times are beginnings of minutes."""

    times: tuple[int, ...]
    numbers: Mapping[str, tuple[float | None, ...]]
    states: tuple[str, ...] | None = None
    """By sighting only."""
    last_at: int | None = None
    """The newest sighting in the window; None where it is known to the minute only."""
