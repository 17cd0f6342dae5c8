"""`procession top` on a real terminal against a real server, and as one table."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from procession.process import ProcessNumbers, Sighting, Snapshot
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import API_KEY, APPLICATION_KEY, ORG, serving
from tests.support.terminal import OnTerminal, on_terminal

UP, DOWN, LEFT, RIGHT, PAGE_DOWN, END = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[C", "\x1b[6~", "\x1b[F"
KEYS = ("--api-key", API_KEY, "--application-key", APPLICATION_KEY)


def whole(*sightings: Sighting, **fields: Any) -> Snapshot:
    return a_snapshot(*sightings, split_id=1, chunk_count=1, **fields)


def busy(pid: int, cpu: float, rss: int = 2**20, **fields: Any) -> Sighting:
    numbers = ProcessNumbers(cpu_total_percent=cpu, rss_bytes=rss, threads=2, state="S")
    return a_sighting(pid, cmdline=fields.pop("cmdline", f"job-{pid}."), numbers=numbers, **fields)


@pytest.fixture
def screen(server: RunningServer) -> Iterator[OnTerminal]:
    """Three processes, looked at once in half a second."""
    server.add(whole(busy(1, 5.0, 2**20), busy(2, 50.0, 2**21), busy(3, 0.5, 2**30, user="ann")))
    with on_terminal("top", "--url", server.url, *KEYS, "--interval", "0.5") as started:
        started.sees("job-1.", "job-2.", "job-3.")
        yield started


def order_of(lines: list[str]) -> list[int]:
    """Pids, from top to bottom."""
    return [int(line.split()[1]) for line in lines[4:-1] if "job-" in line]


def test_the_screen_has_sums_and_the_busiest_first(screen: OnTerminal, server: RunningServer) -> None:
    lines = screen.screen.lines

    assert lines[0].startswith("procession top  LIVE  2023-11-14 22:13:20 UTC  http://127.0.0.1:")
    assert lines[1] == "3 processes of 1 host  cpu 55.5 % of a core  memory 1.0G  threads 6  states S 3"
    assert lines[3].split() == ["HOST", "PID", "USER", "S", "▼CPU", "MEM", "THR", "READ/s", "WRITE/s", "COMMAND"]
    assert order_of(lines) == [2, 1, 3]
    # The whole fleet is watched.
    assert [lease.host for lease in server.store.leases(NOON)] == [""]


def test_what_is_new_comes_by_itself(screen: OnTerminal, server: RunningServer) -> None:
    server.served.clock.now = NOON + 2
    server.add(whole(busy(4, 99.0), busy(1, 5.0), taken_at=NOON + 2))

    lines = screen.until(lambda lines: "22:13:22" in lines[0])

    assert order_of(lines) == [4, 1]


def test_keys_choose_the_order_and_the_same_key_reverses_it(screen: OnTerminal) -> None:
    for key, pids in (("m", [3, 2, 1]), ("m", [1, 2, 3]), ("p", [1, 2, 3]), ("p", [3, 2, 1]), ("u", [3, 2, 1])):
        screen.press(key)
        screen.until(lambda lines, pids=pids: order_of(lines) == pids)  # type: ignore[misc]


def test_a_search_is_typed_and_a_mistake_in_it_is_said_and_mended(screen: OnTerminal) -> None:
    screen.press("/(job-2")
    screen.sees("search: (job-2_")
    screen.press("\r")
    lines = screen.sees('expected a ")" for the "(" at character 1')
    assert "LIVE" not in lines[0]
    assert "STOPPED" in lines[0]
    assert not any("next try" in line for line in lines)
    screen.press("/")
    screen.sees("search: (job-2_")
    screen.press("\x15job-3\r")

    lines = screen.until(lambda lines: order_of(lines) == [3])

    assert lines[2] == "search: job-3"
    assert lines[1].startswith("1 process of 1 host")
    screen.press("/\x7fq\x1b")
    screen.until(lambda lines: lines[2] == "search: job-3" and lines[-1].startswith("? Help"))


def test_a_mistake_in_a_search_is_asked_once(server: RunningServer) -> None:
    """A question that comes later shows that there was none in between."""
    server.add(whole(busy(1, 1.0)))
    asked: list[str] = []
    app = server.served.app()

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.append(scope["query_string"].decode())
        await app(scope, receive, send)

    with serving(listening) as url, on_terminal("top", "--url", url, *KEYS, "--interval", "0.5") as screen:
        screen.sees("job-1.")
        screen.press("/(job\r")
        screen.sees('expected a ")" for the "("')
        # Twice as long as it would have taken to ask again; nothing can be awaited that does not come.
        with pytest.raises(AssertionError, match="not within"):
            screen.until(lambda _: sum("search=%28job" in query for query in asked) > 1, seconds=2.0)
        screen.press("/\x15job\r")
        screen.until(lambda lines: "LIVE" in lines[0] and lines[2] == "search: job")


def test_a_moment_that_is_too_old_is_asked_once_and_left_again(server: RunningServer) -> None:
    server.add(whole(busy(1, 1.0), taken_at=NOON))
    with on_terminal("top", "--url", server.url, *KEYS, "--at", str(NOON - 7 * 86400 + 5)) as screen:
        screen.sees("PAST", "nothing is known of this moment")
        screen.press(",")
        lines = screen.sees("no numbers are kept of 2023-11-07")
        assert not any("next try" in line for line in lines)
        screen.press("l")
        screen.sees("LIVE", "job-1.")


def test_where_nothing_is_found_hints_are_shown(screen: OnTerminal) -> None:
    screen.press("/-postgres\r")

    screen.sees("nothing found in the minute before", "hint: search: '-postgres'", "'!postgres'")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_numbers_are_whole_on_a_screen_of_any_width(server: RunningServer, width: int) -> None:
    numbers = ProcessNumbers(
        cpu_total_percent=102_400.5, rss_bytes=2**40, threads=12_345_678, read_bytes_per_second=999_999.0, state="S"
    )
    server.add(whole(a_sighting(4_294_967_295, numbers=numbers, cmdline="job-1."), host="a-host-with-a-long-name"))
    with on_terminal("top", "--url", server.url, *KEYS, size=(width, 30)) as screen:
        lines = screen.sees("4294967295", "job-1.")
        row = next(line for line in lines if "job-1." in line)
        cells = re.sub("[█-▏]", " ", row).split()
        whole_words = {
            "4294967295",
            "102400.5",
            "1.0T",
            "12345678",
            "977K",
            "S",
            "www-data",
            "job-1.",
            "a-host-with-a-l…",
        }
        assert set(cells) <= whole_words | {"a-host-with-a-long-name"}, row
        assert "102400.5" in cells
        assert all(word in lines[0] or word[:5] not in lines[0] for word in ("2023-11-14 22:13:20 UTC",))
        screen.press("\r")
        details = "\n".join(screen.sees("started  2023-11-14"))
        assert "22:11:40" in details


def test_at_80_columns_a_command_has_most_of_the_room_and_begins_with_its_program(server: RunningServer) -> None:
    server.add(
        whole(
            busy(
                1, 9.0, cmdline="/usr/lib/jvm/java-17-openjdk-amd64/bin/java -Xmx4g -jar /srv/shop.jar", command="java"
            )
        )
    )
    with on_terminal("top", "--url", server.url, *KEYS, size=(80, 20)) as screen:
        lines = screen.sees("java -Xmx4g -jar /srv/")

    assert lines[3].startswith("HOST ")
    assert lines[4].startswith("web-1 ")
    assert len(lines[4]) - lines[4].index("java") >= 28


def test_enter_shows_a_process_with_its_relatives_and_escape_goes_back(
    screen: OnTerminal, server: RunningServer
) -> None:
    screen.press(DOWN + "\r")

    lines = screen.sees("command  job-1.", "started  2023-11-14 22:11:40, 1m 40s before")

    assert any("user  www-data (uid ?, gid ?)" in line for line in lines)
    screen.press(END)
    screen.sees("RELATIVES", "* job-1.")
    screen.press("\x1b")
    # The screen is drawn from its first line to its last.
    assert order_of(screen.until(lambda lines: lines[3].startswith("HOST") and not any(lines[7:-1]))) == [2, 1, 3]


def test_keys_go_through_time_and_l_comes_back(server: RunningServer) -> None:
    server.add(whole(busy(1, 1.0), taken_at=NOON - 20), whole(busy(2, 1.0), taken_at=NOON - 10), whole(busy(3, 1.0)))
    with on_terminal("top", "--url", server.url, *KEYS) as screen:
        screen.sees("LIVE", "job-3.")
        screen.press(",")
        screen.sees("PAST  2023-11-14 22:13:10", "job-2.")
        screen.press(",")
        screen.sees("PAST  2023-11-14 22:13:00", "job-1.")
        screen.press(".")
        screen.sees("PAST  2023-11-14 22:13:10", "job-2.")
        screen.press("[")
        screen.sees("PAST  2023-11-14 22:03:10", "no host has sent anything")
        screen.press("l")
        screen.sees("LIVE", "job-3.")


def test_space_pauses_and_goes_on(screen: OnTerminal, server: RunningServer) -> None:
    screen.press(" ")
    screen.sees("PAUSED  2023-11-14 22:13:20")
    server.served.clock.now = NOON + 2
    server.add(whole(busy(4, 99.0), taken_at=NOON + 2))
    # Also what is asked for now is of the moment at which it was paused.
    screen.press("m")
    screen.until(lambda lines: order_of(lines) == [3, 2, 1])
    screen.press(" ")
    screen.sees("LIVE  2023-11-14 22:13:22", "job-4.")


def test_a_long_list_is_scrolled_by_pages_to_its_end_and_fits_a_new_size(server: RunningServer) -> None:
    server.add(whole(*(busy(pid, 1000.0 - pid) for pid in range(1, 501))))
    with on_terminal("top", "--url", server.url, *KEYS, size=(100, 15)) as screen:
        screen.until(lambda lines: order_of(lines) == list(range(1, 11)))
        screen.press(PAGE_DOWN)
        screen.until(lambda lines: order_of(lines) == list(range(11, 21)))
        screen.press(END)
        screen.until(lambda lines: order_of(lines) == list(range(491, 501)))
        screen.resize(70, 25)
        screen.until(lambda lines: order_of(lines) == list(range(482, 501)) and len(lines) == 25)


def test_names_of_strangers_steer_nothing(server: RunningServer) -> None:
    """The screen of the test fails at what is not ours."""
    hostile = "\x1b[2J\x1b]0;x\x07\x9b31m\u202e\u2028\r\n"
    server.add(
        whole(
            busy(1, 9.0, cmdline=hostile + "x" * 1_000_000, user=hostile, tags=(f"a:{hostile}",)),
            busy(2, 8.0, cmdline="名前" * 100),
            host="h" + hostile,
        )
    )
    arguments = ("top", "--url", server.url, *KEYS, "--search", "!other" + hostile)
    with on_terminal(*arguments, size=(140, 20)) as screen:
        lines = screen.sees(r"\x1b[2J\x1b]0;x\x07\x9b31m\u202e\u2028\x0d", "名前")
        assert all(len(line) <= 140 for line in lines)
        screen.press("t")
        screen.sees(r"tree of h\x1b[2J\x1b]0;x\x07")
        screen.press("t" + RIGHT + RIGHT)
        screen.sees("← 16")
        screen.press("\r")
        screen.sees(r"command  \x1b[2J")


def test_a_server_that_goes_away_is_said_and_asked_again(server: RunningServer) -> None:
    server.add(whole(busy(1, 1.0)))
    with on_terminal("top", "--url", server.url, *KEYS, "--interval", "0.5") as screen:
        screen.sees("job-1.")
        keys = server.store.keys()
        for key in keys:
            server.store.put_key(dataclasses.replace(key, revoked_at=NOON))
        screen.sees("refuses the keys of --api-key and --application-key", "next try in", "job-1.")
        for key in keys:
            server.store.put_key(key)
        screen.until(lambda lines: lines[-1].startswith("? Help"))


@pytest.mark.parametrize(
    ("leave", "code"),
    [("q", 0), ("\x1b", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), ("\x03", 130)],
)
def test_the_terminal_is_given_back_on_every_way_out(screen: OnTerminal, leave: str | int, code: int) -> None:
    assert screen.screen.modes == {"?1049": True, "?25": False, "?7": False, "?1000": True, "?1006": True}
    assert not screen.is_given_back()

    if isinstance(leave, str):
        screen.press(leave)
    else:
        screen.process.send_signal(leave)

    assert screen.ended() == code
    assert screen.is_given_back()


def test_the_terminal_is_given_back_while_the_command_is_stopped_and_taken_again(screen: OnTerminal) -> None:
    screen.press("\x1a")
    _, status = os.waitpid(screen.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    screen.drain()
    assert screen.is_given_back()

    screen.process.send_signal(signal.SIGCONT)

    screen.until(lambda _: screen.screen.modes.get("?1049"))
    screen.sees("job-1.")


def test_without_a_server_there_is_a_line_and_no_screen() -> None:
    with on_terminal("top", "--url", "http://127.0.0.1:1", *KEYS) as screen:
        assert screen.ended() == 1
        assert screen.screen.modes == {}


def test_elsewhere_than_on_a_terminal_it_is_one_table(procession: Command, server: RunningServer) -> None:
    server.add(whole(busy(1, 5.0), busy(2, 50.04, 3 * 2**19), busy(3, 0.5)))

    result = procession("top", "--limit", "2")
    by_pid = procession("top", "--once", "--sort", "pid", "--reverse")

    assert result.code == 0
    assert [line.split() for line in result.lines] == [
        ["HOST", "PID", "USER", "S", "CPU", "MEM", "THR", "READ/s", "WRITE/s", "COMMAND"],
        ["web-1", "2", "www-data", "S", "50.0", "1.5M", "2", "job-2."],
        ["web-1", "1", "www-data", "S", "5.0", "1.0M", "2", "job-1."],
    ]
    assert result.err == ("procession: only 2 of 3 processes at 2023-11-14 22:13:20 are shown; --limit says how many\n")
    assert [line.split()[1] for line in by_pid.lines[1:]] == ["3", "2", "1"]
    assert server.store.leases(NOON) == ()


def test_columns_show_the_network_and_nothing_where_it_is_not_known(procession: Command, server: RunningServer) -> None:
    ours = ProcessNumbers(net_received_bytes_per_second=2.0**20, net_sent_bytes_per_second=0.0, connections=12)
    datadogs = ProcessNumbers(net_bytes_per_second=3 * 2.0**20)
    numbers = {1: ours, 2: datadogs, 3: ProcessNumbers()}
    server.add(whole(*(a_sighting(pid, cmdline=f"job-{pid}.", numbers=one) for pid, one in numbers.items())))

    result = procession("top", "--once", "--sort", "pid", "--columns", "pid,received,sent,network,connections")

    assert [line.split() for line in result.lines] == [
        ["PID", "RECV/s", "SENT/s", "NET/s", "CONN", "COMMAND"],
        ["1", "1.0M", "0", "12", "job-1."],
        ["2", "3.0M", "job-2."],
        ["3", "job-3."],
    ]


def test_json_is_the_answer_of_the_api_at_a_moment(procession: Command, server: RunningServer) -> None:
    server.add(whole(busy(1, 5.0), taken_at=NOON - 100), whole(busy(2, 5.0)))

    result = procession("top", "--json", "--at", str(NOON - 90), "--tags", "host:web-1")

    answer = json.loads(result.out)
    assert answer["meta"]["at"] == NOON - 90
    assert [item["attributes"]["pid"] for item in answer["data"]] == [1]


def test_a_moment_that_is_too_old_is_said_to_be(procession: Command, server: RunningServer) -> None:
    result = procession("top", "--at", "2020-01-01")

    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "procession: no numbers are kept of 2020-01-01 00:00:00: Only data from the past 168 hours are available\n"
    )


def test_the_org_of_the_keys_is_the_one_that_is_watched(screen: OnTerminal, server: RunningServer) -> None:
    assert {lease.org_id for lease in server.store.leases(NOON)} == {ORG}
