"""ClickHouse as it comes, in its embedded form: a row per sighting with everything in it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import clickhouse_connect

from bench.fleets import INTERVAL_SECONDS
from bench.peers.common import Samples, median_ms
from bench.store_jobs.sample_rows import FLOATS, TEXTS, WHOLE

SNAPSHOTS = 5
"""In the window, as in Procession's own."""

_TABLE = (
    "CREATE TABLE {name} (ts DateTime('UTC') CODEC(Delta, ZSTD(1)), host LowCardinality(String), pid UInt32,"
    " started_at UInt32, ppid UInt32, uid UInt32,"
    + "".join(f" {name} LowCardinality(String)," for name in TEXTS)
    + " tags Array(LowCardinality(String)), state LowCardinality(String),"
    + "".join(f" {name} Nullable(Int64) CODEC(ZSTD(1))," for name in WHOLE)
    + ",".join(f" {name} Nullable(Float32) CODEC(ZSTD(1))" for name in FLOATS)
    + ") ENGINE = MergeTree ORDER BY {order} SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
)
_PAGE = (
    "SELECT started_at, host, pid, argMax(cmdline, ts), max(ts), argMax(user, ts), argMax(ppid, ts), argMax(tags, ts)"
    " FROM sighting WHERE {condition} GROUP BY started_at, host, pid ORDER BY started_at, host, pid LIMIT {limit}"
)


def measure(samples: Samples, folder: Path, *, snapshots: int = SNAPSHOTS) -> dict[str, float]:
    client = clickhouse_connect.get_client(interface="chdb", path=str(folder / "clickhouse"))
    client.command("SET use_query_condition_cache = 0")
    found = _intake(client, samples)
    client.command(_TABLE.format(name="sighting", order="(ts, host, pid)"))
    order = "SELECT * REPLACE (toDateTime(ts - {by}, 'UTC') AS ts) FROM file('{path}')"
    for by in range(snapshots):
        client.command("INSERT INTO sighting " + order.format(by=by * INTERVAL_SECONDS, path=samples.window))
    three_days = 3 * 24 * 3600
    client.command("INSERT INTO sighting " + order.format(by=three_days, path=samples.window))
    if samples.day.exists():
        client.command("INSERT INTO sighting " + order.format(by=0, path=samples.day))
    ((newest,),) = client.query(f"SELECT toUInt32(max(ts)) FROM file('{samples.window}')").result_rows
    ask = _Asker(client, found)
    _pages(ask, samples, newest)
    _instants(ask, samples, newest - three_days)
    client.close()
    return found


class _Asker:
    def __init__(self, client: Any, found: dict[str, float]) -> None:
        self._client = client
        self._found = found

    def __call__(self, key: str, sql: str) -> None:
        self._found[key] = median_ms(lambda: self._client.query(sql).result_rows)


def _pages(ask: _Asker, samples: Samples, newest: int) -> None:
    window = f"ts > toDateTime({newest} - 900, 'UTC') AND ts <= toDateTime({newest}, 'UTC')"
    for key, limit in (("page", 1000), ("page_100", 100), ("page_10000", 10_000)):
        ask(key, _PAGE.format(condition=window, limit=limit))
    start, host, pid = samples.middle_key()
    ask(
        "middle",
        _PAGE.format(condition=f"{window} AND (started_at, host, pid) > ({start}, '{host}', {pid})", limit=1000),
    )
    ask("rare", _PAGE.format(condition=f"{window} AND cmdline ILIKE '%xmrig%'", limit=1000))
    both = f"{window} AND hasAll(tags, ['env:prod', 'role:node']) AND cmdline ILIKE '%java%'"
    for limit in (100, 1000):
        ask(f"tags_{limit}", _PAGE.format(condition=both, limit=limit))
    facets = " UNION ALL ".join(
        [
            f"(SELECT tag AS value, uniqExact(host, pid, started_at) AS n FROM sighting ARRAY JOIN tags AS tag"
            f" WHERE {window} AND tag LIKE '{name}:%' GROUP BY tag ORDER BY n DESC LIMIT 20)"
            for name in ("env", "region", "service")
        ]
        + [
            f"(SELECT {name} AS value, uniqExact(host, pid, started_at) AS n FROM sighting WHERE {window}"
            f" GROUP BY {name} ORDER BY n DESC LIMIT 20)"
            for name in ("user", "command")
        ]
    )
    ask("facets", facets)
    _numbers(ask, "", f"ts > toDateTime({newest} - {INTERVAL_SECONDS}, 'UTC') AND ts <= toDateTime({newest}, 'UTC')")


def _numbers(ask: _Asker, prefix: str, condition: str) -> None:
    """Of a time in which each process was seen once."""
    ask(
        f"{prefix}sums",
        "SELECT command, sum(cpu_total_percent), sum(rss_bytes), count()"
        f" FROM sighting WHERE {condition} GROUP BY command",
    )
    for name, column in (("top_cpu", "cpu_total_percent"), ("top_memory", "rss_bytes")):
        ask(f"{prefix}{name}", f"SELECT * FROM sighting WHERE {condition} ORDER BY {column} DESC NULLS LAST LIMIT 100")


def _instants(ask: _Asker, samples: Samples, at: int) -> None:
    then = f"ts > toDateTime({at} - 60, 'UTC') AND ts <= toDateTime({at}, 'UTC')"
    ask("instant", _PAGE.format(condition=then, limit=1000))
    ask("instant_numbers", f"SELECT * FROM sighting WHERE {then} ORDER BY started_at, host, pid LIMIT 1000")
    _numbers(ask, "instant_", then)
    if samples.day.exists():
        host, pid, start = samples.one_process()
        one = f"host = '{host}' AND pid = {pid} AND started_at = {start}"
        ask(
            "curve_minutes",
            "SELECT toStartOfMinute(ts) AS minute, avg(cpu_total_percent), max(cpu_total_percent), max(rss_bytes),"
            f" max(threads) FROM sighting WHERE {one} GROUP BY minute ORDER BY minute",
        )
        ask("curve_sightings", f"SELECT * EXCEPT (cmdline, tags) FROM sighting WHERE {one} ORDER BY ts")


def _intake(client: Any, samples: Samples) -> dict[str, float]:
    client.command(_TABLE.format(name="hour", order="(ts, host, pid)"))
    count = 0
    seconds = 0.0
    for batch in samples.batches(samples.hour):
        begin = time.process_time()
        client.insert_arrow("hour", batch)
        seconds += time.process_time() - begin
        count += len(batch)
    begin = time.process_time()
    client.command("OPTIMIZE TABLE hour FINAL")
    seconds += time.process_time() - begin
    ((size,),) = client.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'hour'").result_rows
    client.command("DROP TABLE hour")
    return {"intake": seconds * 1e6 / count, "bytes": size / count}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Samples(Path(sys.argv[1])), Path(sys.argv[2]))))
