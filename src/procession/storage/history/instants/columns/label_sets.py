"""The label sets of an org as columns, so that the processes of a fleet are counted without looking at each label set.

Where each container has an id and a pod of its own, a million processes are of hundreds of thousands of label sets, too
many to ask for one by one: then all of the table are read, once, and what is added later is asked for by its number.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from procession.process import ProcessDescription, generated_tags
from procession.search.pattern import fold
from procession.storage.history.engine.statement import Statement
from procession.storage.history.statements.tag_sets import label_sets_table, tag_sets_table

Read = Callable[[Statement], pa.Table]

_FEW = 2000
"""So many label sets are asked for by their numbers; of more, the whole table is read."""

GENERATED = ("user", "command", "state_zombie")
"""Keys that every process has, besides that of the host: see `generated_tags`."""

MAX_ORGS = 64
"""Orgs whose label sets are remembered."""

MAX_LABEL_SETS = 3_000_000
"""Of an org; with more, the cache is begun anew. One takes about 100 bytes."""


class Labels(NamedTuple):
    """What each of some label sets has of a key: none, one value or several. Sorted by label set, and then by value."""

    of: Any
    """Index among the label sets that were asked for."""
    value: Any
    """Numbers of `texts`."""
    texts: list[str]


@dataclass(frozen=True, slots=True)
class _Tags:
    """The tags of sets as columns, one row for each."""

    tag_set: Any
    """Index of the set."""
    key: Any
    value: Any


class LabelSetCache:
    """Of one org. Only grows; what a number stands for never changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: dict[str, int] = {"": 0}
        self._text_of: list[str] = [""]
        self._numbers = np.empty(0, np.uint64)
        """Sorted; `_index` has the row of each in the columns."""
        self._index = np.empty(0, np.int64)
        self._columns = {name: np.empty(0, np.int64) for name in ("command", "user", "container_id", "tag_set")}
        self._is_zombie = np.empty(0, np.bool_)
        self._tag_sets: dict[int, int] = {}
        self._tags = _Tags(*(np.empty(0, np.int64) for _ in range(3)))
        self._spans: dict[int, tuple[Any, Any, Any]] = {}
        """Key -> first row and number of rows of each tag set among those with the key, and their values."""

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, read: Read, org_id: int, numbers: Any) -> LabelSets:
        """What is known of these label sets, each of which is there once."""
        with self._lock:
            rows = self._find(numbers)
            if (rows < 0).any():
                self._add(read, org_id, numbers[rows < 0])
                rows = self._find(numbers)
            return LabelSets(self, rows)

    def text(self, number: int) -> str:
        return self._text_of[number]

    def column(self, name: str, rows: Any) -> Any:
        """Numbers of texts; 0, the empty one, for what is not known."""
        with self._lock:
            found = np.zeros(len(rows), np.int64)
            found[rows >= 0] = self._columns[name][rows[rows >= 0]]
            return found

    def labels(self, key: str, rows: Any) -> Labels:
        """`key` is folded, and not that of the host."""
        with self._lock:
            known = np.flatnonzero(rows >= 0)
            of, value = self._tags_of(key, known, rows)
            if key in GENERATED:
                more = self._generated(key, known, rows)
                # Hardly any process is sent with a tag of such a key, and then mostly with the same value.
                of, value = (
                    _distinct(np.concatenate((of, known)), np.concatenate((value, more)))
                    if len(of)
                    else (
                        known,
                        more,
                    )
                )
            return Labels(of, value, self._text_of)

    def keys(self, rows: Any, counts: Any) -> dict[str, int]:
        """Tag key -> how many processes have it, from how many there are of each label set."""
        with self._lock:
            known = rows >= 0
            rows, counts = rows[known], counts[known]
            of_tag_set = np.bincount(self._columns["tag_set"][rows], counts, len(self._tag_sets))
            tag_set, key = _distinct(self._tags.tag_set, self._tags.key)
            of_key = np.bincount(key, of_tag_set[tag_set], len(self._text_of))
            found = {self._text_of[key]: int(of_key[key]) for key in np.flatnonzero(of_key).tolist()}
            # What every process has, whatever tags it was sent with.
            return found | (dict.fromkeys(GENERATED, int(counts.sum())) if len(counts) else {})

    def _find(self, numbers: Any) -> Any:
        """Their rows; -1 for what is not known."""
        if not len(self._numbers):
            return np.full(len(numbers), -1, np.int64)
        # In order, what is looked at one after the other lies side by side in memory.
        order = np.argsort(numbers)
        in_order = numbers[order]
        at = np.minimum(np.searchsorted(self._numbers, in_order), len(self._numbers) - 1)
        found = np.empty(len(numbers), np.int64)
        found[order] = np.where(self._numbers[at] == in_order, self._index[at], -1)
        return found

    def _tags_of(self, key: str, known: Any, rows: Any) -> tuple[Any, Any]:
        number = self._texts.get(key)
        if number is None:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        if number not in self._spans:
            chosen = self._tags.key == number
            sizes = np.bincount(self._tags.tag_set[chosen], minlength=len(self._tag_sets))
            self._spans[number] = np.cumsum(sizes) - sizes, sizes, self._tags.value[chosen]
        first, sizes, values = self._spans[number]
        tag_set = self._columns["tag_set"][rows[known]]
        each = sizes[tag_set]
        before = np.repeat(np.cumsum(each) - each, each)
        return np.repeat(known, each), values[np.repeat(first[tag_set], each) + np.arange(len(before)) - before]

    def _generated(self, key: str, known: Any, rows: Any) -> Any:
        """What the process itself says: see `generated_tags`."""
        if key == "state_zombie":
            texts = [_generated_value(key, ProcessDescription(is_zombie=is_zombie)) for is_zombie in (False, True)]
            return np.array([self._number(text) for text in texts])[self._is_zombie[rows[known]].astype(np.int64)]
        return self._columns[key][rows[known]]

    def _add(self, read: Read, org_id: int, missing: Any) -> None:
        found = read(label_sets_table(org_id, missing.tolist() if len(missing) <= _FEW else None))
        numbers = found["label_set"].to_numpy()
        is_new = self._find(numbers) < 0
        found, numbers = found.filter(pa.array(is_new)), numbers[is_new]
        if not len(numbers):
            return
        self._add_tag_sets(read, org_id, np.unique(found["tag_set"].to_numpy()))
        tag_sets = found["tag_set"].to_pylist()
        columns = {name: self._numbers_of(found[name]) for name in ("command", "user", "container_id")}
        columns["tag_set"] = np.array([self._tag_sets[tag_set] for tag_set in tag_sets], np.int64)
        indices = np.arange(len(self._is_zombie), len(self._is_zombie) + len(numbers))
        self._columns = {name: np.concatenate((self._columns[name], more)) for name, more in columns.items()}
        self._is_zombie = np.concatenate(
            (self._is_zombie, found["is_zombie"].to_numpy(zero_copy_only=False).astype(bool))
        )
        all_numbers, all_indices = np.concatenate((self._numbers, numbers)), np.concatenate((self._index, indices))
        order = np.argsort(all_numbers)
        self._numbers, self._index = all_numbers[order], all_indices[order]

    def _add_tag_sets(self, read: Read, org_id: int, numbers: Any) -> None:
        missing = [number for number in numbers.tolist() if number not in self._tag_sets]
        if not missing:
            return
        found = read(tag_sets_table(org_id, missing if len(missing) <= _FEW else None))
        tags = dict(zip(found["tag_set"].to_pylist(), range(len(found)), strict=True))
        chosen = [number for number in missing if number in tags]
        lists = found["tags"].combine_chunks().take(pa.array([tags[number] for number in chosen], pa.int64()))
        first = len(self._tag_sets)
        self._tag_sets |= {
            number: index for index, number in enumerate((*chosen, *(set(missing) - set(chosen))), first)
        }
        lengths = pc.list_value_length(lists).to_numpy().astype(np.int64)
        key, value = self._split(pc.list_flatten(lists))
        of = np.repeat(np.arange(first, first + len(chosen)), lengths)
        has_key = key >= 0
        rows = _distinct(of[has_key], key[has_key], value[has_key])
        before = self._tags.tag_set, self._tags.key, self._tags.value
        self._tags = _Tags(*map(np.concatenate, zip(before, rows, strict=True)))
        self._spans = {}

    def _split(self, tags: Any) -> tuple[Any, Any]:
        """Folded key and value of each tag, as numbers of texts; -1 for the key of one that has none."""
        encoded = pc.dictionary_encode(tags)
        keys, values = [], []
        for tag in encoded.dictionary.to_pylist():
            key, separator, value = tag.partition(":")
            keys.append(self._number(fold(key)) if separator else -1)
            values.append(self._number(value))
        indices = encoded.indices.to_numpy()
        return np.array(keys, np.int64)[indices], np.array(values, np.int64)[indices]

    def _numbers_of(self, column: Any) -> Any:
        encoded = pc.dictionary_encode(column.combine_chunks())
        texts = [self._number(text) for text in encoded.dictionary.to_pylist()]
        return np.array(texts, np.int64)[encoded.indices.to_numpy()]

    def _number(self, text: str) -> int:
        number = self._texts.setdefault(text, len(self._text_of))
        if number == len(self._text_of):
            self._text_of.append(text)
        return number


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Some label sets, in the order in which they were asked for."""

    _cache: LabelSetCache
    _rows: Any

    def labels(self, key: str) -> Labels:
        """Of a folded tag key, other than that of the host."""
        return self._cache.labels(key, self._rows)

    def texts(self, column: str) -> list[str]:
        """`command`, `user` or `container_id` of each; empty where it is not known."""
        return [self._cache.text(number) for number in self._cache.column(column, self._rows).tolist()]

    def keys(self, counts: Any) -> dict[str, int]:
        return self._cache.keys(self._rows, counts)

    def known(self) -> Any:
        """Which of them are."""
        return self._rows >= 0


class LabelSetCaches:
    """Of all orgs."""

    def __init__(self) -> None:
        self._caches: dict[int, LabelSetCache] = {}

    def of(self, read: Read, org_id: int, numbers: Any) -> LabelSets:
        if org_id not in self._caches and len(self._caches) >= MAX_ORGS:
            self._caches = {}
        cache = self._caches.setdefault(org_id, LabelSetCache())
        if len(cache) > MAX_LABEL_SETS:
            cache = self._caches[org_id] = LabelSetCache()
        return cache.of(read, org_id, numbers)


def _distinct(*columns: Any) -> tuple[Any, ...]:
    """Each row once, the first column being the most important to sort by."""
    order = np.lexsort(columns[::-1])
    columns = tuple(column[order] for column in columns)
    is_new = np.ones(len(order), bool)
    if len(order):
        is_new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return tuple(column[is_new] for column in columns)


def _generated_value(key: str, description: ProcessDescription) -> str:
    return next(tag for tag in generated_tags("", description) if tag.startswith(f"{key}:")).partition(":")[2]
