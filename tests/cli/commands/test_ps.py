from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rich.cells import cell_len

from procession.accounts.orgs import KeyKind
from procession.cli.local.data_folder import LocalFiles
from procession.config import ServerSettings
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ExitFacts, ProcessNumbers
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.served import API_KEY, APPLICATION_KEY, ORG, OTHER_API_KEY, OTHER_APPLICATION_KEY, OTHER_ORG


def test_ps_finds_the_server_and_its_keys_by_itself(procession: Command, server: RunningServer) -> None:
    server.add(a_snapshot(a_sighting(pid=7, cmdline="nginx -g daemon", user="www-data"), host="web-1"))

    result = procession("ps")

    assert result.code == 0
    assert [line.split() for line in result.lines] == [
        ["HOST", "PID", "PPID", "USER", "STARTED", "SEEN", "COMMAND"],
        ["web-1", "7", "1", "www-data", "2023-11-14", "22:11:40", "22:13:20", "nginx", "-g", "daemon"],
    ]


def test_ps_passes_search_tags_and_window_on(procession: Command, server: RunningServer) -> None:
    server.add(
        a_snapshot(
            a_sighting(pid=1, cmdline="java -jar kafka.jar", tags=("env:prod",)),
            a_sighting(pid=2, cmdline="java -jar other.jar", tags=("env:prod",)),
            a_sighting(pid=3, cmdline="java -jar kafka.jar", tags=("env:dev",)),
        ),
        a_snapshot(
            a_sighting(pid=4, cmdline="java -jar kafka.jar", tags=("env:prod",)),
            taken_at=NOON - 7200,
            request_id=1,
        ),
    )

    now = procession("ps", "--json", "--search", "java AND kafka", "--tags", "env:prod")
    then = procession(
        "ps",
        "--json",
        "--search",
        "kafka",
        "--from",
        str(NOON - 7300),
        "--to",
        "2023-11-14T20:14",
        "--tags",
        "env:prod",
    )

    assert [item["attributes"]["pid"] for item in json.loads(now.out)] == [1]
    assert [item["attributes"]["pid"] for item in json.loads(then.out)] == [4]


def test_without_an_end_the_window_reaches_until_now(procession: Command, server: RunningServer) -> None:
    now = int(time.time())
    server.served.clock.now = now
    server.add(a_snapshot(a_sighting(pid=7), taken_at=now - 60))

    assert len(procession("ps", "--from", "-2h").lines) == 2


