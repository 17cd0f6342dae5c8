"""A copy of each record for a syslog server: where whoever has this machine cannot change it.

Messages are as RFC 5424 has them, facility 13 (log audit). Over TCP they are framed by their length (RFC 6587).
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from procession.errors import UsageError

PRIORITY = 13 * 8 + 6
"""Log audit, informational."""
MOST_WAITING = 10_000
"""Messages that wait for a server that cannot be reached; of more, the oldest are lost, and counted."""
RETRY_SECONDS = 1.0
SEND_SECONDS = 5.0
CLOSE_SECONDS = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyslogAddress:
    scheme: str
    """`udp`, `tcp` or `unix`."""
    place: str | tuple[str, int]

    @classmethod
    def parse(cls, text: str) -> SyslogAddress:
        """Raises UsageError."""
        try:
            parts = urlsplit(text)
            if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
                return cls("unix", parts.path)
            if parts.scheme in ("udp", "tcp") and parts.hostname and parts.path in ("", "/"):
                return cls(parts.scheme, (parts.hostname, parts.port or (514 if parts.scheme == "udp" else 601)))
        except ValueError:
            pass
        raise UsageError(f"--audit-syslog {text}: it is none of udp://host:514, tcp://host:601 and unix:/dev/log")

    def connect(self) -> socket.socket:
        """Raises OSError."""
        if isinstance(self.place, str):
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            return self._connected(made, self.place)
        if self.scheme == "tcp":
            return socket.create_connection(self.place, SEND_SECONDS)
        found = socket.getaddrinfo(*self.place, type=socket.SOCK_DGRAM)
        return self._connected(socket.socket(found[0][0], socket.SOCK_DGRAM), found[0][4])

    def _connected(self, made: socket.socket, place: object) -> socket.socket:
        made.settimeout(SEND_SECONDS)
        try:
            made.connect(place)  # type: ignore[arg-type]  # as getaddrinfo gives it
        except BaseException:
            made.close()
            raise
        return made

    def framed(self, message: bytes) -> bytes:
        return b"%d %b" % (len(message), message) if self.scheme == "tcp" else message


class SyslogCopy:
    """Sends on a thread of its own: a server that is away or slow holds up nothing."""

    def __init__(
        self,
        address: SyslogAddress,
        on_lost: Callable[[int], object],
        *,
        host: str | None = None,
        retry_seconds: float = RETRY_SECONDS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`on_lost` is told how many messages were lost, once one can be sent again."""
        self._address = address
        self._on_lost = on_lost
        self._retry_seconds = retry_seconds
        self._most_waiting = most_waiting
        self._from = f"{host or socket.gethostname() or '-'} procession {os.getpid()} audit -"
        self._changed = threading.Condition(threading.Lock())
        self._waiting = deque[bytes]()
        self._lost = 0
        self._is_away = self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="audit-syslog", daemon=True)
        self._thread.start()

    def send(self, lines: Sequence[bytes]) -> None:
        """Soon. Never waits."""
        with self._changed:
            self._waiting.extend(lines)
            while len(self._waiting) > self._most_waiting:
                self._waiting.popleft()
                self._lost += 1
            self._changed.notify()

    def close(self) -> None:
        """Give what waits a moment to be sent."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        connection: socket.socket | None = None
        while (line := self._next()) is not None:
            try:
                if connection is None:
                    connection = self._address.connect()
                connection.sendall(self._address.framed(self._message(line)))
            except OSError as error:
                if connection is not None:
                    connection.close()
                    connection = None
                self._is_off(line, error)
            else:
                self._is_on()
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _next(self) -> bytes | None:
        """None at the end."""
        with self._changed:
            while not self._waiting:
                if self._is_closing:
                    return None
                self._changed.wait()
            return self._waiting.popleft()

    def _message(self, line: bytes) -> bytes:
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return f"<{PRIORITY}>1 {at} {self._from} ".encode() + line.rstrip(b"\n")

    def _is_off(self, line: bytes, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        if not self._is_away:
            self._is_away = True
            _log.warning(
                "the copy of the audit trail cannot be sent to syslog: %(reason)s; tried again",
                {"event": "audit-copy-away", "reason": reason},
            )
        with self._changed:
            if error.errno == errno.EMSGSIZE:
                self._lost += 1  # no datagram holds it, however often it is tried
            else:
                self._waiting.appendleft(line)
            if not self._is_closing:
                self._changed.wait_for(lambda: self._is_closing, self._retry_seconds)
            else:
                self._waiting.clear()

    def _is_on(self) -> None:
        self._is_away = False
        with self._changed:
            lost, self._lost = self._lost, 0
        if lost:
            self._on_lost(lost)
