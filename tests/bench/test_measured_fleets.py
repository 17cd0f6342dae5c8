"""What is measured of fleets at their pace."""

from __future__ import annotations

from pathlib import Path

from bench.measure.fleets import QUICK_RUNS, RUNS, FleetRun, measure_fleets
from bench.quick import SCALED
from bench.rows import BY_KEY


def rows_of(run: FleetRun) -> set[str]:
    others = "columns_" if run.wire_format == "datadog" else "datadog_"
    return {key for key in BY_KEY if key.startswith(f"{run.key}_") and not key.startswith(f"{run.key}_{others}")}


def test_each_fleet_has_its_rows() -> None:
    assert all(len(rows_of(run)) == 7 for run in (*RUNS, *QUICK_RUNS))


def test_what_is_compared_is_measured_in_two_minutes_too() -> None:
    assert set(SCALED) <= set[str]().union(*map(rows_of, QUICK_RUNS))


def test_a_fleet_is_measured_on_a_server_of_its_own(tmp_path: Path) -> None:
    run = FleetRun(1, 1, alone_seconds=1, warm_seconds=0, waits_for_flush=False)

    found = measure_fleets(tmp_path, [run], idle_seconds=0.5)

    assert found.keys() == rows_of(run) | {"fleet_0_share", "fleet_0_memory"}
    assert "sightings in 1 s" in found["fleet_1_cpu"].note
    figures = {key: measured.figures for key, measured in found.items() if key.startswith("fleet_1")}
    assert all(figure > 0 for row in figures.values() for figure in row.values())
