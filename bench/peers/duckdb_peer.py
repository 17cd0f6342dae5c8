"""DuckDB, with tables as a user would write them: one row per process as it is now, and rows of sightings."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from bench.peers.common import Samples, median_ms

COLUMNS = "cmdline, ts, started_at, user, pid, ppid, host, tags"
ORDER = "ORDER BY started_at, host, pid"


def measure(samples: Samples, folder: Path) -> dict[str, float]:
    found = _intake(samples, folder / "hour.duckdb")
    with duckdb.connect(str(folder / "window.duckdb")) as db:
        db.execute(f"CREATE TABLE process AS SELECT * FROM read_parquet('{samples.window}') {ORDER}")
        db.execute(f"CREATE TABLE sighting AS SELECT * FROM read_parquet('{samples.day}') ORDER BY host, pid, ts")
        start, host, pid = samples.middle_key()
        one_host, one_pid, one_start = samples.one_process()
        tags = "list_has_all(tags, ['env:prod', 'role:node'])"
        key = f"host = '{one_host}' AND pid = {one_pid} AND started_at = {one_start}"

        def ask(key: str, sql: str) -> None:
            found[key] = median_ms(lambda: db.execute(sql).fetchall())

        ask("page", f"SELECT {COLUMNS} FROM process {ORDER} LIMIT 1000")
        ask("page_100", f"SELECT {COLUMNS} FROM process {ORDER} LIMIT 100")
        ask("page_10000", f"SELECT {COLUMNS} FROM process {ORDER} LIMIT 10000")
        ask(
            "middle",
            f"SELECT {COLUMNS} FROM process WHERE (started_at, host, pid) > ({start}, '{host}', {pid})"
            f" {ORDER} LIMIT 1000",
        )
        ask("rare", f"SELECT {COLUMNS} FROM process WHERE cmdline ILIKE '%xmrig%' {ORDER} LIMIT 1000")
        for limit in (100, 1000):
            ask(
                f"tags_{limit}",
                f"SELECT {COLUMNS} FROM process WHERE {tags} AND cmdline ILIKE '%java%' {ORDER} LIMIT {limit}",
            )
        facets = " UNION ALL ".join(
            f"(SELECT '{name}' AS key, value, count(*) AS n FROM (SELECT unnest(tags) AS value FROM process)"
            f" WHERE value LIKE '{name}:%' GROUP BY value ORDER BY n DESC LIMIT 20)"
            for name in ("env", "region", "service")
        ) + "".join(
            f" UNION ALL (SELECT '{name}', {name}, count(*) AS n FROM process GROUP BY {name} ORDER BY n DESC LIMIT 20)"
            for name in ("user", "command")
        )
        ask("facets", facets)
        ask("instant", f"SELECT {COLUMNS} FROM process {ORDER} LIMIT 1000")
        ask("instant_numbers", f"SELECT * FROM process {ORDER} LIMIT 1000")
        ask("sums", "SELECT command, sum(cpu_total_percent), sum(rss_bytes), count(*) FROM process GROUP BY command")
        ask("top_cpu", "SELECT * FROM process ORDER BY cpu_total_percent DESC NULLS LAST LIMIT 100")
        ask("top_memory", "SELECT * FROM process ORDER BY rss_bytes DESC NULLS LAST LIMIT 100")
        for name in ("sums", "top_cpu", "top_memory"):
            found[f"instant_{name}"] = found[name]  # it has each process once, whenever
        ask(
            "curve_minutes",
            "SELECT ts // 60, avg(cpu_total_percent), max(cpu_total_percent), max(rss_bytes), max(threads)"
            f" FROM sighting WHERE {key} GROUP BY 1 ORDER BY 1",
        )
        ask("curve_sightings", f"SELECT * EXCLUDE (cmdline, tags) FROM sighting WHERE {key} ORDER BY ts")
    return found


def _intake(samples: Samples, path: Path) -> dict[str, float]:
    count = 0
    seconds = 0.0
    with duckdb.connect(str(path)) as db:
        for number, batch in enumerate(samples.batches(samples.hour)):
            begin = time.process_time()
            db.execute(
                "CREATE TABLE sighting AS SELECT * FROM batch" if number == 0 else "INSERT INTO sighting FROM batch"
            )
            seconds += time.process_time() - begin
            count += len(batch)
        begin = time.process_time()
        db.execute("CHECKPOINT")
        seconds += time.process_time() - begin
    return {"intake": seconds * 1e6 / count, "bytes": path.stat().st_size / count}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Samples(Path(sys.argv[1])), Path(sys.argv[2]))))
