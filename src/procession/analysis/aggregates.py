"""Counts, sums and maxima over processes: by tag, by attribute, by host."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from procession.window import Window

PERCENTILES = {"p50": 50, "p95": 95}
"""By name, how many of a hundred values do not exceed it."""

STATISTICS = ("sum", "avg", *PERCENTILES, "max")
"""What is told of a measure over several processes."""


class Aggregate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measure over several processes, in the unit of the measure. All but `known` are None where that is 0."""

    sum: float | None
    max: float | None
    known: int
    """For how many of the processes the measure is known."""
    p50: float | None = None
    """The median, by the nearest rank: the least of the values that half of them, or more, do not exceed. None also
    where percentiles were not asked for."""
    p95: float | None = None
    """The least of the values that 95 of 100 of them, or more, do not exceed."""

    @property
    def avg(self) -> float | None:
        """Over the processes for which it is known."""
        return None if self.sum is None else self.sum / self.known

    def statistic(self, name: str) -> float | None:
        """One of STATISTICS."""
        found: float | None = getattr(self, name)
        return found


class ValueCount(msgspec.Struct, frozen=True):
    """A tag key, or a value of one, with the number of processes that have it."""

    value: str
    count: int


class Facet(msgspec.Struct, frozen=True):
    """A tag key, with how many processes have which of its values."""

    key: str
    processes: int
    """How many processes have the key."""
    distinct: int
    """How many values there are, also those beyond `values`; if a prefix is given, only values that begin with it."""
    values: tuple[ValueCount, ...]
    """The most frequent first, ties by value."""


class Facets(msgspec.Struct, frozen=True):
    total: int
    """How many processes were counted."""
    window: Window | None
    """The window that was counted: the one asked for, widened to multiples of ten seconds. None for an instant."""
    facets: tuple[Facet, ...]
    is_known: bool


class TagCompletion(msgspec.Struct, frozen=True):
    """What a text that begins a tag may become: a key, or a value where the text has a whole key and a colon."""

    keys: tuple[ValueCount, ...]
    values: tuple[ValueCount, ...]


class Grouped(msgspec.Struct, frozen=True):
    """A group: the processes that have one value in common, or one of each of two keys."""

    value: str | None
    """None for the processes that have no value."""
    count: int
    """How many processes it has."""
    numbers: Mapping[str, Aggregate]
    """By the names of measures."""
    second: str | UnsetType | None = UNSET
    """The value of the second key, where there is one, as `value`."""


class Groups(msgspec.Struct, frozen=True):
    total: int
    """How many processes were grouped."""
    groups: int
    """How many groups there are, also those beyond `found`."""
    found: tuple[Grouped, ...]
    is_known: bool


class HostEntry(msgspec.Struct, frozen=True):
    """A host at an instant."""

    host: str
    processes: int
    """How many processes of the selection it has."""
    seen_at: int
    """The moment of its newest snapshot."""
    numbers: Mapping[str, Aggregate]
    """By the names of measures."""
    booted_at: int | None = None
    """When its first process, pid 1, started. None where the selection has it not."""


class Hosts(msgspec.Struct, frozen=True):
    total: int
    """How many hosts there are, also those beyond `found`."""
    found: tuple[HostEntry, ...]
    is_known: bool
