"""Tables: drawn for a terminal, in colours, and plain columns for another program."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from procession.cli.terminal.cells import cell_len
from procession.cli.terminal.colors import Style, depth_of_output
from procession.cli.terminal.command_text import CommandText
from procession.cli.terminal.spans import MOST_PREFIX, Span, drawn, fitted_spans, spans_len
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


_STYLES = {
    "HOST": Style.HOST,
    "USER": Style.USER,
    "STARTED": Style.FAINT,
    "SEEN": Style.FAINT,
    "PPID": Style.FAINT,
}
"""Of cells that say nothing else of themselves."""

_SIGNS = {"+": Style.GOOD, "-": Style.BAD, "~": Style.WARNING}
"""Of the lines of a comparison."""


def print_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    least: Sequence[str] = (),
) -> None:
    """One line for each row, whatever is in it. On a terminal that is too narrow texts are cut and columns left out,
    those in `least` first, then from the right; elsewhere nothing is. A cell is anything with a `str`; a
    `CommandText` or a pair of a text and its style says how it looks."""
    if sys.stdout.isatty():
        _draw(headers, rows, numbers, least)
    else:
        _print_columns(headers, [tuple(visible(_text_of(cell)) for cell in row) for row in rows], numbers)


def _draw(
    headers: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[str], least: Sequence[str]
) -> None:
    depth = depth_of_output()
    columns = shutil.get_terminal_size().columns
    lines = [[_spans_of(cell, header, columns) for header, cell in zip(headers, row, strict=True)] for row in rows]
    natural = [
        max([cell_len(header), *(spans_len(line[place]) for line in lines)]) for place, header in enumerate(headers)
    ]
    widths = fitted_widths(headers, natural, columns, least)
    head = _line([[(header, Style.STRONG)] for header in headers], headers, widths, numbers)
    print(drawn([(text, Style.STRONG) for text, _ in head], depth))
    print(drawn([("─" * spans_len(head), Style.FAINT)], depth))
    for line in lines:
        print(drawn(_line(line, headers, widths, numbers), depth).rstrip(" "))


def _line(
    cells: Sequence[list[Span]], headers: Sequence[str], widths: Sequence[int], numbers: Sequence[str]
) -> list[Span]:
    line: list[Span] = []
    for header, cell, width in zip(headers, cells, widths, strict=True):
        if not width:
            continue
        gap = [(" " * GAP, Style.PLAIN)] if line else []
        room = [(" " * max(width - spans_len(cell), 0), Style.PLAIN)] if header in numbers else []
        line += [*gap, *fitted_spans([*room, *cell], width)]
    return line


def _text_of(cell: object) -> str:
    return str(cell[0] if isinstance(cell, tuple) else cell)


def _spans_of(cell: object, header: str, most: int) -> list[Span]:
    if isinstance(cell, CommandText):
        return cell.spans(most * MOST_PREFIX)
    if isinstance(cell, tuple):
        text, style = cell
        return [(str(text), style)]
    text = str(cell)
    return [(text, _SIGNS.get(text[:1], Style.PLAIN) if not header else _STYLES.get(header, Style.PLAIN))]


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
