"""The command against a real server in this process: the real application over a store in memory, on a free port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from procession.accounts.orgs import Key, KeyKind
from procession.cli import run
from procession.cli.local.data_folder import LocalFiles
from procession.config import ServerSettings
from procession.process import Snapshot
from tests.support.served import ADMIN_KEY, API_KEY, APPLICATION_KEY, ORG, Served, a_store, serving
from tests.support.stores.oracle import OracleStore


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the user who runs the tests gets into them."""
    for name in ("DD_API_KEY", "DD_APP_KEY", "DD_HOSTNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PROCESSION_CONFIG", "/dev/null")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class Command:
    """`procession ...` in this process, as its `main` runs it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Result:
        self._capsys.readouterr()
        code = run(arguments)
        captured = self._capsys.readouterr()
        return Result(code, captured.out, captured.err)


@pytest.fixture
def procession(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


@pytest.fixture
def local(tmp_path: Path) -> LocalFiles:
    """The local keys of the server, in the user's data folder."""
    local = LocalFiles(tmp_path / "share" / "procession")
    local.write_secret(KeyKind.API, API_KEY)
    local.write_secret(KeyKind.APPLICATION, APPLICATION_KEY)
    local.write_secret(KeyKind.ADMIN, ADMIN_KEY)
    return local


@dataclass
class RunningServer:
    url: str
    served: Served

    @property
    def store(self) -> OracleStore:
        return self.served.store

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.store.keys()

    def add(self, *snapshots: Snapshot, org: int = ORG) -> None:
        self.store.add([(org, snapshot) for snapshot in snapshots])


@pytest.fixture
def settings() -> ServerSettings:
    return ServerSettings(rate_limit=0)


@pytest.fixture
def server(local: LocalFiles, settings: ServerSettings) -> Iterator[RunningServer]:
    """Running, and known to the local commands."""
    served = Served(a_store(), settings=settings)
    with serving(served.app()) as url:
        local.write_address(url)
        yield RunningServer(url, served)
