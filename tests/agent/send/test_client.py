from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
import trustme

from procession.agent.send.client import IntakeClient, Unreachable
from procession.errors import UsageError
from tests.support.agents.intake import FakeIntake, Reply

PATH = "/api/v1/collector"


@contextmanager
def a_server_that_says(data: bytes) -> Iterator[str]:
    """To the first one that posts an `x`; then it closes."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                request = b""
                # All of it: closing with something unread would reset the connection under the answer.
                while not request.endswith(b"\r\n\r\nx"):
                    request += connection.recv(1000)
                connection.sendall(data)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(5)


def test_client_posts_to_the_path_of_the_intake(intake: FakeIntake) -> None:
    client = IntakeClient(intake.url)

    response = client.post(PATH, b"body", {"X-Dd-Hostname": "web-1"})

    assert response.status == 200
    assert intake.posted[0].path == "/api/v1/collector"
    assert intake.posted[0].body == b"body"
    assert intake.posted[0].headers["x-dd-hostname"] == "web-1"


def test_client_keeps_a_path_in_front_as_of_a_proxy(intake: FakeIntake) -> None:
    IntakeClient(intake.url + "/procession/").post(PATH, b"", {})

    assert intake.posted[0].path == "/procession/api/v1/collector"


def test_client_keeps_its_connection(intake: FakeIntake) -> None:
    client = IntakeClient(intake.url)

    for _ in range(3):
        client.post(PATH, b"x", {})

    assert len({posted.client for posted in intake.posted}) == 1


def test_client_opens_a_connection_anew_that_the_server_closed(intake: FakeIntake) -> None:
    intake.replies.append(Reply(closes=True))
    client = IntakeClient(intake.url)

    assert [client.post(PATH, b"x", {}).status for _ in range(2)] == [200, 200]
    assert len({posted.client for posted in intake.posted}) == 2


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org", "http://", "http://h:port", "http://h:99999", "http://h/?a=1", "//h", "http://[::1"],
)  # fmt: skip
def test_client_refuses_what_is_no_url(url: str) -> None:
    with pytest.raises(UsageError, match="is no URL of a server; it looks like"):
        IntakeClient(url)


def test_client_refuses_a_url_with_a_password_and_does_not_repeat_it() -> None:
    with pytest.raises(UsageError, match="must not hold a user or password") as raised:
        IntakeClient("http://user:hunter2@example.org")

    assert "hunter2" not in str(raised.value)


def test_client_says_why_a_server_cannot_be_reached() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(Unreachable, match=r"^connection refused$"):
        IntakeClient(f"http://127.0.0.1:{port}").post(PATH, b"", {})
    with pytest.raises(Unreachable, match=r"."):
        IntakeClient("http://no-such-host.invalid").post(PATH, b"", {})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH\r\n", "it does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "its answer ended too early"),
    ],
)
def test_client_says_what_is_odd_about_an_answer(data: bytes, reason: str) -> None:
    with a_server_that_says(data) as url, pytest.raises(Unreachable, match=reason):
        IntakeClient(url).post(PATH, b"x", {})


def test_client_says_that_a_plain_server_does_not_speak_tls(intake: FakeIntake) -> None:
    with pytest.raises(Unreachable, match=f"^it speaks http; --url should be {intake.url}$"):
        IntakeClient(intake.url.replace("http:", "https:")).post(PATH, b"", {})


def test_client_says_that_a_server_speaks_tls_only() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with (
        a_server_with(context) as address,
        pytest.raises(Unreachable, match=f"^it speaks https; .* be https://{address}$"),
    ):
        IntakeClient(f"http://{address}").post(PATH, b"", {})


@contextmanager
def a_server_with(context: ssl.SSLContext) -> Iterator[str]:
    """Shakes hands with each caller, as far as that goes."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, suppress(OSError):
                        context.wrap_socket(connection, server_side=True).close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def test_client_can_be_interrupted(intake: FakeIntake) -> None:
    intake.gate.clear()
    client = IntakeClient(intake.url)
    ends: list[str] = []

    def post() -> None:
        try:
            client.post(PATH, b"x", {})
        except Unreachable as error:
            ends.append(str(error))

    thread = threading.Thread(target=post)
    thread.start()
    intake.wait_for(1)
    client.abort()
    thread.join(5)

    assert len(ends) == 1
    with pytest.raises(Unreachable):
        client.post(PATH, b"x", {})
    assert len(intake.posted) == 1


def test_headers_may_hold_any_text(intake: FakeIntake) -> None:
    IntakeClient(intake.url).post(PATH, b"", {"X-Dd-Hostname": "höst"})

    assert intake.posted[0].headers["x-dd-hostname"].encode("latin-1") == "höst".encode()
