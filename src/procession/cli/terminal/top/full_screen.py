"""A terminal that is taken over whole, and given back as it was on every way out: keys in, lines out."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~])")
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O)?")
_KEYS = {
    b"[A": "up",
    b"[B": "down",
    b"[C": "right",
    b"[D": "left",
    b"[H": "home",
    b"[F": "end",
    b"[1~": "home",
    b"[4~": "end",
    b"[5~": "pageup",
    b"[6~": "pagedown",
    b"[7~": "home",
    b"[8~": "end",
    b"[P": "f1",
    b"[Q": "f2",
    b"[R": "f3",
    b"[S": "f4",
    b"[11~": "f1",
    b"[12~": "f2",
    b"[13~": "f3",
    b"[14~": "f4",
    b"[15~": "f5",
    b"[17~": "f6",
    b"[21~": "f10",
    b"\r": "enter",
    b"\n": "enter",
    b"\x7f": "backspace",
    b"\x08": "backspace",
}
_CLICK = re.compile(rb"\[<0;([0-9]{1,5});([0-9]{1,5})M")
_WHEEL = re.compile(rb"\[<(64|65);[0-9;]+M")
_IN_ASCII = str.maketrans("▼▲…←→─├└│▏▎▍▌▋▊▉█▁▂▃▄▅▆▇", "v^~<>-|`|||||||||_.-=+*#")
ESCAPE_SECONDS = 0.05
"""An Esc with nothing behind it for so long is the key, and not the beginning of another one."""


class Stopped(Exception):
    """By a signal; `code` is the exit code that says so."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number


def take_key(data: bytes) -> tuple[str, bytes]:
    """The first key of what was typed, and the rest. A key is a character, or a name of more than one; one that is not
    known is empty, and so is the beginning of one that is not whole yet. `click 4 7` is one at column 4 of line 7; they
    count from 0."""
    if data.startswith(b"\x1b[M"):
        # Terminals that do not know the numbers above send three bytes, which must not be taken for keys.
        return ("", data) if len(data) < 6 else (_old_mouse_key(data[3:6]), data[6:])
    if data.startswith(b"\x1b"):
        sequence = _SEQUENCE.match(data)
        if sequence:
            name = sequence.group()[1:].replace(b"O", b"[", 1) if data[1:2] == b"O" else sequence.group()[1:]
            return _KEYS.get(name) or _mouse_key(name), data[sequence.end() :]
        return "escape", data[1:]
    if data[:1] in _KEYS:
        return _KEYS[data[:1]], data[1:]
    length = 1 if data[0] < 0xC0 else 2 if data[0] < 0xE0 else 3 if data[0] < 0xF0 else 4
    if len(data) < length:
        return "", data
    return data[:length].decode(errors="replace"), data[length:]


def _mouse_key(name: bytes) -> str:
    if click := _CLICK.fullmatch(name):
        return f"click {max(int(click[1]) - 1, 0)} {max(int(click[2]) - 1, 0)}"
    wheel = _WHEEL.fullmatch(name)
    return ("wheelup" if wheel[1] == b"64" else "wheeldown") if wheel else ""


def _old_mouse_key(data: bytes) -> str:
    button, column, line = data[0] - 32, max(data[1] - 33, 0), max(data[2] - 33, 0)
    return {0: f"click {column} {line}", 64: "wheelup", 65: "wheeldown"}.get(button, "")


class Terminal:
    """The terminal at standard input and output, taken over for the length of a `with` block."""

    def __init__(self, *, has_mouse: bool = True) -> None:
        self._has_mouse = has_mouse
        self._input = sys.stdin.fileno()
        self._output = sys.stdout.fileno()
        self._typed = b""
        self._shown: list[str] = []
        self._signals: list[int] = []
        self._awake, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._awake, False)

    def __enter__(self) -> Terminal:
        self._before = termios.tcgetattr(self._input)
        self._handlers = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGWINCH, signal.SIGTSTP)
        }
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signals.append(number)
        self.wake()

    def wake(self) -> None:
        """End `wait`; from any thread."""
        with contextlib.suppress(OSError):
            os.write(self._wake, b".")

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self._output)
        except OSError:
            columns = lines = 0
        # Some serial lines and emulators do not know theirs.
        return columns or 80, lines or 24

    def wait(self, seconds: float) -> Iterator[str]:
        """Keys, as soon as there are any; none where it was woken or the time is over. Raises Stopped for a signal that
        ends a program, and when the terminal is gone."""
        if not self._signals:
            with contextlib.suppress(InterruptedError):
                ready, _, _ = select.select([self._input, self._awake], [], [], max(seconds, 0))
                if self._input in ready:
                    self._read()
        with contextlib.suppress(BlockingIOError):
            os.read(self._awake, 4096)
        self._obey()
        # An Esc may be the beginning of something that is still on its way.
        if _UNFINISHED.fullmatch(self._typed) and select.select([self._input], [], [], ESCAPE_SECONDS)[0]:
            self._read()
        while self._typed:
            key, rest = take_key(self._typed)
            if not key and rest == self._typed:
                return
            self._typed = rest
            if key:
                yield key

    def _read(self) -> None:
        try:
            data = os.read(self._input, 4096)
        except OSError:
            data = b""
        if not data:
            raise Stopped(signal.SIGHUP)
        self._typed += data

    def _obey(self) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGTSTP:
                # Ctrl-Z: the shell gets its terminal, and gives it back with SIGCONT.
                self._give_back()
                os.kill(os.getpid(), signal.SIGSTOP)
                self._take()
            elif number == signal.SIGWINCH:
                self._shown = []
            else:
                raise Stopped(number)

    def draw(self, lines: Sequence[str]) -> None:
        """Only what has changed is written."""
        parts = [] if self._shown else ["\x1b[2J"]
        for number, line in enumerate(lines):
            if number >= len(self._shown) or self._shown[number] != line:
                parts.append(f"\x1b[{number + 1};1H\x1b[K{line}\x1b[0m")
        self._shown = list(lines)
        if parts:
            self._write("".join(parts))

    def redraw(self) -> None:
        """Everything, at the next time."""
        self._shown = []

    def _take(self) -> None:
        # Keys come one by one and are not shown; signals stay what they are.
        tty.setcbreak(self._input, termios.TCSADRAIN)
        self._shown = []
        self._write("\x1b[?1049h\x1b[?25l\x1b[?7l" + ("\x1b[?1000h\x1b[?1006h" if self._has_mouse else ""))

    def _give_back(self) -> None:
        # A terminal that is gone needs nothing any more.
        with contextlib.suppress(OSError):
            self._write("\x1b[?1006l\x1b[?1000l" if self._has_mouse else "")
            self._write("\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l")
        with contextlib.suppress(termios.error):
            before: list[Any] = self._before
            termios.tcsetattr(self._input, termios.TCSADRAIN, before)

    def _write(self, text: str) -> None:
        encoding = sys.stdout.encoding or "utf-8"
        if encoding.lower() not in ("utf-8", "utf8"):
            text = text.translate(_IN_ASCII)
        # One character for one, so that columns stay where they are.
        data = text.encode(encoding, errors="replace")
        while data:
            data = data[os.write(self._output, data) :]
