"""Posts to an address that was looked at. Follows no redirect, and reads no more of an answer than it shows."""

from __future__ import annotations

import socket
import ssl
from functools import cached_property
from urllib.parse import urlsplit

import httptools

from procession import __version__
from procession.delivery.addresses import AllowedTargets, Target
from procession.delivery.deadline import Deadline
from procession.notifications.escaping import clipped, plain
from procession.notifications.payloads.http_request import HttpRequest
from procession.notifications.retries import NotSent

SECONDS = 15.0
"""For all of it, as Datadog has it."""
MAX_ANSWER_BYTES = 64 * 1024
MAX_SHOWN_CHARACTERS = 200


class HttpPoster:
    def __init__(
        self, targets: AllowedTargets, *, context: ssl.SSLContext | None = None, seconds: float = SECONDS
    ) -> None:
        """`context`: which certificates of servers are good [those that the system trusts]."""
        self._targets = targets
        self._given_context = context
        self._seconds = seconds

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Made once it is needed: to read all that a system trusts takes 30 ms, and few servers post to https."""
        return self._given_context or ssl.create_default_context()

    def post(self, request: HttpRequest, *, tries_again_after: frozenset[int] = frozenset()) -> None:
        """Returns once it was answered with a 2xx. Raises NotSent, final for any other answer than a 5xx or one of
        `tries_again_after`."""
        try:
            url = urlsplit(request.url)
            host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        except ValueError as error:
            raise NotSent(f"the URL is none: {error}", is_final=True) from None
        if url.scheme not in ("http", "https") or not host or url.username is not None:
            raise NotSent("the URL is none of http or https with a host and without a login", is_final=True)
        target = self._targets.target(host, port)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        head = _head(request, path, url.netloc)
        status, text = self._exchange(target, url.scheme == "https", head + request.body)
        if 200 <= status < 300:
            return
        said = f": {clipped(plain(text), MAX_SHOWN_CHARACTERS)}" if text else ""
        is_final = status < 500 and status not in tries_again_after
        raise NotSent(f"{host} answered {status}{said}", is_final=is_final)

    def _exchange(self, target: Target, is_tls: bool, message: bytes) -> tuple[int, str]:
        deadline = Deadline(self._seconds)
        try:
            with (
                deadline,
                socket.create_connection((target.address, target.port), timeout=self._seconds) as plain_socket,
            ):
                deadline.watch(plain_socket)
                if not is_tls:
                    return _send_and_read(plain_socket, message)
                with self._context.wrap_socket(plain_socket, server_hostname=target.host) as connection:
                    return _send_and_read(connection, message)
        except (OSError, httptools.HttpParserError) as error:
            if deadline.is_over or isinstance(error, TimeoutError):
                raise NotSent(f"{target.host} did not answer within {self._seconds:g} s") from None
            raise NotSent(f"cannot post to {target.host}: {_reason(error)}") from None


class _Answer:
    """What is needed of an answer, filled in by the parser."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.is_complete = False

    def on_body(self, data: bytes) -> None:
        self.body += data[: MAX_ANSWER_BYTES - len(self.body)]

    def on_message_complete(self) -> None:
        self.is_complete = True


def _send_and_read(connection: socket.socket, message: bytes) -> tuple[int, str]:
    connection.sendall(message)
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    read = 0
    while not answer.is_complete and read < MAX_ANSWER_BYTES:
        data = connection.recv(16 * 1024)
        if not data:
            break
        read += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise ConnectionError("it answered with another protocol than HTTP") from None
    status = parser.get_status_code()
    if status < 200:
        raise ConnectionError("it gave no answer")
    return status, answer.body.decode("utf-8", "replace")


def _head(request: HttpRequest, path: str, host: str) -> bytes:
    names = {name.lower() for name, _ in request.headers}
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Type: {request.content_type}",
        f"Content-Length: {len(request.body)}",
        "Connection: close",
        *([] if "user-agent" in names else [f"User-Agent: procession/{__version__}"]),
        *([] if "accept" in names else ["Accept: */*"]),
        *(f"{name}: {value}" for name, value in request.headers),
    ]
    text = "\r\n".join(lines)
    if any(not line.isprintable() for line in lines) or " " in path or not path.isascii() or not host.isascii():
        raise NotSent("the URL or a header has characters that no request has", is_final=True)
    return f"{text}\r\n\r\n".encode()


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message}"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
