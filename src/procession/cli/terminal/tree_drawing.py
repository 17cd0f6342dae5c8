"""Who started whom, as lines with branches before them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from procession.cli.analysis import Item


@dataclass(frozen=True)
class Strokes:
    """What goes before a process: one that has younger siblings, the last one, and under either of them."""

    middle: str
    last: str
    under_middle: str
    under_last: str = "   "


BOX = Strokes("├─ ", "└─ ", "│  ")
ASCII = Strokes("|- ", "`- ", "|  ")


def strokes_for(encoding: str | None) -> Strokes:
    """Boxes where they can be written."""
    try:
        (BOX.middle + BOX.last + BOX.under_middle).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BOX


def strokes_of_output() -> Strokes:
    return strokes_for(sys.stdout.encoding)


def branches(depths: Sequence[int], strokes: Strokes) -> list[str]:
    """What is drawn before each process of a tree, whose parents come before their children. The roots, which are
    those of the least depth, have nothing before them."""
    if not depths:
        return []
    least = min(depths)
    drawn: list[str] = []
    # From the end on: whether there is a later sibling at a depth is known then.
    has_later: set[int] = set()
    for depth in reversed(depths):
        has_later -= {later for later in has_later if later > depth}
        before = "".join(
            strokes.under_middle if level in has_later else strokes.under_last for level in range(least + 1, depth)
        )
        own = "" if depth == least else strokes.middle if depth in has_later else strokes.last
        drawn.append(before + own)
        has_later.add(depth)
    return drawn[::-1]


def relatives_of(items: Sequence[Item], ids: frozenset[str]) -> list[Item]:
    """The processes of a tree with these ids, with their ancestors and descendants."""
    kept: set[int] = set()
    line: list[int] = []
    for number, item in enumerate(items):
        while line and items[line[-1]]["depth"] >= item["depth"]:
            line.pop()
        line.append(number)
        if any(items[ancestor]["id"] in ids for ancestor in line):
            kept.update(line)
    return [item for number, item in enumerate(items) if number in kept]
