"""The processes at an instant grouped: by a tag, by an attribute, by host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from procession.analysis import (
    DESCRIPTION_ATTRIBUTES,
    MAX_DESCRIPTIONS,
    Aggregate,
    Grouped,
    Groups,
    HostEntry,
    Hosts,
    Order,
    Selection,
)
from procession.analysis.group_order import in_order, number_of
from procession.errors import InvalidRequest
from procession.packed import STATES
from procession.storage.history.instants.columns.instant import Instant
from procession.storage.history.instants.columns.label_sets import Labels
from procession.storage.history.instants.label_counts import HOST
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.statements.descriptions import column_of_versions


class Sums:
    """How many processes there are of each code, and their numbers."""

    def __init__(self, codes: Any, columns: Mapping[str, Any], measures: Sequence[str]) -> None:
        self.measures = measures
        # Found by hashing, and then counted by index, which are small numbers: faster than to group by codes.
        encoded = pc.dictionary_encode(pa.array(codes))
        self.codes = encoded.dictionary.to_numpy()
        """Each once."""
        indices = encoded.indices.to_numpy().astype(np.intp)
        self.counts = np.bincount(indices, minlength=len(self.codes))
        self._numbers = {name: _summed(indices, len(self.codes), columns[name]) for name in measures}

    def aggregate_of(self, index: int) -> dict[str, Aggregate]:
        return {
            name: _aggregate_of(sums[index], greatest[index], known[index])
            for name, (sums, greatest, known) in self._numbers.items()
        }

    def into(self, labels: CodeLabels) -> dict[str | None, Grouped]:
        """Put together again by the values of each code, one or more."""
        is_used = np.zeros(len(labels.texts) + 1, bool)
        is_used[labels.value] = True
        of_value = (np.cumsum(is_used) - 1)[labels.value]
        used = np.flatnonzero(is_used).tolist()
        texts: list[str | None] = [*labels.texts, None]
        values = [texts[number] for number in used]
        of_code, size = labels.of, len(used)
        counts = np.bincount(of_value, self.counts[of_code], size).astype(np.int64).tolist()
        numbers = {name: _put_together(of_value, of_code, size, *self._numbers[name]) for name in self.measures}
        return {
            value: Grouped(value, counts[index], {name: found[index] for name, found in numbers.items()})
            for index, value in enumerate(values)
        }


def _summed(indices: Any, size: int, values: Any) -> tuple[Any, Any, Any]:
    """Of the known values at each index: sum, greatest and count; 0 where there is none."""
    is_known = values >= 0
    greatest = np.zeros(size, values.dtype)
    np.maximum.at(greatest, indices, values)
    sums = np.bincount(indices, np.where(is_known, values, 0), size)
    return sums, greatest, np.bincount(indices, is_known, size)


@dataclass(frozen=True, slots=True)
class CodeLabels:
    """The values of codes: each has one at least, and one without any has the one past the end of `texts`, None."""

    of: Any
    """Index of the code."""
    value: Any
    """Index in `texts`."""
    texts: Sequence[str]

    @classmethod
    def of_lists(cls, values: Sequence[Sequence[str]]) -> CodeLabels:
        indices: dict[str, int] = {}
        for some in values:
            for value in some:
                indices.setdefault(value, len(indices))
        of = [code for code, some in enumerate(values) for _ in some or (None,)]
        numbers = [len(indices) if value is None else indices[value] for some in values for value in some or (None,)]
        return cls(np.array(of, np.int64), np.array(numbers, np.int64), list(indices))

    @classmethod
    def of_label_sets(cls, found: Labels, count: int) -> CodeLabels:
        has_none = np.ones(count, bool)
        has_none[found.of] = False
        without = np.flatnonzero(has_none)
        none = np.full(len(without), len(found.texts))
        return cls(np.concatenate((found.of, without)), np.concatenate((found.value, none)), found.texts)

    def lists(self, count: int) -> list[list[str]]:
        """The values of each code, sorted."""
        values: list[list[str]] = [[] for _ in range(count)]
        for code, value in zip(self.of.tolist(), self.value.tolist(), strict=True):
            if value < len(self.texts):
                values[code].append(self.texts[value])
        return [sorted(some) for some in values]


def _put_together(of_value: Any, of_code: Any, size: int, sums: Any, greatest: Any, known: Any) -> list[Aggregate]:
    """One for each value."""
    total, count = (np.bincount(of_value, column[of_code], size).tolist() for column in (sums, known))
    most = np.zeros(size, greatest.dtype)  # to change the type takes ten times as long
    np.maximum.at(most, of_value, greatest[of_code])
    return [_aggregate_of(*numbers) for numbers in zip(total, most.tolist(), count, strict=True)]


def _aggregate_of(total: float, most: float, known: float) -> Aggregate:
    return Aggregate(float(total), float(most), int(known)) if known else Aggregate(None, None, 0)


def code_column(by: str) -> str:
    if by in (HOST, "state"):
        return by
    return "version" if by in DESCRIPTION_ATTRIBUTES else "label_set"


def values_of_codes(context: QueryContext, instant: Instant, by: str, numbers: Any) -> CodeLabels:
    """What each code of `code_column` stands for: nothing, a value, or several of a tag key."""
    if by not in (HOST, "state", *DESCRIPTION_ATTRIBUTES):
        label_sets = context.label_sets(numbers)
        if by == "container_id":
            return CodeLabels.of_lists([[text] if text else [] for text in label_sets.texts("container_id")])
        return CodeLabels.of_label_sets(label_sets.labels(by), len(numbers))
    codes: list[int] = numbers.tolist()
    if by == HOST:
        names = context.host_names(codes)
        return CodeLabels.of_lists([[names.get(code, "")] for code in codes])
    if by == "state":
        return CodeLabels.of_lists([[STATES[code]] if STATES[code] else [] for code in codes])
    rows = context.rows(column_of_versions(context.org_id, instant.hours(), by, codes)) if codes else ()
    texts = {row.version: str(row.value) for row in rows if row.value not in (None, "")}
    return CodeLabels.of_lists([[texts[code]] if code in texts else [] for code in codes])


def grouped(context: QueryContext, instant: Instant, by: str, measures: Sequence[str]) -> dict[str | None, Grouped]:
    if by in DESCRIPTION_ATTRIBUTES and len(instant) > MAX_DESCRIPTIONS:
        raise InvalidRequest(
            f"{len(instant)} processes are too many to look at the {by} of each;"
            f" choose at most {MAX_DESCRIPTIONS} by search, tags or host"
        )
    sums = Sums(instant.columns[code_column(by)], instant.columns, measures)
    return sums.into(values_of_codes(context, instant, by, sums.codes))


def groups(
    context: QueryContext, selection: Selection, at: int, by: str, measures: Sequence[str], order: Order, limit: int
) -> Groups:
    instant = context.instant(selection, at, {code_column(by), *measures})
    found = grouped(context, instant, by, measures)
    ordered = in_order(found.values(), order)
    return Groups(len(instant), len(ordered), tuple(ordered[:limit]), instant.is_known)


def hosts(
    context: QueryContext,
    selection: Selection,
    at: int,
    measures: Sequence[str],
    order: Order,
    offset: int,
    limit: int,
) -> Hosts:
    instant = context.instant(selection, at, measures)
    sums = Sums(instant.columns["host"], instant.columns, measures)
    moments = instant.snapshots.moments()
    names = context.host_names(sums.codes)
    found = [
        HostEntry(names.get(host, ""), count, moments[host], sums.aggregate_of(index))
        for index, (host, count) in enumerate(zip(sums.codes.tolist(), sums.counts.tolist(), strict=True))
    ]

    def key(entry: HostEntry) -> tuple[Any, ...]:
        number = number_of("count" if order.column == "processes" else order.column, entry.processes, entry.numbers)
        if number is None:
            return (1, 0, entry.host)
        return (0, -number if order.is_descending else number, entry.host)

    if order.column == HOST:
        found.sort(key=lambda entry: entry.host, reverse=order.is_descending)
    else:
        found.sort(key=key)
    return Hosts(len(found), tuple(found[offset : offset + limit]), instant.is_known)


def labels_of(context: QueryContext, instant: Instant, by: str) -> list[list[str]]:
    """The values of each process."""
    codes, indices = np.unique(instant.columns[code_column(by)], return_inverse=True)
    values = values_of_codes(context, instant, by, codes).lists(len(codes))
    return [values[index] for index in indices.tolist()]
