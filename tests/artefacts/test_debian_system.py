from __future__ import annotations

import contextlib
import itertools
import subprocess
from pathlib import Path

import pytest

from release import debian_system
from tests.support.running import eventually


@pytest.fixture
def _tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A debootstrap that waits for what never comes, with a child that does, and says who they are."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {
        "unshare": 'shift; exec "$@"',
        "apt-get": "echo http://mirror.example/",
        "debootstrap": f'mkdir "$4"; sleep 1000 & echo "$$ $!" >>{tmp_path}/pids; wait',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")


def runs_on(pid: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    return False


@pytest.mark.usefixtures("_tools")
def test_a_system_that_is_never_whole_is_begun_anew_once_and_then_given_up(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        debian_system.make(tmp_path / "root", ["python3"], limit_seconds=1)

    runs = [line.split() for line in (tmp_path / "pids").read_text().splitlines()]
    assert [len(pids) for pids in runs] == [2, 2]
    eventually(lambda: not any(map(runs_on, itertools.chain(*runs))), what="the end of all of it")


@pytest.mark.usefixtures("_tools")
def test_what_a_system_lacks_is_said(tmp_path: Path) -> None:
    (tmp_path / "tools" / "debootstrap").write_text("#!/bin/sh\necho E: no such package; exit 1\n")

    with pytest.raises(subprocess.CalledProcessError) as caught:
        debian_system.make(tmp_path / "root", ["python4"])

    assert caught.value.output == "E: no such package\n"
