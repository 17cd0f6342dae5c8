"""`procession ps`: the query API as a table."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from procession.cli.access import Access
from procession.cli.analysis import OWN_LANGUAGE, command_text_of
from procession.cli.client import NotUnderstood
from procession.cli.options import read_settings, settings_options
from procession.cli.terminal.colors import style_of_bytes, style_of_percent
from procession.cli.terminal.moments import Moment
from procession.cli.terminal.nothing_found import say_nothing_found
from procession.cli.terminal.tables import print_table
from procession.config import ClientSettings
from procession.query import MAX_LIMIT

PATH = "/api/v2/processes"
LONG_PATH = "/api/procession/v1/processes"
HEADERS = ("HOST", "PID", "PPID", "USER", "STARTED", "SEEN", "COMMAND")
LONG_HEADERS = (*HEADERS[:-1], "STATE", "CPU", "RSS", "ENDED", "EXIT", "COMMAND")
PUBLIC = ("cmdline", "timestamp", "start", "user", "pid", "ppid", "host", "tags")
"""Attributes of Datadog's endpoint."""

NUMBERS = ("PID", "PPID", "CPU", "RSS")
LEAST = ("PPID", "SEEN", "STARTED", "EXIT", "ENDED", "STATE", "RSS", "CPU", "USER", "HOST")
"""In a narrow terminal, what goes first."""

EXAMPLES = """\b
Examples:
  procession ps --search 'nginx !worker'
  procession ps --tags env:prod,user:www-data --from -1h
  procession ps --long --tags host:web-1
  procession ps --long --search 'java cpu>50'
  procession ps --search listens:443
  procession ps --long --search 'ended:true signal:KILL' --from -1h
  procession ps --from 2023-11-14T22:00 --to 2023-11-14T22:15 --json
"""


@click.command(epilog=EXAMPLES)
@click.option("--search", metavar="TEXT", help="Words, cpu>50, exit_code:1, tags; AND, OR, NOT.")
@click.option("--tags", metavar="TAGS", help="Tags that a process must all carry, with commas between them.")
@click.option("--from", "from_at", type=Moment(), help="Start of the window [15 minutes before its end].")
@click.option("--to", "to_at", type=Moment(), help="End of the window [now].")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Most processes to list.")
@click.option(
    "--long", is_flag=True, help="Also list state, percent of a core, MiB of memory, end, exit code and signal."
)
@click.option("--json", "as_json", is_flag=True, help="Print the API's own items as JSON.")
@settings_options(ClientSettings)
def ps(
    search: str | None,
    tags: str | None,
    from_at: int | None,
    to_at: int | None,
    limit: int,
    long: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """List the processes seen in a window, by default in the last 15 minutes. Times are UTC.

    The server and its keys are found by themselves on the machine of the server.
    """
    if from_at is not None and to_at is None:
        # The API would end the window 15 minutes after its start; at a terminal, --from alone means until now.
        to_at = int(time.time())
    query = {"search": search, "tags": tags, "from": from_at, "to": to_at}
    parameters = {name: str(value) for name, value in query.items() if value is not None}
    asked = parameters | (OWN_LANGUAGE if search else {})
    access = Access.of(read_settings(ClientSettings, settings))
    try:
        # One more than asked for tells whether there are more.
        found = list(find_processes(access, asked, limit + 1, path=LONG_PATH if long or search or tags else PATH))
    except NotUnderstood:
        # Datadog's endpoint words it as it always did; ours has a hint.
        ask_for_meta(access, asked)
        raise
    shown = found[:limit] if long else [as_public(item) for item in found[:limit]]
    if as_json:
        json.dump(shown, sys.stdout, indent=2)
        print()
    elif long:
        print_table(LONG_HEADERS, [long_row_of(item) for item in shown], numbers=NUMBERS, least=LEAST)
    else:
        print_table(HEADERS, [row_of(item) for item in shown], numbers=NUMBERS, least=LEAST)
    if not found and not as_json:
        say_nothing_found(ask_for_meta(access, asked), f"{search} {tags}")
    if len(found) > limit:
        print(f"procession: only the first {limit} are shown; --limit {limit * 10} shows more", file=sys.stderr)


def find_processes(
    access: Access, parameters: dict[str, str], limit: int, *, path: str = PATH
) -> Iterator[dict[str, Any]]:
    """The items of the API, at most `limit` of them, through as many pages as it takes."""
    place: dict[str, str] = {}
    found = 0
    while found < limit:
        page_size = min(limit - found, MAX_LIMIT)
        answer = access.read(path, parameters | place | {"page[limit]": str(page_size)})
        try:
            items, meta = list(answer["data"]), answer["meta"]
            cursor = meta["page"]["after"]
            yield from (item for item in items if item["attributes"])
        except (TypeError, LookupError):
            raise access.server.is_no_procession() from None
        found += len(items)
        if len(items) < page_size or not (cursor or "total" in meta):
            return
        place = {"page[cursor]": cursor} if cursor else _window_of(meta) | {"page[offset]": str(found)}


def _window_of(meta: dict[str, Any]) -> dict[str, str]:
    """That of the first page, for those after it."""
    return {name: str(meta[name]) for name in ("from", "to") if name in meta}


def as_public(item: dict[str, Any]) -> dict[str, Any]:
    """As Datadog's endpoint has it."""
    return item | {"attributes": {name: item["attributes"][name] for name in PUBLIC if name in item["attributes"]}}


def ask_for_meta(access: Access, parameters: dict[str, str]) -> dict[str, Any]:
    """The `meta` of an answer of Procession's API. Raises UsageError."""
    answer = access.read(LONG_PATH, parameters | {"page[limit]": "1"})
    try:
        return dict(answer["meta"])
    except (TypeError, LookupError, ValueError):
        raise access.server.is_no_procession() from None


def row_of(item: dict[str, Any]) -> tuple[object, ...]:
    """What the table shows of a process."""
    attributes = item["attributes"]
    return (
        attributes["host"],
        attributes["pid"],
        attributes["ppid"],
        attributes["user"],
        attributes["start"].replace("T", " "),
        attributes["timestamp"].partition("T")[2],
        command_text_of(item),
    )


def long_row_of(item: dict[str, Any]) -> tuple[object, ...]:
    """The same, with how it does or how it ended."""
    *before, command = row_of(item)
    attributes = item["attributes"]
    numbers = attributes["numbers"]
    cpu, rss, signal = numbers["cpu_total_percent"], numbers["rss_bytes"], attributes["signal"]
    exit_code = "" if attributes["exit_code"] is None else str(attributes["exit_code"])
    return (
        *before,
        numbers["state"],
        ("" if cpu is None else f"{cpu:.1f}", style_of_percent(cpu)),
        ("" if rss is None else f"{rss / 2**20:.1f}", style_of_bytes(rss)),
        (attributes["ended"] or "").partition("T")[2],
        " ".join(filter(None, (exit_code, signal, "OOM" if attributes.get("oom_killed") else None))),
        command,
    )
