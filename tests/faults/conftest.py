from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.machines.hosts import Host
from tests.faults.machines.network import Trials
from tests.faults.machines.servers import Server


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def server(tmp_path: Path, ending: ExitStack) -> Server:
    """Not started yet."""
    made = Server(tmp_path / "data")
    ending.callback(made.close)
    return made


@pytest.fixture
def a_host(tmp_path: Path, ending: ExitStack) -> Callable[..., Host]:
    def make(name: str, url: str, **options: Any) -> Host:
        made = Host(tmp_path, name, url, **options)
        ending.callback(made.close)
        return made

    return make


@pytest.fixture(scope="session")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    with ExitStack() as ending:
        yield Trials(tmp_path_factory.mktemp("network"), ending)


@pytest.fixture(scope="session", autouse=True)
def _trials_at_once(request: pytest.FixtureRequest) -> None:
    """Those of the network begin with the first test of this folder, if they are to be run at all."""
    if any(item.path.name == "test_network.py" for item in request.session.items):
        request.getfixturevalue("trials")
