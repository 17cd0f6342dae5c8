"""Tables: drawn for a terminal, plain columns for another program."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from procession.cli.terminal import visible

GAP = 2
"""Blanks between columns: one is the box's."""
MIN_WIDTH_OF_LAST = 10


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """One line for each row, whatever is in it. On a terminal the last column is cut where it would run over the edge;
    elsewhere nothing is cut."""
    texts = [tuple(visible(str(cell)) for cell in row) for row in rows]
    if sys.stdout.isatty():
        _draw(headers, texts, numbers)
    else:
        _print_columns(headers, texts, numbers)


def _draw(headers: Sequence[str], rows: Sequence[tuple[str, ...]], numbers: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    *widths, _ = (max(map(cell_len, cells)) for cells in zip(headers, *rows, strict=True))
    # What the others and the gaps between them leave over; rich itself would rather take from every column.
    width_of_last = max(console.width - sum(width + GAP for width in widths), MIN_WIDTH_OF_LAST)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold")
    for header in headers:
        table.add_column(header, justify="right" if header in numbers else "left", no_wrap=True)
    for row in rows:
        # As Text, and so not as markup: a command line may hold brackets.
        *cells, last = map(Text, row)
        last.truncate(width_of_last, overflow="ellipsis")
        table.add_row(*cells, last)
    console.print(table)


def _print_columns(headers: Sequence[str], rows: Sequence[tuple[str, ...]], numbers: Sequence[str]) -> None:
    lines = [tuple(headers), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers) - 1)]
    for line in lines:
        cells = [
            cell.rjust(width) if header in numbers else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=False)
        ]
        print((" " * GAP).join([*cells, line[-1]]))
