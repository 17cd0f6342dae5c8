"""`python -m bench.store_jobs.sample_rows`: the same fleets as rows, for the peers that are measured too."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.fleets import HOUR, Million
from procession.process import ProcessNumbers, Sighting
from procession.simulate import Fleet, FleetShape

TEXTS = ("cmdline", "exe", "cwd", "command", "user", "container_id")
WHOLE = ("rss_bytes", "vms_bytes", "threads", "open_files", "voluntary_switches", "involuntary_switches")
FLOATS = (
    "cpu_total_percent",
    "cpu_user_percent",
    "cpu_system_percent",
    "read_bytes_per_second",
    "write_bytes_per_second",
    "read_operations_per_second",
    "write_operations_per_second",
)
ROWS_IN_A_GROUP = 100_000

Row = tuple[int, str, Sighting]
"""When, on which host, what."""


def of_an_hour(shape: FleetShape) -> Iterator[Row]:
    for step in Fleet(shape).steps(shape.begin_at + HOUR):
        for sighting in step.snapshot.sightings:
            yield step.snapshot.taken_at, step.snapshot.host, sighting


def newest(shape: FleetShape, until: int) -> Iterator[Row]:
    """What a window holds: each process once, as it was last."""
    found: dict[tuple[str, int], Row] = {}
    for step in Fleet(shape).steps(until):
        for sighting in step.snapshot.sightings:
            found[step.snapshot.host, sighting.pid] = (step.snapshot.taken_at, step.snapshot.host, sighting)
    yield from found.values()


def of_a_day(data: Million) -> Iterator[Row]:
    for step in Fleet(data.day).steps(data.begun_at):
        for sighting in step.snapshot.sightings:
            yield step.snapshot.taken_at, step.snapshot.host, sighting


def write(rows: Iterable[Row], path: Path) -> None:
    writer: pq.ParquetWriter | None = None
    group: list[Row] = []

    def flush() -> None:
        nonlocal writer, group
        table = _table(group)
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
        group = []

    for row in rows:
        group.append(row)
        if len(group) == ROWS_IN_A_GROUP:
            flush()
    if group:
        flush()
    if writer is not None:
        writer.close()


def _table(rows: list[Row]) -> pa.Table:
    sightings = [row[2] for row in rows]
    descriptions = [one.description for one in sightings]
    numbers: list[ProcessNumbers] = [one.numbers for one in sightings]

    def column(items: Iterable[Any], name: str, kind: pa.DataType) -> pa.Array:
        return pa.array([getattr(item, name) for item in items], kind)

    return pa.table(
        {
            "ts": pa.array([row[0] for row in rows], pa.int64()),
            "host": pa.array([row[1] for row in rows], pa.string()),
            "pid": column(sightings, "pid", pa.int64()),
            "started_at": column(sightings, "started_at", pa.int64()),
            "ppid": column(descriptions, "ppid", pa.int64()),
            "uid": column(descriptions, "uid", pa.int64()),
            **{name: column(descriptions, name, pa.string()) for name in TEXTS},
            "tags": pa.array([list(one.tags) for one in descriptions], pa.list_(pa.string())),
            "state": column(numbers, "state", pa.string()),
            **{name: column(numbers, name, pa.int64()) for name in WHOLE},
            **{name: column(numbers, name, pa.float32()) for name in FLOATS},
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hosts", type=int, required=True)
    parser.add_argument("--begun-at", type=int, required=True)
    parser.add_argument("--now", type=int, required=True)
    parser.add_argument("--day-hosts", type=int, required=True)
    parser.add_argument("--hour-hosts", type=int, required=True)
    parser.add_argument("--hour-begin", type=int, required=True)
    options = parser.parse_args()
    data = Million(options.hosts, options.begun_at, options.now, day_hosts=options.day_hosts)
    options.folder.mkdir(parents=True, exist_ok=True)
    hour = FleetShape(hosts=options.hour_hosts, begin_at=options.hour_begin)
    write(of_an_hour(hour), options.folder / "hour.parquet")
    write(newest(data.recent, data.now), options.folder / "window.parquet")
    if data.day_hosts:
        write(of_a_day(data), options.folder / "day.parquet")


if __name__ == "__main__":
    main()
