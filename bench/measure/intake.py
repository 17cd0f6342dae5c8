"""What it costs to take sightings in, and how much room they need."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from bench.fleets import DATADOG_PAYLOAD, HOUR, OUR_PAYLOAD, post_command, write
from bench.load import Load, load_process
from bench.rows import Measurement
from bench.served import Server, serving
from procession.simulate import FleetShape

HOSTS = 300
SNAPSHOTS = 30


def measure_intake(folder: Path, *, hosts: int = HOSTS, snapshots: int = SNAPSHOTS) -> dict[str, Measurement]:
    """A fleet posts as fast as the server takes it. What the server does later of itself, merging, counts."""
    # Within one hour, since each begins with all texts anew: that is the first row.
    shape = FleetShape(hosts=hosts, begin_at=(int(time.time()) // HOUR - 1) * HOUR + 60)
    later = replace(shape, begin_at=shape.begin_at + 60 * shape.interval_seconds, seed=shape.seed + 1)
    note = f"{hosts} hosts × {shape.processes} processes, a connection each, payloads made before"
    with serving(folder) as server:
        first = _play(server, shape, 1, OUR_PAYLOAD)
        ours = _play(server, shape, snapshots, OUR_PAYLOAD)
    (folder / "chunks").mkdir()
    with serving(folder / "chunks") as server:
        _play(server, later, 1, DATADOG_PAYLOAD)
        theirs = _play(server, later, max(snapshots // 3, 2), DATADOG_PAYLOAD)
    return {
        "intake_first": Measurement({"value": first.cpu_microseconds}),
        "intake": Measurement({"value": ours.cpu_microseconds}, note),
        "intake_chunks": Measurement({"value": theirs.cpu_microseconds}),
        "intake_rate": Measurement({"value": ours.sightings / ours.seconds}),
    }


@dataclass(frozen=True, slots=True)
class Played:
    sightings: int
    seconds: float
    cpu_seconds: float
    """Of the server, until it has come to rest."""

    @property
    def cpu_microseconds(self) -> float:
        """For each sighting."""
        return self.cpu_seconds * 1e6 / self.sightings


def _play(server: Server, shape: FleetShape, snapshots: int, processes_per_payload: int) -> Played:
    wanted = Load(shape, snapshots * shape.interval_seconds, processes_per_payload)
    with load_process(server, wanted) as process:
        server.wait_until_idle()
        begin = server.cpu_seconds()
        process.go()
        said = process.said()
    if said["refused"]:
        raise RuntimeError(f"the server refused {said['refused']:,} payloads")
    server.wait_until_idle()
    return Played(int(said["sightings"]), said["seconds"], server.cpu_seconds() - begin)


def measure_memory(folder: Path, *, hosts: int, snapshots: int, interval_seconds: int = 10) -> dict[str, Measurement]:
    """Of a server that a large fleet posts to, as fast as it takes it; its payloads are made on the way."""
    begin_at = int(time.time()) - (snapshots + 1) * interval_seconds
    shape = FleetShape(hosts=hosts, begin_at=begin_at, interval_seconds=interval_seconds)
    with serving(folder) as server:
        _post(server, shape, 1)
        begun = server.resident_mib()
        posted = _post(server, shape, snapshots)
        ended = server.resident_mib()
    note = (
        f"{hosts:,} hosts × {shape.processes}, {snapshots} snapshots {interval_seconds} s apart in"
        f" {posted.seconds:,.0f} s of wall, {posted.cpu_microseconds:.3g} µs of CPU per sighting;"
        f" {begun:,.0f} MiB after the first"
    )
    return {"memory": Measurement({"value": ended}, note), "memory_hour": Measurement({"value": ended - begun}, note)}


def _post(server: Server, shape: FleetShape, snapshots: int) -> Played:
    seconds = snapshots * shape.interval_seconds
    command, environment = post_command(shape, seconds, server.url, server.api_key)
    cpu, begin = server.cpu_seconds(), time.monotonic()
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    wall = time.monotonic() - begin
    server.wait_until_idle()
    found = re.search(r"Posted ([\d,]+) sightings", said)
    if found is None:
        raise RuntimeError(f"the fleet did not say what it posted: {said}")
    return Played(int(found[1].replace(",", "")), wall, server.cpu_seconds() - cpu)


def measure_bytes(folder: Path, shape: FleetShape) -> Measurement:
    """An hour of hosts, written and merged. All tables count, with their indexes."""
    write(shape, shape.begin_at + HOUR, folder)
    said = subprocess.run(
        [sys.executable, "-m", "bench.store_jobs.disk_use", str(folder)], check=True, capture_output=True, text=True
    ).stdout
    tables = json.loads(said)
    sightings = tables.pop("sightings")
    shares = ", ".join(f"{name} {size / sightings:.2f}" for name, size in tables.items() if size / sightings >= 0.005)
    return Measurement({"value": sum(tables.values()) / sightings}, f"{shape.hosts} hosts for an hour; {shares}")
