"""PostgreSQL with pg_trgm, started here in a folder of its own: one row per process as it is now, with the indexes that
its questions want, and rows of sightings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import duckdb
import psycopg

from bench.peers.common import Samples, median_ms
from bench.peers.installed import postgresql
from bench.served import cpu_seconds_of
from bench.store_jobs.sample_rows import FLOATS, TEXTS, WHOLE

COLUMNS = "cmdline, ts, started_at, username, pid, ppid, host, tags"
ORDER = "ORDER BY started_at, host, pid"
_NAMES = {"user": "username"}
_TABLE = (
    "CREATE TABLE {name} (ts bigint, host text, pid integer, started_at bigint, ppid integer, uid bigint,"
    + "".join(f" {_NAMES.get(name, name)} text," for name in TEXTS)
    + " tags text[], state text,"
    + "".join(f" {name} bigint," for name in WHOLE)
    + ",".join(f" {name} real" for name in FLOATS)
    + ")"
)


@contextmanager
def running(folder: Path) -> Iterator[tuple[psycopg.Connection[Any], int]]:
    """A server for nobody else, and its process. It refuses to run as root, so root lends it another user."""
    programs = postgresql()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed")
    other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    data = folder / "data"
    data.mkdir(parents=True)
    if other:
        shutil.chown(folder, "postgres")
        shutil.chown(data, "postgres")
    subprocess.run(
        [*other, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "bench", "--locale=C.UTF-8"],
        check=True,
        capture_output=True,
    )
    options = f"-k {folder} -c listen_addresses='' -c shared_buffers=1GB -c work_mem=64MB -c maintenance_work_mem=1GB"
    control = [*other, str(programs / "pg_ctl"), "-D", str(data), "-w"]
    subprocess.run([*control, "-o", options, "-l", str(data / "log"), "start"], check=True, capture_output=True)
    try:
        with psycopg.connect(host=str(folder), user="bench", dbname="postgres", autocommit=True) as db:
            yield db, int((data / "postmaster.pid").read_text().split()[0])
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True)


def measure(samples: Samples, folder: Path) -> dict[str, float]:
    with running(folder) as (db, postmaster):
        found = _intake(db, postmaster, samples)
        _fill(db, samples)
        _ask_all(db, samples, found)
    return found


def _fill(db: psycopg.Connection[Any], samples: Samples) -> None:
    for statement in (
        _TABLE.format(name="process"),
        _TABLE.format(name="sighting"),
    ):
        db.execute(_own(statement))
    _copy(db, samples.window, "process")
    _copy(db, samples.day, "sighting")
    for statement in (
        "CREATE EXTENSION pg_trgm",
        "CREATE UNIQUE INDEX ON process (started_at, host, pid)",
        "CREATE INDEX ON process USING gin (cmdline gin_trgm_ops)",
        "CREATE INDEX ON process USING gin (tags)",
        "CREATE INDEX ON process (cpu_total_percent DESC NULLS LAST)",
        "CREATE INDEX ON process (rss_bytes DESC NULLS LAST)",
        "CREATE INDEX ON sighting (host, pid, started_at, ts)",
        "VACUUM ANALYZE",
    ):
        db.execute(_own(statement))


def _ask_all(db: psycopg.Connection[Any], samples: Samples, found: dict[str, float]) -> None:
    start, host, pid = samples.middle_key()
    one_host, one_pid, one_start = samples.one_process()
    one = f"host = '{one_host}' AND pid = {one_pid} AND started_at = {one_start}"

    def ask(key: str, sql: str) -> None:
        found[key] = median_ms(lambda: db.execute(_own(sql)).fetchall())

    for key, limit in (("page", 1000), ("page_100", 100), ("page_10000", 10_000), ("instant", 1000)):
        ask(key, f"SELECT {COLUMNS} FROM process {ORDER} LIMIT {limit}")
    ask("instant_numbers", f"SELECT * FROM process {ORDER} LIMIT 1000")
    ask(
        "middle",
        f"SELECT {COLUMNS} FROM process WHERE (started_at, host, pid) > ({start}, '{host}', {pid}) {ORDER} LIMIT 1000",
    )
    ask("rare", f"SELECT {COLUMNS} FROM process WHERE cmdline ILIKE '%xmrig%' {ORDER} LIMIT 1000")
    both = "tags @> ARRAY['env:prod', 'role:node'] AND cmdline ILIKE '%java%'"
    for limit in (100, 1000):
        ask(f"tags_{limit}", f"SELECT {COLUMNS} FROM process WHERE {both} {ORDER} LIMIT {limit}")
    facets = " UNION ALL ".join(
        [
            "(SELECT value, count(*) AS n FROM process, unnest(tags) AS value"
            f" WHERE value LIKE '{name}:%' GROUP BY value ORDER BY n DESC LIMIT 20)"
            for name in ("env", "region", "service")
        ]
        + [
            f"(SELECT {name}, count(*) AS n FROM process GROUP BY {name} ORDER BY n DESC LIMIT 20)"
            for name in ("username", "command")
        ]
    )
    ask("facets", facets)
    ask("sums", "SELECT command, sum(cpu_total_percent), sum(rss_bytes), count(*) FROM process GROUP BY command")
    ask("top_cpu", "SELECT * FROM process ORDER BY cpu_total_percent DESC NULLS LAST LIMIT 100")
    ask("top_memory", "SELECT * FROM process ORDER BY rss_bytes DESC NULLS LAST LIMIT 100")
    for name in ("sums", "top_cpu", "top_memory"):
        found[f"instant_{name}"] = found[name]  # it has each process once, whenever
    ask(
        "curve_minutes",
        "SELECT ts / 60, avg(cpu_total_percent), max(cpu_total_percent), max(rss_bytes), max(threads) FROM sighting"
        f" WHERE {one} GROUP BY 1 ORDER BY 1",
    )
    numbers = ", ".join(("ts", "state", *WHOLE, *FLOATS))
    ask("curve_sightings", f"SELECT {numbers} FROM sighting WHERE {one} ORDER BY ts")


def _intake(db: psycopg.Connection[Any], postmaster: int, samples: Samples) -> dict[str, float]:
    db.execute(_own(_TABLE.format(name="hour")))
    begin = _cpu_seconds(postmaster)
    _copy(db, samples.hour, "hour")
    db.execute("CHECKPOINT")
    seconds = _cpu_seconds(postmaster) - begin
    row = db.execute("SELECT count(*), pg_total_relation_size('hour') FROM hour").fetchone()
    db.execute("DROP TABLE hour")
    assert row is not None
    count, size = row
    return {"intake": seconds * 1e6 / count, "bytes": size / count}


def _copy(db: psycopg.Connection[Any], path: Path, table: str) -> None:
    """As a file of text, which DuckDB makes of it much faster than Python."""
    text = path.with_suffix(".csv")
    duckdb.sql(
        "COPY (SELECT * REPLACE ('{' || array_to_string(tags, ',') || '}' AS tags)"
        f" FROM read_parquet('{path}')) TO '{text}' (FORMAT csv, HEADER false)"
    )
    with db.cursor().copy(_own(f"COPY {table} FROM STDIN (FORMAT csv)")) as copy, text.open("rb") as file:
        while data := file.read(2**20):
            copy.write(data)
    text.unlink()


def _cpu_seconds(postmaster: int) -> float:
    """Of all its processes."""
    total = cpu_seconds_of(postmaster)
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return total + sum(cpu_seconds_of(int(pid)) for pid in children)


def _own(sql: str) -> LiteralString:
    """Statements of ours, over data of ours."""
    return sql


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Samples(Path(sys.argv[1])), Path(sys.argv[2]))))