def test_ps_reads_on_through_pages_until_the_limit(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("procession.cli.commands.ps.MAX_LIMIT", 10)
    server.add(a_snapshot(*(a_sighting(pid=pid) for pid in range(1, 36))))

    everything = procession("ps", "--json")
    some = procession("ps", "--json", "--limit", "25")

    assert sorted(item["attributes"]["pid"] for item in json.loads(everything.out)) == list(range(1, 36))
    assert everything.err == ""
    assert len(json.loads(some.out)) == 25
    assert some.err == "procession: only the first 25 are shown; --limit 250 shows more\n"


def test_ps_says_nothing_of_more_where_the_limit_is_just_enough(procession: Command, server: RunningServer) -> None:
    server.add(a_snapshot(*(a_sighting(pid=pid) for pid in range(1, 4))))

    assert procession("ps", "--limit", "3").err == ""


def test_ps_shows_what_a_hostile_name_would_do_instead_of_doing_it(procession: Command, server: RunningServer) -> None:
    server.add(a_snapshot(a_sighting(cmdline="evil\x1b[2J\nroot 1 0", user="\x1b]0;x\x07")))

    table = procession("ps")
    as_json = procession("ps", "--json")

    assert len(table.lines) == 2
    assert r"evil\x1b[2J\x0aroot 1 0" in table.out
    assert r"\x1b]0;x\x07" in table.out
    assert "\x1b" not in table.out + as_json.out


def test_on_a_terminal_only_the_command_is_cut_and_nothing_in_it_is_markup(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    server.add(
        a_snapshot(
            a_sighting(pid=1, cmdline="sh [bold]x[/] " + "long " * 50),
            a_sighting(pid=4_000_000, cmdline="名前" * 50),
        )
    )

    header, _, *lines = re.sub(r"\x1b\[[0-9;]*m", "", procession("ps").out).splitlines()

    assert header.split() == ["HOST", "PID", "PPID", "USER", "STARTED", "SEEN", "COMMAND"]
    first, second = sorted(line.rstrip() for line in lines)
    assert first.startswith("web-1        1     1  www-data  2023-11-14 22:11:40  22:13:20  sh [bold]x[/] long")
    assert second.startswith("web-1  4000000     1  www-data  2023-11-14 22:11:40  22:13:20  名前")
    assert [cell_len(first), first[-1]] == [100, "…"]
    assert cell_len(second) in (99, 100)


def test_a_process_without_arguments_is_shown_by_its_name(procession: Command, server: RunningServer) -> None:
    server.add(a_snapshot(a_sighting(cmdline="", command="kworker")))

    assert procession("ps").lines[1].endswith("[kworker]")


def test_keys_of_the_environment_come_before_the_local_ones(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(a_snapshot(a_sighting(cmdline="of the other org")), org=OTHER_ORG)
    monkeypatch.setenv("DD_API_KEY", OTHER_API_KEY)
    monkeypatch.setenv("DD_APP_KEY", OTHER_APPLICATION_KEY)

    assert "of the other org" in procession("ps").out
    assert "of the other org" not in procession("ps", "--api-key", API_KEY, "--application-key", APPLICATION_KEY).out


def test_a_refused_key_is_named_by_where_it_came_from(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DD_API_KEY", "f" * 32)

    result = procession("ps", "--application-key", APPLICATION_KEY)

    assert result.code == 1
    assert result.err == (
        f"procession: {server.url} refuses the keys of DD_API_KEY and --application-key; "
        "`procession keys create` makes others\n"
    )


def test_what_the_server_refuses_is_said_in_its_own_words(procession: Command, server: RunningServer) -> None:
    result = procession("ps", "--search", "(java")

    assert result.code == 1
    assert result.err.startswith("procession: Invalid query parameter search: ")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("settings", [ServerSettings(rate_limit=1)])
def test_too_many_queries_are_told_when_to_come_back(procession: Command, server: RunningServer) -> None:
    procession("ps")

    result = procession("ps")

    assert result.code == 1
    assert result.err == f"procession: {server.url} takes no more queries for now; try again in 40 s\n"


def test_without_a_server_ps_says_how_to_start_one(procession: Command, local: LocalFiles) -> None:
    with closed_port() as url:
        local.write_address(url)

        result = procession("ps")

    assert result.code == 1
    assert result.err == (
        f"procession: cannot reach {url}: connection refused; "
        "start it with `procession up`, or name another with --url\n"
    )


def test_local_keys_are_not_shown_to_a_server_elsewhere(procession: Command, local: LocalFiles) -> None:
    result = procession("ps", "--url", "http://procession.invalid")

    assert result.code == 1
    assert result.err == ("procession: no key for http://procession.invalid: give one with --api-key or DD_API_KEY\n")


def test_without_local_keys_ps_says_where_they_should_be(procession: Command, server: RunningServer) -> None:
    local = LocalFiles.of("")
    local.remove_secret(KeyKind.APPLICATION)

    result = procession("ps")

    assert result.code == 1
    assert f"there is no key in {local.key_file(KeyKind.APPLICATION)} that may be read" in result.err


@pytest.mark.parametrize("url", ["127.0.0.1:7171", "ftp://127.0.0.1", "http://:80", "http://127.0.0.1:99999"])
def test_what_is_no_url_is_refused(procession: Command, url: str) -> None:
    result = procession("ps", "--url", url, "--api-key", "a", "--application-key", "b")

    assert result.code == 1
    assert (
        result.err == f"procession: {url!r} is not the address of a server; it should look like http://127.0.0.1:7171\n"
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nnot found",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull",
        b'HTTP/1.1 200 OK\r\ncontent-length: 31\r\n\r\n{"data":[1],"meta":{"page":{}}}',
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_a_server_that_is_not_procession_is_said_to_be_none(
    procession: Command, local: LocalFiles, answer: bytes
) -> None:
    with answering(lambda connection: connection.sendall(answer)) as url:
        result = procession("ps", "--url", url)

    assert result.code == 1
    assert result.err == f"procession: what answers at {url} is not Procession; name the server with --url\n"


def test_a_server_that_hangs_up_is_said_to_be_no_procession(procession: Command, local: LocalFiles) -> None:
    with answering(lambda _: None) as url:
        result = procession("ps", "--url", url)

    assert result.code == 1
    assert len(result.err.splitlines()) == 1
    assert url in result.err


@contextmanager
def answering(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that reads a request and then does as it is told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@contextmanager
def closed_port() -> Iterator[str]:
    """A port on which nobody listens, and that nobody else gets meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


def test_the_long_form_shows_how_processes_do_and_how_they_ended(procession: Command, server: RunningServer) -> None:
    numbers = ProcessNumbers(cpu_total_percent=12.54, rss_bytes=3 * 2**19, state="S")
    before = a_snapshot(a_sighting(1, numbers=numbers), a_sighting(2), taken_at=NOON - 20, split_id=1, chunk_count=1)
    after = a_snapshot(a_sighting(1, numbers=numbers), taken_at=NOON - 10, split_id=2, chunk_count=1)
    server.add(before, after)
    killed = ProcessExit(pid=2, at=NOON - 15, exit_code=137, description=a_description())
    server.store.add_exits([(ORG, ProcessExits("web-1", (killed,)))])

    header, first, second = procession("ps", "--long").lines

    assert header.split()[6:] == ["STATE", "CPU", "RSS", "ENDED", "EXIT", "COMMAND"]
    assert first.split()[1] == "1"
    assert first.split()[7:12] == ["S", "12.5", "1.5", "/usr/sbin/nginx", "-g"]
    assert second.split()[7:11] == ["22:13:05", "137", "SIGKILL", "/usr/sbin/nginx"]


def test_the_long_form_says_that_a_process_was_killed_for_want_of_memory(
    procession: Command, server: RunningServer
) -> None:
    server.add(a_snapshot(a_sighting(2), taken_at=NOON - 20, split_id=1, chunk_count=1))
    facts = ExitFacts(oom_killed=True, oom_cgroup="/shop")
    killed = ProcessExit(pid=2, at=NOON - 15, exit_code=137, description=a_description(), facts=facts)
    server.store.add_exits([(ORG, ProcessExits("web-1", (killed,)))])

    _, line = procession("ps", "--long").lines

    assert line.split()[7:11] == ["22:13:05", "137", "SIGKILL", "OOM"]


def test_a_search_is_in_our_own_language_and_its_json_as_ever(procession: Command, server: RunningServer) -> None:
    sightings = [
        a_sighting(pid, numbers=ProcessNumbers(cpu_total_percent=float(pid)), cmdline=f"java {pid}")
        for pid in range(1, 8)
    ]
    server.add(a_snapshot(*sightings, taken_at=NOON - 10, host="db-1"))

    busy = json.loads(procession("ps", "--json", "--search", "cpu>3 db-1").out)
    plain = json.loads(procession("ps", "--json", "--tags", "host:db-1").out)

    assert [item["attributes"]["pid"] for item in busy] == [4, 5, 6, 7]
    assert [item for item in plain if item["attributes"]["pid"] > 3] == busy


def test_ps_reads_on_through_what_is_compared(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("procession.cli.commands.ps.MAX_LIMIT", 10)
    server.add(a_snapshot(*(a_sighting(pid, numbers=ProcessNumbers(rss_bytes=pid * 2**20)) for pid in range(1, 36))))

    found = procession("ps", "--json", "--search", "rss>5MiB")
    some = procession("ps", "--json", "--search", "rss>5MiB", "--limit", "25")

    assert [item["attributes"]["pid"] for item in json.loads(found.out)] == list(range(6, 36))
    assert len(json.loads(some.out)) == 25
    assert "only the first 25" in some.err
