"""Stores on test nodes, or on the real servers that PROCESSION_TEST_CLICKHOUSE names."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from urllib.parse import quote

from procession.storage.history.engine.address import ServerAddress, parse_address
from procession.storage.history.engine.cluster import local_database
from procession.storage.history.engine.server import ServerEngine
from procession.storage.history.tables.retention import retention_rules
from procession.storage.setup import initialize, open_servers
from procession.storage.store import ClickHouseStore

THIRTY_YEARS = 30 * 365 * 24
"""Hours to keep everything for: the tests' moments are long past."""

RULES = retention_rules(
    retention_hours=THIRTY_YEARS, sighting_retention_hours=THIRTY_YEARS, live_retention_hours=THIRTY_YEARS
)

NAMED = "PROCESSION_TEST_CLICKHOUSE"
"""Variable with the address of servers to test on: what is there already is left alone."""

FULL = os.environ.get("PROCESSION_TEST_CLUSTER") == "full"
"""Whether to take the time that more examples take."""


def servers(text: str) -> ServerAddress:
    address = parse_address(text)
    assert isinstance(address, ServerAddress)
    return address


def url_of(address: ServerAddress) -> str:
    """With its password, as a variable may have it."""
    login = f"{quote(address.user, safe='')}:{quote(address.password, safe='')}"
    return str(address).replace(f"://{address.user}@", f"://{login}@")


@contextmanager
def store_on(address: ServerAddress) -> Iterator[ClickHouseStore]:
    initialize(address, RULES)
    with closing(open_servers(address, sighting_retention_hours=THIRTY_YEARS)) as store:
        yield store


@contextmanager
def databases_on_named_servers() -> Iterator[ServerAddress]:
    """The address of a store of its own, which is dropped in the end."""
    address = replace(servers(os.environ[NAMED]), database=f"procession_test_{secrets.token_hex(4)}")
    try:
        yield address
    finally:
        everywhere = f" ON CLUSTER '{address.cluster}' SYNC" if address.cluster else ""
        with closing(ServerEngine(address, database="default")) as engine, engine.connection() as connection:
            for name in (address.database, local_database(address.database)):
                connection.command(f"DROP DATABASE IF EXISTS {name}{everywhere}")


@contextmanager
def store_on_named_servers() -> Iterator[ClickHouseStore]:
    with databases_on_named_servers() as address, store_on(address) as store:
        yield store
