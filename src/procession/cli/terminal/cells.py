"""How many cells of a terminal a text takes: some characters take two, some none."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_NOTHING = frozenset(("Mn", "Me", "Mc", "Cf"))
_JOINING = frozenset((*range(0x1160, 0x1200), *range(0xD7B0, 0xD7FC), 0x3164, 0xFFA0))
"""Vowels and finals of Hangul, drawn into the cells of the consonant before them, and what stands for none."""


def cell_len(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_width, text))


def cut_to_cells(text: str, count: int) -> str:
    """As much of it as fits."""
    if text.isascii():
        return text[: max(count, 0)]
    taken = 0
    for place, character in enumerate(text):
        taken += _width(character)
        if taken > count:
            return text[:place]
    return text


def set_cell_size(text: str, count: int) -> str:
    """Cut, or followed by blanks, so that it takes exactly so many."""
    kept = cut_to_cells(text, count)
    return kept + " " * (count - cell_len(kept))


def chop_cells(text: str, count: int) -> list[str]:
    """All of it, in pieces that fit; a piece holds at least one character."""
    pieces: list[str] = []
    while text:
        piece = cut_to_cells(text, count) or text[0]
        pieces.append(piece)
        text = text[len(piece) :]
    return pieces


def with_ellipsis(text: str, count: int) -> str:
    """Whole where it fits, else with … at its end."""
    return text if cell_len(text) <= count else cut_to_cells(text, count - 1) + "…"


@lru_cache(maxsize=4096)
def _width(character: str) -> int:
    if unicodedata.category(character) in _NOTHING or ord(character) in _JOINING:
        # The soft hyphen is drawn.
        return int(character == "\u00ad")
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
