"""In which order groups of processes are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from procession.analysis.aggregates import Aggregate, Grouped
from procession.analysis.selection import Order

NAMES = ("value", "second")
"""Columns of names."""


class GroupName(NamedTuple):
    """What the processes of a group have in common. None: they have no value of the key."""

    value: str | None
    second: str | UnsetType | None = UNSET
    """Of the second key, where there is one."""


def in_order(found: Iterable[Grouped], order: Order) -> list[Grouped]:
    """The groups sorted by `value`, `second`, `count`, or `STATISTIC:MEASURE` such as `p95:rss_bytes`, in either
    direction.

    Groups whose number is not known come last. Ties are in the order of names, by the first key and then by the second.
    A group without a value of the key that orders comes last among them, and last of all where groups are sorted by it.
    """
    groups = list(found)
    places = name_order([GroupName(one.value, one.second) for one in groups], order)
    by_name = [groups[place] for place in places]
    if order.column in NAMES:
        return by_name

    def key(group: Grouped) -> tuple[bool, float]:
        number = number_of(order.column, group.count, group.numbers)
        return number is None, (-number if order.is_descending else number) if number is not None else 0

    return sorted(by_name, key=key)


def name_order(names: Sequence[GroupName], order: Order) -> list[int]:
    """The places of names in an order by `value` or `second`; in that of names, where it is by something else."""

    def key(place: int) -> tuple[bool, str, bool, str]:
        value, second = names[place]
        return value is None, value or "", second is None, second or ""

    places = sorted(range(len(names)), key=key)
    if order.column not in NAMES:
        return places
    which = NAMES.index(order.column)
    named = [place for place in places if names[place][which] is not None]
    named.sort(key=lambda place: names[place][which] or "", reverse=order.is_descending)
    return [*named, *(place for place in places if names[place][which] is None)]


def number_of(column: str, count: int, numbers: Mapping[str, Aggregate]) -> float | None:
    """The number that a group is sorted by: its `count`, or a statistic of its `numbers`. None: not known.

    `column` is `count` or `STATISTIC:MEASURE`.
    """
    statistic, _, measure = column.partition(":")
    return numbers[measure].statistic(statistic) if measure else count
