"""Bars in the table, in front of the numbers for cpu and memory: longer ones on wider screens."""

from __future__ import annotations

from procession.cli.analysis import Item
from procession.cli.terminal.bars import bar
from procession.cli.terminal.colors import Style
from procession.cli.terminal.spans import Span
from procession.cli.terminal.top.columns import Column

_CELLS = {"cpu": ((110, 6), (80, 3)), "memory": ((130, 6), (80, 2))}
"""From how many columns of the screen on a bar has how many cells, with the blank behind it."""


def bar_width(column: Column, width: int) -> int:
    return next((cells for least, cells in _CELLS.get(column.name, ()) if width >= least), 0)


def bar_of(column: Column, item: Item, greatest_rss: float | None, width: int) -> list[Span]:
    """Of a core, and of what the biggest of the processes has; on a screen of that width."""
    cells = bar_width(column, width)
    if not cells:
        return []
    numbers = item["attributes"]["numbers"]
    if column.name == "cpu":
        share = (numbers["cpu_total_percent"] or 0) / 100
    else:
        share = (numbers["rss_bytes"] or 0) / (greatest_rss or 1)
    return [*bar(share, cells - 1), (" ", Style.PLAIN)]
