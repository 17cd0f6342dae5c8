from __future__ import annotations

import json
from typing import Any

import pytest

from procession.cli.local.data_folder import LocalFiles
from procession.process import ProcessNumbers, Sighting, Snapshot
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_sighting, a_snapshot

BEFORE, AFTER = NOON - 600, NOON


def whole(*sightings: Sighting, **fields: Any) -> Snapshot:
    return a_snapshot(*sightings, split_id=1, chunk_count=1, **fields)


@pytest.fixture
def two_moments(server: RunningServer) -> None:
    """pid 1 stays, 2 ends, 3 becomes another program, 4 starts."""
    numbers = ProcessNumbers(cpu_total_percent=1.5, rss_bytes=2**20)
    started_at = NOON - 1000
    stays = a_sighting(1, started_at, cmdline="init", command="init")
    ends = a_sighting(2, started_at, cmdline="old job", command="old")
    was = a_sighting(3, started_at, cmdline="sh run", command="sh", tags=("a:1", "b:1"))
    becomes = a_sighting(3, started_at, cmdline="java run", command="java", tags=("b:1", "c:1"))
    starts = a_sighting(4, NOON - 100, cmdline="new job", command="new", numbers=numbers)
    server.add(whole(stays, ends, was, taken_at=BEFORE), whole(stays, becomes, starts, taken_at=AFTER))


@pytest.mark.usefixtures("two_moments")
def test_between_two_moments_what_started_ended_and_changed_is_listed(procession: Command) -> None:
    result = procession("diff", "--at", str(BEFORE), "--at", str(AFTER))

    assert (result.code, result.err) == (1, "")
    assert result.lines == [
        "--- 2023-11-14 22:03:20  3 processes",
        "+++ 2023-11-14 22:13:20  3 processes",
        "",
        "1 process started",
        "   HOST   PID  USER      STARTED              CPU   RSS  COMMAND",
        "+  web-1    4  www-data  2023-11-14 22:11:40  1.5  1.0M  new job",
        "",
        "1 process ended",
        "   HOST   PID  USER      STARTED              CPU  RSS  COMMAND",
        "-  web-1    2  www-data  2023-11-14 21:56:40            old job",
        "",
        "1 process changed",
        "    HOST   PID  COMMAND  FIELD    VALUE",
        "~-  web-1    3  java     cmdline  sh run",
        "~+  web-1    3  java     cmdline  java run",
        "~-  web-1    3  java     command  sh",
        "~+  web-1    3  java     command  java",
        "~-  web-1    3  java     tags     a:1",
        "~-  web-1    3  java     tags     command:sh",
        "~+  web-1    3  java     tags     c:1",
        "~+  web-1    3  java     tags     command:java",
        "",
        "1 process the same",
    ]


@pytest.mark.usefixtures("two_moments")
def test_json_is_the_answer_of_the_api(procession: Command) -> None:
    result = procession("diff", "--at", str(BEFORE), "--at", str(AFTER), "--json")

    answer = json.loads(result.out)
    assert result.code == 1
    assert [answer["meta"][name] for name in ("match", "started", "ended", "changed", "same")] == [
        "process",
        1,
        1,
        1,
        1,
    ]
    assert answer["started"][0]["attributes"]["pid"] == 4


@pytest.mark.usefixtures("two_moments")
def test_one_moment_is_compared_with_now_and_nothing_different_is_exit_code_0(procession: Command) -> None:
    result = procession("diff", "--at", str(AFTER))

    assert result.code == 0
    assert result.lines[-1] == "3 processes the same"
    assert result.lines[3] == "0 processes started"


