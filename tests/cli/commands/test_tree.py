from __future__ import annotations

import json

import pytest

from procession.cli.terminal.tree_drawing import ASCII, BOX, branches, strokes_for
from procession.process import ProcessNumbers, Snapshot
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_sighting, a_snapshot


def a_family(host: str = "web-1", *, taken_at: int = NOON) -> Snapshot:
    numbers = ProcessNumbers(cpu_total_percent=12.54, rss_bytes=3 * 2**19)
    return a_snapshot(
        a_sighting(1, cmdline="/sbin/init", command="init", user="root", ppid=0),
        a_sighting(20, cmdline="/usr/sbin/sshd -D", command="sshd", user="root", ppid=1),
        a_sighting(21, cmdline="sshd: session", command="sshd", user="root", ppid=20),
        a_sighting(22, cmdline="bash", command="bash", user="ann", ppid=21),
        a_sighting(30, cmdline="java -jar shop.jar", command="java", user="shop", ppid=1, numbers=numbers),
        host=host,
        taken_at=taken_at,
        split_id=1,
        chunk_count=1,
    )


def test_the_processes_of_the_only_host_are_drawn_as_a_tree(procession: Command, server: RunningServer) -> None:
    server.add(a_family())

    result = procession("tree")

    assert (result.code, result.err) == (0, "")
    assert result.lines == [
        "PID  USER   CPU   RSS  COMMAND",
        "  1  root              /sbin/init",
        " 20  root              ├─ /usr/sbin/sshd -D",
        " 21  root              │  └─ sshd: session",
        " 22  ann               │     └─ bash",
        " 30  shop  12.5  1.5M  └─ java -jar shop.jar",
    ]


def test_of_one_process_its_ancestors_and_descendants_are_shown_and_it_is_marked(
    procession: Command, server: RunningServer
) -> None:
    server.add(a_family())
    by_pid = procession("tree", "--host", "web-1", "--pid", "21")

    answer = json.loads(procession("tree", "--pid", "21", "--json").out)
    by_id = procession("tree", "--id", answer["process"]["id"])

    assert [line.split("  ")[-1].strip() for line in by_pid.lines[1:]] == [
        "/sbin/init",
        "└─ /usr/sbin/sshd -D",
        "└─ * sshd: session",
        "└─ bash",
    ]
    assert by_id.out == by_pid.out
    assert [item["attributes"]["pid"] for item in answer["ancestors"]] == [1, 20]
    assert [item["attributes"]["pid"] for item in answer["descendants"]] == [22]


def test_a_search_shows_what_it_finds_with_its_relatives_on_every_host(
    procession: Command, server: RunningServer
) -> None:
    server.add(a_family("web-1"), a_family("web-2"))

    result = procession("tree", "--search", "session")
    on_one = procession("tree", "--search", "session", "--host", "web-2")
    as_json = json.loads(procession("tree", "--search", "session", "--json").out)

    assert [line for line in result.lines if line.endswith(":")] == ["web-1:", "web-2:"]
    assert "java" not in result.out
    assert result.out.count("* sshd: session") == 2
    assert on_one.out.count("sshd: session") == 1
    assert as_json["meta"] == {"at": NOON, "found": 2, "hosts": 2}
    assert [(item["attributes"]["pid"], item["found"]) for item in as_json["data"]][:4] == [
        (1, False),
        (20, False),
        (21, True),
        (22, False),
    ]


def test_a_tree_may_be_of_the_past(procession: Command, server: RunningServer) -> None:
    server.add(a_family(taken_at=NOON - 600))

    then = procession("tree", "--host", "web-1", "--at", str(NOON - 590), "--json")

    assert json.loads(then.out)["meta"] == {"at": NOON - 590, "host": "web-1", "total": 5, "known": True}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--host", "web1"], 1, "there is no host 'web1' at 2023-11-14 22:13:20; did you mean 'web-1' or 'web-2'?"),
        (["--host", "zzz"], 1, "there is no host 'zzz' at 2023-11-14 22:13:20; there are 'web-1', 'web-2'"),
        ([], 1, "which host? there are 'web-1', 'web-2'; name one with --host, or find processes with --search"),
        (["--host", "web-1", "--pid", "99"], 1, "web-1 had no process 99 at 2023-11-14 22:13:20; "),
        (["--host", "web1", "--pid", "1"], 1, "there is no host 'web1'"),
        (["--host", "web1", "--search", "a"], 1, "there is no host 'web1'"),
        (["--id", "00"], 1, "Not found"),
        (["--host", "web-1", "--at", str(NOON - 10**7)], 1, "no numbers are kept of 2023-07-22 04:26:40: Only data"),
        (["--pid", "1", "--search", "a"], 2, "--pid, --id and a search exclude each other"),
        (["--id", "1", "--host", "a"], 2, "--id says already which host it is"),
        (["--search", "(a"], 1, "Invalid query parameter search: "),
    ],
)
def test_what_cannot_be_shown_says_what_to_do(
    procession: Command, server: RunningServer, arguments: list[str], code: int, message: str
) -> None:
    server.add(a_family("web-1"), a_family("web-2"))

    result = procession("tree", *arguments)

    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert len(result.err.splitlines()) == 1


def test_an_empty_fleet_is_said_to_be_one(procession: Command, server: RunningServer) -> None:
    assert procession("tree").err == (
        "procession: no host had sent anything in the minute before 2023-11-14 22:13:20; "
        "`procession status` says what is there\n"
    )


def test_a_hostile_name_stays_in_its_line(procession: Command, server: RunningServer) -> None:
    hostile = a_sighting(1, cmdline="a\x1b[2J\n└─ root\u202e", user="\x9b31m")
    server.add(a_snapshot(hostile, host="h\x1b]0;x\x07", split_id=1, chunk_count=1))

    result = procession("tree", "--search", "root")

    assert len(result.lines) == 2
    assert r"a\x1b[2J\x0a└─ root\u202e" in result.out
    assert not set("\x1b\x07\x9b\u202e") & set(result.out + procession("tree", "--json").out)


def test_siblings_are_joined_by_lines_and_roots_stand_alone() -> None:
    drawn = branches([0, 1, 2, 1, 0, 1, 2, 2], BOX)

    assert drawn == ["", "├─ ", "│  └─ ", "└─ ", "", "└─ ", "   ├─ ", "   └─ "]
    assert branches([-1, 0, 1], ASCII) == ["", "`- ", "   `- "]
    assert branches([], BOX) == []


@pytest.mark.parametrize(("encoding", "strokes"), [("utf-8", BOX), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII)])
def test_boxes_are_drawn_where_they_can_be_written(encoding: str | None, strokes: object) -> None:
    assert strokes_for(encoding) is strokes
