"""Look at this machine's /proc for some minutes and write down, as figures only, how its processes behave.

    .venv/bin/python bench/record_profile.py --minutes 10 src/procession/simulate/profile.json

The simulated fleet takes its distributions from that file. There is no name, path, address or command line in it.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from procession.agent.describe.collector import Collector
from procession.agent.read.proc_reader import ProcReader
from procession.process import ProcessNumbers, Sighting

QUANTILES = (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100)
STAYING_SNAPSHOTS = 6
RATES = (
    "cpu_total_percent",
    "read_bytes_per_second",
    "write_bytes_per_second",
    "read_operations_per_second",
    "write_operations_per_second",
)
GAUGES = ("rss_bytes", "vms_bytes", "threads", "open_files")
COUNTERS = ("voluntary_switches", "involuntary_switches")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--interval-seconds", type=float, default=10)
    options = parser.parse_args()
    profile = record(int(options.minutes * 60 / options.interval_seconds), options.interval_seconds)
    options.output.write_text(_shown(profile) + "\n", encoding="utf-8")


def record(count: int, interval_seconds: float) -> dict[str, Any]:
    snapshots = list(_snapshots(count, interval_seconds))[1:]  # the first has no rates
    return {
        "what": "how the processes of one machine behaved; figures only, lists are quantiles",
        "quantiles": QUANTILES,
        "snapshots": len(snapshots),
        "interval_seconds": interval_seconds,
        "processes": _quantiles([len(snapshot) for snapshot in snapshots]),
    } | _behaviour(snapshots)


def _snapshots(count: int, interval_seconds: float) -> Iterable[dict[tuple[int, int], Sighting]]:
    reader = ProcReader()
    collector = Collector(
        host="this",
        ticks_per_second=reader.ticks_per_second,
        page_bytes=reader.page_bytes,
        scrub=lambda arguments: arguments,
    )
    begin = time.monotonic()
    for number in range(count + 1):
        time.sleep(max(0.0, begin + number * interval_seconds - time.monotonic()))
        snapshot = collector.collect(reader.read(), taken_at=int(time.time()), moment=time.monotonic())
        yield {(one.pid, one.started_at): one for one in snapshot.sightings}


def _behaviour(snapshots: Sequence[dict[tuple[int, int], Sighting]]) -> dict[str, Any]:
    sightings = changed = redescribed = ended = begun = active = 0
    seen: collections.Counter[tuple[int, int]] = collections.Counter()
    moved: collections.Counter[tuple[int, int]] = collections.Counter()
    fields: collections.Counter[str] = collections.Counter()
    values: dict[str, list[float]] = collections.defaultdict(list)
    for before, after in itertools.pairwise(snapshots):
        begun += len(after.keys() - before.keys())
        ended += len(before.keys() - after.keys())
        for key in before.keys() & after.keys():
            old, new = before[key], after[key]
            sightings += 1
            seen[key] += 1
            redescribed += old.description != new.description
            active += bool(new.numbers.cpu_total_percent)
            differing = _differing(old.numbers, new.numbers)
            if differing:
                changed += 1
                moved[key] += 1
                fields.update(differing)
                _note_changes(values, old.numbers, new.numbers, differing)
    # What lives for a moment is known by its lifetime; the rest is about those that stay.
    staying = {
        key: sighting
        for snapshot in snapshots
        for key, sighting in snapshot.items()
        if seen[key] >= STAYING_SNAPSHOTS and not sighting.description.is_zombie
    }
    share_moved = [moved[key] / seen[key] for key in staying]
    texts = [sighting.description.cmdline for sighting in staying.values()]
    return {
        "sightings": sightings,
        "share_of_sightings_with_a_changed_number": changed / sightings,
        "share_of_sightings_with_cpu": active / sightings,
        "share_of_sightings_with_a_new_description": redescribed / sightings,
        "begun_per_snapshot": begun / (len(snapshots) - 1),
        "ended_per_snapshot": ended / (len(snapshots) - 1),
        "share_changed_by_process": _quantiles(share_moved),
        "changed_field_given_any": {name: count / changed for name, count in fields.most_common()},
        "when_changed": {name: _quantiles(found) for name, found in sorted(values.items())},
        "lifetime_in_snapshots_of_those_seen_begin_and_end": _quantiles(_lifetimes(snapshots)),
        "cmdline_characters": _quantiles([len(text) for text in texts]),
        "share_of_distinct_cmdlines": len(set(texts)) / len(texts),
        "levels": {
            name: _quantiles([value for one in staying.values() if (value := getattr(one.numbers, name)) is not None])
            for name in GAUGES
        },
    }


def _differing(old: ProcessNumbers, new: ProcessNumbers) -> list[str]:
    return [name for name in ProcessNumbers.__struct_fields__ if getattr(old, name) != getattr(new, name)]


def _note_changes(
    values: dict[str, list[float]], old: ProcessNumbers, new: ProcessNumbers, differing: Sequence[str]
) -> None:
    for name in RATES:
        if value := getattr(new, name):
            values[name].append(value)
    for name in differing:
        one, other = getattr(old, name), getattr(new, name)
        if name in GAUGES and one:
            values[f"{name} by the part"].append((other - one) / one)
        elif name in COUNTERS and one is not None:
            values[f"{name} by"].append(other - one)


def _lifetimes(snapshots: Sequence[dict[tuple[int, int], Sighting]]) -> list[int]:
    counts = collections.Counter(key for snapshot in snapshots for key in snapshot)
    return [count for key, count in counts.items() if key not in snapshots[0] and key not in snapshots[-1]]


def _quantiles(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.4g}") for value in np.percentile(values, QUANTILES)] if values else []


def _shown(profile: dict[str, Any]) -> str:
    """With a line for each figure or list, so that two recordings can be compared."""
    return re.sub(r"\[[^\]]*\]", lambda found: " ".join(found[0].split()), json.dumps(profile, indent=1))


if __name__ == "__main__":
    main()
