"""The table of what was done to server and agent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import torture
from tests.support.torture import is_full, quoted, record
from tests.torture import Line


def test_what_tests_record_is_read_back_and_nothing_is_kept_without_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROCESSION_TORTURE_RESULTS", raising=False)
    record("nothing", times=1, lost=0, answered="")
    monkeypatch.setenv("PROCESSION_TORTURE_RESULTS", str(tmp_path / "results"))
    record("kill -9", times=50, lost=0, answered="“goes on”")

    assert torture.read(tmp_path / "results") == [Line("kill -9", 50, 0, "“goes on”")]
    assert torture.read(tmp_path / "none") == []


def test_the_long_form_has_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROCESSION_TORTURE", raising=False)
    assert not is_full()
    monkeypatch.setenv("PROCESSION_TORTURE", "full")
    assert is_full()


def test_a_row_is_one_line_whatever_was_answered() -> None:
    rows = torture.table([Line("a|b", 10_000, 0, "x\ny " * 200)]).splitlines()[2:]

    assert len(rows) == 1
    assert rows[0].startswith("| a\\|b | 10,000 | 0 | x y x y")
    assert len(rows[0]) < 300


def test_the_table_of_a_piece_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    (begin, end), (begin_other, end_other) = torture.markers("kills"), torture.markers("disks")
    other = f"{begin_other}\n\nothers\n\n{end_other}\n\nAfter.\n"
    page.write_text(f"Before.\n\n{begin}\n\nold\n\n{end}\n\n{other}")
    for times in (1, 2):
        torture.into_page(page, "kills", [Line("kill -9", times, 0, "goes on")], "on a machine")

    text = page.read_text()
    assert text.startswith(f"Before.\n\n{begin}\n")
    assert text.endswith(f"{end}\n\n{other}")
    assert "old" not in text
    assert text.count("kill -9") == 1
    assert "All of it held." in text

    torture.into_page(page, "kills", [Line("kill -9", 1, 0, "goes on")], "on a machine", ["test_a", "test_b"])
    assert "on a machine. Did not hold: `test_a`, `test_b`." in page.read_text()


def test_the_tests_that_failed_are_named(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text("def test_good(): pass\ndef test_bad(): assert False\n")
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path, capture_output=True)

    assert torture.failed_in(report) == ["test_bad"]
    assert torture.failed_in(tmp_path / "none.xml") == []


@pytest.mark.parametrize("piece", torture.PIECES)
def test_the_page_has_a_place_for_each_table_and_the_tests_are_there(piece: str) -> None:
    text = torture.PAGE.read_text()
    begin, end = torture.markers(piece)

    assert text.count(begin) == 1
    assert end in text.partition(begin)[2]
    assert all((torture.ROOT / path).exists() for path in torture.PIECES[piece])


def test_what_records_is_in_a_piece() -> None:
    recording = {
        path.relative_to(torture.ROOT)
        for path in (torture.ROOT / "tests").rglob("test_*.py")
        if "support.torture import" in path.read_text() and path != Path(__file__)
    }
    paths = [Path(path) for piece in torture.PIECES.values() for path in piece]

    missing = [path for path in recording if not any(path.is_relative_to(one) for one in paths)]

    assert len(recording) > 15
    assert missing == []


def test_a_failure_and_a_loss_are_no_success() -> None:
    kept, lost = Line("kill -9", 50, 0, ""), Line("kill -9", 50, 1, "")

    held = [
        torture.Outcome(code, lines, [], 1.0).held
        for code, lines in ((0, [kept]), (0, [kept, lost]), (1, [kept]), (0, []))
    ]

    assert held == [True, False, False, False]


def test_a_line_is_quoted_without_what_differs_from_run_to_run() -> None:
    line = "procession agent: cannot reach http://127.0.0.1:4711: connection refused; keeping 1 snapshot"

    assert quoted(line) == "“cannot reach URL: connection refused; keeping 1 snapshot”"
