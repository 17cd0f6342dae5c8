"""Processes put together: counts by tag, sums by tag, attribute or host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
from procession.analysis.group_order import in_order
from procession.packed import STATES
from procession.search.pattern import fold
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import Array
from procession.storage.live.dictionaries import Dictionary, TagKey

_ATTRIBUTES = ("container_id", "state", "exe", "cmdline", "cwd", "ppid")


class Values:
    """What processes have in common, by the codes that a column has of it: each code has no value, one, or several."""

    def __init__(
        self, counts: Array, codes: Callable[[], Array], pairs: tuple[Array, Array], names: Sequence[str]
    ) -> None:
        """`counts`: how many processes have each code. `pairs`: a code and the number of a value that it has, no pair
        twice."""
        self.counts = counts
        self.codes = codes
        self.of_codes, self.numbers = pairs
        self.names = names


def values_by(candidates: Candidates, by: str) -> Values:
    """Of a tag key, or of an attribute."""
    table = candidates.table
    descriptions = table.descriptions
    if by == "host":
        names = ["" if one is None else one.name for one in table.hosts]
        return _by_number(candidates, "host", len(names), (np.arange(len(names)), np.arange(len(names))), names)
    if by == "state":
        return _named(candidates.numbers("state"), lambda state: STATES[state])
    if by == "ppid":
        return _named(candidates.column("ppid"), str)
    if by in ("exe", "cmdline"):
        return _named_by_number(candidates, "text", descriptions.texts, by)
    if by in ("container_id", "cwd"):
        return _named_by_number(candidates, "labels", descriptions.labels, by)
    key = descriptions.tags.by_key.get(by)
    if by in ("user", "command"):
        of_texts = descriptions.users if by == "user" else descriptions.commands
        if key is not None:
            return _both(candidates, of_texts.of[candidates.column("text")], of_texts.values, key)
        count = len(descriptions.texts)
        return _by_number(candidates, "text", count, (np.arange(count), of_texts.of[:count]), of_texts.values)
    return _tag_values(candidates, by)


def _by_number(
    candidates: Candidates, column: str, size: int, pairs: tuple[Array, Array], names: Sequence[str]
) -> Values:
    return Values(candidates.counts(column, size), lambda: candidates.column(column), pairs, names)


def _named_by_number(candidates: Candidates, column: str, dictionary: Dictionary[Any], attribute: str) -> Values:
    """Of numbers that are there; the empty name is none."""
    counts = candidates.counts(column, len(dictionary))
    numbers: dict[str, int] = {}
    pairs = [
        (code, numbers.setdefault(value, len(numbers)))
        for code in np.flatnonzero(counts).tolist()
        if (value := getattr(dictionary[code], attribute))
    ]
    of_codes, of_values = np.array(pairs, "i8").reshape(-1, 2).T
    return _by_number(candidates, column, len(dictionary), (of_codes, of_values), list(numbers))


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
    return Values(np.bincount(codes, minlength=len(distinct)), lambda: codes, (of_codes, of_values), list(numbers))


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
    of_both = own_codes.reshape(-1)
    counts = np.bincount(of_both, minlength=distinct.shape[1])
    return Values(counts, lambda: of_both, (of_codes, of_values), list(numbers))


# Facets


def facet_of(candidates: Candidates, key: str, limit: int, prefix: str) -> Facet:
    values = values_by(candidates, key) if key not in _ATTRIBUTES else _tag_values(candidates, key)
    counts = np.bincount(values.numbers, values.counts[values.of_codes], len(values.names)).astype("i8")
    has_key = np.zeros(len(values.counts), bool)
    has_key[values.of_codes] = True
    found = np.flatnonzero(counts)
    folded = fold(prefix)
    if folded:
        found = np.array([number for number in found.tolist() if fold(values.names[number]).startswith(folded)], "i8")
    return Facet(key, int(values.counts[has_key].sum()), len(found), _most_frequent(values.names, counts, found, limit))


def _tag_values(candidates: Candidates, key: str) -> Values:
    """Of tags that are called as an attribute is."""
    of_key = candidates.table.descriptions.tags.by_key.get(key)
    names, pairs = _of_labels(of_key) if of_key is not None else ([], (np.zeros(0, "i4"), np.zeros(0, "i4")))
    return _by_number(candidates, "labels", len(candidates.table.descriptions.labels), pairs, names)


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
    labels = candidates.counts("labels", len(candidates.table.descriptions.labels))
    for name, of_key in candidates.table.descriptions.tags.by_key.items():
        if name is not None and name not in counts:
            has_key = np.zeros(len(labels), bool)
            has_key[of_key.pairs()[0]] = True
            if count := int(labels[has_key].sum()):
                counts[name] = count
    folded = fold(prefix)
    listed = sorted((ValueCount(*item) for item in counts.items() if item[0].startswith(folded)), key=_by_count)
    return TagCompletion(tuple(listed[:limit]), ())


# Groups


class Grouping:
    """Processes by what they have in common, with one group for those that have nothing of it."""

    def __init__(self, candidates: Candidates, by: str, measures: Sequence[str]) -> None:
        values = values_by(candidates, by)
        size = len(values.counts)
        codes = values.codes() if measures else np.zeros(0, "i8")
        sums = _Sums(values.counts, codes, [candidates.numbers(name) for name in measures])
        is_without = np.ones(size, bool)
        is_without[values.of_codes] = False
        rest = np.flatnonzero(is_without)
        of_codes = np.concatenate([values.of_codes, rest])
        to_groups = np.concatenate([values.numbers, np.full(len(rest), len(values.names))])
        self._names = values.names
        self._measures = measures
        self._sums = sums.moved(of_codes, to_groups, len(values.names) + 1)
        self._found = np.flatnonzero(self._sums.counts)

    def __len__(self) -> int:
        return len(self._found)

    def first(self, order: Order, count: int) -> list[Grouped]:
        """The first in an order; only these are made."""
        if order.column == "value":
            return in_order((self._group(number) for number in self._found.tolist()), order)[:count]
        numbers = self._sums.numbers(order.column, self._measures)[self._found]
        keys = np.where(np.isnan(numbers), np.inf, -numbers if order.is_descending else numbers)
        chosen = self._found
        if 0 < count < len(keys):
            chosen = chosen[keys <= np.partition(keys, count - 1)[count - 1]]
        return in_order((self._group(number) for number in chosen.tolist()), order)[:count]

    def _group(self, number: int) -> Grouped:
        value = self._names[number] if number < len(self._names) else None
        return Grouped(value, int(self._sums.counts[number]), self._sums.aggregates(self._measures, number))


class _Sums:
    """Counts, and sums and maxima of numbers, by code."""

    def __init__(self, counts: Array, codes: Array, columns: Sequence[Array]) -> None:
        size = len(counts)
        self.counts = counts
        self._columns: list[tuple[Array, Array, Array]] = []
        codes = codes.astype(np.intp, copy=False)
        for values in columns:
            unknown = codes[values < 0]
            known = counts - np.bincount(unknown, minlength=size) if len(unknown) else counts
            numbers = values.astype("f8")
            most = np.full(size, -1.0)
            np.maximum.at(most, codes, numbers)
            sums = np.bincount(codes, np.maximum(numbers, 0, out=numbers), size)
            self._columns.append((known, sums, most))

    def numbers(self, column: str, measures: Sequence[str]) -> Array:
        """Of `count`, `sum:MEASURE` or `max:MEASURE`; not a number where it is not known."""
        how, _, measure = column.partition(":")
        if not measure:
            return self.counts.astype("f8")
        known, sums, most = self._columns[measures.index(measure)]
        return np.where(known > 0, sums if how == "sum" else most, np.nan)

    def moved(self, of_codes: Array, to_codes: Array, size: int) -> _Sums:
        """The same by other codes: what is of one goes to each of those that it has."""
        found = _Sums(np.bincount(to_codes, self.counts[of_codes], size).astype("i8"), np.zeros(0, "i8"), ())
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
    grouping = Grouping(candidates, by, measures)
    return Groups(len(candidates), len(grouping), tuple(grouping.first(order, limit)), known)


def hosts_of(
    candidates: Candidates, at: int, measures: Sequence[str], order: Order, offset: int, limit: int, known: bool
) -> Hosts:
    like = Order({"host": "value", "processes": "count"}.get(order.column, order.column), order.is_descending)
    table = candidates.table
    grouping = Grouping(candidates, "host", measures)
    found = []
    for group in grouping.first(like, offset + limit)[offset:]:
        host = table.host_named(group.value or "")
        told = host.told_up_to(at) if host is not None else at - REACH_SECONDS
        found.append(HostEntry(group.value or "", group.count, told, group.numbers))
    return Hosts(len(grouping), tuple(found), known)
