"""A skip is a courtesy to users who lack a toolchain, and a failure where everything has to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SKIPPING = """
import pytest

def test_runs():
    pass

def test_skips_within():
    pytest.skip("no compiler")

@pytest.mark.skip(reason="no compiler")
def test_skips_outside():
    pass

@pytest.mark.may_skip
def test_may_skip():
    pytest.skip("no compiler")

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    assert False
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    return tmp_path


def closing_line(suite: Path, **environment: str) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PROCESSION_CI"}
    kept["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(suite), str(suite)]
    result = subprocess.run(command, cwd=suite, env=kept | environment, capture_output=True, text=True)
    return result.returncode, result.stdout.splitlines()[-1].partition(" in ")[0]


def test_at_a_users_a_skip_is_seen_and_harmless(suite: Path) -> None:
    assert closing_line(suite) == (0, "1 passed, 3 skipped, 1 xfailed")


def test_in_ci_a_skip_is_a_failure_unless_it_is_allowed(suite: Path) -> None:
    assert closing_line(suite, PROCESSION_CI="1") == (1, "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error")


def test_in_ci_a_file_that_skips_itself_is_a_failure(suite: Path) -> None:
    (suite / "test_module.py").write_text('import pytest\npytest.importorskip("no_such_module_of_ours")\n')

    code, line = closing_line(suite, PROCESSION_CI="1")

    assert code != 0
    assert "1 error" in line
