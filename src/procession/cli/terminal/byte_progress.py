"""How far a long copy is, on standard error: on a terminal in one line that changes, elsewhere every tenth."""

from __future__ import annotations

import sys
from typing import TextIO

from procession.backup.sizes import show_size


class ByteProgress:
    """Called with how many bytes are done, and of how many."""

    def __init__(self, verb: str, stream: TextIO | None = None) -> None:
        self._verb = verb
        self._stream = stream or sys.stderr
        self._shown = -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 if total == 0 else 100 * done // total
        is_terminal = self._stream.isatty()
        step = percent if is_terminal else percent // 10 * 10
        if step == self._shown:
            return
        self._shown = step
        text = f"{self._verb} {percent} % of {show_size(total)}"
        end = "\n" if percent == 100 or not is_terminal else ""
        print(f"\r{text}" if is_terminal else text, end=end, file=self._stream, flush=True)
