"""`procession store`: the tables of a store on ClickHouse servers."""

from __future__ import annotations

from typing import Any

import click

from procession.cli.options import read_settings, settings_options
from procession.cli.serving.open_store import STORE_SETTINGS, address_of
from procession.cli.serving.server_extra import require_server
from procession.config import ServerSettings
from procession.errors import UsageError

RETENTION = ("retention_hours", "sighting_retention_hours", "live_retention_hours")

EXAMPLES = """\b
Examples:
  procession store init --store 'https://procession@clickhouse:8443/procession?cluster=fleet' --print
  procession store init --store https://procession@clickhouse:8443 --store-password-file /run/secrets/store
  procession store check --store https://procession@clickhouse:8443
"""


@click.group(epilog=EXAMPLES)
def store() -> None:
    """Make and look after the tables of a store on ClickHouse servers."""
    require_server()


@store.command()
@click.option("--print", "is_printed", is_flag=True, help="Print the statements and do nothing.")
@settings_options(ServerSettings, only=(*STORE_SETTINGS, *RETENTION))
def init(is_printed: bool, **values: Any) -> None:
    """Make the tables that are missing, and set how long they keep what is in them. May be repeated."""
    from procession.storage import setup
    from procession.storage.history.tables.retention import retention_rules

    settings = read_settings(ServerSettings, values)
    address = _servers(settings)
    rules = retention_rules(
        retention_hours=settings.retention_hours,
        sighting_retention_hours=settings.sighting_retention_hours,
        live_retention_hours=settings.live_retention_hours,
    )
    if is_printed:
        for statement in setup.all_statements(address, rules):
            click.echo(f"{statement};\n")
        return
    done = setup.initialize(address, rules)
    click.echo(f"{address} has all tables; {len(done)} statement{'' if len(done) == 1 else 's'} made or changed them.")


@store.command()
@settings_options(ServerSettings, only=STORE_SETTINGS)
def check(**values: Any) -> None:
    """Say how the servers and the tables do: version, replicas, lag, free space. Exits with 1 where something is
    wrong."""
    from procession.storage import health

    address = _servers(read_settings(ServerSettings, values))
    report = health.check(address)
    click.echo(f"{address}")
    click.echo(f"version   {report.version} (at least {report.minimum_version})")
    applied = ", ".join(map(str, report.applied)) or "none"
    click.echo(f"tables    migrations {applied} of {report.wanted}")
    if report.missing_tables:
        click.echo(f"missing   {', '.join(report.missing_tables)}: run `procession store init`")
    click.echo(f"layout    {report.shards} shards, {report.replicas} replicas in all")
    for node in report.nodes:
        lag = "not replicated" if node.most_lag_seconds is None else f"{node.most_lag_seconds} s behind"
        broken = ", READ-ONLY" if node.is_read_only else ""
        click.echo(
            f"node      {node.name} {node.version}: {node.rows} rows, {_size(node.stored_bytes)} stored,"
            f" {_size(node.free_bytes)} free, {lag}{broken}"
        )
    if report.problem:
        click.echo(f"problem   {report.problem}")
    if not report.is_good:
        raise click.exceptions.Exit(1)


def _servers(settings: ServerSettings) -> Any:
    from procession.storage.history.engine.address import ServerAddress

    address = address_of(settings)
    if not isinstance(address, ServerAddress):
        raise UsageError("name ClickHouse servers with --store https://...; a folder makes its tables by itself")
    return address


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
