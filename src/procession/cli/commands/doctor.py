"""`procession doctor`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procession.cli.local.data_folder import LocalFiles
from procession.cli.options import read_settings, settings_options
from procession.config import AgentSettings, ServerSettings

if TYPE_CHECKING:
    from procession.cli.doctor.finding import Finding

EXAMPLES = """\b
Examples:
  procession doctor
  procession doctor server --data-dir /var/lib/procession
  procession doctor agent --url https://procession.example.org --api-key-file /etc/procession/api-key
  procession doctor agent --json
"""


@click.group(epilog=EXAMPLES, invoke_without_command=True)
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Look for what is wrong with a server or an agent of this machine, and say what to do.

    Without a command it looks at what is here: a server where there is its data folder, an agent where an address is
    set, or where no server is. Give it the settings that they have, and run it as their user. Exits with 1 where
    something is bad; a warning alone is 0. Changes nothing.
    """
    if ctx.invoked_subcommand is None:
        _show(_what_is_here(ctx), as_json=False)


def _what_is_here(ctx: click.Context) -> Iterator[Finding]:
    """By the variables and the configuration file."""
    with server.make_context("server", [], parent=ctx) as below:
        of_server = read_settings(ServerSettings, below.params)
    with agent.make_context("agent", [], parent=ctx) as below:
        of_agent = read_settings(AgentSettings, below.params)
        has_address = below.get_parameter_source("url") is not click.core.ParameterSource.DEFAULT
    folder = LocalFiles.of(of_server.data_dir).data_dir
    is_server = bool(of_server.store) or _is_there(folder)
    if is_server:
        from procession.cli.doctor.server import server_findings

        click.echo(f"the server of {of_server.store or folder}:")
        yield from server_findings(of_server)
    if has_address or not is_server:
        from procession.cli.doctor.agent import agent_findings

        click.echo("an agent of this machine:")
        yield from agent_findings(of_agent)


def _is_there(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return folder.exists()
    return False


@doctor.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@settings_options(ServerSettings)
def server(as_json: bool, **settings: Any) -> None:
    """Look at a server: engine, clock, data folder, disk, open files, port, keys, versions."""
    from procession.cli.doctor.server import server_findings

    _show(server_findings(read_settings(ServerSettings, settings)), as_json=as_json)


@doctor.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@settings_options(AgentSettings)
def agent(as_json: bool, **settings: Any) -> None:
    """Look at an agent: /proc and hidepid, rights, netlink, clock, spool, disk, keys, servers, versions."""
    from procession.cli.doctor.agent import agent_findings

    _show(agent_findings(read_settings(AgentSettings, settings)), as_json=as_json)


def _show(findings: Iterable[Finding], *, as_json: bool) -> None:
    from procession.cli.doctor.finding import exit_code

    found = []
    for finding in findings:
        found.append(finding)
        if not as_json:
            click.echo(finding.line)
    if as_json:
        print(json.dumps([finding.as_json() for finding in found], indent=2))
    raise click.exceptions.Exit(exit_code(found))
