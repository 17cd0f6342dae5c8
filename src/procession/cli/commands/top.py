"""`procession top`: processes in the order of what they use, live or as they were."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import Any

import click

from procession.cli.access import Access
from procession.cli.analysis import Analysis, Filters, command_text_of
from procession.cli.options import read_settings, settings_options
from procession.cli.terminal.moments import Moment, show_moment
from procession.cli.terminal.nothing_found import say_nothing_found
from procession.cli.terminal.tables import print_table
from procession.cli.terminal.top.columns import BY_NAME, COLUMNS, USUAL, in_order
from procession.cli.terminal.top.screen_state import ScreenState
from procession.config import ClientSettings

NUMBERS = tuple(column.title for column in COLUMNS if column.is_number)
LEAST = tuple(column.title for column in sorted(COLUMNS, key=lambda column: -column.need) if column.need)
LIMIT_OF_ONE = 100

EXAMPLES = """\b
Examples:
  procession top
  procession top --search 'java !elasticsearch' --tags env:prod --sort memory
  procession top --at -2h
  procession top --once --limit 10 --sort write --columns host,pid,write
"""


class ColumnNames(click.ParamType[tuple[str, ...]]):
    name = "columns"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = [name.strip() for name in str(value).split(",")]
        for name in names:
            if name not in BY_NAME:
                self.fail(f"there is no column {name!r}; there are {', '.join(BY_NAME)}", param, ctx)
        return in_order(names)


@click.command(epilog=EXAMPLES)
@click.option("--search", metavar="TEXT", default="", help="Words, cpu>50, rss>1GiB, tags; AND, OR, NOT.")
@click.option(
    "--tags", metavar="TAGS", default="", help="Tags that a process must all carry, with commas between them."
)
@click.option("--at", type=Moment(), help="Moment to look at [live].")
@click.option(
    "--sort", type=click.Choice(list(BY_NAME)), default="cpu", show_default=True, help="What comes first: the greatest."
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), help=f"Most processes to list [all; {LIMIT_OF_ONE} with --once]."
)
@click.option(
    "--interval", type=click.FloatRange(min=0.5), default=2.0, show_default=True, help="Seconds between two looks."
)
@click.option("--columns", metavar="NAMES", type=ColumnNames(), help="Columns to show, with commas between them.")
@click.option("--mouse/--no-mouse", default=True, show_default=True, help="Whether the screen obeys the mouse.")
@click.option("--once", is_flag=True, help="Print one table; so it is where standard output is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's own answer as JSON, once.")
@settings_options(ClientSettings)
def top(
    search: str,
    tags: str,
    at: int | None,
    sort: str,
    reverse: bool,
    limit: int | None,
    interval: float,
    columns: tuple[str, ...] | None,
    mouse: bool,
    once: bool,
    as_json: bool,
    **settings: Any,
) -> int:
    """Watch the processes of all hosts, those that use most first: live, or with --at as they were at a moment.

    While it runs, agents send their numbers every 2 seconds. In the screen, ? says which keys there are. Times are UTC.
    """
    analysis = Analysis(Access.of(read_settings(ClientSettings, settings)))
    state = ScreenState(Filters(search, tags), sort, is_reversed=reverse, at=at, columns=columns)
    if as_json or once or not _is_a_screen():
        _print_once(analysis, state, LIMIT_OF_ONE if limit is None else limit, as_json=as_json)
        return 0
    from procession.cli.terminal.top.event_loop import TopLoop
    from procession.cli.terminal.top.kept_columns import file_of_user, read_columns

    # What is given for once is not kept.
    kept_in = file_of_user() if columns is None else None
    if kept_in is not None:
        state = replace(state, columns=read_columns(kept_in))
    return TopLoop(analysis, state, interval=interval, limit=limit, kept_in=kept_in, has_mouse=mouse).run()


def _is_a_screen() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _print_once(analysis: Analysis, state: ScreenState, limit: int, *, as_json: bool) -> None:
    answer = analysis.processes(state.filters, at=state.at, sort=state.order, limit=limit)
    if as_json:
        json.dump(answer, sys.stdout, indent=2)
        print()
        return
    columns = [BY_NAME[name] for name in state.columns or USUAL]
    at = int(answer["meta"]["at"])
    rows = [[*(column.text(item, at) for column in columns[:-1]), command_text_of(item)] for item in answer["data"]]
    print_table([column.title for column in columns], rows, numbers=NUMBERS, least=LEAST)
    total = answer["meta"]["total"]
    if not total:
        say_nothing_found(answer["meta"], f"{state.filters.search} {state.filters.tags}")
    if total > limit:
        when = show_moment(answer["meta"]["at"])
        print(
            f"procession: only {limit} of {total} processes at {when} are shown; --limit says how many", file=sys.stderr
        )
