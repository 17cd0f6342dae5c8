"""`procession orgs`."""

from __future__ import annotations

import click

from procession.cli.local.administration import administration, org_named, whole_administration
from procession.cli.options import settings_options
from procession.cli.serving.open_store import STORE_SETTINGS
from procession.cli.terminal.tables import print_table
from procession.config import ServerSettings

WHERE = settings_options(ServerSettings, only=("data_dir", *STORE_SETTINGS))

EXAMPLES = """\b
Examples:
  procession orgs create acme
  procession keys create api --org acme
  procession orgs remove acme
"""


@click.group(epilog=EXAMPLES)
def orgs() -> None:
    """Make, list and remove orgs, on the machine of the server. No org sees the processes of another."""


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


@orgs.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask, as in a script.")
@WHERE
def remove(name: str, yes: bool, **where: str) -> None:
    """Remove an org with all that is its own, for ever: keys, processes, views, tags, monitors and channels.

    It says how much that is, and asks. Agents and readers of the org are refused from then on. Backups that were made
    before still have it.
    """
    with whole_administration(**where) as admin:
        org = org_named(admin, name)
        rows = ", ".join(f"{table} {count:,}" for table, count in sorted(admin.rows_of_org(org.id).items()))
        click.echo(f"org {org.name} (number {org.id}) goes for ever, with all of its rows: {rows or 'none'}", err=True)
        if not yes:
            click.confirm(f"Remove {org.name}?", abort=True, err=True)
        is_erased = admin.remove_org(org.id)
    print(f"org {org.name} is removed" + ("" if is_erased else "; the server goes on erasing what it has left"))
