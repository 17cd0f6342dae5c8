"""Against real sockets. What agents make of it is in `tests/agent/send/test_client.py`, and commands in `tests/cli`."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from procession.http_client import Connection, Endpoint, NoAnswer, UnixSocket

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Odd: Yes\r\n\r\nhello"


@contextmanager
def answering(listening: socket.socket, *answers: bytes) -> Iterator[list[bytes]]:
    """One connection for each answer; gives the requests, which have no body."""
    requests: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            connection, _ = listening.accept()
            with connection:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += connection.recv(1000)
                requests.append(request)
                connection.sendall(answer)

    with closing(listening):
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield requests
        thread.join(5)


def a_connection(listening: socket.socket, max_answer_bytes: int | None = None) -> Connection:
    host, port = listening.getsockname()[:2]
    return Connection(
        Endpoint(host, port, False, "/prefix"), connect_seconds=5, answer_seconds=5, max_answer_bytes=max_answer_bytes
    )


def test_an_answer_has_its_status_body_and_headers() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with answering(listening, OK) as requests, closing(a_connection(listening)) as connection:
        response = connection.request("GET", "/path?a=1")

    assert (response.status, response.body) == (200, b"hello")
    assert (response.header("x-odd"), response.header("x-none")) == ("Yes", "")
    assert requests[0].startswith(b"GET /prefix/path?a=1 HTTP/1.1\r\n")


def test_a_connection_that_was_closed_while_nothing_happened_is_opened_anew() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with answering(listening, OK, OK) as requests, closing(a_connection(listening)) as connection:
        bodies = [connection.request("GET", "/").body for _ in range(2)]

    assert bodies == [b"hello", b"hello"]
    assert len(requests) == 2


def test_no_more_is_read_than_allowed_and_the_rest_is_not_taken_for_the_next_answer() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with answering(listening, OK, OK), closing(a_connection(listening, max_answer_bytes=3)) as connection:
        bodies = [connection.request("GET", "/").body for _ in range(2)]

    assert bodies == [b"hel", b"hel"]


@pytest.mark.parametrize("most", [None, 1000], ids=["unbounded", "bounded"])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
    ],
    ids=["with its length", "in chunks"],
)
def test_half_an_answer_is_none(answer: bytes, most: int | None) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with (
        answering(listening, answer),
        closing(a_connection(listening, max_answer_bytes=most)) as connection,
        pytest.raises(NoAnswer, match=r"^its answer ended too early$") as raised,
    ):
        connection.request("GET", "/")

    assert raised.value.is_no_http


def test_silence_is_no_answer_and_not_another_protocol() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with (
        answering(listening, b""),
        closing(a_connection(listening)) as connection,
        pytest.raises(NoAnswer, match=r"^it closed the connection without an answer$") as raised,
    ):
        connection.request("GET", "/")

    assert not raised.value.is_no_http


def test_a_server_may_listen_on_a_socket_of_this_machine() -> None:
    with tempfile.TemporaryDirectory(prefix="unix-") as folder:
        path = str(Path(folder) / "s")
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        listening.listen()
        with (
            answering(listening, OK),
            closing(Connection(UnixSocket(path), connect_seconds=5, answer_seconds=5)) as connection,
        ):
            assert connection.request("GET", "/").body == b"hello"
        with pytest.raises(NoAnswer, match=r"^no such file or directory$"):
            Connection(UnixSocket(f"{path}-2"), connect_seconds=5, answer_seconds=5).request("GET", "/")
