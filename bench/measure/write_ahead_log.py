"""What it costs to write records ahead, and how long their acknowledgement takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from bench.rows import Measurement
from procession.storage.wal import Entry, LogLimits, WriteAheadLog

PAYLOAD_BYTES = 4900
"""Of 100 processes, as Datadog's Agent sends them."""
SECONDS = 10.0
SLOW, FAST = 29, 420
"""Payloads a second: 100 hosts of 300 processes each 10 s, and 42,000 sightings a second."""
GATHER_SECONDS = 0.02


def measure_log(folder: Path, *, seconds: float = SECONDS) -> dict[str, Measurement]:
    note = f"records of {PAYLOAD_BYTES:,} bytes, one after the other at this pace, less the CPU of the pace alone"
    return {
        "log_slow": _measure(folder / "slow", SLOW, 0, seconds, note),
        "log_fast": _measure(folder / "fast", FAST, 0, seconds, ""),
        "log_gathered": _measure(folder / "gathered", FAST, GATHER_SECONDS, seconds, ""),
    }


def _measure(folder: Path, rate: int, gather_seconds: float, seconds: float, note: str) -> Measurement:
    log = WriteAheadLog(folder, LogLimits(gather_seconds=gather_seconds))
    waited = list[float]()
    payload = os.urandom(PAYLOAD_BYTES)

    def append() -> None:
        begun = time.monotonic()

        def note_wait(answer: Future[int]) -> None:
            answer.result()
            waited.append(time.monotonic() - begun)

        log.append(Entry(1, 1, 0, payload)).add_done_callback(note_wait)

    try:
        append()  # begins a segment
        idle = _cpu_seconds_of(lambda: None, rate, seconds)
        waited.clear()
        before = log.status()
        cpu = _cpu_seconds_of(append, rate, seconds)
    finally:
        log.close()
    after = log.status()
    syncs = f"{(after.syncs - before.syncs) / seconds:.0f} syncs a second"
    waited.sort()
    count = len(waited)
    figures = {
        "p50": waited[count // 2] * 1e3,
        "p99": waited[count * 99 // 100] * 1e3,
        "cpu": (cpu - idle) / count * 1e3,
    }
    return Measurement(figures, "; ".join(filter(None, (syncs, note))))


def _cpu_seconds_of(act: Callable[[], None], rate: int, seconds: float) -> float:
    """Of this process, with all of its threads, while it does this at a steady pace."""
    begun, cpu = time.monotonic(), time.process_time()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        act()
    time.sleep(max(0.0, begun + seconds - time.monotonic()))
    return time.process_time() - cpu
