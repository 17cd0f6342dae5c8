"""Tables: drawn for a terminal, plain columns for another program."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from procession.cli.terminal.cells import cell_len, set_cell_size, with_ellipsis
from procession.cli.terminal.visible_text import visible

GAP = 2
"""Blanks between columns."""
MIN_WIDTH_OF_LAST = 20
"""What the last column shall have; where there is no room, other columns go."""
TEXTS = frozenset({"HOST", "USER", "ORG", "NAME", "COMMAND"})
"""Columns that may be cut. What is cut of a number or a date is another number or no date."""
WIDTH_OF_TEXT = 16
"""What is left of them at least, before columns are left out for want of room."""
KEPT = frozenset({"", "ID", "PID", "NUMBER", "COUNT", "BEFORE", "AFTER", "FIELD"})
"""Without these a line says nothing."""


def print_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    least: Sequence[str] = (),
) -> None:
    """One line for each row, whatever is in it. On a terminal that is too narrow texts are cut and columns left out,
    those in `least` first, then from the right; elsewhere nothing is."""
    texts = [tuple(visible(str(cell)) for cell in row) for row in rows]
    if sys.stdout.isatty():
        _draw(headers, texts, numbers, least)
    else:
        _print_columns(headers, texts, numbers)


def _draw(
    headers: Sequence[str], rows: Sequence[tuple[str, ...]], numbers: Sequence[str], least: Sequence[str]
) -> None:
    natural = [max(map(cell_len, cells)) for cells in zip(headers, *rows, strict=True)]
    widths = fitted_widths(headers, natural, shutil.get_terminal_size().columns, least)

    def line(cells: Sequence[str]) -> str:
        shown = [
            _aligned(with_ellipsis(cell, width), width, is_number=header in numbers)
            for header, cell, width in zip(headers, cells, widths, strict=True)
            if width
        ]
        return (" " * GAP).join(shown)

    head = line(headers)
    has_styles = os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")
    print(f"\x1b[1m{head}\x1b[0m" if has_styles else head)
    print("─" * cell_len(head))
    for row in rows:
        print(line(row))


def _aligned(text: str, width: int, *, is_number: bool) -> str:
    return " " * (width - cell_len(text)) + text if is_number else set_cell_size(text, width)


def fitted_widths(headers: Sequence[str], natural: Sequence[int], width: int, least: Sequence[str]) -> list[int]:
    """The width of each column, at most its natural one; 0 for a column that is left out."""
    widths = list(natural)
    last = len(headers) - 1
    wanted = min(natural[last], MIN_WIDTH_OF_LAST)

    def is_too_wide() -> bool:
        return sum(each + GAP for each in widths[:last] if each) + wanted > width

    for place, header in enumerate(headers[:last]):
        if header in TEXTS and is_too_wide():
            widths[place] = min(widths[place], WIDTH_OF_TEXT)
    from_the_right = [header for header in reversed(headers[:last]) if header not in KEPT]
    for header in dict.fromkeys([*(name for name in least if name in headers), *from_the_right]):
        if is_too_wide():
            widths[headers.index(header)] = 0
    room = width - sum(each + GAP for each in widths[:last] if each)
    widths[last] = max(min(natural[last], room), 1)
    return widths


def _print_columns(headers: Sequence[str], rows: Sequence[tuple[str, ...]], numbers: Sequence[str]) -> None:
    lines = [tuple(headers), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers) - 1)]
    for line in lines:
        cells = [
            cell.rjust(width) if header in numbers else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=False)
        ]
        print((" " * GAP).join([*cells, line[-1]]))
