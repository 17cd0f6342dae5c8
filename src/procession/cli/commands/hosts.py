"""`procession hosts`."""

from __future__ import annotations

import sys

import click

from procession.cli.local.administration import administration, org_named
from procession.cli.options import settings_options
from procession.cli.serving.open_store import STORE_SETTINGS
from procession.cli.terminal.tables import print_table
from procession.config import ServerSettings
from procession.search.hints import host_tag_hint

WHERE = settings_options(ServerSettings, only=("data_dir", *STORE_SETTINGS))

EXAMPLES = """\b
Examples:
  procession hosts tag web-1 env:prod role:web
  procession hosts tag web-1 role:web --remove
  procession hosts list
"""


@click.group(epilog=EXAMPLES)
def hosts() -> None:
    """Give tags to hosts, on the machine of the server. Their processes have them from the next snapshot on."""


@hosts.command(epilog=EXAMPLES)
@click.argument("host")
@click.argument("tags", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take these tags away instead.")
@click.option("--org", "org_name", metavar="NAME", help="Name or number of the org whose host it is [the first].")
@WHERE
def tag(host: str, tags: tuple[str, ...], remove: bool, org_name: str | None, **where: str) -> None:
    """Add tags to what was said of a host before. The host need not be known yet."""
    with administration(**where) as admin:
        org = org_named(admin, org_name)
        entry = admin.change_host_tags(org.id, host, () if remove else tags, tags if remove else ())
    print(f"{entry.host} of org {org.name}: {', '.join(entry.tags) or 'no tags'}")
    for hint in filter(None, map(host_tag_hint, () if remove else tags)):
        print(f"procession: it was added as it is, but {hint}; --remove takes it away", file=sys.stderr)


@hosts.command("list")
@WHERE
def list_hosts(**where: str) -> None:
    """List the hosts that have tags, and who gave them: a user, or the host's Datadog Agent."""
    with administration(**where) as admin:
        names = {org.id: org.name for org in admin.orgs()}
        entries = admin.host_tags()
    rows = [
        (names.get(entry.org_id, entry.org_id), entry.host, entry.source.value, ", ".join(entry.tags))
        for entry in entries
    ]
    print_table(("ORG", "HOST", "FROM", "TAGS"), rows, least=("FROM", "ORG"))
