"""`procession up`."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procession.accounts.orgs import KeyKind, hash_secret
from procession.accounts.sessions import create_link
from procession.cli.commands.link import link_of
from procession.cli.options import read_settings, settings_options
from procession.cli.serving.server_extra import require_server
from procession.cli.serving.startup_message import curl_line, python_snippet, say_keys
from procession.config import AgentSettings, ServerSettings
from procession.errors import UsageError

if TYPE_CHECKING:
    from procession.cli.serving.server_process import Prepared

EXAMPLES = """\b
Examples:
  procession up
  procession up --listen 127.0.0.1:8080 --data-dir ~/processes
"""


@click.command(epilog=EXAMPLES)
@settings_options(ServerSettings, AgentSettings, without=("url", "api_key", "api_key_file"))
def up(**settings: Any) -> None:
    """Start everything for this machine: the server, its store, and an agent that watches /proc.

    The first start makes keys, or takes DD_API_KEY and DD_APP_KEY. Ctrl-C stops it all.
    """
    require_server()
    from procession.cli.serving.server_process import prepared, run_until_stopped

    # Its terminal is for what it says itself.
    level = settings.pop("log_level") or "warning"
    server_settings = read_settings(ServerSettings, settings, log_level=level)
    check_proc(settings["proc_root"])
    with prepared(server_settings) as ready:
        agent_settings = read_settings(
            AgentSettings,
            settings,
            url=(ready.local_url,),
            api_key_file=(str(ready.local.key_file(KeyKind.API)),),
            spool_dir=settings["spool_dir"] or str(ready.local.data_dir / "spool"),
        )
        run_until_stopped(lambda stop: _run(ready, agent_settings, stop), server_settings.stop_seconds)


def check_proc(proc_root: str) -> None:
    if not (Path(proc_root) / "stat").is_file():
        raise UsageError(
            f"there is no {proc_root}/stat: an agent needs Linux's /proc; name its place with --proc-root, or start "
            f"the server alone with `procession serve`"
        )


async def _run(ready: Prepared, agent_settings: AgentSettings, stop: asyncio.Event) -> None:
    from procession.cli.local.child_agent import run_child_agent
    from procession.cli.serving.server_process import serving

    async with serving(ready) as arrival:
        _welcome(ready)
        watcher = asyncio.create_task(_say_when_first_arrive(arrival))
        await run_child_agent(agent_settings, stop)
        watcher.cancel()
        click.echo("Procession stops.")


async def _say_when_first_arrive(arrival: asyncio.Event) -> None:
    await arrival.wait()
    click.echo("The first processes have arrived.")


def _welcome(ready: Prepared) -> None:
    click.echo(f"Procession runs at {ready.url}")
    say_keys(ready.local, ready.new_keys)
    _say_link(ready)
    click.echo("\nAsk it with curl:\n")
    click.echo(curl_line(ready.local_url, ready.local))
    click.echo("\nor in Python, after `pip install datadog-api-client`:\n")
    click.echo(python_snippet(ready.local_url, ready.local))
    click.echo(f"or with `{_command_name()} ps{_folder_option(ready)}` in another terminal. Ctrl-C stops it.\n")
    sys.stdout.flush()


def _folder_option(ready: Prepared) -> str:
    return f" --data-dir {shlex.quote(ready.settings.data_dir)}" if ready.settings.data_dir else ""


def _say_link(ready: Prepared) -> None:
    secret = ready.local.secret(KeyKind.APPLICATION)
    key_hash = hash_secret(secret or "")
    found = ready.store.keys.keys()
    key = next((key for key in found if key.kind is KeyKind.APPLICATION and key.secret_hash == key_hash), None)
    if key is not None:
        token, _ = create_link(ready.store.sessions, key, int(time.time()))
        more = f"`{_command_name()} link{_folder_option(ready)}` prints more"
        click.echo(f"\nLook at it in a browser. The link signs in once, within an hour; {more}:\n")
        click.echo(f"  {link_of(ready.url, token)}")


def _command_name() -> str:
    """As a shell finds the command: by its name, or by the path under which it was started."""
    path = Path(sys.argv[0])
    # uvx puts its folder on the PATH of what it starts, and of nobody else.
    is_found = shutil.which("procession") == str(path.absolute()) and "UV" not in os.environ
    if path.name != "procession" or is_found:
        return "procession"
    return shlex.quote(str(path))
