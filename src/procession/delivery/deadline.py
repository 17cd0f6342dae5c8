"""A bound on how long a connection may take in all: one that sends a byte now and then keeps no thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any


class Deadline:
    """For the length of a block. What it watches is broken off once the time is over: whoever reads from it then gets
    an end or an error."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._twin: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._timer.cancel()
        with self._lock:
            if self._twin is not None:
                self._twin.close()
                self._twin = None

    def watch(self, connection: socket.socket) -> None:
        """Before it is wrapped for TLS: a twin of it is kept, since the wrapper takes the socket over."""
        with self._lock:
            self._twin = connection.dup()
        if self.is_over:
            self._end()

    def _end(self) -> None:
        self.is_over = True
        with self._lock, contextlib.suppress(OSError):
            if self._twin is not None:
                self._twin.shutdown(socket.SHUT_RDWR)
