from __future__ import annotations

import time
from pathlib import Path

import pyarrow.parquet as pq

from bench.fleets import HOUR, Million
from bench.measure.intake import measure_bytes
from bench.store_jobs import sample_rows
from procession.simulate import FleetShape
from tests.support.builders import NOON

DATA = Million(3, NOON, NOON + 500, processes=40)


def test_the_window_ends_now_and_the_instant_lies_three_days_back_in_the_midst_of_an_hour() -> None:
    assert DATA.recent.begin_at + DATA.seconds == DATA.now
    assert 2.4 * 24 < (DATA.begun_at - DATA.instant) / HOUR < 3.6 * 24
    assert DATA.instant % HOUR == HOUR // 2
    assert DATA.before.begin_at < DATA.instant


def test_a_sample_of_the_window_has_each_process_once(tmp_path: Path) -> None:
    sample_rows.write(sample_rows.newest(DATA.recent, DATA.now), tmp_path / "window.parquet")

    table = pq.read_table(tmp_path / "window.parquet")
    keys = set(zip(*(table[name].to_pylist() for name in ("host", "pid", "started_at")), strict=True))
    assert len(keys) == len(table) >= 120
    assert any("env:prod" in tags or "env:staging" in tags or "env:dev" in tags for tags in table["tags"].to_pylist())


def test_bytes_of_a_sighting_are_those_of_all_tables(tmp_path: Path) -> None:
    begin_at = (int(time.time()) // HOUR - 3) * HOUR

    measured = measure_bytes(tmp_path, FleetShape(hosts=1, processes=30, begin_at=begin_at, interval_seconds=60))

    assert 0 < measured.figures["value"] < 500
    assert "snapshots" in measured.note
