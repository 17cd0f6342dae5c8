"""Where tests run side by side, one worker runs all that share what takes long to start, and the longest come first."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.side_by_side import GROUPS, LONG, TOGETHER, group_of, turn_of

ROOT = Path(__file__).parent.parent
FILES = ("test_quick.py", "e2e/test_long.py", "faults/test_a.py", "faults/test_b.py")


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("".join(f"def test_{number}(): pass\n" for number in range(6)))
    return tmp_path


def test_a_group_has_one_worker_and_the_longest_come_first(suite: Path) -> None:
    (workers,) = re.findall(r"^WORKERS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    options = [*workers.split(), "--numprocesses", "2", "--verbose", "-p", "no:cacheprovider"]

    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--import-mode=importlib", "--rootdir", str(suite), str(suite)],
        cwd=suite,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )

    done = re.findall(r"\[(gw\d)\] .* PASSED (\S+)::", result.stdout)
    assert len(done) == 6 * len(FILES)
    assert len({(worker, group_of(file)) for worker, file in done}) == len({group_of(file) for _, file in done}) == 3
    first: dict[str, str] = {}
    for worker, file in done:
        first.setdefault(worker, file)
    assert sorted(first.values()) == ["e2e/test_long.py", "faults/test_a.py"]


def test_each_worker_imports_a_share_of_the_files_first_and_each_file_once(suite: Path) -> None:
    log = suite / "imported"
    for name in FILES:
        told = f"open({str(log)!r}, 'a').write(os.environ['PYTEST_XDIST_WORKER'] + {f' {name}'!r} + chr(10))"
        (suite / name).write_text(f"import os\n{told}\ndef test_a(): pass\n")
    (suite / "test_wrong.py").write_text("raise RuntimeError('wrong')\n")
    options = ("--numprocesses", "2", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", str(suite))

    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(suite)],
        cwd=suite,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert "RuntimeError: wrong" in result.stdout
    imported: dict[str, list[str]] = {"gw0": [], "gw1": []}
    for line in log.read_text().splitlines():
        worker, name = line.split()
        imported[worker].append(name)
    assert sorted(imported["gw0"]) == sorted(imported["gw1"]) == sorted(FILES)
    # Of five files, in the order of their paths, one has the first, third and fifth.
    assert [imported[worker][:2] for worker in ("gw0", "gw1")] == [
        ["e2e/test_long.py", "faults/test_b.py"],
        ["faults/test_a.py", "test_quick.py"],
    ]


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/search/test_pattern.py::test_a_star", "tests/search/test_pattern.py"),
        ("tests/browser/test_table.py::test_a_click", "browser"),
        ("tests/storage/contract/test_pages.py::test_order[clickhouse]", "tests/storage/contract/test_pages.py"),
        ("tests/storage/contract/test_pages.py::test_order[cluster_store-even-1]", "cluster_store"),
        ("tests/storage/contract/test_pages.py::test_order[1-server_store]", "server_store"),
        ("tests/cluster/test_stores.py::test_a_server_store", "cluster"),
        ("tests/cluster/test_analysis.py::test_a_question[cluster_store]", "cluster"),
        ("tests/storage/test_stores.py::test_a_server_store", "tests/storage/test_stores.py"),
    ],
)
def test_a_group_is_a_folder_or_all_on_one_store_of_nodes_or_else_a_file(test: str, group: str) -> None:
    assert group_of(test) == group


def test_folders_with_long_files_are_after_the_groups_and_before_all_others() -> None:
    grouped = [
        f"tests/{group}/test_a.py::b" if group in TOGETHER else f"tests/a/test_a.py::b[{group}]" for group in GROUPS
    ]
    tests = ["tests/test_a.py::b", "tests/e2e/test_a.py::b", *grouped]

    assert sorted(tests, key=turn_of) == [*grouped, tests[1], tests[0]]


def test_folders_that_are_named_exist() -> None:
    folders = {path.parent.name for path in (ROOT / "tests").rglob("test_*.py")}

    assert {*TOGETHER, *LONG} <= folders
    assert {group for group in GROUPS if group in folders} == {*TOGETHER}
