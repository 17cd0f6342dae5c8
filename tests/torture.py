"""`make torture`: the long form of all that is done to server and agent, and tables of it, a table for each piece.

python -m tests.torture [PIECE...]: some pieces; the other tables in the docs stay what they were. With paths of tests
in place of pieces all of them do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from bench import machine

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reliability.md"
PIECES = {
    "kills": (
        "tests/faults/test_kills.py",
        "tests/faults/test_sudden_ends.py",
        "tests/faults/test_removals.py",
        "tests/e2e/test_crash.py",
    ),
    "disks": (
        "tests/faults/test_log_disk.py",
        "tests/faults/test_read_only.py",
        "tests/faults/test_data_folder.py",
        "tests/e2e/test_full_disk.py",
    ),
    "log": ("tests/storage/wal",),
    "spools": ("tests/faults/test_spool.py", "tests/e2e/test_spool.py"),
    "network": ("tests/faults/test_network.py", "tests/faults/test_store_paused.py"),
    "clocks": ("tests/faults/test_clocks.py", "tests/faults/test_injected_clock.py"),
    "overload": ("tests/overload", "tests/e2e/test_bombs.py"),
    "fuzz": ("tests/fuzz",),
}
"""Name of a piece -> paths of its tests."""
MOST_SECONDS = 30 * 60
"""For all of it, on two cores."""
MOST_SECONDS_EACH = 15 * 60


@dataclass(frozen=True)
class Line:
    """What tests record: see `tests.support.torture`."""

    what: str
    times: int
    lost: int
    answered: str


@dataclass(frozen=True)
class Outcome:
    code: int
    """Of pytest."""
    lines: list[Line]
    failed: list[str]
    """Names of tests."""
    seconds: float

    @property
    def held(self) -> bool:
        return self.code == 0 and bool(self.lines) and not any(line.lost for line in self.lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("wanted", nargs="*", metavar="PIECE", help=f"{', '.join(PIECES)}; or paths of tests")
    wanted = parser.parse_args(arguments).wanted
    if not set(wanted) <= PIECES.keys():
        return 0 if run(wanted).held else 1
    begin = time.monotonic()
    outcomes = [run_into_page(piece) for piece in wanted or PIECES]
    seconds = time.monotonic() - begin
    if not wanted and seconds > MOST_SECONDS:
        sys.stdout.write(f"That is more than the {MOST_SECONDS // 60} minutes that it may take.\n")
        return 1
    return 0 if all(one.held for one in outcomes) else 1


def run_into_page(piece: str) -> Outcome:
    found, load = machine.description(), os.getloadavg()[0]
    outcome = run(PIECES[piece])
    if outcome.lines:
        where = f"{found['cpu']}, {found['cores']} cores, Linux {found['kernel']}, Python {found['python']}"
        took = f"in {outcome.seconds / 60:.0f} minutes, load before {load:.1f}"
        into_page(PAGE, piece, outcome.lines, f"{where}, {took}", outcome.failed)
    return outcome


def run(paths: Sequence[str]) -> Outcome:
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="procession-torture-") as folder:
        results, report = Path(folder) / "results", Path(folder) / "report.xml"
        environment = os.environ | {"PROCESSION_TORTURE": "full", "PROCESSION_TORTURE_RESULTS": str(results)}
        command = [sys.executable, "-m", "pytest", f"--timeout={MOST_SECONDS_EACH}", f"--junitxml={report}"]
        code = subprocess.run([*command, *paths], cwd=ROOT, env=environment).returncode
        outcome = Outcome(code, read(results), failed_in(report), time.monotonic() - begin)
    sys.stdout.write(f"\n{table(outcome.lines)}\n\nin {outcome.seconds / 60:.0f} minutes\n")
    return outcome


def read(results: Path) -> list[Line]:
    if not results.exists():
        return []
    return [Line(**json.loads(line)) for line in results.read_text(encoding="utf-8").splitlines()]


def failed_in(report: Path) -> list[str]:
    """The names of the tests that failed."""
    if not report.exists():
        return []
    cases = ElementTree.parse(report).iter("testcase")  # noqa: S314 (ours)
    return [
        str(case.get("name")) for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]


def table(lines: Sequence[Line]) -> str:
    """In Markdown, for the terminal and the docs alike."""
    rows = [(_cell(line.what), f"{line.times:,}", f"{line.lost:,}", _cell(line.answered)) for line in lines]
    return "\n".join(
        (
            "| what was done | times | lost | what it answered |",
            "| --- | ---: | ---: | --- |",
            *(f"| {' | '.join(row)} |" for row in rows),
        )
    )


def markers(piece: str) -> tuple[str, str]:
    """Between which its table is."""
    return f"<!-- table: written by make torture ({piece}) -->", "<!-- end of table -->"


def into_page(page: Path, piece: str, lines: Sequence[Line], where: str, failed: Sequence[str] = ()) -> None:
    """The newest table of a piece in place of the one before, and which tests did not hold."""
    begin, end = markers(piece)
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    held = f"Did not hold: {', '.join(f'`{name}`' for name in failed)}." if failed else "All of it held."
    text = f"{day}, {where}. {held}\n\n{table(lines)}"
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _cell(text: str) -> str:
    one_line = " ".join(text.split())
    return (one_line if len(one_line) <= 240 else one_line[:239] + "…").replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
