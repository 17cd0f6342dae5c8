"""`procession orgs`."""

from __future__ import annotations

import click

from procession.cli.local.administration import administration
from procession.cli.options import settings_options
from procession.cli.serving.open_store import STORE_SETTINGS
from procession.cli.terminal.tables import print_table
from procession.config import ServerSettings

WHERE = settings_options(ServerSettings, only=("data_dir", *STORE_SETTINGS))

EXAMPLES = """\b
Examples:
  procession orgs create acme
  procession keys create api --org acme
"""


@click.group(epilog=EXAMPLES)
def orgs() -> None:
    """Make and list orgs, on the machine of the server. No org sees the processes of another."""


@orgs.command()
@click.argument("name")
@WHERE
def create(name: str, **where: str) -> None:
    """Make an org. It can do nothing until it has keys: `procession keys create api --org NAME`."""
    with administration(**where) as admin:
        org = admin.create_org(name)
    print(f"org {org.name} has number {org.id}")


@orgs.command("list")
@WHERE
def list_orgs(**where: str) -> None:
    """List all orgs."""
    with administration(**where) as admin:
        rows = [(org.id, org.name) for org in admin.orgs()]
    print_table(("NUMBER", "NAME"), rows, numbers=("NUMBER",))
