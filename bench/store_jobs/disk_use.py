"""`python -m bench.store_jobs.disk_use FOLDER`: merge all tables of a store, and say what each takes, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import clickhouse_connect


def main(folder: Path) -> None:
    client = clickhouse_connect.get_client(interface="chdb", path=str(folder / "clickhouse"))
    names = [
        name
        for (name,) in client.query(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
        ).result_rows
    ]
    for name in names:
        client.command(f"OPTIMIZE TABLE `{name}` FINAL")
    sizes = client.query(
        "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()"
        " GROUP BY table ORDER BY 2 DESC"
    ).result_rows
    (row,) = client.query("SELECT sum(length(pid)) FROM snapshots").result_rows
    found = {"sightings": row[0]} | {str(name): int(size) for name, size in sizes}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
