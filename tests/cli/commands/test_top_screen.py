"""What somebody sees and does in `procession top`, on a real terminal against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procession.process import ProcessNumbers, Sighting, Snapshot
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import API_KEY, APPLICATION_KEY, serving
from tests.support.terminal import OnTerminal, on_terminal

RIGHT, DOWN = "\x1b[C", "\x1b[B"
KEYS = ("--api-key", API_KEY, "--application-key", APPLICATION_KEY)
JAVA = "/usr/lib/jvm/bin/java -jar /srv/shop.jar job-2."


def busy(pid: int, cpu: float, rss: int, **fields: Any) -> Sighting:
    numbers = ProcessNumbers(cpu_total_percent=cpu, rss_bytes=rss, swap_bytes=pid * 2**20, threads=2, state="S")
    return a_sighting(pid, numbers=numbers, **fields)


def a_family(**fields: Any) -> Snapshot:
    return a_snapshot(
        busy(1, 5.0, 2**20, started_at=NOON - 9000, ppid=0, cmdline="/sbin/init job-1.", command="init"),
        busy(2, 95.0, 2**31, started_at=NOON - 50, ppid=1, cmdline=JAVA, command="java"),
        busy(3, 0.5, 2**30, started_at=NOON - 600, ppid=2, cmdline="perl job-3.", command="perl", user="ann"),
        split_id=1,
        chunk_count=1,
        **fields,
    )


@pytest.fixture
def screen(server: RunningServer) -> Iterator[OnTerminal]:
    server.add(a_family())
    with on_terminal("top", "--url", server.url, *KEYS, "--interval", "0.5", size=(140, 24)) as started:
        started.sees("job-1.", "job-2.", "job-3.", "Space Pause")
        yield started


def order_of(lines: list[str]) -> list[int]:
    """Pids, from top to bottom."""
    return [int(line.split()[1]) for line in lines if "job-" in line and line.startswith("web-")]


def click(column: int, line: int) -> str:
    """As a terminal tells of it: pressed and released, counted from 1."""
    return f"\x1b[<0;{column + 1};{line + 1}M\x1b[<0;{column + 1};{line + 1}m"


def click_on(screen: OnTerminal, text: str) -> str:
    line = next(number for number, line in enumerate(screen.screen.lines) if text in line)
    return click(screen.screen.lines[line].index(text), line)


def test_the_program_comes_first_and_stands_out_and_busy_is_red(screen: OnTerminal) -> None:
    lines = screen.sees("java -jar /srv/shop.jar job-2.  (/usr/")
    shown = screen.screen
    screen.press(DOWN)
    screen.until(lambda _: shown.style_of("init job-1.") == "30;46")

    assert {text: shown.style_of(text) for text in ("java -jar", "-jar", "(/usr", " 95.0", "LIVE", "PID")} == {
        "java -jar": "1;36",
        "-jar": "",
        "(/usr": "90",
        " 95.0": "31",
        "LIVE": "1;32",
        "PID": "30;42",
    }
    # The bars, and what was used before.
    row = next(line for line in lines if "job-2." in line)
    assert "████▊    95.0 █████   2.0G" in row
    assert any("CPU [" in line and "█] 100.5" in line and "█] 3.0G" in line for line in lines)


def test_without_colours_everything_is_still_told_apart(server: RunningServer) -> None:
    server.add(a_family())
    with on_terminal("top", "--url", server.url, *KEYS, NO_COLOR="1") as screen:
        screen.sees("job-1.", "job-2.", "job-3.")

        assert not screen.screen.has_colors
        assert screen.screen.style_of("java -jar") == "7"
        assert screen.screen.style_of("perl job-3.") == "1"


def test_the_keys_fit_into_80_columns(server: RunningServer) -> None:
    server.add(a_family())
    with on_terminal("top", "--url", server.url, *KEYS, size=(80, 24)) as screen:
        lines = screen.sees("job-1.", "Space Pause")

        assert lines[-1].endswith("Enter Details  Space Pause")
        screen.press("?")
        lines = screen.sees("Any key goes back.")
        assert not any("…" in line for line in lines), "help is cut"


def test_a_long_command_is_seen_to_its_end(server: RunningServer) -> None:
    server.add(
        a_snapshot(busy(1, 1.0, 1, cmdline="job-1. " + "x" * 300 + " end", command="job-1."), split_id=1, chunk_count=1)
    )
    with on_terminal("top", "--url", server.url, *KEYS, size=(80, 20)) as screen:
        screen.sees("job-1. xxx")
        screen.press(RIGHT * 60)
        screen.until(lambda lines: "← " in lines[3] and lines[4].startswith("web-1") and "job" not in lines[4])
        screen.press("\x1b[D" * 2)
        screen.sees("x end")


def test_any_column_can_be_sorted_by_and_is_shown_then(screen: OnTerminal) -> None:
    for keys, pids in (("M", [2, 3, 1]), ("T", [1, 3, 2]), ("P", [2, 1, 3]), ("I", [3, 1, 2]), ("P", [2, 1, 3])):
        screen.press(keys)
        screen.until(lambda lines, pids=pids: order_of(lines) == pids)  # type: ignore[misc]
    assert "▼CPU" in "".join(screen.screen.lines)
    assert "SWAP" not in "".join(screen.screen.lines)
    screen.press("s")
    screen.sees("Sort by (Enter chooses", "memory in swap")
    screen.press(DOWN * 6 + "\r")

    lines = screen.until(lambda lines: order_of(lines) == [3, 2, 1])

    assert any("▼SWAP" in line for line in lines)


def test_a_search_is_done_as_it_is_typed_and_left_by_escape(screen: OnTerminal) -> None:
    screen.press("/perl")
    lines = screen.until(lambda lines: order_of(lines) == [3])
    assert lines[-1] == "search: perl_"
    screen.press("\x1b")
    screen.until(lambda lines: len(order_of(lines)) == 3 and lines[2] == "")
    screen.press("/java\r")
    screen.until(lambda lines: order_of(lines) == [2] and lines[2] == "search: java")


def test_an_unfinished_search_keeps_the_last_results_and_is_asked_once(server: RunningServer) -> None:
    server.add(a_family())
    asked: list[str] = []
    app = server.served.app()

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.append(scope["query_string"].decode())
        await app(scope, receive, send)

    with serving(listening) as url, on_terminal("top", "--url", url, *KEYS, "--interval", "0.5") as screen:
        screen.sees("job-1.")
        screen.press("/(perl")
        screen.sees("search: (perl_", 'expected a ")" for the "("')
        assert len(order_of(screen.screen.lines)) == 3
        # Neither another order nor the end of the typing asks for it again with what is refused already.
        screen.press("\r")
        screen.until(lambda lines: lines[2] == "search: (perl" and "expected" in lines[-1])
        screen.press("/)")
        screen.until(lambda lines: order_of(lines) == [3])

    assert sum("search=%28perl&" in query or query.endswith("search=%28perl") for query in asked) == 1


def test_a_tree_of_the_host_is_shown_and_left(screen: OnTerminal, server: RunningServer) -> None:
    server.add(a_family(host="web-2"))
    screen.until(lambda lines: len(order_of(lines)) == 6)
    screen.press("P")
    screen.press("t")
    lines = screen.sees("init job-1.", "└─ java -jar", "   └─ perl job-3.", "tree of web-")
    assert order_of(lines) == [1, 2, 3]
    # What is found has its relatives.
    screen.press("/java\r")
    screen.until(lambda lines: order_of(lines) == [1, 2, 3] and "search: java" in lines[2])
    screen.press("t")
    screen.until(lambda lines: order_of(lines) == [2, 2] and "tree" not in lines[2])


def test_the_mouse_chooses_opens_sorts_scrolls_and_presses_keys(screen: OnTerminal) -> None:
    screen.press(click_on(screen, "job-3."))
    screen.until(lambda _: screen.screen.style_of("job-3.") == "30;46")
    screen.press(click_on(screen, "job-3."))
    screen.sees("Details of a process", "perl job-3.")
    screen.press("\x1b")
    screen.sees("▼CPU")
    screen.press(click_on(screen, "USER"))
    screen.until(lambda lines: order_of(lines) == [3, 1, 2])
    screen.press("\x1b[<65;5;9M")
    screen.until(lambda _: screen.screen.style_of("job-2.") == "30;46")
    screen.press(click_on(screen, "Sort"))
    screen.sees("Sort by (Enter chooses")
    screen.press(click_on(screen, "number of the process"))
    screen.until(lambda lines: order_of(lines) == [1, 2, 3])
    screen.press(click_on(screen, "Quit"))
    assert screen.ended() == 0
    assert screen.is_given_back()


def test_the_mouse_is_left_alone_if_that_is_wished(server: RunningServer) -> None:
    server.add(a_family())
    with on_terminal("top", "--url", server.url, *KEYS, "--no-mouse") as screen:
        screen.sees("job-1.")
        assert "?1000" not in screen.screen.modes


def test_columns_are_chosen_and_kept(server: RunningServer, tmp_path: Path) -> None:
    server.add(a_family())
    arguments = ("top", "--url", server.url, *KEYS)
    with on_terminal(*arguments) as screen:
        screen.sees("job-1.", "READ/s")
        screen.press("C")
        screen.sees("[x] HOST", "[ ] PPID", "who runs it")
        screen.press(" " + DOWN * 2 + " \r")
        screen.until(lambda lines: lines[3].split()[:3] == ["PID", "PPID", "USER"])
        screen.press("q")
        assert screen.ended() == 0
    with on_terminal(*arguments) as screen:
        lines = screen.sees("job-1.")
        assert lines[3].split()[:3] == ["PID", "PPID", "USER"]
        screen.press("Cd\r")
        screen.until(lambda lines: lines[3].startswith("HOST"))
    with on_terminal(*arguments, "--columns", "swap,pid") as screen:
        lines = screen.sees("job-1.")
        assert lines[3].split() == ["PID", "▼CPU", "SWAP", "COMMAND"]


def test_one_table_has_the_columns_that_are_named(procession: Command, server: RunningServer) -> None:
    server.add(a_family())

    result = procession("top", "--once", "--columns", "pid,swap,time,command", "--sort", "swap")
    wrong = procession("top", "--once", "--columns", "pid,swop")

    assert [line.split()[:3] for line in result.lines] == [
        ["PID", "SWAP", "TIME"],
        ["3", "3.0M", "10m"],
        ["2", "2.0M", "50s"],
        ["1", "1.0M", "2h"],
    ]
    assert wrong.code == 2
    assert "there is no column 'swop'; there are host, pid, " in wrong.err
