"""`procession monitors test` and `backtest`: whether it would be heard, and when it would have been."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from procession.cli.commands.monitors.access import (
    TO_SEE_TO,
    WELL,
    monitors_of,
    name_of,
)
from procession.cli.commands.monitors.definition import definition_of
from procession.cli.options import settings_options
from procession.cli.terminal.moments import Duration, show_moment
from procession.cli.terminal.visible_text import visible
from procession.config import ClientSettings

_STATES = {"alert": "Alert", "warn": "Warn", "no-data": "No Data", "ok": "OK"}


@click.command(
    epilog="""\b
Examples:
  procession monitors test 'nginx is gone'
  procession monitors test 'nginx is gone' --state ok
"""
)
@click.argument("monitor", metavar="NAME|ID")
@click.option("--state", type=click.Choice(tuple(_STATES)), default="alert", help="As if it came into this state.")
@settings_options(ClientSettings)
def test(monitor: str, state: str, **settings: Any) -> int:
    """Send what a monitor would send, marked as a test, to those whom its message names.

    Exits with 1 if it names nobody, or somebody who is no channel.
    """
    with monitors_of(settings) as monitors:
        found = monitors.named(monitor)
        sent = monitors.send_test(found, _STATES[state])
    known, unknown = (", ".join(f"@{visible(name)}" for name in sent[of]) for of in ("sent_to", "unknown"))
    print(f"{name_of(found)}: sent to {known or 'nobody'}" + (f"; no channel: {unknown}" if unknown else ""))
    return WELL if known and not unknown else TO_SEE_TO


@click.command(
    epilog="""\b
Examples:
  procession monitors backtest 'nginx is gone'
  procession monitors backtest 'nginx is gone' --for 2d --json
"""
)
@click.argument("monitor", metavar="NAME|ID")
@click.option(
    "--for", "seconds", type=Duration(), default="1d", help="How far back, as 30m, 2h or 7d, at most 7d [1d]."
)
@click.option("--json", "as_json", is_flag=True, help="Print the API's own answer as JSON.")
@settings_options(ClientSettings)
def backtest(monitor: str, seconds: int, as_json: bool, **settings: Any) -> None:
    """Say when a monitor as it is today would have changed its state."""
    with monitors_of(settings) as monitors:
        found = monitors.named(monitor)
        answer = monitors.backtest({"monitor": definition_of(found), "seconds": seconds})
    if as_json:
        json.dump(answer, sys.stdout, indent=2)
        print()
        return
    times = sum(one["state"] == "Alert" for one in answer["transitions"])
    print(f"{name_of(found)} would have alerted {times} {'time' if times == 1 else 'times'}")
    for one in answer["transitions"]:
        group = f"  {visible(one['group'])}" if one["group"] else ""
        print(
            f"{show_moment(one['at'])}  {one['previous']} -> {one['state']}{group}  {visible(one['reason'])}".rstrip()
        )
