"""`procession monitors list` and `show`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import click

from procession.cli.commands.monitors.access import (
    TO_SEE_TO,
    WELL,
    Monitor,
    monitors_of,
    name_of,
    tag_option,
)
from procession.cli.commands.monitors.definition import definition_of
from procession.cli.options import settings_options
from procession.cli.terminal.moments import show_moment
from procession.cli.terminal.tables import print_table
from procession.cli.terminal.visible_text import visible
from procession.config import ClientSettings

CHECKED = ("Alert", "Warn", "No Data", "Skipped")
"""States that something is to be seen to in."""

_check_option = click.option(
    "--check", is_flag=True, help=f"Exit with 1 where one of them is in {', '.join(CHECKED[:-1])} or {CHECKED[-1]}."
)


@click.command(
    "list",
    epilog="""\b
Examples:
  procession monitors list
  procession monitors list --tag team:web --check
""",
)
@tag_option
@_check_option
@click.option("--json", "as_json", is_flag=True, help="Print the API's own answer as JSON.")
@settings_options(ClientSettings)
def list_monitors(tags: tuple[str, ...], check: bool, as_json: bool, **settings: Any) -> int:
    """List monitors with their states, by name."""
    with monitors_of(settings) as monitors:
        found = monitors.all(tags)
    if as_json:
        json.dump(found, sys.stdout, indent=2)
        print()
    else:
        now = int(time.time())
        rows = [
            (one["id"], _state(one, now), ", ".join(one["tags"]), one["name"], visible(one["query"])) for one in found
        ]
        print_table(("ID", "STATE", "TAGS", "NAME", "QUERY"), rows, least=("TAGS",))
    return _code(found, check=check)


@click.command(
    epilog="""\b
Examples:
  procession monitors show 'nginx is gone'
  procession monitors show 1764460800000123 --json
"""
)
@click.argument("monitor", metavar="NAME|ID")
@_check_option
@click.option("--json", "as_json", is_flag=True, help="Print the monitor and its groups as JSON.")
@settings_options(ClientSettings)
def show(monitor: str, check: bool, as_json: bool, **settings: Any) -> int:
    """Show a monitor, and each of its groups with its state and the reason."""
    with monitors_of(settings) as monitors:
        found = monitors.named(monitor)
        groups = monitors.groups(found)
    if as_json:
        json.dump({"monitor": found, "groups": groups}, sys.stdout, indent=2)
        print()
        return _code([found], check=check)
    print(f"{found['id']}  {_state(found, int(time.time()))}  {name_of(found)}")
    for name, value in definition_of(found).items():
        if name != "name":
            print(f"{name}: {visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}")
    if groups:
        print()
        print_table(
            ("STATE", "SINCE", "VALUE", "REASON", "GROUP"),
            [
                (
                    one["state"],
                    show_moment(one["since"]) if one["since"] else "",
                    "" if one["value"] is None else f"{one['value']:g}",
                    one["reason"],
                    one["group"],
                )
                for one in groups
            ],
            numbers=("VALUE",),
        )
    return _code([found], check=check)


def _state(monitor: Monitor, now: int) -> str:
    """With whether somebody is told."""
    words = [str(monitor["overall_state"])]
    silenced = monitor["options"].get("silenced") or {}
    scopes = [scope for scope, end in silenced.items() if end is None or end > now]
    if "*" in scopes:
        words.append("muted")
    elif scopes:
        words.append("partly muted")
    if monitor["draft_status"] == "draft":
        words.append("draft")
    return ", ".join(words)


def _code(found: list[Monitor], *, check: bool) -> int:
    return TO_SEE_TO if check and any(one["overall_state"] in CHECKED for one in found) else WELL
