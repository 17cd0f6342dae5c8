"""What is measured, one after the other. Each stage has a folder of its own, and adds what it finds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.fleets import HOUR, Million, write
from bench.measure.agents import measure_agents
from bench.measure.fleets import LONG_RUNS, measure_fleets
from bench.measure.intake import measure_bytes, measure_intake, measure_memory
from bench.measure.queries import (
    containers,
    curves,
    discovered,
    instants,
    pages,
    while_intake_runs,
    while_overloaded,
    wide,
)
from bench.measure.write_ahead_log import measure_log
from bench.peers.installed import postgresql
from bench.rows import Measurement
from bench.served import serving
from procession.simulate import FleetShape

HOUR_HOSTS = 12
"""Whose hour shows the bytes of a sighting, in each of the stores."""
ASSUMED_RATE = 40_000.0
"""Sightings a second, where none was measured before."""
_PEERS_HAVE_LESS = (
    "peers are asked in their own process or over their own socket, not over HTTP; DuckDB and PostgreSQL hold each"
    " process once, as it is now, and so have no window to look through"
)


@dataclass(slots=True)
class Run:
    """One run of all stages."""

    data: Million
    hour: FleetShape
    found: dict[str, Measurement] = field(default_factory=dict)

    @classmethod
    def begin(cls, hosts: int, *, hour_hosts: int = HOUR_HOSTS, day_hosts: int = 1) -> Run:
        now = int(time.time())
        # A whole hour, in which everything is said once.
        hour = FleetShape(hosts=hour_hosts, begin_at=(now // HOUR - 3) * HOUR)
        return cls(Million(hosts, now, now, day_hosts=day_hosts), hour)


Stage = Callable[[Run, Path], None]


def intake(run: Run, folder: Path) -> None:
    run.found |= measure_intake(folder)


def disk(run: Run, folder: Path) -> None:
    run.found["bytes"] = measure_bytes(folder, run.hour)


def million(run: Run, folder: Path, *, runs: int = 100, few: int = 20, with_load: bool = True) -> None:
    data = run.data
    if data.day_hosts:
        write(data.day, data.begun_at, folder)
        _run("bench.store_jobs.roll_up", str(folder))
    write(data.before, data.instant + 1, folder)
    _run("bench.store_jobs.merge_day", str(folder), str(data.instant // (24 * HOUR)))
    # Last, since the window ends when it is asked for: the default call is asked, not one of the past.
    data = run.data = replace(data, now=int(time.time()))
    write(data.recent, data.now, folder)
    told = _run("bench.store_jobs.tell_of_containers", str(folder), str(data.now), str(data.hosts // 7))
    with serving(folder) as server:
        server.wait_until_idle(seconds=60)
        run.found |= pages(server, runs=runs, few=few)
        run.found |= instants(server, data, runs=runs, few=few)
        run.found |= discovered(server, data.now - 5, runs=few)
        run.found |= containers(server, data.now, told.strip(), runs=few)
        if data.day_hosts:
            run.found |= curves(server, data, runs=few)
        run.found["page"].note += f", a sighting each {data.interval_seconds} s"
        if with_load:
            measured = run.found["intake_rate"].figures["value"] if "intake_rate" in run.found else ASSUMED_RATE
            run.found |= while_intake_runs(server, run.found, rate=measured / 2, runs=runs)
            run.found |= while_overloaded(server, run.found, rate=measured, runs=runs)


def memory(run: Run, folder: Path) -> None:
    run.found["memory"] = measure_memory(folder, hosts=5000, snapshots=1)["memory"]


def peers(run: Run, folder: Path, *, only: tuple[str, ...] = (), seconds: float = 6) -> None:
    """`seconds` at most for the runs of one query of theirs."""
    data, samples = run.data, folder / "samples"
    _run(
        "bench.store_jobs.sample_rows",
        str(samples),
        *("--hosts", str(data.hosts), "--begun-at", str(data.begun_at), "--now", str(data.now)),
        *("--day-hosts", str(data.day_hosts)),
        *("--hour-hosts", str(run.hour.hosts), "--hour-begin", str(run.hour.begin_at)),
    )
    modules = {"DuckDB": "duckdb_peer", "ClickHouse": "clickhouse_peer"}
    if postgresql() is not None:
        modules["PostgreSQL"] = "postgres_peer"
    for peer, module in modules.items():
        if only and peer not in only:
            continue
        place = folder / module
        place.mkdir()
        begin = time.monotonic()
        said = _run(f"bench.peers.{module}", str(samples), str(place), BENCH_SECONDS=str(seconds))
        for key, value in json.loads(said).items():
            run.found.setdefault(key, Measurement()).peers[peer] = value
        print(f"  {peer}: {time.monotonic() - begin:,.0f} s", flush=True)
    for key, note in (("intake", "peers without HTTP and decoding"), ("page", _PEERS_HAVE_LESS)):
        if key in run.found:
            run.found[key].note = "; ".join(filter(None, (run.found[key].note, note)))


def agents(run: Run, folder: Path) -> None:
    run.found |= measure_agents(folder)


def log(run: Run, folder: Path) -> None:
    run.found |= measure_log(folder)


def monitors(run: Run, folder: Path) -> None:
    for key, by in (("monitors", ()), ("monitors_by_host", ("host",))):
        place = folder / key
        place.mkdir()
        said = _run("bench.store_jobs.evaluate_monitors", str(place), "1000", "1000", *by)
        share, mebibytes = said.split()
        note = f"{int(mebibytes):,} MiB of memory at most, with the fleet that is simulated in it"
        run.found[key] = Measurement({"value": float(share)}, note)


def fleets(run: Run, folder: Path) -> None:
    run.found |= measure_fleets(folder)


def large_fleet(run: Run, folder: Path) -> None:
    run.found |= measure_fleets(folder, LONG_RUNS, idle_seconds=0)


def long_memory(run: Run, folder: Path) -> None:
    """An hour of the fleet's time, with a snapshot each five minutes: as many processes, texts and hours."""
    found = measure_memory(folder, hosts=5000, snapshots=12, interval_seconds=300)
    run.found["memory_hour"] = found["memory_hour"]


