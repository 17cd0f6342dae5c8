"""Processes put together: by tag, by attribute, by host."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from procession.window import Window


class Aggregate(msgspec.Struct, frozen=True):
    """A number of several processes; None where it is known of none of them."""

    sum: float | None
    max: float | None
    known: int


class ValueCount(msgspec.Struct, frozen=True):
    value: str
    count: int


class Facet(msgspec.Struct, frozen=True):
    """The values of a tag key: the most frequent first, ties by value."""

    key: str
    processes: int
    """That have the key."""
    distinct: int
    values: tuple[ValueCount, ...]


class Facets(msgspec.Struct, frozen=True):
    total: int
    window: Window | None
    """What was counted, in whole ten seconds; None for an instant."""
    facets: tuple[Facet, ...]
    is_known: bool


class TagCompletion(msgspec.Struct, frozen=True):
    keys: tuple[ValueCount, ...]
    values: tuple[ValueCount, ...]


class Grouped(msgspec.Struct, frozen=True):
    value: str | None
    count: int
    numbers: Mapping[str, Aggregate]


class Groups(msgspec.Struct, frozen=True):
    total: int
    """Processes."""
    groups: int
    found: tuple[Grouped, ...]
    is_known: bool


class HostEntry(msgspec.Struct, frozen=True):
    host: str
    processes: int
    seen_at: int
    numbers: Mapping[str, Aggregate]


class Hosts(msgspec.Struct, frozen=True):
    total: int
    found: tuple[HostEntry, ...]
    is_known: bool
