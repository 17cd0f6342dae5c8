"""The last line: which keys there are. Each is there whole or not at all, and a click on one is the key."""

from __future__ import annotations

from procession.cli.terminal.cells import cell_len
from procession.cli.terminal.colors import Style
from procession.cli.terminal.spans import Span

KEYS = (
    ("?", "?", "Help"),
    ("q", "q", "Quit"),
    ("/", "/", "Filter"),
    ("s", "s", "Sort"),
    ("t", "t", "Tree"),
    ("C", "C", "Columns"),
    ("enter", "Enter", "Details"),
    (" ", "Space", "Pause"),
    ("l", "l", "Live"),
    (",", ",", "Back"),
    (".", ".", "Forth"),
    ("I", "I", "Reverse"),
)
"""What is pressed, how it is called, and what it does; the first eight fit into 80 columns."""

GAP = 2


def keys_that_fit(width: int) -> list[tuple[int, int, str, str, str]]:
    """For each, its first cell, the one behind its last, the key, its name, and what it does."""
    fitting = []
    start = 0
    for key, name, label in KEYS:
        end = start + cell_len(name) + 1 + cell_len(label)
        if end > width:
            break
        fitting.append((start, end, key, name, label))
        start = end + GAP
    return fitting


def key_bar(width: int) -> list[Span]:
    spans: list[Span] = []
    for start, _, _, name, label in keys_that_fit(width):
        gap = " " * GAP if start else ""
        spans += [(gap, Style.PLAIN), (name, Style.TITLE), (f" {label}", Style.PLAIN)]
    return spans


def key_at(cell: int, width: int) -> str:
    """What a click there presses; empty between the keys."""
    return next((key for start, end, key, _, _ in keys_that_fit(width) if start <= cell < end), "")
