"""`procession diff`: what started, what ended and what changed between two instants, hosts or groups."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from procession.cli.access import Access
from procession.cli.analysis import OWN_LANGUAGE, Analysis, Filters, no_such_host
from procession.cli.options import read_settings, settings_options
from procession.cli.terminal.diff_sections import print_sections
from procession.cli.terminal.moments import Moment
from procession.cli.terminal.nothing_found import is_known, nothing_of, say_hints
from procession.config import ClientSettings
from procession.errors import ProcessionError

SAME, DIFFERENT, TROUBLE = 0, 1, 2
"""Exit codes, as those of `diff`."""

EXAMPLES = """\b
Examples:
  procession diff --at -1h
  procession diff --at 2023-11-14T22:00 --at 2023-11-14T22:15 --host web-1
  procession diff --host web-1 --host web-2
  procession diff --tags env:staging --tags env:prod --search java --match cmdline
"""


class Trouble(click.ClickException):
    exit_code = TROUBLE


@click.command(epilog=EXAMPLES)
@click.option("--at", "moments", type=Moment(), multiple=True, help="Moment to look at; once: that and now [now].")
@click.option("--host", "hosts", metavar="HOST", multiple=True, help="Only this host; twice: one against the other.")
@click.option("--search", "searches", metavar="TEXT", multiple=True, help="As of `ps`; twice: one against the other.")
@click.option("--tags", "tags", metavar="TAGS", multiple=True, help="As of `ps`; twice: one against the other.")
@click.option(
    "--match",
    type=click.Choice(["process", "cmdline", "command"]),
    help="Who is the same on both sides [process between moments, else command].",
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Most to list of each section."
)
@click.option("--json", "as_json", is_flag=True, help="Print the API's own answer as JSON.")
@settings_options(ClientSettings)
def diff(
    moments: Sequence[int],
    hosts: Sequence[str],
    searches: Sequence[str],
    tags: Sequence[str],
    match: str | None,
    limit: int,
    as_json: bool,
    **settings: Any,
) -> int:
    """Show what started, ended and changed from one side to the other: between two moments, hosts or groups.

    What is given twice makes the two sides; what is given once holds for both. The exit code is 0 where nothing
    differs, 1 where something does, and 2 where that could not be found out. Times are UTC.
    """
    given = {"--at": moments, "--host": hosts, "--search": searches, "--tags": tags}
    for name, values in given.items():
        if len(values) > 2:
            raise click.UsageError(f"{name} may be given twice at most")
    has_sides = any(len(values) == 2 for values in given.values())
    if not has_sides and not moments:
        raise click.UsageError("nothing to compare: give --at once or twice, or --host, --search or --tags twice")
    if not has_sides:
        moments = (*moments, int(time.time()))

    parameters = {"limit": str(limit)} | ({"match": match} if match else {}) | (OWN_LANGUAGE if searches else {})
    for name, values in (("at", moments), ("host", hosts), ("search", searches), ("tags", tags)):
        parameters |= {side + name: str(value) for side, value in zip(("", "other_"), values, strict=False)}
    try:
        analysis = Analysis(Access.of(read_settings(ClientSettings, settings)))
        answer = analysis.compare(parameters)
        _check_hosts(analysis, answer, hosts)
    except ProcessionError as error:
        raise Trouble(str(error)) from None
    unknown = [meta for meta in (answer["meta"]["left"], answer["meta"]["right"]) if not is_known(meta)]
    if as_json:
        json.dump(answer, sys.stdout, indent=2)
        print()
    if unknown:
        asked = " ".join([*searches, *tags, *(f"host:{host}" for host in hosts)])
        raise Trouble(f"what differs could not be found out: {nothing_of(unknown[0], asked)}")
    if not as_json:
        print_sections(
            answer, [_label(hosts, searches, tags, number) for number in (0, 1)], _only(hosts, searches, tags)
        )
        _say_what_is_cut(answer, limit)
        say_hints(answer["meta"])
    return DIFFERENT if any(answer["meta"][name] for name in ("started", "ended", "changed")) else SAME


def _check_hosts(analysis: Analysis, answer: dict[str, Any], hosts: Sequence[str]) -> None:
    """A side without any process may be a name that is misspelt. Raises UsageError for that."""
    for number, side in enumerate(("left", "right")):
        host = hosts[min(number, len(hosts) - 1)] if hosts else None
        described = answer["meta"][side]
        if host is not None and not described["total"]:
            at = int(described["at"])
            there = analysis.hosts(Filters().with_host(host), at=at)["data"]
            # A host that has come or gone between two moments is a difference, and no mistake.
            is_elsewhere = answer["meta"]["left" if side == "right" else "right"]["total"] and len(hosts) == 1
            if host not in [entry["host"] for entry in there] and not is_elsewhere:
                raise no_such_host(analysis, host, at)


def _label(hosts: Sequence[str], searches: Sequence[str], tags: Sequence[str], number: int) -> str:
    """What a side shows: its filters, without its moment."""
    return "  ".join(values[min(number, len(values) - 1)] for values in (hosts, tags, searches) if values)


def _only(hosts: Sequence[str], searches: Sequence[str], tags: Sequence[str]) -> list[str]:
    """`only on web-1`, `only on web-2`; nothing if the sides differ by their moments alone."""
    differing = [values for values in (hosts, tags, searches) if len(set(values)) == 2]
    if not differing:
        return []
    word = "on" if differing[0] is hosts else "in"
    return [f"only {word} {'  '.join(values[number] for values in differing)}" for number in (0, 1)]


def _say_what_is_cut(answer: dict[str, Any], limit: int) -> None:
    cut = [
        f"{name} ({answer['meta'][name]})" for name in ("started", "ended", "changed") if answer["meta"][name] > limit
    ]
    if cut:
        more = "; --limit 1000 shows more" if limit < 1000 else ""
        print(f"procession: only the first {limit} are shown of {', '.join(cut)}{more}", file=sys.stderr)
