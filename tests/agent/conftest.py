from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agents.container_runtime import FakeContainerRuntime
from tests.support.agents.intake import FakeIntake
from tests.support.agents.proc_tree import ProcTree
from tests.support.agents.zoo import Watcher, Zoo
from tests.support.running import eventually


def descriptors_of_processes() -> int:
    """How many this process has of what is below a `/proc`, or below a folder that looks like one."""
    count = 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            count += "/proc/" in os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except FileNotFoundError:  # that of the list itself
            continue
    return count


@pytest.fixture(autouse=True)
def no_process_stays_open() -> Iterator[None]:
    """A reader keeps four descriptors for each process: some that nobody closes, and later tests have none left."""
    before = descriptors_of_processes()
    yield
    eventually(lambda: descriptors_of_processes() <= before, what="the end of what a test reads")


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path / "proc")


@pytest.fixture
def intake() -> Iterator[FakeIntake]:
    intake = FakeIntake()
    yield intake
    intake.close()


@pytest.fixture
def runtime() -> Iterator[FakeContainerRuntime]:
    # The path of a socket has room for a hundred characters only.
    with tempfile.TemporaryDirectory(prefix="runtime-") as folder:
        runtime = FakeContainerRuntime(Path(folder) / "docker.sock")
        yield runtime
        runtime.close()


@pytest.fixture
def zoo() -> Iterator[Zoo]:
    zoo = Zoo()
    yield zoo
    zoo.end()


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    yield watcher
    watcher.close()
