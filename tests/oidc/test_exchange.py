"""Asking a provider: bounded, and nowhere but where it is."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from procession.oidc import exchange
from procession.oidc.exchange import MAX_ANSWER_BYTES, Exchange, ProviderFails, ProviderRefuses, checked_url

CONTEXT = ssl.create_default_context


class Speaker:
    """Gives one answer to each connection."""

    def __init__(self) -> None:
        self.answer = b""
        self.connections = 0
        self.is_patient = False
        """It keeps the connection open, and says nothing more."""
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            connection.recv(64 * 1024)
            connection.sendall(self.answer)
            if not self.is_patient:
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for connection in (self._listener, *self._open):
            connection.close()


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    speaker = Speaker()
    yield speaker
    speaker.close()


def said(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode() + body


def ask(speaker: Speaker) -> object:
    return Exchange(CONTEXT).get(f"{speaker.url}/keys?x=1")


def test_json_is_read(speaker: Speaker) -> None:
    speaker.answer = said(b'{"a": [1]}')

    assert ask(speaker) == {"a": [1]}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n",
        said(b"<html>"),
        said(b"[" * 100_000),
        said(b'"' + b"x" * MAX_ANSWER_BYTES + b'"'),
        said(b"{}", "204 No Content"),
        said(b"{}", "500 Oops"),
        said(b"{}")[:-1],
    ],
)
def test_what_is_no_answer_of_use_is_said(speaker: Speaker, answer: bytes) -> None:
    speaker.answer = answer

    with pytest.raises(ProviderFails) as failure:
        ask(speaker)

    assert "\n" not in str(failure.value)


def test_it_follows_to_nowhere_else(speaker: Speaker) -> None:
    speaker.answer = said(b"{}", "302 Found", f"location: {speaker.url}/elsewhere\r\n")

    with pytest.raises(ProviderFails, match="status 302"):
        ask(speaker)

    assert speaker.connections == 1


def test_one_that_begins_and_never_ends_is_given_up(speaker: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "SECONDS", 0.2)
    speaker.answer = said(b"{}")[:-1]
    speaker.is_patient = True

    with pytest.raises(ProviderFails):
        ask(speaker)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error": "invalid_grant"}', "invalid_grant"),
        (b'{"error": "<b>"}', ""),
        (b'{"error": 7}', ""),
        (b"[]", ""),
        (b"x", ""),
    ],
)
def test_why_it_refuses_is_a_short_word_or_nothing(speaker: Speaker, body: bytes, code: str) -> None:
    speaker.answer = said(body, "400 Bad Request")

    with pytest.raises(ProviderRefuses) as refused:
        Exchange(CONTEXT).post(f"{speaker.url}/token", {"code": "x"}, {})

    assert (refused.value.status, refused.value.code) == (400, code)


@pytest.mark.parametrize(
    "url",
    [
        "https://login.acme.example",
        "https://a:8443/x?y=1",
        "http://127.0.0.1:1",
        "http://[::1]:80/",
        "http://localhost",
    ],
)
def test_https_is_safe_and_http_on_this_machine(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "login",
        "http://login.acme.example",
        "http://127.0.0.1.evil.test",
        "http://localhost.evil.test",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://me@acme.example",
        "https://acme.example#x",
        "https://acme.example\\@evil.test",
        "https://acme.example/a b",
        "https://acme.example/\r\nx",
        "https://äcme.example",
        "https://acme.example:99999",
        "https://acme.example:0",
    ],
)
def test_all_else_is_not(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked_url(url)
