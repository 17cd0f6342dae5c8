"""What it costs to take sightings in, and how much room they need."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from bench.fleets import HOUR, post_command, write
from bench.rows import Measured
from bench.served import Server, serving
from procession.simulate import FleetShape

HOSTS = 300
SNAPSHOTS = 30


def measure_intake(folder: Path, *, hosts: int = HOSTS, snapshots: int = SNAPSHOTS) -> dict[str, Measured]:
    """A fleet posts as fast as the server takes it. What the server does later of itself, merging, counts."""
    # Within one hour, since each begins with all texts anew: that is the first row.
    begin_at = (int(time.time()) // HOUR - 1) * HOUR + 60
    shape = FleetShape(hosts=hosts, begin_at=begin_at)
    with serving(folder) as server:
        first, _, first_sightings = _post(server, shape, shape.interval_seconds)
        cpu, wall, sightings = _post(server, shape, snapshots * shape.interval_seconds)
    return {
        "intake_first": Measured({"value": first * 1e6 / first_sightings}),
        "intake": Measured({"value": cpu * 1e6 / sightings}, f"{hosts} hosts × {shape.processes} processes"),
        "intake_rate": Measured({"value": sightings / wall}),
    }


def _post(server: Server, shape: FleetShape, seconds: int) -> tuple[float, float, int]:
    """The server's CPU seconds, the wall's, and the number of sightings."""
    command, environment = post_command(shape, seconds, server.url, server.api_key, speed="max")
    cpu, begin = server.cpu_seconds(), time.monotonic()
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    wall = time.monotonic() - begin
    server.wait_until_idle()
    found = re.search(r"Posted ([\d,]+) sightings", said)
    if found is None:
        raise RuntimeError(f"the fleet did not say what it posted: {said}")
    return server.cpu_seconds() - cpu, wall, int(found[1].replace(",", ""))


def measure_memory(folder: Path, *, hosts: int, snapshots: int) -> dict[str, Measured]:
    """Of a server that a large fleet posts to, as fast as it takes it."""
    shape = FleetShape(hosts=hosts, begin_at=int(time.time()) - (snapshots + 1) * 10)
    with serving(folder) as server:
        _post(server, shape, shape.interval_seconds)
        begun = server.resident_mib()
        cpu, wall, sightings = _post(server, shape, snapshots * shape.interval_seconds)
        ended = server.resident_mib()
    note = (
        f"{hosts:,} hosts × {shape.processes}, {snapshots} snapshots in {wall:,.0f} s of wall,"
        f" {cpu * 1e6 / sightings:.3g} µs of CPU per sighting"
    )
    return {"memory": Measured({"value": ended}, note), "memory_hour": Measured({"value": ended - begun}, note)}


def measure_bytes(folder: Path, shape: FleetShape) -> Measured:
    """An hour of hosts, written and merged. All tables count, with their indexes."""
    write(shape, shape.begin_at + HOUR, folder)
    said = subprocess.run(
        [sys.executable, "-m", "bench.disk", str(folder)], check=True, capture_output=True, text=True
    ).stdout
    tables = json.loads(said)
    sightings = tables.pop("sightings")
    shares = ", ".join(f"{name} {size / sightings:.2f}" for name, size in tables.items() if size / sightings >= 0.005)
    return Measured({"value": sum(tables.values()) / sightings}, f"{shape.hosts} hosts for an hour; {shares}")
