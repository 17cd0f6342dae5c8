"""`procession status`."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from procession.cli.access import Access
from procession.cli.commands.ps import find_processes
from procession.cli.options import read_settings, settings_options
from procession.cli.terminal.number_format import bytes_text, duration_text
from procession.cli.terminal.visible_text import visible
from procession.config import ClientSettings

RECENT_SECONDS = 60
MOST_COUNTED = 100_000


@click.command(
    epilog="""\b
Examples:
  procession status
  procession status --url https://procession.example.org --json
"""
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@settings_options(ClientSettings)
def status(as_json: bool, **settings: Any) -> None:
    """Say which server is reachable, whether its store answers, how large that is and how far back it reaches, and how
    many processes of how many hosts it saw in the last minute."""
    access = Access.of(read_settings(ClientSettings, settings))
    described = access.ask("/openapi.json")
    try:
        name, version = described["info"]["title"], described["info"]["version"]
    except (TypeError, LookupError):
        name = version = ""
    if name != "Procession":
        raise access.server.is_no_procession()
    access.ask("/readyz")
    store = access.read("/api/procession/v1/store", {})
    now = int(time.time())
    parameters = {"from": str(now - RECENT_SECONDS)}
    hosts: set[str] = set()
    processes = 0
    for process in find_processes(access, parameters, MOST_COUNTED):
        hosts.add(process["attributes"]["host"])
        processes += 1
    found = {
        "url": access.server.url,
        "version": version,
        "hosts": len(hosts),
        "processes": processes,
        "counted_all": processes < MOST_COUNTED,
        "stored_bytes": store["stored_bytes"],
        "free_bytes": store["free_bytes"],
        "oldest_sighting_at": store["oldest_sighting_at"],
        "oldest_seen_at": store["oldest_seen_at"],
    }
    if as_json:
        print(json.dumps(found, indent=2))
        return
    at_least = "" if found["counted_all"] else "at least "
    hosts_word = "host" if len(hosts) == 1 else "hosts"
    print(f"Procession {visible(str(version))} at {access.server.url}: its store answers")
    room = f"{bytes_text(store['stored_bytes'])} on disk, {bytes_text(store['free_bytes'])} free"
    sightings, seen = (_ago(store[name], now) for name in ("oldest_sighting_at", "oldest_seen_at"))
    print(f"{room}; sightings since {sightings}, what ran since {seen}")
    print(f"{at_least}{processes} processes of {at_least}{len(hosts)} {hosts_word} in the last {RECENT_SECONDS} s")


def _ago(at: int | None, now: int) -> str:
    return "never" if at is None else f"{duration_text(now - at)} ago"
