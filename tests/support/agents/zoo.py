"""Real processes of all kinds, and somebody who watches them as the agent does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from procession.agent.describe.collector import Collector
from procession.agent.read.proc_reader import ProcReader
from procession.process import Sighting, Snapshot

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may start processes of another user")

READY = "print('ready', flush=True); "
WAIT = "sys.stdin.readline()"
PR_SET_NAME = 15


class Zoo:
    """Starts processes, and ends them."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(
        self, *arguments: str | bytes, executable: str | None = None, user: str | None = None
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            arguments, executable=executable, user=user, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._processes.append(process)
        return process

    def python(self, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        """One that has said `ready`, and goes on when it is told to."""
        process = self.start(sys.executable, "-c", code, *arguments)
        self.await_line(process)
        return process

    @staticmethod
    def await_line(process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line
        return line.strip()

    @staticmethod
    def tell(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


def program_without_leader(before: str = "pass", after: str = WAIT) -> str:
    """Of a process whose first thread exits when it is told to. `before` runs in that; `after` in another, when it is
    told to once more, after it has said `ready` since the first one is gone."""
    return (
        "import ctypes, os, sys, threading, time\n"
        "def is_gone(): return open(f'/proc/{os.getpid()}/stat').read().rpartition(')')[2].split()[0] == 'Z'\n"
        "def go_on():\n"
        "  while not is_gone(): time.sleep(0.01)\n"
        f"  {READY}{WAIT}; {after}\n"
        f"{before}\n"
        "thread = threading.Thread(target=go_on)\n"
        f"{READY}{WAIT}; thread.start(); ctypes.CDLL(None).pthread_exit(None)\n"
    )


def leave(zoo: Zoo, process: subprocess.Popen[bytes]) -> None:
    """Tell it to go on, and wait until it has, and is at rest again."""
    zoo.tell(process)
    zoo.await_line(process)
    await_rest(process.pid)


def await_rest(pid: int) -> None:
    """Until no thread of it runs, nor has run for a moment: one that has said that it is ready is not asleep yet."""
    deadline = time.monotonic() + 20
    before = None
    while (now := _activity(pid)) != before or now & {"R", "D"}:
        assert time.monotonic() < deadline, f"process {pid} does not come to rest: {now}"
        before = now
        time.sleep(0.02)


def _activity(pid: int) -> set[str]:
    """The states of its threads, and how long each has run and waited."""
    found = set()
    for folder in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.add((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[0])
            found.add(f"{folder.name}: {(folder / 'schedstat').read_text()}")
    return found


class Watcher:
    """Reader and collector of this machine, with a clock of its own."""

    def __init__(self) -> None:
        self.moment = self.elapsed = 0.0
        """When the newest snapshot was taken, and how long after the one before: what rates are over."""
        self.reader = ProcReader()
        self.collector = Collector(
            host="here",
            ticks_per_second=self.reader.ticks_per_second,
            page_bytes=self.reader.page_bytes,
            scrub=tuple,
        )

    def snapshot(self) -> Snapshot:
        moment = time.monotonic()
        self.elapsed, self.moment = moment - self.moment, moment
        return self.collector.collect(self.reader.read(), taken_at=int(time.time()), moment=self.moment)

    def see(self, pid: int) -> Sighting:
        return next(sighting for sighting in self.snapshot().sightings if sighting.pid == pid)

    def close(self) -> None:
        self.reader.close()


@contextmanager
def control_group(name: str) -> Iterator[Path]:
    """A control group at the top, as container engines make them. Skips where that cannot be."""
    tops = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/pids"))
    top = next((path for path in tops if (path / "cgroup.procs").exists()), None)
    if top is None:
        pytest.skip("there are no control groups")
    group = top / name
    try:
        group.mkdir()
    except OSError:
        pytest.skip("control groups cannot be made here")
    try:
        yield group
    finally:
        # The kernel may still be at it to bury those who were in there.
        deadline = time.monotonic() + 10
        while True:
            try:
                group.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                break
