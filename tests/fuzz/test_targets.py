"""The short form of `make fuzz`: all that is kept, and some seconds of the fuzzer."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz import asking_targets
from tests.fuzz.targets import FOLDER, TARGETS, Target
from tests.support import torture

SECONDS = 5
SECONDS_EACH = 6
"""In the long form, where each target has its own time."""
STORE = ("cursor", "query")
"""They ask a store, and would take the time of the others."""

BROKEN = (sys.executable, "-m", "tests.fuzz.broken")

guided = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="there is no atheris for machines of this kind"
)


@pytest.fixture(scope="module", autouse=True)
def closed_in_the_end() -> Iterator[None]:
    yield
    asking_targets.close()


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_what_is_kept_passes(target: Target) -> None:
    check = target.load()
    inputs = [path.read_bytes() for path in target.inputs()]

    assert inputs
    for data in (b"", b"\0", *inputs):
        check(data)


def test_all_that_is_kept_is_small_and_of_a_target() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]

    assert {path.parent.name for path in files} == set(TARGETS)
    assert all(path.stat().st_size <= TARGETS[path.parent.name].max_bytes + 1 for path in files)
    assert sum(path.stat().st_size for path in files) < 2**20


@guided
@pytest.mark.parametrize(
    "targets",
    [
        [target for name, target in TARGETS.items() if name not in STORE],
        [TARGETS[name] for name in STORE],
    ],
    ids=["pure", "store"],
)
def test_fuzzing_for_some_seconds_finds_nothing(targets: list[Target], tmp_path: Path) -> None:
    from tests.fuzz.running import fuzz

    groups = [[target] for target in targets] if torture.is_full() else [targets]
    runs = 0
    for place, group in enumerate(groups):
        report = fuzz(group, SECONDS_EACH if torture.is_full() else SECONDS, tmp_path / str(place))
        assert not report.output, report.output[-4000:]
        assert report.runs >= 100
        assert report.branches > 1
        runs += report.runs

    what = (
        f"{len(targets)} parsers fuzzed, guided by coverage"
        if len(targets) > len(STORE)
        else "cursors and queries fuzzed"
    )
    torture.record(what, times=runs, lost=0, answered="a value, or the one error for it")


BUGS = {
    "a name that ends itself": ("agent.read.procfs", 'data.rfind(b")")', 'data.find(b")")', "stat"),
    "a name that is a line": ("agent.read.procfs", r'index(b"\nUid:\t")', r'index(b"Uid:\t") - 1', "status"),
    "the number beside it": ("agent.read.procfs", "fields[19]", "fields[18]", "stat"),
    "more of an environment": ("agent.read.procfs", "_SERVICE_VARIABLES.get(name)", '"env"', "environment"),
    "OR read as AND": ("search.parser", "clause.start_alternative()", "pass", "meaning"),
    "a value in the statement": (
        "storage.history.statements.search_conditions",
        "'String', pattern.text)}",
        "'String', 'x')}{pattern.text}",
        "tags",
    ),
    "a cursor of others": ("paging", "if found != fingerprint:", "if False:", "cursor-text"),
    "another error": (
        "wire.datadog.parsing",
        'raise FrameError("The message is damaged") from None',
        "raise",
        "events",
    ),
    "NUL in a text": ("text.characters", "value.replace", "str", "message"),
    "a tag without end": ("server.intake.hosts", "[:MAX_TAG_LENGTH]", "", "host-metadata"),
    "a limit without end": ("server.public.parameters", "most=MAX_LIMIT", "most=10**12", "parameters"),
}


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS.keys())
def test_what_is_kept_finds_a_bug_that_is_planted(bug: tuple[str, str, str, str]) -> None:
    module, *rest = bug
    run = subprocess.run([*BROKEN, f"procession.{module}", *rest], capture_output=True, text=True, timeout=60)

    assert run.returncode == 1
    assert "Traceback" in run.stderr


@guided
def test_what_the_fuzzer_finds_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fuzz import running

    corpus = tmp_path / "corpus"
    corpus.mkdir()
    target = replace(TARGETS["pattern"], folder=corpus)
    bug = ("procession.search.pattern", "len(folded) - len(last) >= position", "True")
    monkeypatch.setattr(running, "ENGINE", (*BROKEN, *bug))

    report = running.fuzz([target], 30, tmp_path / "work")
    kept = running.keep(target, report, tmp_path / "work")

    assert "AssertionError" in report.output
    assert kept == 1
    assert list(target.inputs()) == list(corpus.iterdir())
