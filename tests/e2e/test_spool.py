"""What could not be sent is kept on disk without a word from anybody."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.support.agents.intake import FakeIntake
from tests.support.agents.proc_tree import ProcTree
from tests.support.running import clean_environment, eventually, running, up
from tests.support.torture import record

SOON = ("--interval-seconds", "0.2", "--max-cpu", "0", "--hostname", "web-1")


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.snapshot"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_agent_keeps_what_it_could_not_send_for_the_next_one(tmp_path: Path, number: signal.Signals) -> None:
    tree = ProcTree(tmp_path / "proc")
    tree.put(7)
    intake = FakeIntake()
    intake.close()  # so that its port is free, and nobody is there
    environment = clean_environment(XDG_STATE_HOME=str(tmp_path), PROCESSION_SPOOL="true")
    options = ("agent", "--url", intake.url, "--api-key", "k" * 32, "--proc-root", str(tree.root), *SOON)
    spool = tmp_path / "procession" / "spool"
    with running(*options, environment=environment) as first:
        first.line_with("cannot reach")
        eventually(lambda: len(kept(spool)) >= 3, what="the spool")
        first.process.send_signal(number)
        first.wait()
    left = len(kept(spool))
    assert left >= 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in [spool, *spool.rglob("*")])
    assert not any(b"k" * 32 in path.read_bytes() for path in kept(spool))

    intake = FakeIntake(intake.port)
    try:
        with running(*options, environment=environment) as second:
            posted = intake.wait_for(left + 2, 60)
            second.stop()
    finally:
        intake.close()

    ids = [post.snapshot.request_id for post in posted]
    assert len(set(ids)) == len(ids)
    # What is left was read while the agent stopped, and is of the second one.
    assert all(int(path.stem) > left for path in kept(spool))
    record(f"{number.name} of an agent without a server", times=1, lost=0, answered="the next agent sends what it kept")


def test_the_agent_of_up_keeps_it_beside_the_data(tmp_path: Path) -> None:
    environment = clean_environment(XDG_STATE_HOME=str(tmp_path / "state"), PROCESSION_SPOOL="true")
    with up(tmp_path / "data", environment=environment) as (started, _):
        started.line_with("The first processes have arrived.")
        (agent,) = psutil.Process(started.pid).children()
        open_files = {Path(file.path) for file in agent.open_files()}
        started.stop()

    (folder,) = (path for path in (tmp_path / "data" / "spool").iterdir() if path.is_dir())
    assert folder / "lock" in open_files or os.geteuid() != 0
    assert not (tmp_path / "state").exists()