def ten_million(run: Run, folder: Path) -> None:
    """Ten fleets, with two sightings of each process and nothing before them."""
    data = replace(run.data, seconds=120, interval_seconds=60, day_hosts=0, now=int(time.time()))
    for seed in range(10, 20):
        write(replace(data.recent, seed=seed), data.now, folder)
    with serving(folder) as server:
        server.wait_until_idle(seconds=300)
        run.found |= wide(server, data.now, runs=50)
    count = f"{10 * data.hosts * data.processes:,} processes, two sightings of each, written directly"
    for key in ("page_10m", "rare_10m", "facets_10m"):
        run.found[key].note = "; ".join(filter(None, (count, run.found[key].note)))


def seven_days(run: Run, folder: Path) -> None:
    """The instant three days ago, with each of the days around it as full."""
    data = run.data
    for days in range(-4, 3):
        shape = replace(data.before, begin_at=data.before.begin_at + days * 24 * HOUR)
        write(shape, shape.begin_at + 61, folder)
        _run("bench.store_jobs.merge_day", str(folder), str(shape.begin_at // (24 * HOUR)))
    with serving(folder) as server:
        found = instants(server, data, runs=50, few=10)
    for key in ("instant", "instant_numbers", "instant_sums", "instant_top_cpu"):
        found[key].note = "a minute of each of seven days, written directly"
        run.found[f"{key}_days"] = found[key]


def _run(module: str, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | environment).stdout


STAGES: dict[str, Stage] = {
    "intake": intake,
    "disk": disk,
    "million": million,
    "peers": peers,
    "memory": memory,
    "agents": agents,
    "log": log,
    "monitors": monitors,
    "fleets": fleets,
}
LONG: dict[str, Stage] = {
    "ten_million": ten_million,
    "seven_days": seven_days,
    "large_fleet": large_fleet,
    "memory_hour": long_memory,
}
