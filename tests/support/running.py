"""`procession ...` as processes of their own, as a user starts them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PROCESSION = (sys.executable, "-P", "-m", "procession.cli")
START_SECONDS = 240.0
"""A busy machine may be slow; what a user is promised has its own test."""


def clean_environment(**more: str) -> dict[str, str]:
    """Without the settings and keys of whoever runs the tests, and without a trace in their folders."""
    ours = ("PROCESSION_", "DD_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"PROCESSION_CONFIG": os.devnull, "PROCESSION_SPOOL": "false"} | more


def eventually(find: Callable[[], T | None], *, seconds: float = 30.0, what: str = "it") -> T:
    """The first answer that is neither None nor empty."""
    deadline = time.monotonic() + seconds
    while True:
        found = find()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


class Running:
    """A started command; its output arrives line by line."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None, before: Sequence[str] = ()) -> None:
        """`before` is a command that becomes this one, as `ip netns exec NAME` does."""
        self.process = subprocess.Popen(
            [*before, *PROCESSION, *arguments],
            env=environment or clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Signals to it are for it alone, and its stray children are found by its session.
            start_new_session=True,
        )
        self.output: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def line_with(self, text: str, *, seconds: float = START_SECONDS) -> str:
        """The next line that holds this text."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {text!r} within {seconds} s in:\n" + "\n".join(self.output)) from None
            if line is None:
                raise AssertionError(f"it ended without {text!r}:\n" + "\n".join(self.output))
            self.output.append(line)
            if text in line:
                return line

    def stop(self, number: int = signal.SIGINT) -> float:
        """Ask it to stop, and give the seconds that it took."""
        begin = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=30)
        seconds = time.monotonic() - begin
        self._drain()
        return seconds

    def kill(self) -> None:
        """`kill -9`, as far as it is still there."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self._drain()

    def wait(self, *, seconds: float = START_SECONDS) -> int:
        code = self.process.wait(timeout=seconds)
        self._drain()
        return code

    def _drain(self) -> None:
        # A child that outlives it, by mistake or for a moment, would hold its output open.
        self._reader.join(timeout=5)
        while not self._lines.empty():
            line = self._lines.get()
            if line is not None:
                self.output.append(line)


@contextmanager
def running(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[Running]:
    started = Running(*arguments, environment=environment)
    try:
        yield started
    finally:
        started.kill()


@contextmanager
def up(data_dir: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[tuple[Running, str]]:
    """`procession up` on a free port, looking at /proc each second, and its URL."""
    # Without a budget, since tests wait for what is new.
    pace = ("--interval-seconds", "1", "--max-cpu", "0")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(data_dir), "--rate-limit", "0", *pace)
    with running("up", *options, *arguments, environment=environment) as started:
        yield started, started.line_with("Procession runs at").split()[-1]
