"""Commands that print tables, on a real terminal against a real server: colours, and none where none are wanted."""

from __future__ import annotations

import pytest

from procession.process import ProcessNumbers
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import API_KEY, APPLICATION_KEY
from tests.support.terminal import on_terminal

KEYS = ("--api-key", API_KEY, "--application-key", APPLICATION_KEY)
COMMANDS = (("ps", "--long"), ("tree", "--host", "web-1"), ("diff", "--at", str(NOON - 60), "--at", str(NOON)))
HOSTILE = "\x1b[2J\x1b]0;x\x07\x9b31m\u202e\r\n"


@pytest.fixture
def _family(server: RunningServer) -> None:
    busy = ProcessNumbers(cpu_total_percent=150.0, rss_bytes=3 * 2**30, state="R")
    begun = a_snapshot(
        a_sighting(1, NOON - 900, cmdline="/sbin/init", command="init", ppid=0),
        taken_at=NOON - 60,
        split_id=1,
        chunk_count=1,
    )
    more = a_snapshot(
        a_sighting(1, NOON - 900, cmdline="/sbin/init", command="init", ppid=0),
        a_sighting(2, NOON - 10, busy, cmdline="/usr/lib/jvm/bin/java -jar x", command="java", ppid=1),
        a_sighting(3, NOON - 10, cmdline=f"/bin/{HOSTILE} x", command=HOSTILE, user=HOSTILE, ppid=1),
        split_id=2,
        chunk_count=1,
    )
    server.add(begun, more)


@pytest.mark.usefixtures("_family")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_table_has_colours_with_the_program_before_its_folder(
    server: RunningServer, command: tuple[str, ...]
) -> None:
    """The screen of the test fails at anything hostile that reaches it."""
    with on_terminal(*command, "--url", server.url, *KEYS, size=(140, 30)) as terminal:
        lines = terminal.sees("java -jar x  (/usr/lib/jvm/bin/)", r"\x1b[2J\x1b]0;x\x07")
        terminal.ended()

    screen = terminal.screen
    assert any("150.0" in line for line in lines)
    assert {screen.style_of("java -jar"), screen.style_of("150.0"), screen.style_of("(/usr/lib")} == {
        "1;36",
        "31",
        "90",
    }


@pytest.mark.usefixtures("_family")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_color_is_obeyed(server: RunningServer, command: tuple[str, ...]) -> None:
    with on_terminal(*command, "--url", server.url, *KEYS, size=(140, 30), NO_COLOR="1") as terminal:
        terminal.sees("java -jar x")
        terminal.ended()

    assert not terminal.screen.has_colors


@pytest.mark.usefixtures("_family")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_for_another_program_there_are_no_colours_and_the_command_line_is_as_it_was_started(
    procession: Command, command: tuple[str, ...]
) -> None:
    result = procession(*command)

    assert "\x1b" not in result.out
    assert "/usr/lib/jvm/bin/java -jar x" in result.out
