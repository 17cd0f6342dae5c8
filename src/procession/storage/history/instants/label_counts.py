"""How many processes have which values of a tag key, from how many there are of each label set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from procession.analysis import Facet, ValueCount
from procession.search.pattern import Pattern, fold
from procession.storage.history.instants.columns.label_sets import LabelSets

HOST = "host"


def facets_of(
    keys: Iterable[str], hosts: Mapping[str, int], label_sets: LabelSets, counts: Any, *, limit: int, prefix: str = ""
) -> tuple[Facet, ...]:
    """From how many processes there are on each host and of each label set; keys are folded. `prefix`: of the values to
    list."""
    return tuple(
        _facet_of_hosts(hosts, limit, prefix) if key == HOST else _facet(key, label_sets, counts, limit, prefix)
        for key in keys
    )


def _facet_of_hosts(hosts: Mapping[str, int], limit: int, prefix: str) -> Facet:
    return _top(HOST, sum(hosts.values()), hosts, limit, prefix)


def _facet(key: str, label_sets: LabelSets, counts: Any, limit: int, prefix: str) -> Facet:
    labels = label_sets.labels(key)
    if not len(labels.of):
        return Facet(key, 0, 0, ())
    # Counted by index, which are small numbers: to find out the different ones takes ten times as long.
    values = np.flatnonzero(np.bincount(labels.value))
    numbers = np.bincount(labels.value, counts[labels.of])[values].astype(np.int64)
    has_value = np.zeros(len(counts), bool)
    has_value[labels.of] = True
    processes = int(counts[has_value].sum())
    if not prefix and len(values) > limit:
        # Of very many, such as the names of pods, only those that may be among the first.
        least = np.partition(numbers, len(numbers) - limit)[len(numbers) - limit]
        is_shown = numbers >= least
        some = {labels.texts[value]: number for value, number in _pairs(values[is_shown], numbers[is_shown])}
        shown = _top(key, processes, some, limit, prefix)
        return Facet(key, processes, len(values), shown.values)
    found = {labels.texts[value]: number for value, number in _pairs(values, numbers)}
    return _top(key, processes, found, limit, prefix)


def _pairs(values: Any, numbers: Any) -> Iterable[tuple[int, int]]:
    return zip(values.tolist(), numbers.tolist(), strict=True)


def _top(key: str, processes: int, counts: Mapping[str, int], limit: int, prefix: str) -> Facet:
    is_listed = Pattern.beginning(prefix).matches
    found = [(value, count) for value, count in counts.items() if is_listed(fold(value))]
    found.sort(key=lambda item: (-item[1], item[0]))
    return Facet(key, processes, len(found), tuple(ValueCount(*item) for item in found[:limit]))
