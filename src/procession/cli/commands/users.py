"""`procession users`."""

from __future__ import annotations

import click

from procession.accounts.users import Role
from procession.cli.local.administration import UserRow, administration, org_named, restriction_from
from procession.cli.local.passphrase import password_from, password_option
from procession.cli.options import restriction_options, settings_options
from procession.cli.serving.open_store import STORE_SETTINGS
from procession.cli.terminal.moments import show_moment
from procession.cli.terminal.tables import print_table
from procession.config import ServerSettings

WHERE = settings_options(ServerSettings, only=("data_dir", *STORE_SETTINGS))

EXAMPLES = """\b
Examples:
  procession users add anna --role editor
  procession users add bob --org acme --password-file bob.txt
  procession users add carl --rows env:prod,team:web --without-arguments
  procession users set-role anna admin
  procession users restrict bob --rows 'env:prod OR env:test'
  procession users reset-password anna
  procession users remove bob
"""

_ROLE = click.Choice([str(role) for role in Role])


@click.group(epilog=EXAMPLES)
def users() -> None:
    """Make, list, change and remove people who sign in to the page with a password, on the machine of the server.

    A viewer reads; an editor also changes views, monitors and downtimes; an admin also channels, tags of hosts and
    users; an auditor reads, and sees who asked and changed what. What is changed holds within 5 s.
    """


@users.command(epilog=EXAMPLES)
@click.argument("name")
@click.option("--role", type=_ROLE, default=str(Role.VIEWER), show_default=True, help="What the user may do.")
@click.option("--org", "org_name", metavar="NAME", help="Name or number of the org whose user it is [the first].")
@restriction_options
@password_option
@WHERE
def add(
    name: str,
    role: str,
    org_name: str | None,
    rows: str,
    without_arguments: bool,
    password_file: str | None,
    **where: str,
) -> None:
    """Make a user."""
    restriction = restriction_from(rows, without_arguments)
    password = password_from(password_file)
    with administration(**where) as admin:
        org = org_named(admin, org_name)
        user = admin.create_user(org.id, name, Role(role), password, restriction)
    print(f"{user.name} is {user.role} in org {org.name}{_seeing(user)}")


@users.command("list")
@WHERE
def list_users(**where: str) -> None:
    """List all users."""
    with administration(**where) as admin:
        names = {org.id: org.name for org in admin.orgs()}
        found = admin.users()
    rows = [
        (user.name, user.role, names.get(user.org_id, user.org_id), show_moment(user.created_at), str(user.restriction))
        for user in found
    ]
    print_table(("NAME", "ROLE", "ORG", "CREATED", "SEES"), rows)


@users.command("set-role")
@click.argument("name")
@click.argument("role", type=_ROLE)
@WHERE
def set_role(name: str, role: str, **where: str) -> None:
    """Give a user another role. The user has to sign in again."""
    with administration(**where) as admin:
        user = admin.change_user(name, role=Role(role))
    print(f"{user.name} is {user.role} now")


@users.command(epilog=EXAMPLES)
@click.argument("name")
@restriction_options
@WHERE
def restrict(name: str, rows: str, without_arguments: bool, **where: str) -> None:
    """Restrict a viewer to what is given, in place of what was given before. The user has to sign in again.

    Without --rows and --without-arguments, the user sees everything.
    """
    restriction = restriction_from(rows, without_arguments)
    with administration(**where) as admin:
        user = admin.change_user(name, restriction=restriction)
    print(f"{user.name} sees {str(user.restriction) or 'everything'} now")


@users.command("reset-password")
@click.argument("name")
@password_option
@WHERE
def reset_password(name: str, password_file: str | None, **where: str) -> None:
    """Give a user another password. The user has to sign in again."""
    password = password_from(password_file)
    with administration(**where) as admin:
        user = admin.change_user(name, password=password)
    print(f"{user.name} has another password now")


@users.command()
@click.argument("name")
@WHERE
def remove(name: str, **where: str) -> None:
    """Remove a user, whose sessions end. The last admin of an org stays."""
    with administration(**where) as admin:
        user = admin.remove_user(name)
    print(f"{user.name} is removed")


def _seeing(user: UserRow) -> str:
    return f", and sees {seen}" if (seen := str(user.restriction)) else ""
