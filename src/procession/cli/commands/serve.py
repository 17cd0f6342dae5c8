"""`procession serve`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from procession.cli.options import read_settings, settings_options
from procession.cli.serving.server_extra import require_server
from procession.cli.serving.startup_message import say_keys
from procession.config import ServerSettings

EXAMPLES = """\b
Examples:
  procession serve --listen 0.0.0.0:7171 --data-dir /var/lib/procession
  DD_API_KEY=... DD_APP_KEY=... procession serve      # keys of your own, taken at the first start
"""


@click.command(epilog=EXAMPLES)
@settings_options(ServerSettings)
def serve(**settings: Any) -> None:
    """Start the server with its embedded store; agents and clients come over HTTP.

    The first start makes keys, or takes DD_API_KEY and DD_APP_KEY. Ctrl-C stops it.
    """
    require_server()
    from procession.cli.serving.server_process import Prepared, prepared, run_until_stopped, serving

    async def run(ready: Prepared, stop: asyncio.Event) -> None:
        async with serving(ready):
            click.echo(f"Procession listens at {ready.url}")
            say_keys(ready.local, ready.new_keys)
            await stop.wait()

    with prepared(read_settings(ServerSettings, settings)) as ready:
        run_until_stopped(lambda stop: run(ready, stop), ready.settings.stop_seconds)
