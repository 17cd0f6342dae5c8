"""Groups of processes as columns, of which only those that are shown are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from procession.analysis.aggregates import PERCENTILES, Aggregate, Grouped
from procession.analysis.grouping.code_labels import CodeLabels
from procession.analysis.grouping.group_order import NAMES, in_order, name_order
from procession.analysis.selection import Order


class MeasureColumns(NamedTuple):
    """A measure by the number of a group. Where it is known of no process, only `known` means anything."""

    known: Any
    sums: Any
    greatest: Any
    percentiles: Mapping[str, Any] | None = None
    """By their names, where they were asked for."""

    def column(self, statistic: str) -> Any:
        if statistic in PERCENTILES:
            return (self.percentiles or {})[statistic]
        if statistic == "avg":
            return self.sums / np.maximum(self.known, 1)
        return self.sums if statistic == "sum" else self.greatest

    def aggregates(self, groups: Any) -> list[Aggregate]:
        columns = [self.sums, self.greatest, *((self.percentiles or {}).values())]
        known = self.known[groups].astype(np.int64).tolist()
        amounts = zip(*(column[groups].astype("f8").tolist() for column in columns), strict=True)
        return [
            Aggregate(one[0], one[1], count, *one[2:]) if count else Aggregate(None, None, 0)
            for count, one in zip(known, amounts, strict=True)
        ]


class GroupColumns:
    """Groups, by number."""

    def __init__(self, labels: CodeLabels, counts: Any, numbers: Mapping[str, MeasureColumns]) -> None:
        """`counts`: how many processes each group has; one without any is none. `numbers`: by the names of measures."""
        self._labels = labels
        self._counts = counts
        self._numbers = numbers
        self._found = np.flatnonzero(counts)

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> list[Grouped]:
        """In no order."""
        return self._groups(self._found)

    def first(self, order: Order, limit: int) -> list[Grouped]:
        """The first in an order; only these are made."""
        if order.column in NAMES:
            names = [self._labels.name(group) for group in self._found.tolist()]
            return self._groups(self._found[name_order(names, order)[:limit]])
        numbers = self._column(order.column)[self._found]
        keys = np.where(np.isnan(numbers), np.inf, -numbers if order.is_descending else numbers)
        chosen = self._found
        if 0 < limit < len(keys):
            chosen = chosen[keys <= np.partition(keys, limit - 1)[limit - 1]]
        return in_order(self._groups(chosen), order)[:limit]

    def _column(self, column: str) -> Any:
        """What groups are sorted by; not a number where it is not known."""
        statistic, _, measure = column.partition(":")
        if not measure:
            return self._counts.astype("f8")
        numbers = self._numbers[measure]
        return np.where(numbers.known > 0, numbers.column(statistic), np.nan)

    def _groups(self, groups: Any) -> list[Grouped]:
        counts = self._counts[groups].astype(np.int64).tolist()
        columns = [column.aggregates(groups) for column in self._numbers.values()]
        aggregates: Sequence[tuple[Aggregate, ...]] | repeat[tuple[()]]
        aggregates = list(zip(*columns, strict=True)) if columns else repeat(())
        found = []
        for group, count, one in zip(groups.tolist(), counts, aggregates, strict=False):
            name = self._labels.name(group)
            found.append(Grouped(name.value, count, dict(zip(self._numbers, one, strict=True)), name.second))
        return found


def percentile_columns(groups: Any, size: int, values: Any) -> dict[str, Any]:
    """Percentiles by group, by the nearest rank, of `values` and the groups that these are of. Values below 0 are not
    known."""
    is_known = values >= 0
    groups, values = groups[is_known], values[is_known]
    counts = np.bincount(groups, minlength=size)
    ordered, starts = _in_groups(groups, values, size), np.cumsum(counts) - counts
    has_some = counts > 0
    found = {}
    for name, percent in PERCENTILES.items():
        found[name] = np.zeros(size, values.dtype)
        # The nearest rank, from 0: the first that is not exceeded by at least so many percent.
        found[name][has_some] = ordered[(starts + (counts * percent + 99) // 100 - 1)[has_some]]
    return found


def _in_groups(groups: Any, values: Any, size: int) -> Any:
    """Values of 0 or more in the order of their groups, and sorted in each."""
    if not len(values):
        return values
    if values.dtype.kind == "f":
        # Bits of numbers that are not negative are in their order; 0 is added to be rid of a negative zero.
        bits, width = (values + np.float32(0)).view("u4"), 32
    else:
        bits, width = values, int(values.max()).bit_length()
    if width + size.bit_length() > 64:
        return values[np.lexsort((values, groups))]
    # One word for both is sorted eight times as fast.
    words = groups.astype("u8") << np.uint64(width) | bits.astype("u8")
    words.sort()
    sorted_bits = words & np.uint64((1 << width) - 1)
    return sorted_bits.astype("u4").view("f4") if values.dtype.kind == "f" else sorted_bits.astype(values.dtype)
