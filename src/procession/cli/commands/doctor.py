"""`procession doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from procession.cli.options import read_settings, settings_options
from procession.config import AgentSettings, ServerSettings

if TYPE_CHECKING:
    from procession.cli.doctor.finding import Finding

EXAMPLES = """\b
Examples:
  procession doctor server --data-dir /var/lib/procession
  procession doctor agent --url https://procession.example.org --api-key-file /etc/procession/api-key
  procession doctor agent --json
"""


@click.group(epilog=EXAMPLES)
def doctor() -> None:
    """Look for what is wrong with a server or an agent of this machine, and say what to do.

    Give it the settings that the server or the agent has, and run it as its user. Exits with 1 where something is bad;
    a warning alone is 0. Changes nothing.
    """


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
