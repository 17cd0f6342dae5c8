from __future__ import annotations

from pathlib import Path

import pytest

from procession.agent.shutdown import is_shutting_down


@pytest.fixture
def systemctl(tmp_path: Path) -> Path:
    return tmp_path / "systemctl"


def says(systemctl: Path, script: str) -> str:
    systemctl.write_text(f"#!/bin/sh\n{script}\n")
    systemctl.chmod(0o755)
    return str(systemctl)


def test_systemd_says_that_a_machine_is_stopping(systemctl: Path, tmp_path: Path) -> None:
    stopping = 'test "$1" = is-system-running && echo stopping; exit 1'

    assert is_shutting_down(says(systemctl, stopping), running=tmp_path)


@pytest.mark.parametrize("script", ["echo running", "echo degraded; exit 1", "exec sleep 100", "true"])
def test_all_else_is_no_shutdown(systemctl: Path, tmp_path: Path, script: str) -> None:
    assert not is_shutting_down(says(systemctl, script), running=tmp_path)


def test_nobody_is_asked_where_systemd_is_not_there(systemctl: Path, tmp_path: Path) -> None:
    assert not is_shutting_down(says(systemctl, "echo stopping"), running=tmp_path / "none")
    assert not is_shutting_down(str(tmp_path / "none"), running=tmp_path)
