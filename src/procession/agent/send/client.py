"""HTTP to the intake: one connection, kept open, one request at a time."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from procession.errors import UsageError
from procession.http_client.protocol_probe import mistaken_scheme

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
"""As long as a Datadog Agent waits."""

_MAX_ANSWER_BYTES = 64 * 1024


class Unreachable(Exception):
    """There was no answer; the text says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    content_type: str
    location: str
    body: bytes


class IntakeClient:
    """Posts to one server. Only `abort` may be called from another thread."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        """`context` is for https: whom to trust, and what to show. Raises UsageError for what is no address of a
        server."""
        self.url = url
        self._context = context
        self._secure, self._host, self._port, self._prefix = _parse(url)
        self._connection: http.client.HTTPConnection | None = None
        self._aborted = False

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Raises Unreachable. A connection that the server closed while nothing happened is opened anew."""
        kept = self._connection is not None
        try:
            return self._post(path, body, headers)
        except (ConnectionError, http.client.BadStatusLine) as error:
            self.close()
            if not kept or self._aborted:
                raise self._unreachable(error) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._unreachable(error) from None
        try:
            return self._post(path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> Unreachable:
        may_speak_another = isinstance(
            error, ssl.SSLError | http.client.HTTPException | ConnectionResetError
        ) and not isinstance(error, ssl.SSLCertVerificationError)
        if may_speak_another and not self._aborted and (right := mistaken_scheme(self.url)):
            return Unreachable(f"it speaks {right.partition(':')[0]}; --url should be {right}")
        return Unreachable(_reason(error))

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def abort(self) -> None:
        """End what is under way, and let nothing begin any more."""
        self._aborted = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        if self._aborted:
            raise ConnectionAbortedError
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        connection.request(
            "POST", self._prefix + path, body, {name: _encoded(value) for name, value in headers.items()}
        )
        answer = connection.getresponse()
        data = answer.read(_MAX_ANSWER_BYTES)
        if answer.length and len(data) < _MAX_ANSWER_BYTES:
            raise http.client.IncompleteRead(data, answer.length)
        if not answer.isclosed() or answer.will_close:
            self.close()
        return Response(answer.status, answer.getheader("Content-Type", ""), answer.getheader("Location", ""), data)

    def _connect(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._secure:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=CONNECT_SECONDS, context=self._context
            )
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(ANSWER_SECONDS)
        return connection


def tls_context(ca: str, cert: str, key: str) -> ssl.SSLContext | None:
    """From the names of files; None where none is given. Raises UsageError for those that are of no use."""
    if key and not cert:
        raise UsageError("--tls-client-key needs a certificate beside it: give one with --tls-client-cert")
    if not (ca or cert):
        return None
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"cannot use the certificates in {ca}: {_reason(error)}") from None
    if cert:
        try:
            # A password is not asked for, since there may be no terminal.
            context.load_cert_chain(cert, key or None, password="")
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"cannot use the certificate in {cert} and its key: {_reason(error)}") from None
    return context


def _parse(url: str) -> tuple[bool, str, int | None, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError(f"{url!r} is no URL of a server; it looks like https://procession.example.org:7171") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError("the URL of the server must not hold a user or password; the API key is all that it needs")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is no URL of a server; it looks like https://procession.example.org:7171")
    return parts.scheme == "https", parts.hostname, port, parts.path.rstrip("/")


def _encoded(value: str) -> bytes:
    # Not Latin-1, which is what http.client would make of it.
    return value.encode("utf-8", "replace")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionAbortedError):
        return "it closed the connection without an answer"
    if isinstance(error, http.client.IncompleteRead):
        return "its answer ended too early"
    if isinstance(error, http.client.HTTPException):
        return "it does not speak HTTP"
    text = str(getattr(error, "verify_message", "") or getattr(error, "strerror", "") or type(error).__name__)
    return text[:1].lower() + text[1:]
