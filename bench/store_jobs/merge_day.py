"""`python -m bench.store_jobs.merge_day FOLDER DAY`: merge what ClickHouse merges six hours after a day is over."""

from __future__ import annotations

import sys
from pathlib import Path

import clickhouse_connect

TABLES = ("presence", "descriptions")
"""See `procession.storage.history.tables.migrations`."""


def main(folder: Path, day: int) -> None:
    client = clickhouse_connect.get_client(interface="chdb", path=str(folder / "clickhouse"))
    for table in TABLES:
        client.command(f"OPTIMIZE TABLE {table} PARTITION {day} FINAL")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
