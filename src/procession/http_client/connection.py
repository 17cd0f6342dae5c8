"""One connection to a server, with one request at a time.

It uses the standard library only, so that it loads in a few milliseconds. It never goes through a proxy.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from procession.http_client.endpoint import Endpoint, UnixSocket


class NoAnswer(Exception):
    """A request had no answer, or none that is whole. The text says why, in a few words."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(_reason(cause))
        self.cause = cause

    @property
    def is_no_http(self) -> bool:
        """Whether something came that is not HTTP."""
        # A connection that was closed without an answer raises what is both an OSError and an HTTPException.
        return isinstance(self.cause, http.client.HTTPException | UnicodeError) and not isinstance(self.cause, OSError)

    @property
    def may_speak_another_protocol(self) -> bool:
        """Whether the port may speak TLS where HTTP was expected, or the reverse: `mistaken_scheme` finds out."""
        is_odd = isinstance(self.cause, ssl.SSLError | http.client.HTTPException | ConnectionResetError)
        return is_odd and not isinstance(self.cause, ssl.SSLCertVerificationError)


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    headers: Mapping[str, str]
    """Values by names in lower case."""

    def header(self, name: str) -> str:
        """The value of a header, empty if there is none. `name` is in lower case."""
        return self.headers.get(name, "")


class Connection:
    """A connection that the first request opens, and a later one opens again if it was closed. Not safe for threads,
    except for `abort`."""

    def __init__(
        self,
        server: Endpoint | UnixSocket,
        *,
        connect_seconds: float,
        answer_seconds: float,
        max_answer_bytes: int | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`answer_seconds` is how long the server may send nothing before or within an answer. Of a body, the first
        `max_answer_bytes` are read, or all where that is None. `context` is for https."""
        self._server = server
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._max_answer_bytes = max_answer_bytes
        self._context = context
        self._connection: http.client.HTTPConnection | None = None
        self._is_aborted = False

    def request(
        self, method: str, target: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """The answer, whatever its status. `target` is path and query, below the prefix of the server. Raises NoAnswer.

        If the server closed the connection since the last request, it is opened again and the request sent a second
        time: the server did not read it the first time.
        """
        encoded = {name: _encoded(value) for name, value in (headers or {}).items()}
        was_kept = self._connection is not None
        try:
            return self._request(method, target, body, encoded)
        except (ConnectionError, http.client.BadStatusLine) as error:
            self.close()
            if not was_kept or self._is_aborted:
                raise NoAnswer(error) from None
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.close()
            raise NoAnswer(error) from None
        try:
            return self._request(method, target, body, encoded)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.close()
            raise NoAnswer(error) from None

    def close(self) -> None:
        """The next request opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def abort(self) -> None:
        """End the request under way, and refuse all others, with NoAnswer. May be called by any thread."""
        self._is_aborted = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    @property
    def is_aborted(self) -> bool:
        return self._is_aborted

    def _request(self, method: str, target: str, body: bytes | None, headers: Mapping[str, bytes]) -> Response:
        if self._is_aborted:
            raise ConnectionAbortedError
        connection = self._connection
        if connection is None:
            connection = self._connection = self._new_connection()
            connection.connect()
            connection.sock.settimeout(self._answer_seconds)
            if self._is_aborted:
                raise ConnectionAbortedError
        connection.request(method, self._server.prefix + target, body, headers)
        answer = connection.getresponse()
        most = self._max_answer_bytes
        data = answer.read() if most is None else answer.read(most)
        if answer.length and (most is None or len(data) < most):
            raise http.client.IncompleteRead(data, answer.length)
        if not answer.isclosed() or answer.will_close:
            self.close()
        return Response(answer.status, data, {name.lower(): value for name, value in answer.getheaders()})

    def _new_connection(self) -> http.client.HTTPConnection:
        server, seconds = self._server, self._connect_seconds
        if isinstance(server, UnixSocket):
            return _UnixConnection(server.path, seconds)
        if server.is_secure:
            return http.client.HTTPSConnection(server.host, server.port, timeout=seconds, context=self._context)
        return http.client.HTTPConnection(server.host, server.port, timeout=seconds)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


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
    if isinstance(error, http.client.HTTPException | UnicodeError):
        return "it does not speak HTTP"
    text = str(getattr(error, "verify_message", "") or getattr(error, "strerror", "") or type(error).__name__)
    return text[:1].lower() + text[1:]
