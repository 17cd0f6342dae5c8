"""Processes put together: counts by tag, sums by tag, attribute or host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from procession.analysis import (
    REACH_SECONDS,
    Aggregate,
    Facet,
    Grouped,
    Groups,
    HostEntry,
    Hosts,
    Order,
    TagCompletion,
    ValueCount,
)
from procession.packed import STATES
from procession.search.pattern import fold
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import Array
from procession.storage.live.dictionaries import TagKey
from procession.storage.live.instants.at_instant import numbers_in

_ATTRIBUTES = ("container_id", "state", "exe", "cmdline", "cwd", "ppid")


class Values:
    """What processes have in common, by the codes that a column has of it: each code has no value, one, or several."""

    def __init__(self, codes: Array, pairs: tuple[Array, Array], names: Sequence[str]) -> None:
        """`pairs`: a code and the number of a value that it has, no pair twice."""
        self.codes = codes
        self.of_codes, self.numbers = pairs
        self.names = names


def values_by(candidates: Candidates, by: str) -> Values:
    """Of a tag key, or of an attribute."""
    table = candidates.table
    descriptions = table.descriptions
    if by == "host":
        return _single(candidates.column("host"), ["" if one is None else one.name for one in table.hosts])
    if by == "state":
        return _named(numbers_in(candidates, "state"), lambda state: STATES[state])
    if by == "ppid":
        return _named(candidates.column("ppid"), str)
    if by in ("exe", "cmdline"):
        return _named(candidates.column("text"), lambda number: str(getattr(descriptions.texts[number], by)))
    if by in ("container_id", "cwd"):
        return _named(candidates.column("labels"), lambda number: str(getattr(descriptions.labels[number], by)))
    key = descriptions.tags.by_key.get(by)
    if by in ("user", "command"):
        of_texts = descriptions.users if by == "user" else descriptions.commands
        codes = of_texts.of[candidates.column("text")]
        return _single(codes, of_texts.values) if key is None else _both(candidates, codes, of_texts.values, key)
    if key is None:
        return Values(candidates.column("labels"), (np.zeros(0, "i4"), np.zeros(0, "i4")), ())
    names, pairs = _of_labels(key)
    return Values(candidates.column("labels"), pairs, names)


def _single(codes: Array, names: Sequence[str]) -> Values:
    numbers = np.arange(len(names))
    return Values(codes, (numbers, numbers), names)


def _named(column: Array, name: Callable[[int], str]) -> Values:
    """The empty name is none."""
    distinct, codes = np.unique(column, return_inverse=True)
    numbers: dict[str, int] = {}
    pairs = [
        (code, numbers.setdefault(value, len(numbers)))
        for code, number in enumerate(distinct.tolist())
        if (value := name(number))
    ]
    of_codes, of_values = np.array(pairs, "i8").reshape(-1, 2).T
    return Values(codes, (of_codes, of_values), list(numbers))


def _of_labels(key: TagKey) -> tuple[list[str], tuple[Array, Array]]:
    """Values of a tag key, and which sets of labels have which."""
    values = [tag.partition(":")[2] for tag in key.tags]
    labels, tags = key.pairs()
    names = list(dict.fromkeys(values))
    if len(names) < len(values):
        # The same value of a key that was written in several ways.
        numbers = {name: number for number, name in enumerate(names)}
        labels, tags = np.unique((labels, np.array([numbers[value] for value in values], "i4")[tags]), axis=1)
    return names, (labels, tags)


def _both(candidates: Candidates, codes: Array, names: Sequence[str], key: TagKey) -> Values:
    """Where processes also have tags of their own with the key of one that each has."""
    more, (labels, tags) = _of_labels(key)
    of_labels: defaultdict[int, set[str]] = defaultdict(set)
    for label, tag in zip(labels.tolist(), tags.tolist(), strict=True):
        of_labels[label].add(more[tag])
    distinct, own_codes = np.unique((codes, candidates.column("labels")), axis=1, return_inverse=True)
    numbers: dict[str, int] = {}
    pairs = [
        (code, numbers.setdefault(value, len(numbers)))
        for code, (name, label) in enumerate(distinct.T.tolist())
        for value in {names[name]} | of_labels.get(label, set())
    ]
    of_codes, of_values = np.array(pairs, "i8").reshape(-1, 2).T
    return Values(own_codes.reshape(-1), (of_codes, of_values), list(numbers))


# Facets


def facet_of(candidates: Candidates, key: str, limit: int, prefix: str) -> Facet:
    values = values_by(candidates, key) if key not in _ATTRIBUTES else _tag_values(candidates, key)
    size = int(max(values.codes.max(initial=-1), values.of_codes.max(initial=-1))) + 1
    of_codes = np.bincount(values.codes, minlength=size)
    counts = np.bincount(values.numbers, of_codes[values.of_codes], len(values.names)).astype("i8")
    has_key = np.zeros(size, bool)
    has_key[values.of_codes] = True
    found = np.flatnonzero(counts)
    folded = fold(prefix)
    if folded:
        found = np.array([number for number in found.tolist() if fold(values.names[number]).startswith(folded)], "i8")
    return Facet(key, int(of_codes[has_key].sum()), len(found), _most_frequent(values.names, counts, found, limit))


def _tag_values(candidates: Candidates, key: str) -> Values:
    """Of tags that are called as an attribute is."""
    of_key = candidates.table.descriptions.tags.by_key.get(key)
    names, pairs = _of_labels(of_key) if of_key is not None else ([], (np.zeros(0, "i4"), np.zeros(0, "i4")))
    return Values(candidates.column("labels"), pairs, names)


def _most_frequent(names: Sequence[str], counts: Array, found: Array, limit: int) -> tuple[ValueCount, ...]:
    """Ties by value."""
    if len(found) > limit > 0:
        threshold = np.partition(counts[found], -limit)[-limit]
        found = found[counts[found] >= threshold]
    listed = sorted((ValueCount(names[number], int(counts[number])) for number in found.tolist()), key=_by_count)
    return tuple(listed[:limit])


def _by_count(one: ValueCount) -> tuple[int, str]:
    return -one.count, one.value


def completion(candidates: Candidates, prefix: str, limit: int) -> TagCompletion:
    key, separator, start = prefix.partition(":")
    if separator:
        return TagCompletion((), facet_of(candidates, fold(key), limit, start).values)
    total = len(candidates)
    counts = dict.fromkeys(("host", "user", "command"), total) if total else {}
    labels = np.bincount(candidates.column("labels"), minlength=len(candidates.table.descriptions.labels))
    for name, of_key in candidates.table.descriptions.tags.by_key.items():
        if name is not None and name not in counts:
            count = int(labels[np.unique(of_key.pairs()[0])].sum())
            if count:
                counts[name] = count
    folded = fold(prefix)
    listed = sorted((ValueCount(*item) for item in counts.items() if item[0].startswith(folded)), key=_by_count)
    return TagCompletion(tuple(listed[:limit]), ())


# Groups


def grouped(candidates: Candidates, by: str, measures: Sequence[str]) -> list[Grouped]:
    """With one for processes that have no value, if there are any."""
    values = values_by(candidates, by)
    size = int(max(values.codes.max(initial=-1), values.of_codes.max(initial=-1))) + 1
    columns = [numbers_in(candidates, name) for name in measures]
    sums = _Sums(values.codes, size, columns)
    of_values = sums.moved(values.of_codes, values.numbers, len(values.names))
    is_without = np.ones(size, bool)
    is_without[values.of_codes] = False
    rest = np.flatnonzero(is_without)
    of_rest = sums.moved(rest, np.zeros(len(rest), "i8"), 1)
    found = [
        Grouped(values.names[number], int(of_values.counts[number]), of_values.aggregates(measures, number))
        for number in np.flatnonzero(of_values.counts).tolist()
    ]
    if of_rest.counts[0]:
        found.append(Grouped(None, int(of_rest.counts[0]), of_rest.aggregates(measures, 0)))
    return found


class _Sums:
    """Counts, and sums and maxima of numbers, by code."""

    def __init__(self, codes: Array, size: int, columns: Sequence[Array]) -> None:
        self.counts = np.bincount(codes, minlength=size)
        self._columns: list[tuple[Array, Array, Array]] = []
        for values in columns:
            is_known = values >= 0
            known, numbers = codes[is_known], values[is_known].astype("f8")
            most = np.full(size, -1.0)
            np.maximum.at(most, known, numbers)
            self._columns.append((np.bincount(known, minlength=size), np.bincount(known, numbers, size), most))

    def moved(self, of_codes: Array, to_codes: Array, size: int) -> _Sums:
        """The same by other codes: what is of one goes to each of those that it has."""
        found = _Sums(np.zeros(0, "i8"), size, ())
        found.counts = np.bincount(to_codes, self.counts[of_codes], size).astype("i8")
        for known, sums, most in self._columns:
            greatest = np.full(size, -1.0)
            np.maximum.at(greatest, to_codes, most[of_codes])
            counts = np.bincount(to_codes, known[of_codes], size)
            found._columns.append((counts, np.bincount(to_codes, sums[of_codes], size), greatest))
        return found

    def aggregates(self, measures: Sequence[str], code: int) -> Mapping[str, Aggregate]:
        found = {}
        for name, (known, sums, most) in zip(measures, self._columns, strict=True):
            is_known = bool(known[code])
            found[name] = Aggregate(
                float(sums[code]) if is_known else None, float(most[code]) if is_known else None, int(known[code])
            )
        return found


def groups_of(
    candidates: Candidates, by: str, measures: Sequence[str], order: Order, limit: int, known: bool
) -> Groups:
    found = _in_order(grouped(candidates, by, measures), order)
    return Groups(len(candidates), len(found), tuple(found[:limit]), known)


def _in_order(found: Iterable[Grouped], order: Order) -> list[Grouped]:
    """What is not known last, ties by value; of equal ones the group without a value last."""
    by_value = sorted(found, key=lambda one: (one.value is None, one.value or ""))
    if order.column == "value":
        named = [one for one in by_value if one.value is not None]
        return [*(reversed(named) if order.is_descending else named), *by_value[len(named) :]]

    def key(group: Grouped) -> tuple[bool, float]:
        number = _number(order.column, group.count, group.numbers)
        return number is None, (-number if order.is_descending else number) if number is not None else 0

    return sorted(by_value, key=key)


def _number(column: str, count: int, numbers: Mapping[str, Aggregate]) -> float | None:
    how, _, measure = column.partition(":")
    if not measure:
        return count
    return numbers[measure].sum if how == "sum" else numbers[measure].max


def hosts_of(
    candidates: Candidates, at: int, measures: Sequence[str], order: Order, offset: int, limit: int, known: bool
) -> Hosts:
    like = Order({"host": "value", "processes": "count"}.get(order.column, order.column), order.is_descending)
    table = candidates.table
    found = []
    for group in _in_order(grouped(candidates, "host", measures), like):
        host = table.host_named(group.value or "")
        told = int(table.host_moments.told[host.number]) if host is not None else at - REACH_SECONDS
        found.append(HostEntry(group.value or "", group.count, told, group.numbers))
    return Hosts(len(found), tuple(found[offset : offset + limit]), known)
