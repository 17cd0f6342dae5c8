"""What clients may do with a connection, tried on real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
import uvloop

from procession.accounts.orgs import Key
from procession.config import ServerSettings
from procession.paging import Page
from procession.query import ProcessQuery
from procession.server.http import connection, listener, pace
from procession.server.http.connection_limit import OpenConnections
from procession.server.http.server import HttpServer
from procession.server.http.tls import Certificates
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import eventually
from tests.support.served import API_KEY, APPLICATION_KEY, ORG, PATH, Served, a_store

KEYS = f"DD-API-KEY: {API_KEY}\r\nDD-APPLICATION-KEY: {APPLICATION_KEY}\r\n"
ASK = f"GET {PATH}?page[limit]=10000 HTTP/1.1\r\nHost: localhost\r\n{KEYS}\r\n".encode()
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = f"POST /api/v1/collector HTTP/1.1\r\nHost: localhost\r\nDD-API-KEY: {API_KEY}\r\n".encode()


class Reservation:
    """A running server."""

    def __init__(self, listener: socket.socket, open_ones: OpenConnections, seconds_to_wait: float = 20) -> None:
        self.open = open_ones
        self._address = listener.getsockname()
        self._seconds = seconds_to_wait

    def connect(self, *, receive_buffer: int = 0) -> socket.socket:
        client = socket.socket()
        client.settimeout(self._seconds)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect(self._address)
        return client

    def has(self, count: int) -> None:
        eventually(lambda: self.open.count == count, seconds=20, what=f"{count} connections, not {self.open.count}")


@contextmanager
def serving(
    most: int = 100,
    find: Callable[[ProcessQuery], Page] | None = None,
    before_keys: Callable[[], object] = bool,
    certificates: Certificates | None = None,
    processes: int = 1,
) -> Iterator[Reservation]:
    store = a_store()
    keys = store.keys()

    def keys_after() -> tuple[Key, ...]:
        before_keys()
        return keys

    store.keys = keys_after  # type: ignore[method-assign]
    served = Served(store, settings=ServerSettings(rate_limit=0), find=find)
    served.store.add([(ORG, a_snapshot(*(a_sighting(pid, cmdline="x" * 1000) for pid in range(1, processes + 1))))])
    open_ones = OpenConnections(most)
    listening = socket.create_server(("127.0.0.1", 0))
    is_started = threading.Event()
    server = HttpServer(served.app(), open_ones, certificates, on_started=is_started.set)
    thread = threading.Thread(target=lambda: run(server, listening), daemon=True)
    thread.start()
    assert is_started.wait(30)
    yield Reservation(listening, open_ones)
    server.stop()
    thread.join(30)
    assert not thread.is_alive()


def run(server: HttpServer, listening: socket.socket) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve([listening]))


@pytest.fixture
def short_periods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "PERIOD_SECONDS", 1.0)


def everything(client: socket.socket) -> bytes:
    """Until the server closes."""
    answer = b""
    try:
        while data := client.recv(65536):
            answer += data
    except ConnectionResetError:
        pass
    return answer


def answer_to(client: socket.socket, request: bytes) -> tuple[int, dict[str, str], bytes]:
    client.sendall(request)
    return one_answer(client)


def one_answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    # Without a buffer, which might take some of the next answer.
    with client.makefile("rb", buffering=0) as file:
        status = int(file.readline().split()[1])
        headers = {}
        while line := file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        body = b""
        while len(body) < int(headers["content-length"]):
            part = file.read(int(headers["content-length"]) - len(body))
            assert part
            body += part
        return status, headers, body


def send_without_end(client: socket.socket) -> None:
    for _ in range(10_000):
        client.sendall(b"x" * 100_000)


class Gate:
    """A store that does not answer until it is let."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, _: ProcessQuery) -> Page:
        self.begun.release()
        assert self.open.wait(30)
        return Page(())


@pytest.mark.usefixtures("short_periods")
def test_who_says_nothing_is_left_without_a_word_and_who_begins_and_stops_hears_why() -> None:
    with serving() as place, place.connect() as silent, place.connect() as halting, place.connect() as good:
        halting.sendall(ALIVE[:20])
        assert answer_to(good, ALIVE)[0] == 200

        assert everything(silent) == b""
        status, headers, body = one_answer(halting)

        assert status == 408
        assert headers["connection"] == "close"
        assert json.loads(body) == {"errors": ["The request arrives too slowly: it was not all there after 1 s"]}
        assert answer_to(good, ALIVE)[0] == 200, "one that rests is not cut off"
        place.has(1)
        assert place.open.closed == {"head": 2}


@pytest.mark.usefixtures("short_periods")
def test_a_head_byte_by_byte_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as place, place.connect() as client:
        begun = time.monotonic()
        client.settimeout(0.1)
        answer = b""
        for place_in_it in range(len(ALIVE) - 1):
            try:
                client.sendall(ALIVE[place_in_it : place_in_it + 1])
                answer = client.recv(65536)
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - begun < 20


@pytest.mark.usefixtures("short_periods")
def test_a_body_that_does_not_come_is_not_waited_for_and_one_that_comes_slowly_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "LEAST_BODY_BYTES", 100)
    with serving() as place, place.connect() as stuck, place.connect() as slow:
        stuck.sendall(POST + b"Content-Length: 1000\r\n\r\nabc")
        slow.sendall(POST + b"Content-Length: 3000\r\n\r\n")
        for _ in range(30):
            slow.sendall(b"x" * 100)
            time.sleep(0.05)  # that is how slow it is

        assert one_answer(stuck)[0] == 408
        assert one_answer(slow)[0] == 400, "it was all there, and is no payload"
        assert place.open.closed == {"body": 1}


