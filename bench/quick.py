"""Two minutes: the same on little data, as multiples of what plain ClickHouse takes: the machine hardly counts then."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from bench import machine, report
from bench.measure.fleets import QUICK_RUNS, measure_fleets
from bench.measure.intake import measure_intake
from bench.rows import Measurement
from bench.stages import Run, Stage, disk, million, peers

HOSTS = 100
WORSE_BY = 1.5
COMPARED = (
    "intake",
    "bytes",
    "page",
    "middle",
    "page_100",
    "page_10000",
    "rare",
    "tags_100",
    "facets",
    "sums",
    "top_cpu",
    "instant_sums",
    "instant_top_cpu",
)
SCALED = {"fleet_1_cpu": "intake", "fleet_100_cpu": "intake", "fleet_100_first": "intake"}
"""Rows without peers, and that whose peer they are compared with: CPU time, as theirs is. What fleets wait for is not
compared: there is too little of it in a few seconds."""
_PEER = "ClickHouse"


def measure(folder: Path) -> dict[str, Measurement]:
    run = Run.begin(HOSTS, hour_hosts=2, day_hosts=0)
    stages: dict[str, Stage] = {
        "intake": lambda run, place: run.found.update(measure_intake(place, hosts=50, snapshots=8)),
        "disk": disk,
        "window": partial(million, runs=30, few=10, with_load=False),
        "fleets": lambda run, place: run.found.update(measure_fleets(place, QUICK_RUNS, idle_seconds=0)),
        "peers": partial(peers, only=(_PEER,), seconds=0.5),
    }
    for name, stage in stages.items():
        begin = time.monotonic()
        (folder / name).mkdir(parents=True)
        stage(run, folder / name)
        print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)
    return run.found


def ratios(document: dict[str, Any]) -> dict[str, float]:
    """Row -> how many times what the peer takes. CPU time or bytes where there is no other."""
    rows, found = document["rows"], {}
    for key, scale in ({key: key for key in COMPARED} | SCALED).items():
        if key in rows and scale in rows and rows[key]["figures"] and _PEER in rows[scale]["peers"]:
            figures = rows[key]["figures"]
            found[key] = figures.get("p50", figures.get("value")) / rows[scale]["peers"][_PEER]
    return found


def worse(now: dict[str, float], kept: dict[str, float]) -> dict[str, float]:
    """Rows that got worse by half or more, and by which factor."""
    factors = {key: now[key] / kept[key] for key in now.keys() & kept.keys()}
    return {key: factor for key, factor in sorted(factors.items()) if factor > WORSE_BY}


def compare(document: dict[str, Any]) -> dict[str, float]:
    """With the newest kept results, of the same kind of processor if there are any: Python and the engine gain
    differently from another one."""
    kept = report.newest("quick", cpu=machine.description()["cpu"])
    if kept is None:
        print("There are no results to compare with: keep these with --keep.")
        return {}
    now, before = ratios(document), ratios(kept)
    for key, ratio in now.items():
        print(f"  {key:15} {ratio:8.3g} × {_PEER}, kept {before.get(key, float('nan')):.3g}")
    return worse(now, before)
