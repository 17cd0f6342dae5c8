from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import quick, report
from bench.rows import BY_KEY, PEERS, ROWS, Measurement


def a_document(**rows: Measurement) -> dict[str, Any]:
    return report.document(rows, kind="bench", seconds=60, load_before=0.1)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "performance.md"
    path.write_text(f"Before.\n\n{report.BEGIN}\n\nold\n\n{report.END}\n\nAfter.\n")
    monkeypatch.setattr(report, "PAGE", path)
    return path


def test_each_row_is_measured_once() -> None:
    assert len(BY_KEY) == len(ROWS)
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_the_table_in_the_docs_is_replaced_and_nothing_else(page: Path) -> None:
    report.into_docs([a_document(page=Measurement({"p50": 1.23, "p99": 45.6, "cpu": 11.0}))])
    report.into_docs([a_document(page=Measurement({"p50": 2.23, "p99": 45.6, "cpu": 11.0}))])

    text = page.read_text()
    assert text.startswith(f"Before.\n\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\n\nAfter.\n")
    assert "old" not in text
    assert "1.23" not in text
    assert "| 2.23 / 45.6 ms, 11 CPU | within |" in text


def test_a_bar_that_is_missed_is_said() -> None:
    cells = report._row_cells(BY_KEY["page_intake"], {"p50": 9.0, "p99": 61.0}, {}, "")

    assert cells[3] == "p99 over"


def test_a_peer_that_wins_is_said() -> None:
    cells = report._row_cells(BY_KEY["page"], {"p50": 20.0, "p99": 30.0}, {"DuckDB": 19.0, "PostgreSQL": 21.0}, "")

    assert dict(zip(PEERS, cells[4:], strict=True)) == {"DuckDB": "**19**, wins", "PostgreSQL": "21", "ClickHouse": ""}


def test_a_row_that_could_not_be_measured_says_why() -> None:
    cells = report._row_cells(BY_KEY["page"], {}, {}, "there is no such call yet")

    assert cells[2:4] == ("there is no such call yet", "")


def test_results_say_what_they_were_measured_on() -> None:
    document = a_document(bytes=Measurement({"value": 3.14159}, "a note", {"DuckDB": 42.42424}))

    assert document["rows"]["bytes"]["figures"] == {"value": 3.142}
    assert document["rows"]["bytes"]["peers"] == {"DuckDB": 42.42}
    assert {"cpu", "cores", "memory_gib", "kernel", "python", "packages"} <= document["machine"].keys()
    assert document["query_condition_cache"] == "off"


def test_ratios_are_compared_and_not_milliseconds() -> None:
    def measured(own: float, peer: float) -> dict[str, float]:
        return quick.ratios(
            a_document(
                page=Measurement({"p50": own, "p99": own}, peers={"ClickHouse": peer}), rare=Measurement({"p50": own})
            )
        )

    kept = measured(10, 100)

    assert quick.worse(measured(30, 300), kept) == {}
    assert quick.worse(measured(14, 100), kept) == {}
    assert quick.worse(measured(16, 100), kept) == {"page": pytest.approx(1.6)}


def test_fleets_are_compared_with_what_the_peer_takes_to_store_a_sighting() -> None:
    def measured(own: float, peer: float) -> dict[str, float]:
        return quick.ratios(
            a_document(fleet_100_cpu=Measurement({"value": own}), intake=Measurement(peers={"ClickHouse": peer}))
        )

    assert measured(300, 6) == {"fleet_100_cpu": 50}
    assert quick.worse(measured(300, 6), measured(150, 3)) == {}
    assert quick.worse(measured(300, 6), measured(150, 6)) == {"fleet_100_cpu": 2}


def test_results_kept_before_there_was_such_a_row_do_not_fail() -> None:
    now = quick.ratios(
        a_document(
            fleet_100_cpu=Measurement({"value": 300}), intake=Measurement({"value": 20}, peers={"ClickHouse": 6})
        )
    )
    kept = quick.ratios(a_document(intake=Measurement({"value": 20}, peers={"ClickHouse": 6})))

    assert now.keys() - kept.keys() == {"fleet_100_cpu"}
    assert quick.worse(now, kept) == {}


def test_rows_of_fleets_stand_in_a_table_without_peers(page: Path) -> None:
    report.into_docs([a_document(fleet_100_cpu=Measurement({"value": 334}), bytes=Measurement({"value": 5}))])

    text = page.read_text()
    assert "| measure | bar | Procession |  |\n| --- | --- | --- | --- |\n| 100 hosts: server CPU per sighting" in text
    assert "| ≤ 25 µs | 334 µs | value over |" in text


def test_the_newest_results_of_a_kind_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    for kind, value in (("bench", 1.0), ("quick", 2.0)):
        report.write(report.document({"bytes": Measurement({"value": value})}, kind=kind, seconds=1, load_before=0))

    found = report.newest("quick")

    assert found is not None
    assert found["rows"]["bytes"]["figures"] == {"value": 2.0}
    assert report.newest("long") is None


def test_results_of_the_same_kind_of_processor_come_before_newer_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    for day, cpu in (("2026-01-01", "one"), ("2026-01-02", "another")):
        found = report.document({}, kind="quick", seconds=1, load_before=0)
        found |= {"measured_at": day, "machine": found["machine"] | {"cpu": cpu}}
        report.write(found)

    def day_for(cpu: str) -> str:
        kept = report.newest("quick", cpu=cpu)
        assert kept is not None
        return str(kept["measured_at"])

    assert [day_for(cpu) for cpu in ("one", "another", "a third")] == ["2026-01-01", "2026-01-02", "2026-01-02"]


def test_what_is_measured_later_that_day_stands_among_what_was_measured_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    report.write(a_document(page=Measurement({"p50": 12.0}), rare=Measurement({"p50": 5.0})))

    report.write(a_document(rare=Measurement({"p50": 6.0}), bytes=Measurement({"value": 7.0})), is_partial=True)

    found = report.newest("bench")
    assert found is not None
    assert {key: row["figures"] for key, row in found["rows"].items()} == {
        "bytes": {"value": 7.0},
        "page": {"p50": 12.0},
        "rare": {"p50": 6.0},
    }
    assert list(found["rows"]) == [key for key in BY_KEY if key in found["rows"]]
    assert found["seconds"] == 120
