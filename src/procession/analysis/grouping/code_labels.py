"""What the codes of processes stand for, where these are grouped by a key or by two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from procession.analysis.grouping.group_order import GroupName
from procession.errors import InvalidRequest

MAX_PAIRS = 5_000_000
"""How many pairs of values the codes of two keys may have, each code counted."""

MAX_MEMBERSHIPS = 20_000_000
"""How often processes may be members of groups, where each membership is looked at."""


@dataclass(frozen=True, slots=True)
class CodeLabels(ABC):
    """The groups of codes: each code has one at least."""

    of: Any
    """A code."""
    group: Any
    """The number of a group that it has."""

    @property
    @abstractmethod
    def size(self) -> int:
        """More than any number of a group."""

    @abstractmethod
    def name(self, group: int) -> GroupName:
        """Of the group of this number."""

    def memberships(self, codes: Any) -> tuple[Any, Any]:
        """Places of processes, given the code of each, and the groups that these are of: a place for each group."""
        per_code, starts, groups = self.by_code()
        if len(groups) == len(per_code):
            return slice(None), groups[codes]
        counts = per_code[codes]
        total = int(counts.sum())
        if total > MAX_MEMBERSHIPS:
            raise InvalidRequest(
                f"processes are members of groups {total} times, which is too often for percentiles;"
                f" choose fewer processes, or a key of which each has one value"
            )
        places, within = _each_of(counts)
        return places, groups[starts[codes[places]] + within]

    def by_code(self) -> tuple[Any, Any, Any]:
        """How many groups each code has, from where on they stand in the groups in the order of codes, and these."""
        per_code = np.bincount(self.of)
        return per_code, np.cumsum(per_code) - per_code, self.group[np.argsort(self.of, kind="stable")]


@dataclass(frozen=True, slots=True)
class ValueLabels(CodeLabels):
    """By a key. A code without a value has the group past the end of `texts`."""

    texts: Sequence[str]

    @property
    def size(self) -> int:
        return len(self.texts) + 1

    def name(self, group: int) -> GroupName:
        return GroupName(self.texts[group] if group < len(self.texts) else None)

    @classmethod
    def of_lists(cls, values: Sequence[Sequence[str]]) -> ValueLabels:
        """`values`: those of each code, if any."""
        indices: dict[str, int] = {}
        for some in values:
            for value in some:
                indices.setdefault(value, len(indices))
        of = [code for code, some in enumerate(values) for _ in some or (None,)]
        numbers = [len(indices) if value is None else indices[value] for some in values for value in some or (None,)]
        return cls(np.array(of, np.int64), np.array(numbers, np.int64), list(indices))

    @classmethod
    def of_pairs(cls, of: Any, value: Any, texts: Sequence[str], count: int) -> ValueLabels:
        """`of`, `value`: codes and values that they have. `count`: how many codes there are, also without a value."""
        has_none = np.ones(count, bool)
        has_none[of] = False
        without = np.flatnonzero(has_none)
        none = np.full(len(without), len(texts))
        return cls(np.concatenate((of, without)), np.concatenate((value, none)), texts)

    def lists(self, count: int) -> list[list[str]]:
        """The values of each code, sorted."""
        values: list[list[str]] = [[] for _ in range(count)]
        for code, value in zip(self.of.tolist(), self.group.tolist(), strict=True):
            if value < len(self.texts):
                values[code].append(self.texts[value])
        return [sorted(some) for some in values]


@dataclass(frozen=True, slots=True)
class PairLabels(CodeLabels):
    """By two keys: a group for each pair of values that processes have."""

    numbers: Any
    """By group, the numbers of its two values as one: that of the first times the size of the second, and the other."""
    first: ValueLabels
    second: ValueLabels

    @property
    def size(self) -> int:
        return len(self.numbers)

    def name(self, group: int) -> GroupName:
        value, second = divmod(int(self.numbers[group]), self.second.size)
        return GroupName(self.first.name(value).value, self.second.name(second).value)

    @classmethod
    def of_codes(cls, first: ValueLabels, second: ValueLabels, codes: Any, more: Any) -> PairLabels:
        """`codes`, `more`: by the code of a pair, its codes of either key."""
        per_code, starts, values = first.by_code()
        per_more, starts_of_more, seconds = second.by_code()
        counts = per_code[codes] * per_more[more]
        total = int(counts.sum())
        if total > MAX_PAIRS:
            raise InvalidRequest(f"the two keys have {total} pairs of values, and {MAX_PAIRS} may be counted")
        of, within = _each_of(counts)
        one, other = np.divmod(within, per_more[more[of]])
        pairs = values[starts[codes[of]] + one] * second.size + seconds[starts_of_more[more[of]] + other]
        numbers, group = np.unique(pairs, return_inverse=True)
        return cls(of, group, numbers, first, second)


def _each_of(counts: Any) -> tuple[Any, Any]:
    """Each place as often as its count says, and which time it is, from 0."""
    places = np.repeat(np.arange(len(counts)), counts)
    return places, np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
