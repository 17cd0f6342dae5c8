"""Numbers as pictures in cells of text: a bar of a share, and a line of what was."""

from __future__ import annotations

from collections.abc import Sequence

from procession.cli.terminal.colors import Style
from procession.cli.terminal.spans import Span

_EIGHTHS = "▏▎▍▌▋▊▉█"
_FEWEST_PARTS = 5
"""A shorter bar has one colour: that of its end."""
_HEIGHTS = "▁▂▃▄▅▆▇█"


def bar(share: float | None, width: int) -> list[Span]:
    """From the left, as long as the share of one; green, yellow and at its end red. Empty where it is not known."""
    eighths = round(min(max(share or 0.0, 0.0), 1.0) * width * 8)
    cells = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")
    cells += " " * (width - len(cells))
    if width < _FEWEST_PARTS:
        share = min(max(share or 0.0, 0.0), 1.0)
        return [(cells, Style.LOW if share < 0.5 else Style.MEDIUM if share < 0.9 else Style.HIGH)]
    half, most = width // 2, width - max(width // 5, 1)
    return [(cells[:half], Style.LOW), (cells[half:most], Style.MEDIUM), (cells[most:], Style.HIGH)]


def sparkline(values: Sequence[float], width: int) -> str:
    """The newest on the right, the greatest as high as it goes. Zero is the lowest that is drawn."""
    values = values[-width:] if width > 0 else []
    greatest = max(values, default=0.0)
    drawn = "".join(_HEIGHTS[round(value / greatest * 7) if greatest > 0 else 0] for value in values)
    return " " * (width - len(drawn)) + drawn
