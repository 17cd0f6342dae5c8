"""Processes put together: counts by tag, sums by tag, attribute or host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from procession.analysis import (
    ENDING_KEYS,
    REACH_SECONDS,
    Facet,
    Groups,
    HostEntry,
    Hosts,
    Order,
    TagCompletion,
    ValueCount,
)
from procession.analysis.all_cpus import CpusOfHosts, over_all_cpus
from procession.analysis.grouping.code_labels import CodeLabels, PairLabels, ValueLabels
from procession.analysis.grouping.group_columns import GroupColumns, MeasureColumns, percentile_columns
from procession.analysis.in_window import OOM
from procession.lifecycle.signals import signal_of
from procession.packed import STATES
from procession.search.pattern import Pattern, fold
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import Array, pids_of, starts_of
from procession.storage.live.dictionaries import Dictionary, TagKey
from procession.storage.live.matching.comparisons import numbers_of_field
from procession.storage.live.matching.window_endings import endings_of

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

    def labels(self) -> ValueLabels:
        """With a group for the codes that have no value."""
        return ValueLabels.of_pairs(self.of_codes, self.numbers, self.names, len(self.counts))


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
    if by in ("user", "command"):
        of_texts = descriptions.users if by == "user" else descriptions.commands
        if keys := descriptions.tag_keys(by):
            return _both(candidates, of_texts.of[candidates.column("text")], of_texts.values, keys)
        count = len(descriptions.texts)
        return _by_number(candidates, "text", count, (np.arange(count), of_texts.of[:count]), of_texts.values)
    return _tag_values(candidates, by)


def values_of_tag(candidates: Candidates, key: str) -> Values:
    """Also where an attribute is called so."""
    return values_by(candidates, key) if key not in _ATTRIBUTES else _tag_values(candidates, key)


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


def _of_labels(keys: Sequence[TagKey]) -> tuple[list[str], tuple[Array, Array]]:
    """Values of a tag key, and which sets of labels have which."""
    values: list[str] = []
    labels, tags = np.zeros(0, "i4"), np.zeros(0, "i4")
    for key in keys:
        more_labels, more_tags = key.pairs()
        labels, tags = np.concatenate((labels, more_labels)), np.concatenate((tags, more_tags + len(values)))
        values += [tag.partition(":")[2] for tag in key.tags]
    names = list(dict.fromkeys(values))
    if len(names) < len(values):
        # The same value of a key that was written in several ways, or is both a tag and found out.
        numbers = {name: number for number, name in enumerate(names)}
        labels, tags = np.unique((labels, np.array([numbers[value] for value in values], "i4")[tags]), axis=1)
    return names, (labels, tags)


def _both(candidates: Candidates, codes: Array, names: Sequence[str], keys: Sequence[TagKey]) -> Values:
    """Where processes also have tags of their own with the key of one that each has."""
    more, (labels, tags) = _of_labels(keys)
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
    values = values_of_tag(candidates, key)
    counts = np.bincount(values.numbers, values.counts[values.of_codes], len(values.names)).astype("i8")
    has_key = np.zeros(len(values.counts), bool)
    has_key[values.of_codes] = True
    found = np.flatnonzero(counts)
    if prefix:
        is_listed = Pattern.beginning(prefix).matches
        found = np.array([number for number in found.tolist() if is_listed(fold(values.names[number]))], "i8")
    return Facet(key, int(values.counts[has_key].sum()), len(found), _most_frequent(values.names, counts, found, limit))


def window_facet_of(candidates: Candidates, key: str, limit: int, prefix: str) -> Facet:
    """Of candidates of a window also by how they ended. Raises NotKept."""
    if key not in ENDING_KEYS:
        return facet_of(candidates, key, limit, prefix)
    values, is_known = numbers_of_field(candidates, key)
    numbers, counts = np.unique(values[is_known].astype("i8"), return_counts=True)
    counted = [
        (_ENDING_NAMES[key](number), count) for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
    ]
    if key == "ended" and (killed := int((endings_of(candidates).oom_killed > 0).sum())):
        counted.append((OOM, killed))
    is_listed = Pattern.beginning(prefix).matches
    listed = [ValueCount(name, count) for name, count in counted if is_listed(fold(name))]
    return Facet(key, int(is_known.sum()), len(listed), tuple(sorted(listed, key=_by_count)[:limit]))


_ENDING_NAMES: dict[str, Callable[[int], str]] = {
    "ended": lambda number: "true" if number else "false",
    "exit_code": str,
    "signal": lambda number: signal_of(number + 128) or "",
}


def _tag_values(candidates: Candidates, key: str) -> Values:
    """Of tags that processes were sent with, and of what was found out."""
    names, pairs = _of_labels(candidates.table.descriptions.tag_keys(key))
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
    descriptions = candidates.table.descriptions
    for name in {*descriptions.tags.by_key, *descriptions.discovered.by_key}:
        if name is not None and name not in counts:
            has_key = np.zeros(len(labels), bool)
            for of_key in descriptions.tag_keys(name):
                has_key[of_key.pairs()[0]] = True
            if count := int(labels[has_key].sum()):
                counts[name] = count
    folded = fold(prefix)
    listed = sorted((ValueCount(*item) for item in counts.items() if item[0].startswith(folded)), key=_by_count)
    return TagCompletion(tuple(listed[:limit]), ())


# Groups


def group_columns(
    candidates: Candidates,
    keys: Sequence[str],
    measures: Sequence[str],
    *,
    has_percentiles: bool = False,
    cpus: CpusOfHosts | None = None,
) -> GroupColumns:
    """Of one key or two. With `cpus`, CPU is in percent of all CPUs of a host."""
    values = values_by(candidates, keys[0])
    labels: CodeLabels = values.labels()
    counts, codes = values.counts, values.codes() if measures else np.zeros(0, "i8")
    if len(keys) == 2:
        labels, codes = _paired(values, values_by(candidates, keys[1]))
        counts = np.bincount(codes)
    codes = codes.astype(np.intp, copy=False)
    numbers = {name: candidates.numbers(name) for name in measures}
    if cpus is not None:
        counts_of_hosts = [0 if host is None else cpus.get(host.name, 0) for host in candidates.table.hosts]
        numbers = over_all_cpus(numbers, candidates.column("host"), counts_of_hosts)
    columns = {name: _moved(labels, *_summed(counts, codes, column)) for name, column in numbers.items()}
    if has_percentiles and measures:
        places, groups = labels.memberships(codes)
        for name, column in numbers.items():
            found = percentile_columns(groups, labels.size, column[places])
            columns[name] = columns[name]._replace(percentiles=found)
    return GroupColumns(labels, _put_together(labels, counts).astype("i8"), columns)


def _paired(first: Values, second: Values) -> tuple[PairLabels, Array]:
    """What pairs of codes stand for, and that of each process."""
    size = len(second.counts)
    distinct, codes = _distinct(first.codes().astype("i8") * size + second.codes(), len(first.counts) * size)
    return PairLabels.of_codes(first.labels(), second.labels(), distinct // size, distinct % size), codes


def _distinct(numbers: Array, size: int) -> tuple[Array, Array]:
    """Each number from 0 to below `size` that is there, and the place of each among these."""
    if size > 4 * len(numbers) + 1_000_000:
        distinct, places = np.unique(numbers, return_inverse=True)
        return distinct, places
    # By a table of all that may be: ten times as fast.
    distinct = np.flatnonzero(np.bincount(numbers, minlength=size))
    place_of = np.zeros(size, "i4")
    place_of[distinct] = np.arange(len(distinct))
    return distinct, place_of[numbers]


def _summed(counts: Array, codes: Array, values: Array) -> tuple[Array, Array, Array]:
    """By code: for how many a number is known, sum and greatest."""
    size = len(counts)
    unknown = codes[values < 0]
    known = counts - np.bincount(unknown, minlength=size) if len(unknown) else counts
    numbers = values.astype("f8")
    most = np.full(size, -1.0)
    np.maximum.at(most, codes, numbers)
    return known, np.bincount(codes, np.maximum(numbers, 0, out=numbers), size), most


def _moved(labels: CodeLabels, known: Array, sums: Array, most: Array) -> MeasureColumns:
    """The same by group: what is of a code goes to each of the groups that it has."""
    greatest = np.full(labels.size, -1.0)
    np.maximum.at(greatest, labels.group, most[labels.of])
    return MeasureColumns(_put_together(labels, known), _put_together(labels, sums), greatest)


def _put_together(labels: CodeLabels, column: Array) -> Array:
    return np.bincount(labels.group, column[labels.of], labels.size)


def groups_of(
    candidates: Candidates,
    keys: Sequence[str],
    measures: Sequence[str],
    order: Order,
    limit: int,
    known: bool,
    *,
    has_percentiles: bool,
    cpus: CpusOfHosts | None = None,
) -> Groups:
    columns = group_columns(candidates, keys, measures, has_percentiles=has_percentiles, cpus=cpus)
    return Groups(len(candidates), len(columns), tuple(columns.first(order, limit)), known)


def hosts_of(
    candidates: Candidates, at: int, measures: Sequence[str], order: Order, offset: int, limit: int, known: bool
) -> Hosts:
    like = Order({"host": "value", "processes": "count"}.get(order.column, order.column), order.is_descending)
    table = candidates.table
    columns = group_columns(candidates, ("host",), measures)
    boots = _boots(candidates)
    found = []
    for group in columns.first(like, offset + limit)[offset:]:
        host = table.host_named(group.value or "")
        told = host.told_up_to(at) if host is not None else at - REACH_SECONDS
        booted_at = boots.get(host.number) if host is not None else None
        found.append(HostEntry(group.value or "", group.count, told, group.numbers, booted_at))
    return Hosts(len(columns), tuple(found), known)


def _boots(candidates: Candidates) -> dict[int, int]:
    """By number of a host, when its first process started."""
    keys = candidates.column("key")
    first = np.flatnonzero(pids_of(keys) == 1)
    return dict(zip(candidates.column("host")[first].tolist(), starts_of(keys[first]).tolist(), strict=True))
