"""The wheel and the sdist, by nothing but themselves: what is in them, and what a user has who installs them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from procession import __version__
from release import python_packages
from tests.artefacts.conftest import MOMENT, CleanHome, Dist, copy_of_checkout
from tests.support.lean import ROOT
from tests.support.running import eventually

MOST_BYTES = 30_000_000
"""Of the agent with all that it needs, as the disk counts it."""


def test_the_wheel_has_the_page_the_version_and_no_tests(dist: Dist) -> None:
    names = zipfile.ZipFile(dist.wheel).namelist()

    assert dist.wheel.name == f"procession-{__version__}-py3-none-any.whl"
    assert "procession/server/page/index.html" in names
    assert "procession/server/page/licences.md" in names
    assert {name.split("/")[0] for name in names} == {"procession", f"procession-{__version__}.dist-info"}


def test_the_sdist_is_what_the_wheel_is_made_of(dist: Dist, tmp_path: Path) -> None:
    with tarfile.open(dist.sdist) as files:
        files.extractall(tmp_path, filter="data")
        moment = next(entry.mtime for entry in files if entry.isfile())
    (tree,) = tmp_path.iterdir()

    made = python_packages.build(tree, tmp_path / "again", at=int(moment))

    wheel = next(path for path in made if path.suffix == ".whl")
    assert wheel.read_bytes() == dist.wheel.read_bytes()
    assert dist.sdist.stat().st_size < 3_000_000


def test_two_builds_in_other_folders_with_other_rights_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = copy_of_checkout(tmp_path / "one"), copy_of_checkout(tmp_path / "another" / "longer")

    one = python_packages.build(first, tmp_path / "first", at=MOMENT)
    python_packages.hold_same(one, python_packages.build(second, tmp_path / "second", at=MOMENT, umask=0o077))

    # It has to be able to tell.
    changed = tmp_path / one[0].name
    changed.write_bytes(one[0].read_bytes() + b"x")
    with pytest.raises(python_packages.NotReproducible, match=f"two builds of {one[0].name} differ"):
        python_packages.hold_same(one, [changed, one[1]])


def bytes_on_disk(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def test_pip_installs_the_agent_and_the_commands_for_people_in_less_than_30_mb(
    dist: Dist, home: CleanHome, constraints: Path
) -> None:
    # Without pip in it, since pip is nothing of ours: another one installs into it.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home.folder / "venv"], check=True)
    python = home.folder / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", python)

    installed = home.run(*pip, "install", "--constraint", constraints, dist.wheel)

    assert installed.returncode == 0, installed.stderr
    (packages,) = (home.folder / "venv" / "lib").glob("python*/site-packages")
    size = bytes_on_disk(packages)
    assert size < MOST_BYTES, f"{size / 1e6:.1f} MB"
    for page, text in (("README.md", "all that an agent takes: "), ("docs/agent-running.md", "for people. It takes ")):
        (said,) = re.findall(rf"{text}(\d+) MB", (ROOT / page).read_text())
        assert abs(size / 1e6 - int(said)) < 2, f"{page} says {said} MB, and it is {size / 1e6:.1f} MB"
    procession = home.folder / "venv" / "bin" / "procession"
    assert home.run(procession, "--version").stdout == f"procession {__version__}\n"
    assert home.run(procession, "agent", "check").returncode == 0
    up = home.run(procession, "up")
    assert up.returncode == 1
    assert up.stderr == (
        "procession: `procession up` needs the server, which is not installed here: "
        "`pip install 'procession[server]'`\n"
    )


def test_pipx_installs_the_command(dist: Dist, home: CleanHome) -> None:
    installed = home.run(sys.executable, "-m", "pipx", "install", dist.wheel)

    assert installed.returncode == 0, installed.stderr
    shown = home.run(home.folder / ".local" / "bin" / "procession", "--version")
    assert shown.stdout == f"procession {__version__}\n"


def test_uvx_starts_it_all_in_a_clean_home(dist: Dist, home: CleanHome, constraints: Path) -> None:
    uvx = ("uvx", "--python", sys.executable, "--constraints", str(constraints), "--from", f"{dist.wheel}[server]")
    log = home.folder / "said"
    with log.open("w") as said:
        up = subprocess.Popen(
            [*uvx, "procession", "up", "--listen", "127.0.0.1:0", "--interval-seconds", "1"],
            env=home.environment,
            cwd=home.folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        eventually(
            lambda: up.poll() is not None or "The first processes have arrived." in log.read_text(),
            seconds=200,
            what="a first snapshot",
        )
        assert up.poll() is None, log.read_text()
        # As somebody pastes it into another terminal, where uvx has put nothing on the PATH.
        (said,) = re.findall(r"`(\S+) ps` in another terminal", log.read_text())
        found = home.run(said, "ps", "--search", "procession")
        page = home.run(*uvx, "procession", "link")
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(30)

    assert up.returncode == 0, log.read_text()
    assert "procession" in found.stdout, found.stderr
    assert page.stdout.startswith("http://127.0.0.1:")
    assert (home.folder / ".local" / "share" / "procession" / "clickhouse").is_dir()
