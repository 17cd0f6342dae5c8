"""The number of a change: of several changes of one thing, the one with the greatest holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time_ns
from typing import Any


def next_change(rows: Callable[[str, dict[str, Any]], Sequence[Any]], found: str, parameters: dict[str, Any]) -> int:
    """By the clock, but greater than those of the same thing: one that was made while the clock was ahead must not
    outlive what is said of it afterwards, such as that a key is revoked.

    `found` is a table and a condition, fixed text.
    """
    asked = {name: value for name, value in parameters.items() if f"{{{name}:" in found}
    # One row from each shard that was asked.
    newest = max((int(change) for (change,) in rows(f"SELECT max(change) FROM {found}", asked)), default=0)
    return max(time_ns(), newest + 1)