@pytest.mark.usefixtures("short_periods")
def test_a_body_that_the_server_does_not_take_yet_is_not_the_client_s_fault() -> None:
    may_know_keys = threading.Event()
    with serving(before_keys=lambda: may_know_keys.wait(30)) as place, place.connect() as client:
        # The server looks at the key first.
        client.sendall(POST + b"Content-Length: 500000\r\n\r\n" + b"x" * 300_000)
        for _ in range(2):  # by then, two periods have passed
            with place.connect() as stuck:
                stuck.sendall(POST + b"Content-Length: 1000\r\n\r\nabc")
                assert one_answer(stuck)[0] == 408
        client.sendall(b"x" * 200_000)
        may_know_keys.set()

        assert one_answer(client)[0] == 400, "it was all there, and is no payload"


@pytest.mark.usefixtures("short_periods")
def test_the_rest_of_a_body_that_was_answered_already_is_not_waited_for() -> None:
    with serving() as place, place.connect() as client:
        client.sendall(b"POST /api/v1/collector HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")

        assert one_answer(client)[0] == 403
        assert everything(client) == b""


def test_a_connection_may_be_kept_after_a_body_that_came_after_its_answer() -> None:
    with serving() as place, place.connect() as client:
        client.sendall(b"POST /api/v1/collector HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        assert one_answer(client)[0] == 403

        client.sendall(b"x" * 997)
        assert answer_to(client, ALIVE)[0] == 200


def test_a_body_without_end_that_was_answered_already_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_DROPPED_BYTES", 10**6)
    with serving() as place, place.connect() as client:
        client.sendall(b"POST /api/v1/collector HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert one_answer(client)[0] == 403

        with pytest.raises(ConnectionError):
            send_without_end(client)


@pytest.mark.usefixtures("short_periods")
def test_who_asks_and_does_not_read_is_cut_off_and_who_reads_is_not() -> None:
    with serving(processes=3000) as place, place.connect(receive_buffer=4096) as lazy, place.connect() as good:
        lazy.sendall(ASK * 20)
        good.sendall(ASK * 20)

        sizes = [len(one_answer(good)[2]) for _ in range(20)]

        assert min(sizes) > 3_000_000
        eventually(lambda: place.open.closed["reading"], what="cutting off")
        place.has(1)
        assert len(everything(lazy)) < 20 * sizes[0]


def test_a_head_without_end_is_refused() -> None:
    with serving() as place, place.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with pytest.raises(ConnectionError):
            send_without_end(client)
        place.has(0)


def test_requests_without_end_at_once_are_refused() -> None:
    gate = Gate()
    with serving(find=gate) as place, place.connect() as client:
        client.sendall(ASK + ALIVE * 1000)

        answer = everything(client)
        gate.open.set()

        assert answer.startswith(b"HTTP/1.1 400 ")
        place.has(0)


def test_the_one_that_was_silent_for_longest_makes_room_for_a_new_one() -> None:
    with serving(most=3) as place, place.connect() as fresh:
        place.has(1)
        with place.connect() as old, place.connect() as used:
            for client in (old, used, old):
                assert answer_to(client, ALIVE)[0] == 200

            with place.connect() as new:
                assert answer_to(new, ALIVE)[0] == 200
                assert everything(fresh) == b""
                assert answer_to(old, ALIVE)[0] == 200
                with place.connect() as newer:
                    assert answer_to(newer, ALIVE)[0] == 200
                    assert everything(used) == b""
                    assert answer_to(old, ALIVE)[0] == 200
            assert place.open.closed == {"silent": 2}


def test_where_all_are_busy_a_new_one_hears_so_and_those_go_on() -> None:
    gate = Gate()
    with serving(most=2, find=gate) as place, place.connect() as first, place.connect() as second:
        for client in (first, second):
            client.sendall(ASK)
            assert gate.begun.acquire(timeout=20)

        with place.connect() as new:
            status, headers, body = answer_to(new, ALIVE)
            assert everything(new) == b""

        assert status == 503
        assert (headers["retry-after"], headers["connection"]) == ("2", "close")
        assert "connections are open" in json.loads(body)["errors"][0]
        gate.open.set()
        assert [one_answer(client)[0] for client in (first, second)] == [200, 200]
        with place.connect() as newer:
            assert answer_to(newer, ALIVE)[0] == 200


def test_a_handshake_that_does_not_end_is_counted_and_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_SECONDS", 1.0)
    authority = trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    certificates = Certificates(str(tmp_path / "server.pem"), "")
    with serving(most=2, certificates=certificates) as place, place.connect(), place.connect() as garbage:
        place.has(2)
        with place.connect() as refused:
            assert everything(refused) == b""
        garbage.sendall(b"GET / HTTP/1.1\r\n\r\n")
        place.has(0)  # the other one after a second

        with context.wrap_socket(place.connect(), server_hostname="localhost") as good:
            assert answer_to(good, ALIVE)[0] == 200
            assert place.open.count == 1
        place.has(0)


def test_requests_that_are_none_are_answered_and_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as place:
        for _ in range(20):
            with place.connect() as client:
                assert answer_to(client, b"\x16\x03\x01 is no HTTP\r\n\r\n")[0] == 400

    said = [
        record
        for record in caplog.records
        if getattr(record, "event", None) == "invalid-request" or "no HTTP" in record.getMessage()
    ]
    assert len(said) == 1
