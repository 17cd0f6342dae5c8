"""`procession monitors mute` and `unmute`."""

from __future__ import annotations

import time
from typing import Any

import click

from procession.cli.commands.monitors.access import monitors_of, name_of
from procession.cli.options import settings_options
from procession.cli.terminal.moments import Duration, show_moment
from procession.cli.terminal.visible_text import visible
from procession.config import ClientSettings

_scope_option = click.option(
    "--scope", metavar="TAGS", default="*", help="Only groups with these tags, as host:web-1; commas between them."
)


@click.command(
    epilog="""\b
Examples:
  procession monitors mute 'nginx is gone' --for 2h
  procession monitors mute 'nginx is gone' --scope host:web-1
"""
)
@click.argument("monitor", metavar="NAME|ID")
@_scope_option
@click.option("--for", "seconds", type=Duration(), help="How long, as 30m, 2h or 7d [for good].")
@settings_options(ClientSettings)
def mute(monitor: str, scope: str, seconds: int | None, **settings: Any) -> None:
    """Let nobody be told of a monitor, or of some of its groups. It is evaluated all the same."""
    end = None if seconds is None else int(time.time()) + seconds
    with monitors_of(settings) as monitors:
        found = monitors.named(monitor)
        monitors.mute(found, {"scope": scope, "end": end})
    print(f"{name_of(found)}: {visible(scope)} is muted {'for good' if end is None else f'until {show_moment(end)}'}")


@click.command(
    epilog="""\b
Examples:
  procession monitors unmute 'nginx is gone'
  procession monitors unmute 'nginx is gone' --all
"""
)
@click.argument("monitor", metavar="NAME|ID")
@_scope_option
@click.option("--all", "all_scopes", is_flag=True, help="Whatever is muted of it.")
@settings_options(ClientSettings)
def unmute(monitor: str, scope: str, all_scopes: bool, **settings: Any) -> None:
    """End a mute. What is not muted stays so."""
    with monitors_of(settings) as monitors:
        found = monitors.named(monitor)
        monitors.unmute(found, {"all_scopes": True} if all_scopes else {"scope": scope})
    print(f"{name_of(found)}: " + ("nothing is muted" if all_scopes else f"{visible(scope)} is not muted"))
