"""The agent of `procession up`: a process of its own, that lives and dies with the server.

Not a thread: see `docs/decisions/agent-as-child-process.md`.
"""

from __future__ import annotations

import asyncio
import os
import sys

import click

from procession.cli.options import settings_of
from procession.config import AgentSettings

SECONDS_TO_STOP = 1.0
SECONDS_TO_RESTART = 5.0


async def run_child_agent(settings: AgentSettings, stop: asyncio.Event) -> None:
    """Keep one running until `stop` is set. One that ends by itself is started again a little later."""
    while not stop.is_set():
        process = await asyncio.create_subprocess_exec(
            # -P: what lies in the current folder is no package of ours.
            *(sys.executable, "-P", "-m", "procession.cli", "agent", "--until-stdin-ends"),
            # It stops when this pipe ends, so also when we are killed.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            env=environment_of(settings, os.environ),
            # Out of the way of the terminal's Ctrl-C: the server stops it, in order.
            start_new_session=True,
        )
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await _end(process)
        else:
            again = f"it starts again in {SECONDS_TO_RESTART:.0f} s"
            click.echo(f"procession: the agent ended with code {process.returncode}; {again}", err=True)
            await asyncio.wait({stopped}, timeout=SECONDS_TO_RESTART)
        stopped.cancel()


def environment_of(settings: AgentSettings, environment: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """An environment in which `procession agent` finds exactly these settings, and no others."""
    own = {name for setting in settings_of(AgentSettings) for name in setting.variables}
    kept = {name: value for name, value in environment.items() if name not in own}
    texts = {
        setting.variables[0]: setting.as_variable(getattr(settings, setting.field.name))
        for setting in settings_of(AgentSettings)
    }
    # No file speaks up for what is empty here.
    return kept | {name: text for name, text in texts.items() if text} | {"PROCESSION_CONFIG": os.devnull}


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), SECONDS_TO_STOP)
    except TimeoutError:
        process.kill()
        await process.wait()
