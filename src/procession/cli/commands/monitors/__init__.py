"""`procession monitors`: list, show, test, backtest, mute, unmute, export and apply."""

from __future__ import annotations

import click

from procession.cli.commands.monitors.apply import apply
from procession.cli.commands.monitors.export import export
from procession.cli.commands.monitors.listing import list_monitors, show
from procession.cli.commands.monitors.mute import mute, unmute
from procession.cli.commands.monitors.test import backtest, test

__all__ = ["monitors"]

EXAMPLES = """\b
Examples:
  procession monitors list
  procession monitors show 'nginx is gone'
  procession monitors test 'nginx is gone'
  procession monitors export > monitors.json
  procession monitors apply monitors.json --dry-run
  procession monitors mute 'nginx is gone' --for 2h
"""


@click.group(epilog=EXAMPLES)
def monitors() -> None:
    """Look at monitors and keep them as a file.

    The exit code is 0 where all is well, 1 where something is to be seen to, and 2 where that could not be found out.
    """


for command in (list_monitors, show, test, backtest, mute, unmute, export, apply):
    monitors.add_command(command)
