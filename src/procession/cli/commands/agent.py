"""`procession agent`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from procession.cli.local.console import Console
from procession.cli.options import CONFIG_FILE, read_settings, settings_options
from procession.cli.terminal.visible_text import visible
from procession.config import AgentSettings
from procession.errors import UsageError
from procession.search.hints import host_tag_hint

EXAMPLES = """\b
Examples:
  procession agent --url https://procession.example.org --api-key-file /etc/procession/api-key
  DD_API_KEY=... procession agent --url http://10.0.0.5:7171 --interval-seconds 5 --max-cpu 1%
  procession agent --url https://one.example.org --url https://two.example.org --api-key-file one --api-key-file two
  procession agent check
  procession agent install --url https://procession.example.org --api-key-file api-key
"""

INSTALL_EXAMPLES = """\b
Examples:
  sudo procession agent install --url https://procession.example.org --api-key-file api-key
  procession agent install --url https://procession.example.org --api-key-file api-key --print
  procession agent install --url https://procession.example.org --api-key-file api-key --root ./package
"""


@click.group(epilog=EXAMPLES, invoke_without_command=True)
@settings_options(AgentSettings)
@click.option("--until-stdin-ends", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.pass_context
def agent(ctx: click.Context, /, until_stdin_ends: bool, **settings: Any) -> None:
    """Read the processes of this machine every few seconds and send them to a server.

    Needs no root: what it may not read stays unknown. Secrets in command lines are hidden before they leave.
    While a server is away, snapshots wait on disk.
    """
    if ctx.invoked_subcommand is not None:
        return

    from procession.agent import run_agent

    read = read_settings(AgentSettings, settings)
    _warn_of_tags(read)
    stop = threading.Event()
    _stop_on_signals(stop)
    if until_stdin_ends:
        threading.Thread(target=_stop_at_end_of_stdin, args=(stop,), daemon=True).start()
    with contextlib.closing(Console()) as console:
        run_agent(read, stop=stop, report=lambda message: console.say(f"procession agent: {message}"))


@agent.command()
@settings_options(AgentSettings)
def check(**settings: Any) -> None:
    """Say what an agent with these settings sees, and what it may not. Sends nothing."""
    from procession.agent import check_agent

    read = read_settings(AgentSettings, settings)
    _warn_of_tags(read)
    for line in check_agent(read):
        click.echo(line)


@agent.command(epilog=INSTALL_EXAMPLES)
@settings_options(AgentSettings)
@click.option("--print", "print_only", is_flag=True, help="Show the files, without the key, and write nothing.")
@click.option("--root", metavar="DIR", help="Write the files below this folder, and leave systemd alone.")
@click.pass_context
def install(ctx: click.Context, /, print_only: bool, root: str | None, **settings: Any) -> None:
    """Have systemd run an agent with these settings, from now on and after each start of the machine.

    Writes a unit with only the rights that it needs, and a file of mode 0600 with the key and what else is given here.
    The agent also goes by /etc/procession/config.toml. To do it again changes what has changed.
    """
    from procession.agent.build import servers_of
    from procession.cli.local.service_installation import (
        SERVICE,
        STATE,
        Installation,
        check_systemd,
        environment_for,
        systemctl,
    )

    read = read_settings(AgentSettings, settings)
    _warn_of_tags(read)
    keys = [key.text for _, key in servers_of(read)]
    sources = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    given = {name for name in settings if ctx.get_parameter_source(name) in sources}
    if "spool_dir" in given:
        raise UsageError(f"--spool-dir: the service keeps what waits in /var/lib/{STATE}, and may write nowhere else")
    variables = environment_for(read, given, list(dict.fromkeys(keys)) if len(set(keys)) == 1 else keys)
    if ctx.get_parameter_source("config") in sources:
        variables["PROCESSION_CONFIG"] = str(Path(ctx.meta[CONFIG_FILE]).absolute())
    installation = Installation(variables)
    if print_only:
        hidden = {name: "********" if "KEY" in name else value for name, value in variables.items()}
        for path, text in replace(installation, settings=hidden).files().items():
            click.echo(f"# {path}\n{text}")
        return
    if root is None:
        check_systemd()
    for line in installation.write(Path(root or "/")):
        click.echo(line)
    if installation.is_in_a_home:
        click.echo("note: the program is in a home folder, which the unit has to let it read; /opt is a better place")
    if root is None:
        for command in (["daemon-reload"], ["enable", SERVICE], ["restart", SERVICE]):
            systemctl(command)
        click.echo(f"{SERVICE} runs; `journalctl -u {SERVICE}` shows what it says")


@agent.command()
@click.option("--root", metavar="DIR", help="Remove the files below this folder, and leave systemd alone.")
def uninstall(root: str | None) -> None:
    """Stop the agent that `install` has made a service, and remove its files. What it had not sent yet stays."""
    from procession.cli.local.service_installation import SERVICE, STATE, check_systemd, remove, systemctl

    if root is None:
        check_systemd()
        with contextlib.suppress(UsageError):  # it may have gone already
            systemctl(["disable", "--now", SERVICE])
    for line in remove(Path(root or "/")):
        click.echo(line)
    if root is None:
        systemctl(["daemon-reload"])
        click.echo(f"what had not been sent, if anything, stays in /var/lib/{STATE}")


def _warn_of_tags(settings: AgentSettings) -> None:
    """They are sent as they are: a tag may be one word, and mostly is none of those that look like this."""
    for text in settings.tag:
        # As the agent takes them: blanks part tags.
        for hint in filter(None, map(host_tag_hint, text.split())):
            _report(f"--tag: {visible(hint)}")


def _report(message: str) -> None:
    print("procession agent:", message, file=sys.stderr, flush=True)


def _stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` at the first SIGINT or SIGTERM; the second ends the process at once.

    In a thread that waits for them, since a handler would run in the midst of `stop.wait()`, whose lock `stop.set()`
    needs.
    """
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def wait() -> None:
        signal.sigwait(signals)
        stop.set()
        os._exit(128 + signal.sigwait(signals))

    threading.Thread(target=wait, daemon=True).start()


def _stop_at_end_of_stdin(stop: threading.Event) -> None:
    """Stops the agent when standard input ends: a parent that holds the other end has ended, even by `kill -9`."""
    while os.read(0, 4096):
        pass
    stop.set()
