"""What a process costs as columns and in Datadog's format: CPU of the agent and of the server's decoder, and bytes.

    python -m bench.columns [--processes 300] [--moved 0.16]

Without `--moved`, hosts of the simulated fleet. CPU times are of the thread, medians of all snapshots after the first.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from procession.process import Snapshot
from procession.simulate.fleet import Fleet
from procession.simulate.shape import FleetShape
from procession.wire.columns import layout
from procession.wire.columns.decoder import ColumnsDecoder
from procession.wire.columns.encoder import ColumnsEncoder
from procession.wire.datadog import Limits, MessageType, SnapshotDecoder, SnapshotEncoder, frame

T = TypeVar("T")

BEGIN = 1_700_000_000
MAX_BYTES = 2**26


def fleet(processes: int, hosts: int, count: int) -> Iterator[Snapshot]:
    shape = FleetShape(hosts=hosts, processes=processes, begin_at=BEGIN, with_host_tags=False)
    return (step.snapshot for step in Fleet(shape).steps(BEGIN + 10 * count))


def moving(processes: int, hosts: int, count: int, share: float) -> Iterator[Snapshot]:
    """The same hosts, on which nobody comes or goes, and a fixed share moves."""
    chance = random.Random(1)
    now = {snapshot.host: snapshot for snapshot in fleet(processes, hosts, 1)}
    for _ in range(count):
        for host, snapshot in now.items():
            yield snapshot
            sightings = list(snapshot.sightings)
            for place in chance.sample(range(len(sightings)), round(share * len(sightings))):
                numbers = msgspec.structs.replace(
                    sightings[place].numbers,
                    cpu_total_percent=chance.random() * 10,
                    rss_bytes=chance.randrange(2**16) * 4096,
                    voluntary_switches=chance.randrange(2**20),
                )
                sightings[place] = msgspec.structs.replace(sightings[place], numbers=numbers)
            now[host] = msgspec.structs.replace(snapshot, sightings=tuple(sightings))


class Costs:
    def __init__(self) -> None:
        self._values: defaultdict[str, list[float]] = defaultdict(list)
        self._decoder, self._datadog_decoder = ColumnsDecoder(Limits()), SnapshotDecoder(Limits())
        self._encoders: dict[str, tuple[ColumnsEncoder, SnapshotEncoder]] = {}

    def measure(self, snapshot: Snapshot) -> None:
        host, count = snapshot.host, len(snapshot.sightings)
        when = "then" if host in self._encoders else "first"
        columns, datadog = self._encoders.setdefault(host, (ColumnsEncoder(len(self._encoders)), SnapshotEncoder()))

        def timed(name: str, work: Callable[[], T]) -> T:
            begun = time.thread_time()
            result = work()
            self._values[f"{when}: {name}, µs"].append((time.thread_time() - begun) / count * 1e6)
            return result

        frames = timed("agent, columns", lambda: columns.encode(snapshot))
        data = frames.changes or frames.whole
        timed("server, columns", lambda: self._decode(data))
        bodies = timed(
            "agent, Datadog's format",
            lambda: [
                frame.encode(MessageType.PROCESSES, body) for body in datadog.encode(snapshot, max_processes=1000)
            ],
        )
        timed(
            "server, Datadog's format",
            lambda: [self._datadog_decoder.decode(frame.decode(body), taken_at=snapshot.taken_at) for body in bodies],
        )
        for name, size in (
            ("whole", len(frames.whole)),
            ("changes", len(data)),
            ("Datadog's format", sum(map(len, bodies))),
        ):
            self._values[f"{when}: {name}, bytes"].append(size / count)
        self._values[f"{when}: moved, %"].append(100 * _moved(data) / count)

    def _decode(self, data: bytes) -> None:
        self._decoder.decode(layout.decode_head(data), layout.decode_body(data, MAX_BYTES), taken_at=BEGIN)

    def show(self) -> None:
        for name, values in sorted(self._values.items()):
            print(f"{name:36}{statistics.median(values):8.2f}")


def _moved(data: bytes) -> int:
    body = layout.parse_body(layout.decode_body(data, MAX_BYTES), layout.BodyLimits(10**6, 10**6, MAX_BYTES))
    return sum(body.moved)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=300)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--moved", type=float)
    options = parser.parse_args()
    sizes = (options.processes, options.hosts, options.count)
    costs = Costs()
    for snapshot in fleet(*sizes) if options.moved is None else moving(*sizes, options.moved):
        costs.measure(snapshot)
    costs.show()


if __name__ == "__main__":
    main()
