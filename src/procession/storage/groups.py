"""The processes at an instant put together: by a tag, by an attribute, by host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from procession.analysis import (
    MAX_TEXTS,
    TEXT_ATTRIBUTES,
    Grouped,
    Groups,
    HostEntry,
    Hosts,
    Measured,
    Order,
    Selection,
)
from procession.errors import InvalidRequest
from procession.storage import analysis_sql as statements
from procession.storage.instant import Instant
from procession.storage.kinds import HOST
from procession.storage.rows import STATES
from procession.storage.session import Session


class Sums:
    """How many processes there are of each code, and their numbers."""

    def __init__(self, codes: Any, columns: Mapping[str, Any], measures: Sequence[str]) -> None:
        self.measures = measures
        table: dict[str, Any] = {"code": codes}
        for name in measures:
            values = columns[name].astype(np.float64)
            table[name] = pa.array(values, mask=values < 0)
        wanted = [([], "count_all"), *((name, how) for name in measures for how in ("sum", "max", "count"))]
        found = pa.table(table).group_by("code").aggregate(wanted)
        self.codes: list[int] = found["code"].to_pylist()
        self.counts: list[int] = found["count_all"].to_pylist()
        self._numbers = {
            name: tuple(found[f"{name}_{how}"].to_pylist() for how in ("sum", "max", "count")) for name in measures
        }

    def measured(self, place: int) -> dict[str, Measured]:
        return {
            name: Measured(sums[place], greatest[place], known[place])
            for name, (sums, greatest, known) in self._numbers.items()
        }

    def into(self, values: Sequence[Sequence[str | None]]) -> dict[str | None, Grouped]:
        """Put together again by the values of each code, one or more."""
        places: dict[str | None, int] = {}
        of_value = np.array([places.setdefault(value, len(places)) for some in values for value in some], np.int64)
        of_code = np.repeat(np.arange(len(values)), [len(some) for some in values])
        size = len(places)
        counts = np.bincount(of_value, np.array(self.counts, np.int64)[of_code], size).astype(np.int64).tolist()
        numbers = {name: _put_together(of_value, of_code, size, *self._numbers[name]) for name in self.measures}
        return {
            value: Grouped(value, counts[place], {name: found[place] for name, found in numbers.items()})
            for value, place in places.items()
        }


def _put_together(
    of_value: Any, of_code: Any, size: int, sums: Sequence[Any], greatest: Sequence[Any], known: Sequence[int]
) -> list[Measured]:
    """One for each value; sums and maxima are None where nothing is known."""
    each_known = np.array(known, np.int64)[of_code]
    each_sum = np.array([value or 0 for value in sums], np.float64)[of_code]
    each_max = np.array([-1 if value is None else value for value in greatest], np.float64)[of_code]
    total, count, most = np.bincount(of_value, each_sum, size), np.bincount(of_value, each_known, size), np.zeros(size)
    np.maximum.at(most, of_value, each_max)
    return [
        Measured(one, top, int(number)) if number else Measured(None, None, 0)
        for one, top, number in zip(total.tolist(), most.tolist(), count.tolist(), strict=True)
    ]


def joined(one: Grouped, other: Grouped) -> Grouped:
    """With the value of the first."""
    numbers = {name: _joined(measured, other.numbers[name]) for name, measured in one.numbers.items()}
    return Grouped(one.value, one.count + other.count, numbers)


def _joined(one: Measured, other: Measured) -> Measured:
    if one.sum is None or one.max is None:
        return other
    if other.sum is None or other.max is None:
        return one
    return Measured(one.sum + other.sum, max(one.max, other.max), one.known + other.known)


def code_column(by: str) -> str:
    if by in (HOST, "state"):
        return by
    return "version" if by in TEXT_ATTRIBUTES else "kind"


def values_of_codes(session: Session, instant: Instant, by: str, codes: Sequence[int]) -> list[list[str]]:
    """What each code of `code_column` stands for: nothing, a value, or several of a tag key."""
    if by == HOST:
        names = session.host_names(codes)
        return [[names.get(code, "")] for code in codes]
    if by == "state":
        return [[STATES[code]] if STATES[code] else [] for code in codes]
    if by in TEXT_ATTRIBUTES:
        texts = dict(session.rows(statements.texts(session.org_id, instant.buckets(), by, codes))) if codes else {}
        return [[str(texts[code])] if texts.get(code) not in (None, "") else [] for code in codes]
    kinds = session.kinds(codes)
    if by == "container_id":
        return [[kinds[code].container_id] if code in kinds and kinds[code].container_id else [] for code in codes]
    return [sorted(session.values_of(code, kinds[code], by)) if code in kinds else [] for code in codes]


def grouped(session: Session, instant: Instant, by: str, measures: Sequence[str]) -> dict[str | None, Grouped]:
    if by in TEXT_ATTRIBUTES and len(instant) > MAX_TEXTS:
        raise InvalidRequest(
            f"{len(instant)} processes are too many to look at the {by} of each;"
            f" choose at most {MAX_TEXTS} by search, tags or host"
        )
    sums = Sums(instant.columns[code_column(by)], instant.columns, measures)
    values = values_of_codes(session, instant, by, sums.codes)
    return sums.into([of_code or [None] for of_code in values])


def groups(
    session: Session, selection: Selection, at: int, by: str, measures: Sequence[str], order: Order, limit: int
) -> Groups:
    instant = session.instant(selection, at, {code_column(by), *measures})
    found = grouped(session, instant, by, measures)
    ordered = in_order(found.values(), order)
    return Groups(len(instant), len(ordered), tuple(ordered[:limit]))


def in_order(found: Iterable[Grouped], order: Order) -> list[Grouped]:
    """What is not known last, ties by value; of equal ones the group without a value last."""
    by_value = sorted(found, key=lambda one: (one.value is None, one.value or ""))
    if order.column == "value":
        named = [one for one in by_value if one.value is not None]
        return [*(reversed(named) if order.is_descending else named), *by_value[len(named) :]]

    def key(group: Grouped) -> tuple[bool, float]:
        number = _number(order.column, group.count, group.numbers)
        return number is None, (-number if order.is_descending else number) if number is not None else 0

    return sorted(by_value, key=key)


def _number(column: str, count: int, numbers: Mapping[str, Measured]) -> float | None:
    how, _, measure = column.partition(":")
    if not measure:
        return count
    return numbers[measure].sum if how == "sum" else numbers[measure].max


def hosts(
    session: Session,
    selection: Selection,
    at: int,
    measures: Sequence[str],
    order: Order,
    offset: int,
    limit: int,
) -> Hosts:
    instant = session.instant(selection, at, measures)
    sums = Sums(instant.columns["host"], instant.columns, measures)
    moments = instant.snapshots.moments()
    names = session.host_names(sums.codes)
    found = [
        HostEntry(names.get(host, ""), sums.counts[place], moments[host], sums.measured(place))
        for place, host in enumerate(sums.codes)
    ]

    def key(entry: HostEntry) -> tuple[Any, ...]:
        number = _number("count" if order.column == "processes" else order.column, entry.processes, entry.numbers)
        if number is None:
            return (1, 0, entry.host)
        return (0, -number if order.is_descending else number, entry.host)

    if order.column == HOST:
        found.sort(key=lambda entry: entry.host, reverse=order.is_descending)
    else:
        found.sort(key=key)
    return Hosts(len(found), tuple(found[offset : offset + limit]))


def labels_of(session: Session, instant: Instant, by: str) -> list[list[str]]:
    """The values of each process."""
    codes, places = np.unique(instant.columns[code_column(by)], return_inverse=True)
    values = values_of_codes(session, instant, by, codes.tolist())
    return [values[place] for place in places.tolist()]
