from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agents.container_runtime import FakeContainerRuntime
from tests.support.agents.intake import FakeIntake
from tests.support.agents.proc_tree import ProcTree
from tests.support.agents.zoo import Watcher, Zoo


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