def test_two_hosts_are_compared_by_what_runs_there_in_which_number(procession: Command, server: RunningServer) -> None:
    numbers = ProcessNumbers(cpu_total_percent=2.0, rss_bytes=2**21)
    server.add(
        whole(a_sighting(1, command="nginx"), a_sighting(2, command="perl"), host="web-1"),
        whole(
            a_sighting(1, command="nginx", numbers=numbers),
            a_sighting(2, command="nginx", numbers=numbers),
            a_sighting(3, command="java"),
            host="web-2",
        ),
    )

    result = procession("diff", "--host", "web-1", "--host", "web-2")

    assert result.code == 1
    assert result.lines[:2] == [
        "--- 2023-11-14 22:13:20  web-1  2 processes",
        "+++ 2023-11-14 22:13:20  web-2  3 processes",
    ]
    assert [line for line in result.lines if line.startswith(("+  ", "-  ", "~  "))] == [
        "+      1            java",
        "-      1            perl",
        "~       1      2  4.0  4.0M  nginx",
    ]
    assert [line for line in result.lines if "command" in line] == [
        "1 command only on web-2",
        "1 command only on web-1",
        "1 command in another number",
        "0 commands the same",
    ]


def test_two_groups_are_compared_by_searches_or_tags_and_by_command_line_if_wished(
    procession: Command, server: RunningServer
) -> None:
    server.add(
        whole(
            a_sighting(1, cmdline="java a", command="java", tags=("env:a",)),
            a_sighting(2, cmdline="java b", command="java", tags=("env:b",)),
        )
    )

    by_command = procession("diff", "--tags", "env:a", "--tags", "env:b")
    by_line = procession("diff", "--tags", "env:a", "--tags", "env:b", "--match", "cmdline", "--json")
    by_search = procession("diff", "--search", "a", "--search", "'java b'", "--host", "web-1")

    assert by_command.code == 0
    assert "--- 2023-11-14 22:13:20  env:a  1 process" in by_command.lines
    assert {"0 commands only in env:b", "0 commands only in env:a"} <= set(by_command.lines)
    assert [one["value"] for one in json.loads(by_line.out)["started"]] == ["java b"]
    assert "--- 2023-11-14 22:13:20  web-1  a  2 processes" in by_search.lines


def test_what_the_limit_leaves_out_is_said(procession: Command, server: RunningServer) -> None:
    server.add(whole(taken_at=BEFORE), whole(a_sighting(1), a_sighting(2), a_sighting(3), taken_at=AFTER))
    server.add(whole(a_sighting(9), taken_at=BEFORE, request_id=1))

    result = procession("diff", "--at", str(BEFORE), "--limit", "2")

    assert "3 processes started" in result.lines
    assert result.err == "procession: only the first 2 are shown of started (3); --limit 1000 shows more\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to compare: give --at once or twice, or --host, --search or --tags twice"),
        (["--host", "a"], "nothing to compare"),
        (["--at", "1", "--at", "2", "--at", "3"], "--at may be given twice at most"),
        (
            ["--host", "web-1", "--host", "web9"],
            "there is no host 'web9' at 2023-11-14 22:13:20; did you mean 'web-1'?",
        ),
        (["--at", str(NOON - 10**7)], "Only data from the past 168 hours are available"),
        (["--search", "(", "--search", "a"], "Invalid query parameter search: "),
    ],
)
def test_trouble_is_exit_code_2(procession: Command, server: RunningServer, arguments: list[str], message: str) -> None:
    server.add(whole(a_sighting(1)))

    result = procession("diff", *arguments)

    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert len(result.err.splitlines()) == 1


def test_a_server_that_is_not_there_is_trouble_too(procession: Command, local: LocalFiles) -> None:
    result = procession("diff", "--at", "-1h", "--url", "http://127.0.0.1:1")

    assert result.code == 2
    assert "cannot reach http://127.0.0.1:1: connection refused" in result.err


def test_a_hostile_name_is_written_out(procession: Command, server: RunningServer) -> None:
    server.add(whole(a_sighting(1), taken_at=BEFORE), whole(a_sighting(2, cmdline="x\x1b[2J\n+ y", user="\u202e")))

    result = procession("diff", "--at", str(BEFORE), "--search", "!\x1b]0;z\x07")

    assert r"x\x1b[2J\x0a+ y" in result.out
    assert r"!\x1b]0;z\x07" in result.lines[0]
    assert not set("\x1b\x07\u202e") & set(result.out)
