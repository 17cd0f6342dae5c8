"""`procession keys`."""

from __future__ import annotations

import sys
import time

import click

from procession.accounts.orgs import SERVICE_ACCOUNT, KeyKind
from procession.accounts.scopes import Scope
from procession.cli.local.administration import administration, org_named, restriction_from
from procession.cli.options import restriction_options, settings_options
from procession.cli.serving.open_store import STORE_SETTINGS
from procession.cli.terminal.moments import Duration, show_moment
from procession.cli.terminal.tables import print_table
from procession.config import ServerSettings

WHERE = settings_options(ServerSettings, only=("data_dir", *STORE_SETTINGS))

EXAMPLES = """\b
Examples:
  procession keys create api --name 'agents of the web fleet'
  procession keys create application --org acme --name dashboard
  procession keys create application --scope monitors_read --scope monitors_write --name terraform
  procession keys create application --owner anna --expires 90d --name 'on my laptop'
  procession keys create application --owner service:deploy-bot --name 'of the pipeline'
  procession keys create application --rows env:prod,team:web --without-arguments --name wallboard
  procession keys list
  procession keys revoke 3f2a91c07b54
"""


@click.group(epilog=EXAMPLES)
def keys() -> None:
    """Make, list and revoke keys, on the machine of the server. What is changed holds within 5 s.

    An agent needs an API key; a query needs an API key and an application key of the same org; changing keys and orgs
    through a running server needs an admin key.
    """


@keys.command(epilog=EXAMPLES)
@click.argument("kind", type=click.Choice([kind.value for kind in KeyKind]))
@click.option("--org", "org_name", metavar="NAME", help="Name or number of the org whose key it is [the first].")
@click.option("--name", metavar="TEXT", default="unnamed", show_default=True, help="What it is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="What an application key may do besides reading processes; may be given several times.",
)
@click.option(
    "--owner",
    metavar="NAME",
    default=SERVICE_ACCOUNT,
    show_default=True,
    help="Whose it is: a user of the org, or a service account as service:NAME. A user's key ends with the user.",
)
@click.option("--expires", "seconds", type=Duration(), help="How long it is good, as 12h or 90d [for good].")
@restriction_options
@WHERE
def create(
    kind: str,
    org_name: str | None,
    name: str,
    scopes: tuple[str, ...],
    owner: str,
    seconds: int | None,
    rows: str,
    without_arguments: bool,
    **where: str,
) -> None:
    """Make a key. Its secret is printed now and never again."""
    expires_at = None if seconds is None else int(time.time()) + seconds
    restriction = restriction_from(rows, without_arguments)
    with administration(**where) as admin:
        org = org_named(admin, org_name)
        key, secret = admin.create_key(
            org.id,
            KeyKind(kind),
            name,
            [Scope(scope) for scope in scopes],
            owner=owner,
            expires_at=expires_at,
            restriction=restriction,
        )
    print(f"{kind} key {key.id} of org {org.name}; this is shown only now:", file=sys.stderr)
    print(secret)


@keys.command("list")
@WHERE
def list_keys(**where: str) -> None:
    """List all keys, without their secrets."""
    with administration(**where) as admin:
        names = {org.id: org.name for org in admin.orgs()}
        found = admin.keys()
    rows = [
        (
            key.id,
            key.kind,
            names.get(key.org_id, key.org_id),
            key.owner,
            show_moment(key.created_at),
            _moment(key.expires_at),
            _moment(key.last_used_at),
            _moment(key.revoked_at),
            ", ".join(key.scopes),
            str(key.restriction),
            key.name,
        )
        for key in found
    ]
    columns = ("ID", "KIND", "ORG", "OWNER", "CREATED", "EXPIRES", "LAST USED", "REVOKED", "SCOPES", "SEES", "NAME")
    print_table(columns, rows)


def _moment(at: int | None) -> str:
    return "" if at is None else show_moment(at)


@keys.command()
@click.argument("key_id", metavar="ID")
@WHERE
def revoke(key_id: str, **where: str) -> None:
    """Make a key good for nothing, for ever."""
    with administration(**where) as admin:
        key = admin.revoke_key(key_id)
    print(f"{key.kind} key {key.id} ({key.name}) is revoked")
