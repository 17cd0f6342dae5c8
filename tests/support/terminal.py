"""A terminal for commands that take it over: a real pty, keys to it, and what its screen shows."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.running import PROCESSION, clean_environment

_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")
_UNFINISHED = re.compile(r"\x1b(\[[?0-9;]*)?$")

# Makes the terminal that it is given its own, and becomes the command.
_START = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"


class Screen:
    """Understands what the commands write, and fails at anything else that would steer a terminal."""

    def __init__(self, columns: int, lines: int) -> None:
        self.cells: list[list[str]] = []
        self.styles: list[list[str]] = []
        """The parameters of SGR of each cell; empty for a plain one."""
        self._style = ""
        self.row = self.column = 0
        self.modes: dict[str, bool] = {}
        self.columns, self.height = columns, lines
        self._rest = ""
        self._clear()

    def _clear(self) -> None:
        self.cells = [[" "] * self.columns for _ in range(self.height)]
        self.styles = [[""] * self.columns for _ in range(self.height)]

    def resize(self, columns: int, lines: int) -> None:
        self.columns, self.height = columns, lines
        self._clear()

    @property
    def lines(self) -> list[str]:
        return ["".join(cells).rstrip() for cells in self.cells]

    def style_of(self, text: str) -> str:
        """How the first cell of this text looks; the text has to be there."""
        row = next(number for number, line in enumerate(self.lines) if text in line)
        return self.styles[row][self.lines[row].index(text)]

    @property
    def has_colors(self) -> bool:
        numbers = {int(number) for row in self.styles for style in row for number in style.split(";") if number}
        return bool(numbers - {1, 2, 7})

    def feed(self, text: str) -> None:
        text = self._rest + text
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished.group() if unfinished else ""
        text = text[: len(text) - len(self._rest)]
        place = 0
        for sequence in _SEQUENCE.finditer(text):
            self._print(text[place : sequence.start()])
            self._obey(sequence[1], sequence[2])
            place = sequence.end()
        self._print(text[place:])

    def _print(self, text: str) -> None:
        for character in text:
            if character == "\r":
                self.column = 0
                continue
            if character == "\n":
                self._next_line()
                continue
            assert character.isprintable(), f"{character!r} reached the terminal"
            if self.row < self.height and self.column < self.columns:
                self.cells[self.row][self.column] = character
                self.styles[self.row][self.column] = self._style
            self.column += 1

    def _next_line(self) -> None:
        self.row += 1
        if self.row == self.height:
            self.row -= 1
            self.cells = [*self.cells[1:], [" "] * self.columns]
            self.styles = [*self.styles[1:], [""] * self.columns]

    def _obey(self, arguments: str, what: str) -> None:
        if what == "H":
            self.row, self.column = (int(number) - 1 for number in arguments.split(";"))
        elif what == "K":
            if self.row < self.height:
                for column in range(self.column, self.columns):
                    self.cells[self.row][column] = " "
                    self.styles[self.row][column] = ""
        elif what == "J":
            self._clear()
        elif what in "hl":
            self.modes[arguments] = what == "h"
        else:
            assert what == "m", f"unknown sequence {arguments}{what}"
            self._style = "" if arguments == "0" else arguments


class OnTerminal:
    """`procession ...` on a terminal of its own."""

    def __init__(self, *arguments: str, size: tuple[int, int], environment: dict[str, str]) -> None:
        self.screen = Screen(*size)
        self._master, self._slave = os.openpty()
        # Not `select`, which cannot wait for a descriptor beyond 1,023: the process of many tests may have more.
        self._readable = select.poll()
        self._readable.register(self._master, select.POLLIN)
        self.resize(*size)
        self.before = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START, str(self._slave), *PROCESSION, *arguments],
            env=environment,
            pass_fds=[self._slave],
        )

    def resize(self, columns: int, lines: int) -> None:
        """A terminal that changes its size tells who runs on it."""
        self.screen.resize(columns, lines)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def until(self, holds: Callable[[list[str]], Any], *, seconds: float = 60.0) -> list[str]:
        """The lines of the first screen of which something holds."""
        deadline = time.monotonic() + seconds
        while not holds(self.screen.lines):
            shown = "\n".join(self.screen.lines)
            assert time.monotonic() < deadline, f"not within {seconds} s; the screen shows:\n{shown}"
            self._read(1.0)
            if self.process.poll() is not None and not self._read(0) and not holds(self.screen.lines):
                raise AssertionError(f"it ended with {self.process.returncode}; the screen shows:\n{shown}")
        return self.screen.lines

    def sees(self, *texts: str) -> list[str]:
        return self.until(lambda lines: all(any(text in line for line in lines) for text in texts))

    def ended(self, *, seconds: float = 60.0) -> int:
        """Its exit code, after all that it wrote was read."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end within {seconds} s"
            self._read(0.05)
        self.drain()
        return self.process.returncode

    def drain(self) -> None:
        """Read what is written already."""
        while self._read(0):
            pass

    def is_given_back(self) -> bool:
        """Whether the terminal is as it was before."""
        modes = {"?1049": False, "?25": True, "?7": True, "?1000": False, "?1006": False}
        has_modes = all(self.screen.modes.get(name, value) is value for name, value in modes.items())
        return has_modes and termios.tcgetattr(self._slave) == self.before

    def _read(self, seconds: float) -> bool:
        if not self._readable.poll(max(seconds, 0) * 1000):
            return False
        self.screen.feed(os.read(self._master, 65536).decode(errors="replace"))
        return True

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)


@contextlib.contextmanager
def on_terminal(*arguments: str, size: tuple[int, int] = (120, 20), **variables: str) -> Iterator[OnTerminal]:
    environment = {name: value for name, value in clean_environment().items() if name not in ("COLUMNS", "LINES")}
    started = OnTerminal(*arguments, size=size, environment=environment | {"TERM": "xterm"} | variables)
    try:
        yield started
    finally:
        started.close()
