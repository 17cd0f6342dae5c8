"""The `procession` command: reads settings, wires the parts together.

A command is imported when it is called, so that `procession agent` never loads the store or the server, and
`procession ps` starts fast.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from procession import __version__
from procession.cli.terminal.visible_text import visible
from procession.errors import ProcessionError

__all__ = ["main", "procession", "run"]

# In the order of the help: where the command is defined, and what it is for.
COMMANDS = {
    "up": "Start everything for this machine: the server, its store and an agent.",
    "serve": "Start the server with its store, for agents elsewhere.",
    "agent": "Watch the processes of this machine and send them to a server.",
    "ps": "List processes, as the API answers them.",
    "top": "Watch processes live, or as they were at a moment.",
    "tree": "Show who started whom on a host.",
    "diff": "Show what differs between two moments, hosts or groups.",
    "monitors": "Look at monitors, mute them, and keep them as a file.",
    "link": "Print a link that signs in to the page, once.",
    "status": "Say which server is reachable and what it holds.",
    "keys": "Make, list and revoke keys.",
    "users": "Make, list, change and remove people who sign in with a password.",
    "orgs": "Make, list and remove orgs.",
    "hosts": "Give tags to hosts.",
    "audit": "Look at who asked and changed what, and check that nobody touched it.",
    "backup": "Copy a store into one file, also while the server runs.",
    "restore": "Bring a backup back into an empty data folder.",
    "upgrade": "Say what the next start does to a store that another version wrote.",
    "store": "Make and check the tables of a store on ClickHouse servers.",
    "simulate": "Play a fleet that does not exist, for demos and measurements.",
    "doctor": "Look for what is wrong with a server or an agent, and say what to do.",
    "debug": "Collect what helps to find a fault.",
    "completion": "Print what makes a shell complete this command.",
}


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"procession.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Without importing any of them.
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Try `procession up`, then `procession ps` in another terminal.",
)
@click.version_option(__version__, "--version", message="procession %(version)s")
def procession() -> None:
    """Every process of every host of a fleet, answered through Datadog's own Live Processes API."""


def main() -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        # What a terminal has no character for is written out: a process may have any name.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Do it, and give the exit code. What went wrong is one line on standard error, never a traceback."""
    try:
        code = procession.main(list(arguments), prog_name="procession", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        hint = f" (see {error.ctx.command_path} --help)" if isinstance(error, click.UsageError) and error.ctx else ""
        return _fail(error.format_message().rstrip(".") + hint, error.exit_code)
    except ProcessionError as error:
        return _fail(str(error), 1)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # The reader has gone, as in `procession ps | head`; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if os.environ.get("PROCESSION_DEBUG"):
            raise
        return _fail(f"internal error: {type(error).__name__}: {error}; PROCESSION_DEBUG=1 shows where", 70)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    # It may have words of a file or of a server.
    print("procession:", visible(" ".join(message.split())), file=sys.stderr)
    return code
