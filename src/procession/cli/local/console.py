"""Lines on standard error that nobody has to wait for."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque

MOST_LINES = 1000
CLOSE_SECONDS = 0.3


class Console:
    """Writes lines in a thread of its own, since writing may hang: a pipe may not be read, a terminal may be stopped.

    It writes to the descriptor itself. `sys.stderr` has a lock, which a thread that hangs would hold for ever.
    """

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """At once. Of more than a thousand that nobody reads, the oldest are left out. By any thread."""
        with self._changed:
            if len(self._lines) >= MOST_LINES:
                self._lines.popleft()
                self._left_out += 1
            self._lines.append(line)
            self._changed.notify_all()

    def close(self) -> None:
        """Give what is left a moment to be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (line := self._next()) is not None:
            with contextlib.suppress(OSError):  # nobody is there any more
                data = f"{line}\n".encode("utf-8", "backslashreplace")
                while data:
                    data = data[os.write(self._fd, data) :]

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            if self._left_out:
                count, self._left_out = self._left_out, 0
                return f"{count} lines were left out, since nobody read them"
            return self._lines.popleft() if self._lines else None
