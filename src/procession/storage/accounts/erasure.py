"""All that the tables have of an org, counted and erased."""

from __future__ import annotations

from collections.abc import Iterator

from procession.errors import Unavailable
from procession.storage.history.engine.connection import Connection, ConnectionPool
from procession.storage.history.engine.errors import unavailable_on_failure

_KEPT = "removed_orgs"
"""Says that the number is taken."""

_TRIES = 3
"""What was under way when the org was removed may come after the first."""

_ORDER = {"snapshots": -1, "orgs": 1}
"""Other tables are written out of the first. The name goes last: as long as anything is left one sees whose it is."""


class ClickHouseErasure:
    """An ErasureStore."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def rows_of_org(self, org_id: int) -> dict[str, int]:
        with unavailable_on_failure(), self._pool.connection() as connection:
            return dict(_rows(connection, org_id))

    def erase_org(self, org_id: int) -> None:
        with unavailable_on_failure(), self._pool.connection() as connection:
            for _ in range(_TRIES):
                left = dict(_rows(connection, org_id))
                if not left:
                    return
                for table in sorted(left, key=lambda table: _ORDER.get(table, 0)):
                    connection.delete_rows(table, _condition(table, org_id))
            left = dict(_rows(connection, org_id))
        if left:
            raise Unavailable(f"Something of org {org_id} is still in {', '.join(left)}")


def _rows(connection: Connection, org_id: int) -> Iterator[tuple[str, int]]:
    """Tables that have any -> how many."""
    found = connection.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine NOT LIKE '%View' AND name IN"
        " (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'org') ORDER BY name"
    ).result_rows
    for table in ("orgs", *(str(name) for (name,) in found)):
        if table != _KEPT:
            counts = connection.query(f"SELECT count() FROM {table} WHERE {_condition(table, org_id)}").result_rows
            if count := sum(int(count) for (count,) in counts):
                yield table, count


def _condition(table: str, org_id: int) -> str:
    return f"{'id' if table == 'orgs' else 'org'} = {int(org_id)}"
