"""Numbers over time: of groups of processes, and of one process."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import msgspec


class Series(msgspec.Struct, frozen=True):
    """One group of processes over time: `count` and each of `numbers` have an item for each of `TimeSeries.times`."""

    value: str | None
    """The value that its processes have in common; None where they have none, and for the rest."""
    is_rest: bool
    """Whether it stands for all groups that have no series of their own."""
    count: tuple[int | None, ...]
    """How many processes there were; None where nothing is known of the instant."""
    numbers: Mapping[str, tuple[float | None, ...]]
    """Sums over the processes, by the names of measures; None where the measure is known of none of them."""


class TimeSeries(msgspec.Struct, frozen=True):
    """Groups of processes over time."""

    step: int
    """Seconds between two instants."""
    times: tuple[int, ...]
    """Instants in Unix seconds, ascending."""
    series: tuple[Series, ...]
    is_known: bool
    """Whether anything is known of any of the instants."""


class Every(enum.Enum):
    """The resolution of a history: a value for each minute, or for each sighting."""

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
"""The numbers of a minute: the mean of cpu and I/O, the maximum of the others."""

MEANS = ("cpu_total_percent", "read_bytes_per_second", "write_bytes_per_second")
"""Of a minute; of other columns its greatest number."""


def of_minute(name: str, values: Sequence[float | None]) -> float | None:
    """What a column of a minute is, from the values of its sightings."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return sum(known) / len(known) if name in MEANS else max(known)


class History(msgspec.Struct, frozen=True):
    """The numbers of one process over time, as columns: each has an item for each of `times`."""

    times: tuple[int, ...]
    """Unix seconds, ascending: moments of sightings, or the beginnings of minutes."""
    numbers: Mapping[str, tuple[float | None, ...]]
    """By the names of measures, or of MINUTE_COLUMNS."""
    states: tuple[str, ...] | None = None
    """The kernel's letters; None where the history is by the minute."""
    last_at: int | None = None
    """The newest sighting in the window; None where it is known to the minute only."""
