"""`make torture`: the long form of all that is done to server and agent, and a table of it.

python -m tests.torture [PATH...]: some of it; then the table in the docs stays what it was.
"""

from __future__ import annotations

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
BEGIN, END = "<!-- table: written by make torture -->", "<!-- end of table -->"

PATHS = (
    "tests/faults",
    "tests/storage/wal",
    "tests/e2e/test_crash.py",
    "tests/e2e/test_full_disk.py",
    "tests/e2e/test_spool.py",
    "tests/e2e/test_bombs.py",
    "tests/overload",
    "tests/fuzz",
)
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


def main(paths: Sequence[str]) -> int:
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="procession-torture-") as folder:
        results, report = Path(folder) / "results", Path(folder) / "report.xml"
        environment = os.environ | {"PROCESSION_TORTURE": "full", "PROCESSION_TORTURE_RESULTS": str(results)}
        command = [sys.executable, "-m", "pytest", f"--timeout={MOST_SECONDS_EACH}", f"--junitxml={report}"]
        code = subprocess.run([*command, *(paths or PATHS)], cwd=ROOT, env=environment).returncode
        lines, failed = read(results), failed_in(report)
    seconds = time.monotonic() - begin
    sys.stdout.write(f"\n{table(lines)}\n\nin {seconds / 60:.0f} minutes\n")
    lost = sum(line.lost for line in lines)
    if not paths and lines:
        found = machine.description()
        where = f"{found['cpu']}, {found['cores']} cores, Linux {found['kernel']}, Python {found['python']}"
        into_page(PAGE, lines, f"{where}, in {seconds / 60:.0f} minutes", failed)
    if code or lost or not lines:
        return code or 1
    if seconds > MOST_SECONDS:
        sys.stdout.write(f"That is more than the {MOST_SECONDS // 60} minutes that it may take.\n")
        return 1
    return 0


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


def into_page(page: Path, lines: Sequence[Line], where: str, failed: Sequence[str] = ()) -> None:
    """The newest table in place of the one before, and which tests did not hold."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    held = f"Did not hold: {', '.join(f'`{name}`' for name in failed)}." if failed else "All of it held."
    text = f"{day}, {where}. {held}\n\n{table(lines)}"
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def _cell(text: str) -> str:
    one_line = " ".join(text.split())
    return (one_line if len(one_line) <= 240 else one_line[:239] + "…").replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
