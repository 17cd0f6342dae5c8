"""`procession top`: processes in the order of what they use, live or as they were."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from procession.cli.access import Access
from procession.cli.analysis import Analysis, Filters
from procession.cli.options import read_settings, settings_options
from procession.cli.terminal.moments import Moment, show_moment
from procession.cli.terminal.nothing_found import say_nothing_found
from procession.cli.terminal.tables import print_table
from procession.cli.terminal.top.screen import COLUMNS, cells_of
from procession.cli.terminal.top.screen_state import SORTS, ScreenState
from procession.config import ClientSettings

HEADERS = tuple(column.name for column in COLUMNS)
NUMBERS = tuple(column.name for column in COLUMNS if column.is_number)
LEAST = tuple(column.name for column in sorted(COLUMNS, key=lambda column: -column.need) if column.need)
LIMIT_OF_ONE = 100

EXAMPLES = """\b
Examples:
  procession top
  procession top --search 'java !elasticsearch' --tags env:prod --sort memory
  procession top --at -2h
  procession top --once --limit 10 --sort write
"""


@click.command(epilog=EXAMPLES)
@click.option("--search", metavar="TEXT", default="", help="Words in the command line, the executable or the user.")
@click.option(
    "--tags", metavar="TAGS", default="", help="Tags that a process must all carry, with commas between them."
)
@click.option("--at", type=Moment(), help="Moment to look at [live].")
@click.option(
    "--sort", type=click.Choice(list(SORTS)), default="cpu", show_default=True, help="What comes first: the greatest."
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), help=f"Most processes to list [all; {LIMIT_OF_ONE} with --once]."
)
@click.option(
    "--interval", type=click.FloatRange(min=0.5), default=2.0, show_default=True, help="Seconds between two looks."
)
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
    once: bool,
    as_json: bool,
    **settings: Any,
) -> int:
    """Watch the processes of all hosts, those that use most first: live, or with --at as they were at a moment.

    While it runs, agents send their numbers every 2 seconds. In the screen, ? says which keys there are. Times are UTC.
    """
    analysis = Analysis(Access.of(read_settings(ClientSettings, settings)))
    state = ScreenState(Filters(search, tags), sort, is_reversed=reverse, at=at)
    if as_json or once or not _is_a_screen():
        _print_once(analysis, state, LIMIT_OF_ONE if limit is None else limit, as_json=as_json)
        return 0
    from procession.cli.terminal.top.event_loop import TopLoop

    return TopLoop(analysis, state, interval=interval, limit=limit).run()


def _is_a_screen() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _print_once(analysis: Analysis, state: ScreenState, limit: int, *, as_json: bool) -> None:
    answer = analysis.processes(state.filters, at=state.at, sort=state.order, limit=limit)
    if as_json:
        json.dump(answer, sys.stdout, indent=2)
        print()
        return
    print_table(HEADERS, [cells_of(item) for item in answer["data"]], numbers=NUMBERS, least=LEAST)
    total = answer["meta"]["total"]
    if not total:
        say_nothing_found(answer["meta"], f"{state.filters.search} {state.filters.tags}")
    if total > limit:
        when = show_moment(answer["meta"]["at"])
        print(
            f"procession: only {limit} of {total} processes at {when} are shown; --limit says how many", file=sys.stderr
        )
