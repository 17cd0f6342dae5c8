from __future__ import annotations

import resource
import socket
from pathlib import Path

import pytest

from procession.cli.doctor import server as of_server
from procession.cli.doctor.finding import Level
from procession.cli.local.data_folder import LocalFiles
from procession.config import ServerSettings
from tests.cli.conftest import RunningServer


def levels(settings: ServerSettings) -> dict[str, Level]:
    return {finding.subject: finding.level for finding in of_server.server_findings(settings)}


def test_a_machine_on_which_nothing_runs_yet_is_ready_for_it(tmp_path: Path) -> None:
    found = levels(ServerSettings(data_dir=str(tmp_path / "data"), listen="127.0.0.1:0"))

    assert found["engine"] is Level.GOOD
    assert found["data folder"] is Level.WARNING
    assert found["port"] is Level.GOOD
    assert "server" not in found


def test_a_running_server_is_asked_and_its_keys_are_tried(server: RunningServer, local: LocalFiles) -> None:
    local.data_dir.chmod(0o700)
    settings = ServerSettings(data_dir=str(local.data_dir))

    found = levels(settings)
    assert (found["server"], found["keys"], found["secrets"]) == (Level.GOOD,) * 3
    assert "port" not in found

    (local.keys_dir / "application-key").write_text("x" * 40)
    assert levels(settings)["keys"] is Level.BAD


def test_a_port_in_use_is_bad(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        finding = of_server.port(f"127.0.0.1:{taken.getsockname()[1]}")

    assert finding.level is Level.BAD
    assert "in use" in finding.found


def test_too_few_open_files_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))

    assert of_server.open_files(10_000).level is Level.WARNING
    assert of_server.open_files(1000).level is Level.GOOD


def test_a_store_on_servers_needs_no_engine() -> None:
    finding = of_server.engine(ServerSettings(store="https://procession@clickhouse:8443"))

    assert (finding.level, "store check" in finding.found) == (Level.GOOD, True)


def test_a_secret_that_is_named_and_not_there_is_bad(tmp_path: Path) -> None:
    settings = ServerSettings(store_password_file=str(tmp_path / "none"))

    (finding,) = of_server.secrets(settings, LocalFiles(tmp_path))

    assert finding.level is Level.BAD
