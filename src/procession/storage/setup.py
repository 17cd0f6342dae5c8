"""A store on ClickHouse servers: its tables are made, and it is opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from procession.errors import UsageError
from procession.storage.history.engine.address import ServerAddress
from procession.storage.history.engine.cluster import slots_of
from procession.storage.history.engine.connection import Connection
from procession.storage.history.engine.errors import first_line
from procession.storage.history.engine.server import ServerEngine
from procession.storage.history.tables import ddl
from procession.storage.history.tables.ddl import Database
from procession.storage.history.tables.migrations import BEFORE_ALL, MIGRATIONS, NEWEST
from procession.storage.history.tables.upgrade import (
    FoundTables,
    find_tables,
    migrate,
    refuse_strangers,
    set_retention,
)
from procession.storage.store import ClickHouseStore


def open_servers(
    address: ServerAddress,
    *,
    sighting_retention_hours: int = 24 * 7,
    now: Callable[[], int] = lambda: int(time.time()),
) -> ClickHouseStore:
    """The store at an address, whose tables `initialize` has made. Raises UsageError in words for who started us."""
    engine = ServerEngine(address)
    try:
        with engine.connection() as connection:
            found = find_tables(connection, database_of(address))
            _refuse_strangers(found, address)
            slots = _slots(connection, address)
    except UsageError:
        engine.close()
        raise
    except Exception as error:
        engine.close()
        raise UsageError(f"cannot read the tables at {address}: {first_line(error)}") from error
    if found.newest < NEWEST:
        engine.close()
        raise UsageError(
            f"the tables at {address} are at {found.newest} and this Procession is at {NEWEST};"
            " run `procession store init`"
        )
    return ClickHouseStore(
        engine,
        now=now,
        sighting_retention_hours=sighting_retention_hours,
        slots=slots,
    )


def database_of(address: ServerAddress) -> Database:
    return Database(address.database, address.cluster)


def _refuse_strangers(found: FoundTables, address: ServerAddress) -> None:
    refuse_strangers(
        found,
        where=f"the database {address.database} at {address}",
        way_out="keep it for that build, and name another database in the store's address",
        newer=f"the tables at {address} are at {found.newest} and this Procession is at {NEWEST};"
        " start a newer version",
    )


def _slots(connection: Connection, address: ServerAddress) -> list[int]:
    if address.cluster is None:
        return []
    rows = connection.query(
        "SELECT shard_num, any(shard_weight) FROM system.clusters WHERE cluster = {cluster:String} GROUP BY shard_num",
        {"cluster": address.cluster},
    ).result_rows
    if not rows:
        raise UsageError(f"the servers at {address} have no cluster {address.cluster!r} in their configuration")
    return slots_of([(int(shard), int(weight)) for shard, weight in rows])


def all_statements(address: ServerAddress, rules: Mapping[str, str]) -> Iterator[str]:
    """Everything that `initialize` does to servers that have nothing."""
    database = database_of(address)
    for migration in (BEFORE_ALL, *MIGRATIONS):
        yield from ddl.statements(database, migration)
    for table, rule in rules.items():
        yield ddl.retention_statement(database, table, rule)


def initialize(
    address: ServerAddress, rules: Mapping[str, str], *, now: Callable[[], int] = lambda: int(time.time())
) -> list[str]:
    """Make what is missing, and set the retention where it changes; gives the statements that it took.

    May be interrupted and repeated. Two at the same moment do no harm, since each statement makes only what is missing.
    """
    done: list[str] = []
    with closing(ServerEngine(address, database="default")) as engine, engine.connection() as connection:

        def command(statement: str) -> None:
            try:
                connection.command(statement)
            except Exception as error:
                raise UsageError(f"{address} refuses: {first_line(error)}; the statement was: {statement}") from error
            done.append(statement)

        database = database_of(address)
        _slots(connection, address)
        found = find_tables(connection, database)
        _refuse_strangers(found, address)
        list(migrate(connection, command, database, found, now()))
        set_retention(connection, command, database, rules)
    return done
