"""In which order groups of processes are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from procession.analysis.aggregates import Aggregate, Grouped
from procession.analysis.selection import Order


def in_order(found: Iterable[Grouped], order: Order) -> list[Grouped]:
    """The groups sorted by `value`, `count`, `sum:MEASURE` or `max:MEASURE`, in either direction.

    Groups whose number is not known come last. Ties are in the order of values; the group without a value comes last
    among them, and last of all where groups are sorted by value.
    """
    by_value = sorted(found, key=lambda one: (one.value is None, one.value or ""))
    if order.column == "value":
        named = [one for one in by_value if one.value is not None]
        return [*(reversed(named) if order.is_descending else named), *by_value[len(named) :]]

    def key(group: Grouped) -> tuple[bool, float]:
        number = number_of(order.column, group.count, group.numbers)
        return number is None, (-number if order.is_descending else number) if number is not None else 0

    return sorted(by_value, key=key)


def number_of(column: str, count: int, numbers: Mapping[str, Aggregate]) -> float | None:
    """The number that a group is sorted by: its `count`, or a sum or maximum of its `numbers`. None: not known.

    `column` is `count`, `sum:MEASURE` or `max:MEASURE`.
    """
    how, _, measure = column.partition(":")
    if not measure:
        return count
    return numbers[measure].sum if how == "sum" else numbers[measure].max
