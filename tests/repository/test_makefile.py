"""What `make` says where it cannot set itself up, with programs of ours in place of Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("make", "sh", "sed", "touch", "echo", "expand")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which nothing was made yet, and a PATH of its own without any Python."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def a_python(checkout: Path, name: str, script: str) -> None:
    path = checkout / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout / "bin"), "HOME": str(checkout)}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=checkout, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("chore", ["run", "test", "lint"])
def test_a_python_that_is_too_old_is_named(checkout: Path, chore: str) -> None:
    a_python(checkout, "python3", '[ "$1" = --version ] && echo "Python 3.9.2" && exit; exit 1')

    result = make(checkout, chore)

    first, *rest = result.stderr.splitlines()
    assert result.returncode != 0
    assert first.startswith("procession: needs Python 3.11 or newer with its venv module (here: Python 3.9.2); install")
    assert [line for line in rest if not line.startswith("make: ***")] == []


def test_no_python_at_all_is_said(checkout: Path) -> None:
    result = make(checkout, "run")

    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stderr.splitlines()[0]


def test_a_newer_python_is_found_beside_an_old_one(checkout: Path) -> None:
    a_python(checkout, "python3", "exit 1")
    a_python(
        checkout,
        "python3.12",
        'case "$*" in --version) echo "Python 3.12.1";; *venv*) mkdir -p .venv; echo "$@" > asked;; esac',
    )
    (checkout / "bin" / "mkdir").symlink_to(shutil.which("mkdir") or "")

    result = make(checkout, ".venv/.made")

    assert result.returncode == 0, result.stderr
    assert "making .venv with Python 3.12.1" in result.stdout
    assert (checkout / "asked").read_text() == "-m venv --clear .venv\n"


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    names = [path.name for path in ROOT.glob("requirements*.lock")]
    assert {"requirements.lock", "requirements-dev.lock", "requirements-audit.lock"} <= set(names)
    for name in names:
        text = (ROOT / name).read_text()
        entries = [entry for entry in text.split("\n") if entry and not entry.startswith(" ")]

        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(entries)
        assert all(entry.endswith("\\") for entry in entries), name


def test_the_lock_for_tests_holds_all_of_the_lock_for_running() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text().splitlines()
        # Without the markers: another package may need it on more systems.
        return {line.split()[0] for line in lines if line and not line.startswith(" ")}

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_ci_is_a_script_that_may_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
