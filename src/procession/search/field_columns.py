"""The numbers of many processes that our own language compares. `fields` has those of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from procession.search.fields import FIELDS


def measured(field: str, column: Callable[[str], Any]) -> tuple[Any, Any]:
    """The numbers, and which of them are known, of a field that is made of measures. `column` gives those of a measure
    for each process, below zero where one is not known."""
    values, is_known = _summed([column(measure) for measure in FIELDS[field].measures])
    if FIELDS[field].otherwise and not is_known.all():
        others, are_known = _summed([column(measure) for measure in FIELDS[field].otherwise])
        values, is_known = np.where(is_known, values, others), is_known | are_known
    return values, is_known


def _summed(columns: list[Any]) -> tuple[Any, Any]:
    return np.add.reduce([one.astype("f8") for one in columns]), np.logical_and.reduce([one >= 0 for one in columns])
