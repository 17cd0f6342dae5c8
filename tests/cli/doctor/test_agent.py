from __future__ import annotations

from pathlib import Path

import pytest

from procession.cli.client import Server
from procession.cli.doctor import agent
from procession.cli.doctor.finding import Level
from procession.config import AgentSettings
from tests.cli.conftest import RunningServer
from tests.support.served import API_KEY

NOTHING_HELD = "Name:\tpython\nCapEff:\t0000000000000000\n"
PTRACE = "Name:\tpython\nCapEff:\t0000000000080000\n"
BOTH = "CapEff:\t0000000000080004\n"


@pytest.mark.parametrize(
    ("options", "status", "level"),
    [
        ("rw,nosuid", NOTHING_HELD, Level.GOOD),
        ("rw,hidepid=0", NOTHING_HELD, Level.GOOD),
        ("rw,hidepid=2,gid=4", NOTHING_HELD, Level.BAD),
        ("rw,hidepid=invisible", NOTHING_HELD, Level.BAD),
        ("rw,hidepid=2", PTRACE, Level.GOOD),
    ],
)
def test_hidepid_is_bad_for_who_may_not_see_past_it(options: str, status: str, level: Level) -> None:
    mounts = f"proc /proc proc {options} 0 0\ntmpfs /tmp tmpfs hidepid=2 0 0\n"

    assert agent.hidepid(Path("/proc"), mounts, status).level is level


def test_the_newest_mount_of_proc_counts() -> None:
    mounts = "proc /proc proc rw 0 0\nproc /proc proc rw,hidepid=2 0 0\n"

    assert agent.hidepid(Path("/proc"), mounts, NOTHING_HELD).level is Level.BAD


def test_what_is_not_held_is_named() -> None:
    assert "without CAP_DAC_READ_SEARCH, " in agent.capabilities(PTRACE).found
    assert agent.capabilities(BOTH).level is Level.GOOD
    assert agent.capabilities("").level is Level.WARNING


def test_processes_are_read_from_the_proc_that_is_named(tmp_path: Path) -> None:
    # Some may end while they are read, where other tests run beside this one.
    assert agent.processes(Path("/proc")).level is not Level.BAD
    missing = agent.processes(tmp_path)
    assert (missing.level, "--proc-root" in missing.advice) == (Level.BAD, True)


def test_a_key_is_asked_of_the_server(server: RunningServer) -> None:
    asked = Server(server.url)

    assert agent.key_of(asked, API_KEY).level is Level.GOOD
    refused = agent.key_of(asked, "x" * 32)
    assert (refused.level, "procession keys create api" in refused.advice) == (Level.BAD, True)


def test_all_servers_are_asked(server: RunningServer) -> None:
    settings = AgentSettings(url=(server.url, "http://127.0.0.1:1"), api_key=(API_KEY,))

    found = list(agent.servers(settings))

    # The oracle of the store is asked at a moment of its own, but the header of an answer has the clock of the machine.
    assert [(one.subject, one.level) for one in found] == [
        ("server", Level.GOOD),
        ("server clock", Level.GOOD),
        ("server key", Level.GOOD),
        ("server", Level.BAD),
    ]


def test_settings_that_cannot_work_are_said() -> None:
    (found,) = agent.servers(AgentSettings())

    assert found.level is Level.BAD
    assert "API key" in found.found
