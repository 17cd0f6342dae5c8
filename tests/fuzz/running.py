"""Running the fuzzer on a target, or on several at once, and keeping what it finds."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import Target

ENGINE = (sys.executable, "-m", "tests.fuzz.engine")
_RUNS = re.compile(r"^(\d+) runs$", re.MULTILINE)
_BRANCHES = re.compile(r"cov: (\d+)")
_NOISE = re.compile(r"^(?:INFO|WARNING): .*\n", re.MULTILINE)
_SECONDS_BESIDE = 120
"""To start, to try what is kept, and to end."""


@dataclass(frozen=True)
class Report:
    runs: int
    branches: int
    """Reached in the code of Procession."""
    failures: tuple[Path, ...]
    """Files with the bytes that made a check fail."""
    output: str
    """Of the fuzzer, where it did not come to its end."""


def fuzz(targets: Sequence[Target], seconds: int, work: Path) -> Report:
    """What it finds is kept in `work`, and used when it runs there again."""
    finds, seeds = work / "finds", work / "seeds"
    for folder in (finds, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for place, target in enumerate(targets):
        for path in target.inputs():
            prefix = bytes([place]) if len(targets) > 1 else b""
            (seeds / f"{target.name}-{path.name}").write_bytes(prefix + path.read_bytes())
    names = "+".join(target.name for target in targets)
    run = _engine("fuzz", names, str(seconds), str(work), within=seconds + _SECONDS_BESIDE)
    runs, branches = _RUNS.findall(run.stdout), _BRANCHES.findall(run.stdout)
    return Report(
        runs=int(runs[-1]) if runs else 0,
        branches=int(branches[-1]) if branches else 0,
        failures=tuple(sorted(work.glob("failed-*"))),
        output=_NOISE.sub("", run.stdout) if run.returncode else "",
    )


def keep(target: Target, report: Report, work: Path) -> int:
    """Into the corpus: what failed, else what reaches code that nothing in it reaches. Gives how many files."""
    corpus = target.corpus
    before = set(corpus.iterdir())
    for path in report.failures:
        path.rename(corpus / path.name)
    if not report.output:
        # Without counters: whether code is reached, and not how often. That keeps the corpus small.
        options = ("-merge=1", "-use_counters=0")
        _engine("merge", target.name, *options, str(corpus), str(work / "finds"), within=_SECONDS_BESIDE * 5)
    return len(set(corpus.iterdir()) - before)


def _engine(*arguments: str, within: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ENGINE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=within,
    )
