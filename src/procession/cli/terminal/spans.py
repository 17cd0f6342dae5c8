"""A line of texts with styles, cut to the width of a screen. What a stranger named is made visible here."""

from __future__ import annotations

from collections.abc import Sequence

from procession.cli.terminal.cells import cell_len, cut_to_cells
from procession.cli.terminal.colors import ColorDepth, Style, painted
from procession.cli.terminal.visible_text import visible

Span = tuple[str, Style]

MOST_PREFIX = 4
"""How many characters of a text are looked at for each cell: it may have a megabyte, and characters that take no
room."""


def fitted_spans(spans: Sequence[Span], width: int, *, skip: int = 0) -> list[Span]:
    """What is in the cells from `skip` on, harmless and filled to `width`; with … at the end if there is more."""
    fitted: list[Span] = []
    left = width
    for text, style in spans:
        text = visible(text[: (skip + left + 1) * MOST_PREFIX])
        if skip:
            hidden = cut_to_cells(text, skip)
            text = text[len(hidden) :]
            skip -= cell_len(hidden)
            if text and skip:
                # Half of a wide character.
                text, skip = " " + text[1:], 0
        if cell_len(text) > left:
            return _with_ellipsis([*fitted, (cut_to_cells(text, left), style)], width)
        if text:
            fitted.append((text, style))
            left -= cell_len(text)
    return [*fitted, (" " * left, Style.PLAIN)] if left else fitted


def _with_ellipsis(spans: list[Span], width: int) -> list[Span]:
    """These spans, which are as wide as it goes, with … in the last cell."""
    left = max(width - 1, 0)
    kept: list[Span] = []
    for text, style in spans:
        cut = cut_to_cells(text, left)
        left -= cell_len(cut)
        kept.append((cut, style))
    return [*kept, (" " * left + ("…" if width > 0 else ""), spans[-1][1])]


def spans_len(spans: Sequence[Span]) -> int:
    return sum(cell_len(visible(text)) for text, _ in spans)


def drawn(spans: Sequence[Span], depth: ColorDepth) -> str:
    """As a terminal takes it. The texts must be harmless already."""
    return "".join(painted(text, style, depth) for text, style in spans)
