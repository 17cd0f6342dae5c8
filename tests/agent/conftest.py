from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.intake import FakeIntake
from tests.support.proc_tree import ProcTree


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path / "proc")


@pytest.fixture
def intake() -> Iterator[FakeIntake]:
    intake = FakeIntake()
    yield intake
    intake.close()
