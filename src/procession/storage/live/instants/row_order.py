"""The processes at an instant in an order, without sorting all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from procession.analysis import MEASURES, Order
from procession.packed import STATES
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import Array, pids_of, starts_of
from procession.storage.live.instants.at_instant import numbers_in

_FEW = 1000


def sort_columns(candidates: Candidates, order: Order) -> list[Array]:
    """Columns in whose order, the most important first, the processes are."""
    keys = candidates.column("key")
    if order.column == "start":
        return [-starts_of(keys).astype("i8"), keys] if order.is_descending else [keys]
    values = _values(candidates, order.column).astype("f8")
    is_unknown = values < 0
    if order.is_descending:
        values = -values
    values[is_unknown] = np.inf
    return [values, keys]


def first_places(columns: Sequence[Array], count: int) -> Array:
    """The first places in the order of these columns."""
    return _first_of(np.arange(len(columns[0])), columns, count)


def _first_of(places: Array, columns: Sequence[Array], count: int) -> Array:
    first, *others = columns
    if count >= len(places) or len(places) < _FEW:
        order: Array = np.lexsort(tuple(column[places] for column in reversed(columns)))
        return places[order[:count]]
    values = first[places]
    threshold = np.partition(values, count - 1)[count - 1]
    better = places[values < threshold]
    better = better[np.lexsort(tuple(column[better] for column in reversed(columns)))]
    tied = places[values == threshold]
    if not others:
        return np.concatenate((better, tied))[:count]
    return np.concatenate((better, _first_of(tied, others, count - len(better))))


def position_of(columns: Sequence[Array], place: int) -> int:
    """How many come up to and with this place."""
    count = 1
    is_tied = np.ones(len(columns[0]), bool)
    for column in columns:
        count += int(np.count_nonzero(is_tied & (column < column[place])))
        is_tied &= column == column[place]
    return count


def _values(candidates: Candidates, column: str) -> Array:
    """Numbers in whose order the values of a column are, below 0 for what is not known."""
    if column in MEASURES:
        return numbers_in(candidates, column)
    if column == "pid":
        return pids_of(candidates.column("key"))
    if column == "ppid":
        return candidates.column("ppid")
    table = candidates.table
    if column == "state":
        return _ranks(STATES)[numbers_in(candidates, "state")]
    if column == "host":
        return _ranks(["" if host is None else host.name for host in table.hosts])[candidates.column("host")]
    descriptions, texts = table.descriptions, candidates.column("text")
    if column in ("user", "command"):
        of_texts = descriptions.users if column == "user" else descriptions.commands
        return _ranks(of_texts.values)[of_texts.of[texts]]
    if column == "container_id":
        labels, places = np.unique(candidates.column("labels"), return_inverse=True)
        return _ranks([descriptions.labels[number].container_id for number in labels.tolist()])[places]
    numbers, places = np.unique(texts, return_inverse=True)
    return _ranks([getattr(descriptions.texts[number], column) for number in numbers.tolist()])[places]


def _ranks(values: Sequence[str]) -> Array:
    """Numbers in the order of texts; -1 for the empty one."""
    ranks = {value: rank for rank, value in enumerate(sorted(set(values) - {""}))}
    return np.array([ranks.get(value, -1) for value in values], "i8")
