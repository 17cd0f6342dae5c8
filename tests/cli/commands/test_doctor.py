from __future__ import annotations

import json
from pathlib import Path

import pytest

from procession.cli.local.data_folder import LocalFiles
from tests.cli.conftest import Command, RunningServer


def test_doctor_says_how_a_server_is_and_exits_by_it(
    procession: Command, server: RunningServer, local: LocalFiles
) -> None:
    local.data_dir.chmod(0o700)
    well = procession("doctor", "server")
    local.data_dir.chmod(0o755)
    open_to_all = procession("doctor", "server")

    assert well.code == 0, well.out
    assert any(line.startswith("good     server ") for line in well.lines)
    assert open_to_all.code == 1
    assert f"; chmod 0700 {local.data_dir}" in open_to_all.out


def test_doctor_says_how_an_agent_is_as_json_too(procession: Command, server: RunningServer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("x" * 32)
    key.chmod(0o600)

    result = procession("doctor", "agent", "--url", server.url, "--api-key-file", str(key), "--json")

    found = {finding["subject"]: finding for finding in json.loads(result.out)}
    assert result.code == 1
    assert found["processes"]["level"] == "good"
    assert found["server key"]["level"] == "bad"
    assert {"versions", "clock", "hidepid", "rights", "netlink", "spool", "disk"} <= set(found)


def test_doctor_looks_through_the_eyes_of_who_runs_it_and_shows_no_key(
    procession: Command, server: RunningServer
) -> None:
    result = procession("doctor", "agent", "--url", server.url, "--api-key", "k" * 32, "--no-spool")

    assert "k" * 32 not in result.out + result.err
    assert "spool" not in result.out


def test_doctor_alone_looks_at_the_server_whose_folder_is_here(
    procession: Command, server: RunningServer, local: LocalFiles
) -> None:
    local.data_dir.chmod(0o755)

    result = procession("doctor")

    assert result.code == 1
    assert result.lines[0] == f"the server of {local.data_dir}:"
    assert f"; chmod 0700 {local.data_dir}" in result.out
    assert "netlink" not in result.out


def test_doctor_alone_looks_at_an_agent_where_there_is_no_server_and_where_an_address_is_set(
    procession: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = procession("doctor")
    (tmp_path / "share" / "procession").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("PROCESSION_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PROCESSION_API_KEY", "k" * 32)
    both = procession("doctor")

    headings = [line for line in (*alone.lines, *both.lines) if line.endswith(":")]
    assert headings == [
        "an agent of this machine:",
        f"the server of {tmp_path}/share/procession:",
        "an agent of this machine:",
    ]
    assert both.code == 1
    assert any(line.startswith("bad      server ") and "http://127.0.0.1:1" in line for line in both.lines)
    assert list((tmp_path / "share" / "procession").iterdir()) == []
