from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from procession.cli.client import Server
from procession.cli.doctor import machine
from procession.cli.doctor.finding import Level
from tests.cli.conftest import RunningServer

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("status", "level"), [(0x2001, Level.GOOD), (0x40, Level.WARNING), (0x2041, Level.WARNING)])
def test_a_clock_that_nobody_sets_is_a_warning(status: int, level: Level) -> None:
    assert machine.clock_of(status).level is level


def test_the_kernel_is_asked_for_its_clock() -> None:
    assert machine.clock() in (machine.clock_of(0), machine.clock_of(0x40))


@pytest.mark.parametrize(
    ("total", "free", "level"),
    [(2**40, 2**39, Level.GOOD), (2**40, 2**35, Level.WARNING), (2**40, 2**29, Level.BAD), (2**31, 2**31, Level.GOOD)],
)
def test_a_disk_is_bad_when_it_is_full_and_a_warning_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, total: int, free: int, level: Level
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(total, total - free, free))

    finding = machine.disk(tmp_path / "not" / "yet", "make room")

    assert finding.level is level
    assert str(tmp_path / "not" / "yet") in finding.found


def test_a_folder_that_others_may_enter_is_bad(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (shared,) = machine.folder_rights("data folder", tmp_path, "")
    tmp_path.chmod(0o700)
    (private,) = machine.folder_rights("data folder", tmp_path, "")
    (missing,) = machine.folder_rights("data folder", tmp_path / "none", "`procession serve` makes it")

    assert (shared.level, shared.advice) == (Level.BAD, f"chmod 0700 {tmp_path}")
    assert private.level is Level.GOOD
    assert (missing.level, missing.advice) == (Level.WARNING, "`procession serve` makes it")


def test_a_secret_that_everybody_may_read_is_bad(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret")
    key.chmod(0o644)
    shared = machine.private_file("key", key)
    key.chmod(0o600)

    assert shared.level is Level.BAD
    assert "make a new key" in shared.advice
    assert machine.private_file("key", key).level is Level.GOOD
    assert machine.private_file("key", tmp_path / "none").level is Level.BAD


def test_a_clock_is_held_against_that_of_the_server(server: RunningServer) -> None:
    asked = Server(server.url)
    theirs = asked.clock()
    assert theirs is not None

    assert machine.clock_against("clock", asked, theirs + 5).level is Level.GOOD
    ahead = machine.clock_against("clock", asked, theirs + 3600)
    assert (ahead.level, "s ahead of" in ahead.found) == (Level.BAD, True)
    assert "s behind" in machine.clock_against("clock", asked, theirs - 3600).found


def test_a_server_answers_or_says_why_not(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.reached("server", Server(server.url)).level is Level.GOOD
    assert machine.reached("server", Server("http://127.0.0.1:1")).level is Level.BAD

    monkeypatch.setattr(machine, "__version__", "9.9.9")
    older = machine.reached("server", Server(server.url))
    assert (older.level, "the server first" in older.advice) == (Level.WARNING, True)
