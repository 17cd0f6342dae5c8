"""Nothing known is not nothing there: what each command says where there is no process to show."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_sighting, a_snapshot

EMPTY_AT, BUSY_AT = NOON - 300, NOON


@pytest.fixture(autouse=True)
def _processes(server: RunningServer) -> None:
    """A host whose agent began at `EMPTY_AT`, with no process to tell of then."""
    process = a_sighting(1, NOON - 9000, tags=("env:prod",))
    server.add(
        a_snapshot(taken_at=EMPTY_AT, split_id=1, chunk_count=1),
        a_snapshot(process, taken_at=BUSY_AT, split_id=2, chunk_count=1),
    )


UNKNOWN = (
    ["ps", "--from", str(NOON - 2000), "--to", str(NOON - 1900)],
    ["ps", "--long", "--from", str(NOON - 2000), "--to", str(NOON - 1900)],
    ["ps", "--tags", "host:web-9"],
    ["top", "--once", "--at", str(NOON - 2000)],
    ["top", "--once", "--tags", "host:web-9"],
    ["tree", "--search", "nginx", "--at", str(NOON - 2000)],
)
NOT_FOUND = (
    ["ps", "--search", "postgres"],
    ["ps", "--long", "--search", "postgres"],
    ["ps", "--tags", "env:test"],
    ["top", "--once", "--search", "postgres"],
    ["top", "--once", "--at", str(EMPTY_AT)],
    ["tree", "--search", "postgres"],
    ["tree", "--tags", "env:test", "--host", "web-1"],
)


@pytest.mark.parametrize("arguments", UNKNOWN, ids=" ".join)
def test_where_no_host_sent_anything_nothing_is_known(procession: Command, arguments: list[str]) -> None:
    result = procession(*arguments)

    assert result.code == 0
    assert "nothing is known of this" in result.err
    assert "nothing found" not in result.err


@pytest.mark.parametrize("arguments", NOT_FOUND, ids=" ".join)
def test_where_hosts_did_nothing_was_found(procession: Command, arguments: list[str]) -> None:
    result = procession(*arguments)

    assert result.code == 0
    assert result.err.startswith("procession: nothing found in ")
    assert "known" not in result.err


@pytest.mark.parametrize(
    "arguments", [["ps"], ["top", "--once"], ["tree"], ["tree", "--search", "nginx"]], ids=" ".join
)
def test_where_there_is_something_nothing_more_is_said(procession: Command, arguments: list[str]) -> None:
    result = procession(*arguments)

    assert (result.code, result.err) == (0, "")
    assert "nginx" in result.out


@pytest.mark.parametrize("arguments", [*UNKNOWN, *NOT_FOUND], ids=" ".join)
def test_json_is_the_answer_alone(procession: Command, arguments: list[str]) -> None:
    result = procession(*(one for one in arguments if one != "--once"), "--json")

    assert result.err == ""
    answer = json.loads(result.out)
    assert (answer if isinstance(answer, list) else answer["data"]) == []


def test_a_host_without_a_process_is_no_host_that_is_missing(procession: Command) -> None:
    result = procession("tree", "--host", "web-1", "--at", str(EMPTY_AT))

    assert result.err == "procession: web-1 had no process at 2023-11-14 22:08:20\n"


@pytest.mark.parametrize(
    "moments",
    [(NOON - 2000, NOON - 1990), (NOON - 2000, NOON), (NOON, NOON - 2000)],
    ids=["neither side", "the left one", "the right one"],
)
@pytest.mark.parametrize("more", [[], ["--search", "nginx"], ["--match", "command"], ["--json"]], ids=" ".join)
def test_a_comparison_with_a_moment_of_which_nothing_is_known_is_trouble(
    procession: Command, moments: tuple[int, int], more: list[str]
) -> None:
    result = procession("diff", "--at", str(moments[0]), "--at", str(moments[1]), *more)

    assert result.code == 2
    assert (result.out != "") == (more == ["--json"])
    assert result.err.startswith(
        "procession: what differs could not be found out: nothing is known of this moment: "
        "no host had sent anything in the minute before 2023-11-14 21:4"
    )


def test_of_hosts_that_are_named_it_is_those_that_sent_nothing(procession: Command, server: RunningServer) -> None:
    other = a_snapshot(a_sighting(1), host="web-2", taken_at=NOON - 200, split_id=9, chunk_count=1)
    server.add(other)

    listed = procession("top", "--once", "--tags", "host:web-1", "--at", str(NOON - 190))
    compared = procession("diff", "--host", "web-1", "--at", str(NOON - 190))

    for result in (listed, compared):
        assert "no host that is asked for had sent anything in the minute before" in result.err
    assert compared.code == 2


def test_one_moment_without_data_compared_with_now_is_trouble(procession: Command) -> None:
    assert procession("diff", "--at", str(NOON - 2000)).code == 2


def test_a_moment_at_which_a_host_had_no_process_is_compared(procession: Command) -> None:
    result = procession("diff", "--at", str(EMPTY_AT), "--at", str(BUSY_AT))

    assert (result.code, result.err) == (1, "")
    assert "1 process started" in result.lines


@pytest.mark.parametrize("command", [["ps"], ["ps", "--long"], ["top", "--once"], ["tree"]], ids=" ".join)
@pytest.mark.parametrize(
    ("option", "text", "meant"),
    [
        ("--search", "host:(web-1 OR web-2)", "'(host:web-1 OR host:web-2)'"),
        ("--search", "-postgres", "'!postgres'"),
        ("--tags", "env=prod", "'env:prod'"),
        ("--tags", "env:prod role:web", "'env:prod,role:web'"),
    ],
)
def test_what_another_language_means_is_said_beside_it(
    procession: Command, command: list[str], option: str, text: str, meant: str
) -> None:
    found, hint = procession(*command, option, text).err.splitlines()

    assert found.startswith("procession: nothing found in ")
    assert hint.startswith(f"procession: hint: {option[2:]}: ")
    assert meant in hint


@pytest.mark.parametrize("command", [["ps"], ["top", "--once"], ["tree"], ["diff", "--at", "-1h"]], ids=" ".join)
def test_a_backslash_before_the_last_quote_is_explained(procession: Command, command: list[str]) -> None:
    result = procession(*command, "--search", '"C:\\Program Files\\"')

    assert result.code == (2 if command[0] == "diff" else 1)
    assert 'expected a closing quote for the one at character 1; in quotes \\" is a quote' in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["ps"],
        ["ps", "--long"],
        ["top", "--once"],
        ["tree"],
        ["diff", "--at", str(EMPTY_AT)],
        ["diff", "--at", str(BUSY_AT), "--host", "web-1", "--host", "web-2"],
    ],
    ids=" ".join,
)
def test_a_process_of_which_nothing_is_known_has_words_instead_of_a_name(
    procession: Command, server: RunningServer, arguments: list[str]
) -> None:
    unread = a_sighting(7, NOON - 5, cmdline="", exe="", comm="", command="", user="")
    server.add(a_snapshot(unread, host="web-1", request_id=3, split_id=3, chunk_count=1))
    server.add(a_snapshot(a_sighting(1), host="web-2", split_id=4, chunk_count=1))
    if arguments == ["tree"]:
        arguments = ["tree", "--host", "web-1"]

    result = procession(*arguments)

    assert "(ended before it could be read)" in result.out
    assert "[]" not in result.out
