"""`procession agent`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

import click

from procession.cli.options import read_settings, settings_options
from procession.config import AgentSettings

EXAMPLES = """\b
Examples:
  procession agent --url https://procession.example.org --api-key-file /etc/procession/api-key
  DD_API_KEY=... procession agent --url http://10.0.0.5:7171 --interval-seconds 5
  procession agent check
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

    stop = threading.Event()
    _stop_on_signals(stop)
    if until_stdin_ends:
        threading.Thread(target=_stop_at_end_of_stdin, args=(stop,), daemon=True).start()
    run_agent(read_settings(AgentSettings, settings), stop=stop, report=_report)


@agent.command()
@settings_options(AgentSettings)
def check(**settings: Any) -> None:
    """Say what an agent with these settings sees, and what it may not. Sends nothing."""
    from procession.agent import check_agent

    for line in check_agent(read_settings(AgentSettings, settings)):
        click.echo(line)


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
    """Whoever holds the other end of standard input, and never writes, ends this process by its own end, even by
    `kill -9`."""
    while os.read(0, 4096):
        pass
    stop.set()
