"""The processes at an instant in an order, without sorting all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from procession.analysis import MEASURES, Order
from procession.packed import STATES
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import NO_NUMBER, Array, pids_of, starts_of
from procession.storage.live.instants.aggregates import values_of_tag
from procession.storage.live.matching.comparisons import numbers_of_field
from procession.storage.live.matching.window_endings import endings_of

_FEW = 1000
_SAMPLE = 4096
_MANY = 1 / 16
"""Of all rows, from which on it is quicker to walk along the order of all than to sort these."""


_OF_LABELS = {
    **{name: name for name in ("container_id", "cwd", "uid", "gid", "nice", "tags")},
    "group": "group_name",
}
"""Columns that many processes have in common, and what they are there."""

Column = Callable[[Array | slice], Array]
"""Gives the values at some places: most of a column is never looked at."""

_ALL = slice(None)


def sort_columns(candidates: Candidates, order: Order) -> list[Column]:
    """In whose order, the most important first, the processes are."""
    if order.column == "start":
        return [_starts(candidates), _keys(candidates)] if order.is_descending else [_keys(candidates)]
    key = order.tag_key
    values = _values(candidates, order.column) if key is None else _of_tag(candidates, key)
    sortable = values.astype("f8") if values.dtype.kind != "f" else values
    sortable = np.where(values < 0, np.inf, -sortable if order.is_descending else sortable).astype(sortable.dtype)
    return [lambda places: sortable[places], _keys(candidates)]


def _keys(candidates: Candidates) -> Column:
    return lambda places: candidates.table.rows.key[candidates.rows[places]]


def _starts(candidates: Candidates) -> Column:
    """The latest first."""
    return lambda places: -starts_of(candidates.table.rows.key[candidates.rows[places]]).astype("i8")


def first_in_order(candidates: Candidates, order: Order, count: int) -> Array:
    """The places of the first in an order."""
    if order == Order() and len(candidates) >= _MANY * candidates.table.row_count:
        return _first_by_key(candidates, count)
    return first_places(sort_columns(candidates, order), count, len(candidates))


def _first_by_key(candidates: Candidates, count: int) -> Array:
    """Along the order that the table has of all its rows: to sort the keys takes as long as all else of an answer."""
    table = candidates.table
    place_of = np.full(table.row_count, NO_NUMBER, "i4")
    place_of[candidates.rows] = np.arange(len(candidates), dtype="i4")
    found, left = [place_of[:0]], count
    for rows in table.order.rows_after(None, repeat(_SAMPLE)):
        if left <= 0:
            break
        places = place_of[rows]
        found.append(places[places != NO_NUMBER][:left])
        left -= len(found[-1])
    return np.concatenate(found)


def first_places(columns: Sequence[Column], count: int, length: int) -> Array:
    """The first of so many places in the order of these columns."""
    if len(columns) > 1 and 0 < count < length:
        likely = _likely(columns[0](_ALL), count)
        if not isinstance(likely, slice):
            return _first_of(likely, columns, count)
    return _first_of(np.arange(length), columns, count)


def _first_of(places: Array, columns: Sequence[Column], count: int) -> Array:
    first, *others = columns
    if count < 1:
        return places[:0]
    if count >= len(places) or len(places) < _FEW:
        order: Array = np.lexsort(tuple(column(places) for column in reversed(columns)))
        return places[order[:count]]
    values = first(places)
    if not others:
        order = np.argsort(values, kind="stable")
        return places[order[:count]]
    kept = _likely(values, count)
    places, values = places[kept], values[kept]
    threshold = np.partition(values, count - 1)[count - 1]
    better = places[values < threshold]
    better = better[np.lexsort(tuple(column(better) for column in reversed(columns)))]
    return np.concatenate((better, _first_of(places[values == threshold], others, count - len(better))))


def _likely(values: Array, count: int) -> Array | slice:
    """Places of the smallest values, at least so many, with all that are equal: a sample tells about where they end."""
    sample = np.sort(values[:: max(1, len(values) // _SAMPLE)])
    place = 4 * count * len(sample) // len(values) + 8
    if place < len(sample) // 2:
        kept: Array = np.flatnonzero(values <= sample[place])
        if len(kept) >= count:
            return kept
    return _ALL


def position_of(columns: Sequence[Column], place: int, length: int) -> int:
    """How many come up to and with this place."""
    count = 1
    places = np.arange(length)
    for column in columns:
        values, (value,) = column(places), column(np.array([place]))
        count += int(np.count_nonzero(values < value))
        places = places[values == value]
    return count


def _values(candidates: Candidates, column: str) -> Array:
    """Numbers in whose order the values of a column are, below 0 for what is not known."""
    if column in MEASURES:
        return candidates.numbers(column)
    if column == "pid":
        return pids_of(candidates.column("key")).astype("i8")
    if column == "ppid":
        return candidates.column("ppid")
    if column == "namespace_pid":
        return candidates.column("namespace_pid")
    if column == "timestamp":
        return candidates.seen.astype("i8")
    if column in ("ended", "exit_code", "signal", "lifetime"):
        return _of_ending(candidates, column)
    table = candidates.table
    if column == "state":
        return _ranks(STATES)[candidates.numbers("state")]
    if column == "host":
        return _ranks(["" if host is None else host.name for host in table.hosts])[candidates.column("host")]
    descriptions, texts = table.descriptions, candidates.column("text")
    if column in ("user", "command"):
        of_texts = descriptions.users if column == "user" else descriptions.commands
        return _ranks(of_texts.values)[of_texts.of[texts]]
    if column in _OF_LABELS:
        labels, places = np.unique(candidates.column("labels"), return_inverse=True)
        return _ranks([getattr(descriptions.labels[number], _OF_LABELS[column]) for number in labels.tolist()])[places]
    numbers, places = np.unique(texts, return_inverse=True)
    return _ranks([getattr(descriptions.texts[number], column) for number in numbers.tolist()])[places]


def _of_tag(candidates: Candidates, key: str) -> Array:
    values = values_of_tag(candidates, key)
    ranks, last = _ranks(values.names), len(values.names)
    first = np.full(len(values.counts), last, "i8")
    np.minimum.at(first, values.of_codes, ranks[values.numbers])
    found: Array = np.where(first == last, NO_NUMBER, first)[values.codes()]
    return found


def _of_ending(candidates: Candidates, column: str) -> Array:
    if column == "ended":
        return endings_of(candidates).at
    values, is_known = numbers_of_field(candidates, column)
    return np.where(is_known, values, NO_NUMBER)


def _ranks(values: Sequence[Any]) -> Array:
    """Numbers in the order of texts or numbers; -1 for what is empty or not known."""
    ranks = {value: rank for rank, value in enumerate(sorted(set(values) - {"", (), None}))}
    return np.array([ranks.get(value, -1) for value in values], "i8")
