"""10,000 open connections, as far as this machine may open so many files."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.overload.others import others_of
from tests.overload.servers import OrgKeys, Server, a_server
from tests.overload.slow import headers
from tests.overload.trial import Trial
from tests.support.running import eventually
from tests.support.torture import record

WANTED = 10_000
BEYOND = 500
"""Of what the server lets in."""
MOST_BYTES_EACH = 40_000
BUSY = 200


@contextmanager
def as_many_files_as_may_be() -> Iterator[int]:
    """For this process, and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield 2**30 if hard == resource.RLIM_INFINITY else hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(server: Server, stack: contextlib.ExitStack, count: int) -> list[socket.socket]:
    return [stack.enter_context(socket.create_connection(server.address, timeout=30)) for _ in range(count)]


def connect_after_an_answer(server: Server, stack: contextlib.ExitStack, count: int) -> list[socket.socket]:
    """They have asked once and are kept alive. One that never asks is ended after 10 s: too soon on a busy machine."""
    clients = []
    for _ in range(count):
        (client,) = connect(server, stack, 1)
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = http.client.HTTPResponse(client)
        answer.begin()
        answer.read()
        assert answer.status == 200
        assert not answer.will_close
        clients.append(client)
    return clients


def test_as_many_open_connections_as_may_be_keep_nobody_out(tmp_path: Path) -> None:
    with as_many_files_as_may_be() as files:
        count = min(WANTED, (files - 1000) // 2)
        with a_server(tmp_path, "--max-connections", str(count)) as server:
            modest = server.new_org("modest")
            with others_of(server, modest) as others:
                trial = Trial(others)
                before_mib, before_sockets = server.memory_mib(), server.sockets()
                with contextlib.ExitStack() as stack:
                    idle = connect_after_an_answer(server, stack, count + BEYOND)
                    grown_mib, sockets = server.memory_mib() - before_mib, server.sockets()
                    assert sockets > count
                    trial.storm()
                    # Those that came first have made room.
                    idle[0].settimeout(30)
                    assert idle[0].recv(1) == b""
                trial.calm()
                eventually(lambda: server.sockets() < before_sockets + 100, what="closing")

    record(
        f"{len(idle):,} connections opened and kept, where {count:,} may be; {trial}; memory +{grown_mib} MiB",
        times=len(idle),
        lost=0,
        answered=f"{BEYOND} and more of the silent ones made room; all others were answered",
    )
    trial.assert_others_hardly_noticed()
    assert sockets < count + before_sockets + 100
    assert grown_mib < 64 + count * MOST_BYTES_EACH // 2**20


def busy(server: Server, org: OrgKeys, stack: contextlib.ExitStack, count: int) -> None:
    """Connections that are in the middle of a request, of which the server has seen the beginning."""
    fields = {"Host": "x", "DD-API-Key": org.api_key, "Content-Length": "1000", "Expect": "100-continue"}
    clients = connect(server, stack, count)
    for client in clients:
        client.sendall(b"POST /api/v1/collector HTTP/1.1\r\n" + headers(fields) + b"\r\n")
    for client in clients:
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")


def test_who_finds_all_connections_busy_is_told_so_and_gets_in_within_ten_seconds(tmp_path: Path) -> None:
    with a_server(tmp_path, "--max-connections", str(BUSY)) as server, contextlib.ExitStack() as stack:
        greedy = server.new_org("greedy")

        def ask() -> tuple[int, str | None, bytes]:
            connection = http.client.HTTPConnection(*server.address, timeout=30)
            try:
                connection.request("GET", "/healthz")
                answer = connection.getresponse()
                return answer.status, answer.getheader("Retry-After"), answer.read()
            finally:
                connection.close()

        def refusal() -> tuple[int, str | None, bytes] | None:
            found = ask()
            return None if found[0] == 200 else found

        assert ask()[0] == 200
        busy(server, greedy, stack, BUSY)
        status, retry_after, body = eventually(refusal, what="a refusal")

        assert (status, retry_after) == (503, "2")
        assert "connections are open" in json.loads(body)["errors"][0]
        # They do not go on, and are cut off for it: nobody has to come and help.
        eventually(lambda: ask()[0] == 200, seconds=20, what="room")

    record(
        f"{BUSY} connections in the middle of a request that does not go on, where {BUSY} may be open",
        times=BUSY,
        lost=0,
        answered="503 with the reason to whoever comes, until the first is cut off after 10 s",
    )
