"""The artefacts under test: those that PROCESSION_DIST names, else made here of this checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from procession import __version__
from release import python_packages
from tests.support.lean import ROOT
from tests.support.running import clean_environment

MOMENT = 1_700_000_000
PARTS = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "src")


def copy_of_checkout(folder: Path) -> Path:
    """Of what the package is made of, with the page, and with times of its own."""
    folder.mkdir(parents=True)
    for name in PARTS:
        part = ROOT / name
        if part.is_dir():
            shutil.copytree(
                part, folder / name, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copy
            )
        else:
            shutil.copy(part, folder / name)
    return folder


@dataclass(frozen=True)
class Dist:
    folder: Path

    @property
    def wheel(self) -> Path:
        (found,) = self.folder.glob("*.whl")
        return found

    @property
    def sdist(self) -> Path:
        (found,) = self.folder.glob(f"procession-{__version__}.tar.gz")
        return found


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    if named := os.environ.get("PROCESSION_DIST"):
        return Dist(Path(named))
    if not (ROOT / "src" / "procession" / "server" / "page" / "index.html").exists():
        pytest.skip("the page is built by make page")
    folder = tmp_path_factory.mktemp("dist")
    python_packages.build(copy_of_checkout(tmp_path_factory.mktemp("checkout") / "copy"), folder, at=MOMENT)
    return Dist(folder)


@dataclass(frozen=True)
class CleanHome:
    """A user who has nothing yet. What is downloaded is kept in the caches of this machine, which hold no program."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        homes = {"HOME": str(self.folder), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""}
        caches = {"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")}
        return clean_environment(PATH=path, UV_NO_PROGRESS="1", **homes, **caches)

    def run(self, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(map(str, command)),
            env=self.environment | more,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )


@pytest.fixture
def home(tmp_path: Path) -> CleanHome:
    folder = tmp_path / "home"
    folder.mkdir()
    return CleanHome(folder)


@pytest.fixture(scope="session")
def constraints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked versions, so that a release of somebody else fails no test of ours."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line.rstrip(" \\") for line in lines if line and not line.startswith(" ")]
    path = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    path.write_text("\n".join(pins) + "\n", encoding="utf-8")
    return path
