"""Tables: drawn for a terminal, plain columns for another program."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from procession.cli.terminal import visible


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
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        is_last = header == headers[-1]
        table.add_column(
            header,
            justify="right" if header in numbers else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if is_last else None,
            min_width=len(header),
        )
    for row in rows:
        # As Text, and so not as markup: a command line may hold brackets.
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def _print_columns(headers: Sequence[str], rows: Sequence[tuple[str, ...]], numbers: Sequence[str]) -> None:
    lines = [tuple(headers), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers) - 1)]
    for line in lines:
        cells = [
            cell.rjust(width) if header in numbers else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=False)
        ]
        print("  ".join([*cells, line[-1]]))
