"""`procession tree`: who started whom on a host, at an instant."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from procession.cli.access import Access
from procession.cli.analysis import Analysis, Filters, Item, command_text_of, named_few, no_such_host
from procession.cli.options import read_settings, settings_options
from procession.cli.terminal.colors import style_of_bytes, style_of_percent
from procession.cli.terminal.moments import Moment, show_moment
from procession.cli.terminal.nothing_found import say_nothing_found
from procession.cli.terminal.number_format import bytes_text, percent_text
from procession.cli.terminal.tables import print_table
from procession.cli.terminal.tree_drawing import branches, relatives_of, strokes_of_output
from procession.cli.terminal.visible_text import visible
from procession.config import ClientSettings
from procession.errors import UsageError

HEADERS = ("PID", "USER", "CPU", "RSS", "COMMAND")
NUMBERS = ("PID", "CPU", "RSS")
MOST_HOSTS = 20

EXAMPLES = """\b
Examples:
  procession tree
  procession tree --host web-1 --at -2h
  procession tree --host web-1 --pid 2417
  procession tree --search 'java !elasticsearch' --tags env:prod
"""


@click.command(epilog=EXAMPLES)
@click.option("--host", metavar="HOST", help="Whose processes to show [the only host].")
@click.option("--pid", type=click.IntRange(min=0), help="Only this process, its ancestors and its descendants.")
@click.option("--id", "process_id", metavar="ID", help="The same, by the id that the API gives.")
@click.option("--at", type=Moment(), help="Moment to look at [now].")
@click.option(
    "--search", metavar="TEXT", default="", help="Only processes that are found by this, and their relatives."
)
@click.option("--tags", metavar="TAGS", default="", help="Likewise, by tags with commas between them.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's own answer as JSON.")
@settings_options(ClientSettings)
def tree(
    host: str | None,
    pid: int | None,
    process_id: str | None,
    at: int | None,
    search: str,
    tags: str,
    as_json: bool,
    **settings: Any,
) -> None:
    """Show the processes of a host as a tree, with percent of a core and memory of each. Times are UTC.

    With --search or --tags: on every host where something is found, those processes with all that they descend from
    and that descends from them.
    """
    filters = Filters(search, tags)
    chosen = [pid is not None, process_id is not None, filters != Filters()]
    if sum(chosen) > 1:
        raise click.UsageError("--pid, --id and a search exclude each other")
    if process_id is not None and host is not None:
        raise click.UsageError("--id says already which host it is")
    analysis = Analysis(Access.of(read_settings(ClientSettings, settings)))
    if filters != Filters():
        _show_found(analysis, filters, host, at, as_json=as_json)
        return
    if pid is not None:
        process_id, at = _id_of(analysis, pid, host, at)
    if process_id is not None:
        answer = analysis.family(process_id, at=at)
        items = [*answer["ancestors"], answer["process"], *answer["descendants"]]
    else:
        answer = _host_tree(analysis, host, at)
        items = answer["data"]
    if as_json:
        _print_json(answer)
        return
    _print_tree(items, frozenset([process_id]) if process_id else frozenset())
    _say_what_is_cut(answer)


def _host_tree(analysis: Analysis, host: str | None, at: int | None) -> dict[str, Any]:
    if host is None:
        host, at = _only_host(analysis, at)
    answer = analysis.host_tree(host, at=at)
    if not answer["data"]:
        if answer["meta"].get("known"):
            raise UsageError(f"{host} had no process at {show_moment(answer['meta']['at'])}")
        raise no_such_host(analysis, host, answer["meta"]["at"])
    return answer


def _only_host(analysis: Analysis, at: int | None) -> tuple[str, int]:
    answer = analysis.hosts(Filters(), at=at)
    at = int(answer["meta"]["at"])
    names = [entry["host"] for entry in answer["data"]]
    if not names:
        raise no_such_host(analysis, "", at)
    if len(names) > 1:
        raise UsageError(f"which host? there {named_few(names)}; name one with --host, or find processes with --search")
    return names[0], at


def _id_of(analysis: Analysis, pid: int, host: str | None, at: int | None) -> tuple[str, int]:
    """Of the process that had this pid at an instant, and the instant."""
    if host is None:
        host, at = _only_host(analysis, at)
    else:
        at = int(analysis.hosts(Filters().with_host(host), at=at, limit=1)["meta"]["at"])
    has_host = False
    for item in analysis.every_process(Filters().with_host(host), at=at, sort="pid"):
        if item["attributes"]["host"] == host:
            has_host = True
            if item["attributes"]["pid"] == pid:
                return item["id"], at
    if not has_host:
        raise no_such_host(analysis, host, at)
    raise UsageError(
        f"{host} had no process {pid} at {show_moment(at)}; `procession ps --tags host:{host} --from -1d` lists all"
    )


def _show_found(analysis: Analysis, filters: Filters, host: str | None, at: int | None, *, as_json: bool) -> None:
    if host is not None:
        filters = filters.with_host(host)
    first = analysis.processes(filters, at=at, sort="host", limit=1)
    at = int(first["meta"]["at"])
    found = [
        item
        for item in analysis.every_process(filters, at=at, sort="host")
        if host is None or item["attributes"]["host"] == host
    ]
    if not found and host is not None and host not in analysis.host_names(Filters(), at=at):
        raise no_such_host(analysis, host, at)
    ids = frozenset(item["id"] for item in found)
    hosts = list(dict.fromkeys(item["attributes"]["host"] for item in found))
    trees = {name: relatives_of(analysis.host_tree(name, at=at)["data"], ids) for name in hosts[:MOST_HOSTS]}
    if as_json:
        data = [{**item, "found": item["id"] in ids} for items in trees.values() for item in items]
        _print_json({"meta": {"at": at, "found": len(found), "hosts": len(hosts)}, "data": data})
    elif not found:
        say_nothing_found(first["meta"], f"{filters.search} {filters.tags}")
    for number, (name, items) in enumerate(() if as_json else trees.items()):
        if len(trees) > 1:
            print(("\n" if number else "") + f"{visible(name)}:")
        _print_tree(items, ids)
    if len(hosts) > MOST_HOSTS:
        print(
            f"procession: only the first {MOST_HOSTS} of {len(hosts)} hosts are shown; --host and --tags say which",
            file=sys.stderr,
        )


def _print_tree(items: Sequence[Item], marked: frozenset[str]) -> None:
    drawn = branches([item["depth"] for item in items], strokes_of_output())
    is_marking = bool(marked) and any(item["id"] not in marked for item in items)
    rows = [
        row_of(item, branch, mark="* " if is_marking and item["id"] in marked else "")
        for item, branch in zip(items, drawn, strict=True)
    ]
    print_table(HEADERS, rows, numbers=NUMBERS)


def row_of(item: Item, branch: str, *, mark: str = "") -> tuple[object, ...]:
    attributes = item["attributes"]
    cpu, rss = (attributes["numbers"][name] for name in ("cpu_total_percent", "rss_bytes"))
    return (
        attributes["pid"],
        attributes["user"],
        (percent_text(cpu), style_of_percent(cpu)),
        (bytes_text(rss), style_of_bytes(rss)),
        command_text_of(item, branch + mark),
    )


def _say_what_is_cut(answer: dict[str, Any]) -> None:
    total = answer["meta"].get("total", 0)
    if "data" in answer and total > len(answer["data"]):
        print(
            f"procession: only {len(answer['data'])} of {total} processes are shown; --pid and --search show others",
            file=sys.stderr,
        )


def _print_json(answer: Any) -> None:
    json.dump(answer, sys.stdout, indent=2)
    print()
