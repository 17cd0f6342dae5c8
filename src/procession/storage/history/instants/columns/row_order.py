"""The first rows in an order, without sorting all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from procession.analysis import Order


def first_rows(columns: Sequence[Any], count: int) -> Any:
    """The first `count` rows in the order of these columns, the most important one first, without sorting the rest."""
    return _first_of(np.arange(len(columns[0])), columns, count)


def _first_of(rows: Any, columns: Sequence[Any], count: int) -> Any:
    first, *others = columns
    values = first[rows]
    if count >= len(rows) or len(rows) < 1000:
        return rows[np.lexsort(tuple(column[rows] for column in reversed(columns)))[:count]]
    threshold = np.partition(values, count - 1)[count - 1]
    better = rows[values < threshold]
    better = better[np.lexsort(tuple(column[better] for column in reversed(columns)))]
    if not others:
        return np.concatenate((better, rows[values == threshold]))[:count]
    return np.concatenate((better, _first_of(rows[values == threshold], others, count - len(better))))


def sort_values(values: Any, order: Order) -> Any:
    """Ascending in the order that was asked for; what is not known, -1, last."""
    numbers = values.astype(np.float64)
    is_unknown = numbers < 0
    if order.is_descending:
        numbers = -numbers
    numbers[is_unknown] = np.inf
    return numbers
