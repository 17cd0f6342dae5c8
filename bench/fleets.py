"""The data that is measured on: simulated fleets, the same in every run but for when they lived."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.served import procession
from procession.simulate import Fleet, FleetShape

HOUR = 3600
INTERVAL_SECONDS = 180
"""From one sighting of a process in the window to the next."""
SEED_OF_DAY = 2
SEED_OF_LOAD = 7
OUR_PAYLOAD, DATADOG_PAYLOAD = 1000, 100
"""Processes in one, at most. Simulated hosts have 300: each then sends one, or three."""


@dataclass(frozen=True, slots=True)
class Million:
    """Three fleets in one store: what a window of 15 minutes holds, the same three days ago, and a host for a day."""

    hosts: int
    begun_at: int
    """When the run began: the day ends then, and three days are counted from it."""
    now: int
    """Where the window ends."""
    processes: int = 300
    seconds: int = 6 * INTERVAL_SECONDS
    interval_seconds: int = INTERVAL_SECONDS
    """Thin: agents take a snapshot each 10 s. What a window costs goes by its processes, hardly by their sightings."""
    day_hosts: int = 1

    @property
    def recent(self) -> FleetShape:
        return FleetShape(
            hosts=self.hosts,
            processes=self.processes,
            begin_at=self.now - self.seconds,
            interval_seconds=self.interval_seconds,
        )

    @property
    def before(self) -> FleetShape:
        """At one instant three days ago, and half a minute before it."""
        return FleetShape(hosts=self.hosts, processes=self.processes, begin_at=self.instant - 60, interval_seconds=30)

    @property
    def instant(self) -> int:
        # In the midst of an hour, so that one hour holds it.
        return (self.begun_at - 3 * 24 * HOUR) // HOUR * HOUR + HOUR // 2

    @property
    def day(self) -> FleetShape:
        return FleetShape(
            hosts=self.day_hosts, processes=self.processes, begin_at=self.begun_at - 24 * HOUR, seed=SEED_OF_DAY
        )

    @property
    def host_of_day(self) -> str:
        return Fleet(self.day).hosts[0].traits.name


def write(shape: FleetShape, until: int, data_dir: Path) -> str:
    """Into a store, in a process of its own; gives what it said."""
    command = procession(
        "simulate",
        *_options(shape),
        *("--hours", repr((until - shape.begin_at) / HOUR), "--data-dir", str(data_dir)),
    )
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment()).stdout


def post_command(shape: FleetShape, seconds: float, url: str, api_key: str) -> tuple[list[str], dict[str, str]]:
    """The command and its environment that post a fleet to a server, as fast as it takes it."""
    command = procession(
        "simulate",
        *_options(shape),
        *("--hours", repr(seconds / HOUR), "--url", url, "--speed", "max"),
        *("--processes-per-payload", str(OUR_PAYLOAD)),
    )
    return command, environment() | {"DD_API_KEY": api_key}


def _options(shape: FleetShape) -> list[str]:
    return [
        *("--hosts", str(shape.hosts), "--processes", str(shape.processes), "--seed", str(shape.seed)),
        *("--churn", str(shape.churn), "--interval-seconds", str(shape.interval_seconds)),
        *("--from", str(shape.begin_at)),
    ]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROCESSION_", "DD_"))}
    return kept | {"PROCESSION_CONFIG": os.devnull}
