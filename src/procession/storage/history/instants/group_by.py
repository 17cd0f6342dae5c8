"""The processes at an instant grouped: by a tag, by an attribute, by host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from procession.analysis.grouping.code_labels import CodeLabels, PairLabels, ValueLabels
from procession.analysis.grouping.group_columns import GroupColumns, MeasureColumns, percentile_columns
from procession.analysis.grouping.group_order import number_of
from procession.errors import InvalidRequest
from procession.packed import STATES
from procession.storage.history.instants.columns.instant import Instant
from procession.storage.history.instants.label_counts import HOST
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.statements.descriptions import column_of_versions
from procession.storage.history.statements.snapshots import newest_moments
from procession.window import Window


class Sums:
    """How many processes there are of each code, and their numbers."""

    def __init__(self, codes: Any, columns: Mapping[str, Any], measures: Sequence[str]) -> None:
        self.measures = measures
        self._columns = columns
        self.codes, self._indices = coded(codes)
        """Each once."""
        self.counts = np.bincount(self._indices, minlength=len(self.codes))
        self._numbers = {name: _summed(self._indices, len(self.codes), columns[name]) for name in measures}

    def aggregate_of(self, index: int) -> dict[str, Aggregate]:
        return {
            name: _aggregate_of(sums[index], greatest[index], known[index])
            for name, (sums, greatest, known) in self._numbers.items()
        }

    def into(self, labels: CodeLabels, *, has_percentiles: bool = False) -> GroupColumns:
        """Put together again by the groups of each code, one or more. `labels`: of the indices of codes."""
        of_group, of_code, size = labels.group, labels.of, labels.size
        counts = np.bincount(of_group, self.counts[of_code], size)
        numbers = {name: _put_together(of_group, of_code, size, *self._numbers[name]) for name in self.measures}
        if has_percentiles and self.measures:
            places, groups = labels.memberships(self._indices)
            for name in self.measures:
                found = percentile_columns(groups, size, self._columns[name][places])
                numbers[name] = numbers[name]._replace(percentiles=found)
        return GroupColumns(labels, counts, numbers)


def coded(values: Any) -> tuple[Any, Any]:
    """Each value once, and the index of that of each process."""
    # Found by hashing, and then counted by index, which are small numbers: faster than to group by values.
    encoded = pc.dictionary_encode(pa.array(values))
    return encoded.dictionary.to_numpy(), encoded.indices.to_numpy().astype(np.intp)


def _summed(indices: Any, size: int, values: Any) -> tuple[Any, Any, Any]:
    """Of the known values at each index: sum, greatest and count; 0 where there is none."""
    is_known = values >= 0
    greatest = np.zeros(size, values.dtype)
    np.maximum.at(greatest, indices, values)
    sums = np.bincount(indices, np.where(is_known, values, 0), size)
    return sums, greatest, np.bincount(indices, is_known, size)


def _put_together(of_group: Any, of_code: Any, size: int, sums: Any, greatest: Any, known: Any) -> MeasureColumns:
    total, count = (np.bincount(of_group, column[of_code], size) for column in (sums, known))
    most = np.zeros(size, greatest.dtype)  # to change the type takes ten times as long
    np.maximum.at(most, of_group, greatest[of_code])
    return MeasureColumns(count, total, most)


def _aggregate_of(total: float, most: float, known: float) -> Aggregate:
    return Aggregate(float(total), float(most), int(known)) if known else Aggregate(None, None, 0)


def code_column(by: str) -> str:
    if by in (HOST, "state"):
        return by
    return "version" if by in DESCRIPTION_ATTRIBUTES else "label_set"


def values_of_codes(context: QueryContext, instant: Instant, by: str, numbers: Any) -> ValueLabels:
    """What each code of `code_column` stands for: nothing, a value, or several of a tag key."""
    if by not in DESCRIPTION_ATTRIBUTES:
        return values_of_numbers(context, by, numbers)
    codes: list[int] = numbers.tolist()
    rows = context.rows(column_of_versions(context.org_id, instant.hours(), by, codes)) if codes else ()
    texts = {row.version: str(row.value) for row in rows if row.value not in (None, "")}
    return ValueLabels.of_lists([[texts[code]] if code in texts else [] for code in codes])


def values_of_numbers(context: QueryContext, by: str, numbers: Any) -> ValueLabels:
    """The same for what is no attribute of descriptions."""
    if by not in (HOST, "state"):
        label_sets = context.label_sets(numbers)
        if by == "container_id":
            return ValueLabels.of_lists([[text] if text else [] for text in label_sets.texts("container_id")])
        found = label_sets.labels(by)
        return ValueLabels.of_pairs(found.of, found.value, found.texts, len(numbers))
    codes: list[int] = numbers.tolist()
    if by == HOST:
        names = context.host_names(codes)
        return ValueLabels.of_lists([[names.get(code, "")] for code in codes])
    return ValueLabels.of_lists([[STATES[code]] if STATES[code] else [] for code in codes])


def grouped(context: QueryContext, instant: Instant, by: str, measures: Sequence[str]) -> dict[str | None, Grouped]:
    return {one.value: one for one in group_columns(context, instant, (by,), measures).all()}


def group_columns(
    context: QueryContext,
    instant: Instant,
    keys: Sequence[str],
    measures: Sequence[str],
    *,
    has_percentiles: bool = False,
) -> GroupColumns:
    """Of one key or two."""
    for by in keys:
        if by in DESCRIPTION_ATTRIBUTES and len(instant) > MAX_DESCRIPTIONS:
            raise InvalidRequest(
                f"{len(instant)} processes are too many to look at the {by} of each;"
                f" choose at most {MAX_DESCRIPTIONS} by search, tags or host"
            )
    labels: CodeLabels
    if len(keys) == 1:
        sums = Sums(instant.columns[code_column(keys[0])], instant.columns, measures)
        labels = values_of_codes(context, instant, keys[0], sums.codes)
    else:
        (codes, indices), (more, more_indices) = (coded(instant.columns[code_column(by)]) for by in keys)
        sums = Sums(indices * len(more) + more_indices, instant.columns, measures)
        first, second = (
            values_of_codes(context, instant, by, some) for by, some in zip(keys, (codes, more), strict=True)
        )
        labels = PairLabels.of_codes(first, second, *np.divmod(sums.codes, max(len(more), 1)))
    return sums.into(labels, has_percentiles=has_percentiles)


def groups(
    context: QueryContext,
    selection: Selection,
    at: int,
    keys: Sequence[str],
    measures: Sequence[str],
    order: Order,
    limit: int,
    *,
    has_percentiles: bool,
) -> Groups:
    instant = context.instant(selection, at, {*map(code_column, keys), *measures})
    columns = group_columns(context, instant, keys, measures, has_percentiles=has_percentiles)
    return Groups(len(instant), len(columns), tuple(columns.first(order, limit)), instant.is_known)


def hosts(
    context: QueryContext,
    selection: Selection,
    at: int,
    measures: Sequence[str],
    order: Order,
    offset: int,
    limit: int,
) -> Hosts:
    instant = context.instant(selection, at, {"pid", "start", *measures})
    sums = Sums(instant.columns["host"], instant.columns, measures)
    moments, boots = instant.snapshots.moments(), _boots(instant)
    names = context.host_names(sums.codes)
    found = [
        HostEntry(names.get(host, ""), count, moments[host], sums.aggregate_of(index), boots.get(host))
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


def _boots(instant: Instant) -> dict[int, int]:
    """By host, when its first process started."""
    first = np.flatnonzero(instant.columns["pid"] == 1)
    return dict(zip(*(instant.columns[name][first].tolist() for name in ("host", "start")), strict=True))


def hosts_told(context: QueryContext, window: Window) -> dict[str, int]:
    found: dict[int, int] = {}
    for row in context.rows(newest_moments(context.org_id, window.from_at, window.to_at)):
        found[row.host] = max(row.at, found.get(row.host, 0))  # each shard that was asked gives one
    names = context.host_names(list(found))
    return {names[host]: at for host, at in found.items() if host in names}


def labels_of(context: QueryContext, instant: Instant, by: str) -> list[list[str]]:
    """The values of each process."""
    codes, indices = np.unique(instant.columns[code_column(by)], return_inverse=True)
    values = values_of_codes(context, instant, by, codes).lists(len(codes))
    return [values[index] for index in indices.tolist()]
