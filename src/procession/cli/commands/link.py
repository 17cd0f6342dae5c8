"""`procession link`."""

from __future__ import annotations

from typing import Any

import click

from procession.cli.access import Access
from procession.cli.options import read_settings, settings_options
from procession.config import ClientSettings

PATH = "/api/procession/v1/session/link"

EXAMPLES = """\b
Examples:
  procession link
  procession link --data-dir ~/processes
  xdg-open "$(procession link)"
"""


@click.command(epilog=EXAMPLES)
@settings_options(ClientSettings)
def link(**settings: Any) -> None:
    """Print a link that signs in to the page: once, and within an hour.

    Whoever opens it sees what the application key may see, for 12 hours. What is behind its # never leaves the browser,
    so it is in no log of a server or a proxy.
    """
    access = Access.of(read_settings(ClientSettings, settings))
    print(link_of(access.server.url, access.tell(PATH, {})["token"]))


def link_of(url: str, token: str) -> str:
    return f"{url}/#link={token}"
