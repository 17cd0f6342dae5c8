"""What a server costs that fleets as they are post to: a few hosts or many, each at its own pace, and a page open.

python -m bench.measure.fleets FOLDER [--hosts 1 20 100] [--seconds 60] [--format columns]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import machine
from bench.fleets import HOUR
from bench.open_page import OWN, PUBLIC, open_page, resting_cpu_ms
from bench.paced_fleet import FORMATS, FleetProcess, Posted, fleet_process
from bench.rows import Measurement
from bench.served import Server, serving
from procession.simulate import FleetShape

PROCESSES = 300
INTERVAL_SECONDS = 10
IDLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class FleetRun:
    """How long a fleet is measured, once all of its hosts have been seen."""

    hosts: int
    seconds: float
    """With a page open."""
    alone_seconds: float = 0.0
    """Before that, without. Where there is such a time, all that is not about the page is measured in it."""
    warm_seconds: float = INTERVAL_SECONDS
    """Before both, what does not count: a snapshot of each host, after a pause in which payloads were made."""
    wire_format: str = "datadog"
    waits_for_flush: bool = True
    """Whether all of the first snapshots is in the history before anything else is measured, which takes a minute. Else
    what their processes cost there is missing, and is in what is measured after them."""

    @property
    def snapshots(self) -> int:
        """Of each host, at most."""
        return math.ceil((self.warm_seconds + self.alone_seconds + self.seconds) / INTERVAL_SECONDS)

    @property
    def key(self) -> str:
        return f"fleet_{self.hosts}" + ("" if self.wire_format == "datadog" else f"_{self.wire_format}")


# A page costs more than one host does.
RUNS = (
    FleetRun(1, 20, alone_seconds=40),
    *(FleetRun(hosts, 120) for hosts in (20, 100, 1000)),
    *(FleetRun(hosts, 120, wire_format="columns") for hosts in (20, 100, 1000)),
)
LONG_RUNS = (FleetRun(5000, 60, wire_format="columns"),)
QUICK_RUNS = (
    FleetRun(1, 4, alone_seconds=10, warm_seconds=0, waits_for_flush=False),
    FleetRun(100, 12, warm_seconds=0, waits_for_flush=False),
)


def measure_fleets(
    folder: Path, runs: Sequence[FleetRun] = RUNS, *, idle_seconds: float = IDLE_SECONDS
) -> dict[str, Measurement]:
    """Each with a server of its own. The first is measured before its fleet comes, too, where there is time for it."""
    found: dict[str, Measurement] = {}
    for number, run in enumerate(runs):
        place = folder / run.key
        place.mkdir(parents=True)
        begin = time.monotonic()
        with serving(place) as server:
            if idle_seconds and not number:
                found |= _measure_idle(server, idle_seconds)
            found |= _measure(server, run)
        print(f"  {run.hosts:,} hosts, {run.wire_format}: {time.monotonic() - begin:,.0f} s", flush=True)
    return found


def _measure_idle(server: Server, seconds: float) -> dict[str, Measurement]:
    server.wait_until_idle(seconds=10)
    cpu, begin = server.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    share = (server.cpu_seconds() - cpu) / (time.monotonic() - begin)
    return {
        "fleet_0_share": Measurement({"value": share * 100}),
        "fleet_0_memory": Measurement({"value": server.resident_mib()}),
    }


def _measure(server: Server, run: FleetRun) -> dict[str, Measurement]:
    shape = FleetShape(
        hosts=run.hosts, processes=PROCESSES, interval_seconds=INTERVAL_SECONDS, begin_at=int(time.time())
    )
    with fleet_process(server.url, server.api_key, shape, run.wire_format) as fleet:
        first = _measure_first(server, fleet, waits_for_flush=run.waits_for_flush)
        fleet.begin_making(run.snapshots)
        begin_at = fleet.made() + run.warm_seconds
        open_at = begin_at + run.alone_seconds
        alone = _measure_stretch(server, fleet, begin_at, open_at) if run.alone_seconds else None
        with open_page(server) as page:
            measured = _measure_stretch(server, fleet, open_at, open_at + run.seconds)
    from_history = server.answers_of_history()
    server.wait_until_idle(seconds=10)
    calls = page.calls(since=open_at)
    page_note = (
        f"{calls} calls, {resting_cpu_ms(server):.3g} ms of CPU each on average while nothing else happens;"
        f" the history answered {from_history} questions"
    )
    return {
        f"{run.key}_first": Measurement({"value": first}),
        **_rows_of(run, alone or measured, "" if alone else page_note),
        f"{run.key}_page": Measurement(page.figures(PUBLIC, since=open_at), page_note if alone else ""),
        f"{run.key}_own_page": Measurement(page.figures(OWN, since=open_at)),
    }


def _measure_first(server: Server, fleet: FleetProcess, *, waits_for_flush: bool) -> float:
    """µs of the server's CPU for each process of the first snapshots, until it has come to rest."""
    fleet.begin_making(1)
    fleet.made()
    server.wait_until_idle(seconds=10)
    cpu = server.cpu_seconds()
    fleet.begin_posting()
    posted = fleet.posted()
    if waits_for_flush:
        server.wait_until_flushed(seconds=120)
    server.wait_until_idle(seconds=30)
    return (server.cpu_seconds() - cpu) * 1e6 / posted.sightings


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Some time at the pace of the fleet."""

    posted: Posted
    seconds: float
    cpu_seconds: float
    resident_mib: float
    begins_an_hour: bool


def _measure_stretch(server: Server, fleet: FleetProcess, begin_at: float, until: float) -> _Stretch:
    fleet.begin_posting(measured_from=begin_at, until=until)
    _sleep_until(begin_at)
    cpu, begin = server.cpu_seconds(), time.time()
    _sleep_until(until)
    spent, end = server.cpu_seconds() - cpu, time.time()
    memory = server.resident_mib()
    return _Stretch(fleet.posted(), end - begin, spent, memory, int(begin) // HOUR != int(end) // HOUR)


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.time()))


def _rows_of(run: FleetRun, measured: _Stretch, page_note: str) -> dict[str, Measurement]:
    posted = measured.posted
    if not posted.payloads:
        raise RuntimeError(f"no payload of {run.hosts:,} hosts was answered")
    return {
        f"{run.key}_cpu": Measurement(
            {"value": measured.cpu_seconds * 1e6 / posted.sightings}, _note(measured, page_note)
        ),
        f"{run.key}_share": Measurement({"value": measured.cpu_seconds * 100 / measured.seconds}),
        f"{run.key}_memory": Measurement({"value": measured.resident_mib}),
        f"{run.key}_answer": Measurement({"p50": posted.p50, "p99": posted.p99}, _pace_note(posted)),
    }


def _note(measured: _Stretch, page_note: str) -> str:
    """What is in the CPU of the server."""
    posted = measured.posted
    parts = [
        f"{posted.sightings:,} sightings in {measured.seconds:.0f} s",
        f"the process that posts took {posted.cpu_seconds * 100 / measured.seconds:.2g} % of a core",
        f"the page is in it: {page_note}" if page_note else "without a page",
        "an hour began in it, in which everything is told anew" if measured.begins_an_hour else "",
    ]
    return "; ".join(filter(None, parts))


def _pace_note(posted: Posted) -> str:
    late = f"up to {posted.late_seconds:.1f} s behind the pace" if posted.late_seconds >= 1 else ""
    retries = f"{posted.retries} sent again" if posted.retries else ""
    return "; ".join(filter(None, (late, retries)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hosts", type=int, nargs="+", default=[run.hosts for run in RUNS])
    parser.add_argument("--format", choices=sorted(FORMATS), default="datadog", help="what the agents post")
    parser.add_argument("--seconds", type=float, help="with a page open")
    options = parser.parse_args()
    runs = [replace(run, wire_format=options.format) for run in RUNS[:4] if run.hosts in options.hosts]
    if options.seconds:
        runs = [replace(run, seconds=options.seconds) for run in runs]
    print(f"Load before: {machine.load()}", flush=True)
    for key, measured in measure_fleets(options.folder, runs).items():
        figures = ", ".join(f"{name} {value:.4g}" for name, value in measured.figures.items())
        print(f"{key:20} {figures:40} {measured.note}")
    print(f"Load after: {machine.load()}", flush=True)


if __name__ == "__main__":
    main()
