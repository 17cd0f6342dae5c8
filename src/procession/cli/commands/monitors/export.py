"""`procession monitors export`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from procession.cli.commands.monitors.access import monitors_of, tag_option
from procession.cli.commands.monitors.definition import definition_of, short
from procession.cli.options import settings_options
from procession.config import ClientSettings


@click.command(
    epilog="""\b
Examples:
  procession monitors export > monitors.json
  procession monitors export --tag team:web > web.json
"""
)
@tag_option
@settings_options(ClientSettings)
def export(tags: tuple[str, ...], **settings: Any) -> None:
    """Print monitors as a file that `apply` takes: without what is so by default, and without mutes."""
    with monitors_of(settings) as monitors:
        found = [short(definition_of(one)) for one in monitors.all(tags)]
    json.dump({"monitors": found}, sys.stdout, indent=2, ensure_ascii=False)
    print()
