"""What all peers are asked, and how they are timed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MOST_SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
"""For the runs of one query, once it has run twice."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Files with rows of the fleets that Procession is measured on."""

    folder: Path

    @property
    def hour(self) -> Path:
        """Every sighting of some hosts for an hour."""
        return self.folder / "hour.parquet"

    @property
    def window(self) -> Path:
        """Every process of the window once, as it was last."""
        return self.folder / "window.parquet"

    @property
    def day(self) -> Path:
        """Every sighting of a host for a day."""
        return self.folder / "day.parquet"

    def one_process(self) -> tuple[str, int, int]:
        """Host, pid and start of one that was there all day."""
        table = pq.read_table(self.day, columns=["host", "pid", "started_at"])
        return table["host"][0].as_py(), table["pid"][0].as_py(), table["started_at"][0].as_py()

    def middle_key(self) -> tuple[int, str, int]:
        """Start, host and pid of the process in the middle of a scan."""
        table = pq.read_table(self.window, columns=["started_at", "host", "pid"]).sort_by(
            [("started_at", "ascending"), ("host", "ascending"), ("pid", "ascending")]
        )
        middle = len(table) // 2
        return table["started_at"][middle].as_py(), table["host"][middle].as_py(), table["pid"][middle].as_py()

    @staticmethod
    def batches(path: Path) -> Iterator[pa.Table]:
        """Groups of 100,000, as a server under load stores them."""
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def median_ms(call: Callable[[], Any], *, most_runs: int = 30) -> float:
    """p50 of as many runs as there is time for. Warm: one run does not count."""
    call()
    walls: list[float] = []
    begin = time.perf_counter()
    while len(walls) < 2 or (len(walls) < most_runs and time.perf_counter() - begin < MOST_SECONDS):
        started = time.perf_counter()
        call()
        walls.append((time.perf_counter() - started) * 1000)
    return float(np.percentile(walls, 50))


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
