"""A cgroup of this machine with little memory, for processes that are to run out of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

LIMIT_BYTES = 16 * 2**20

_EATER = "import sys; sys.stdin.readline(); x = bytearray(b'x') * (1 << 28)"


class NoMemoryCgroup(Exception):
    """This machine lets nobody make one; the text says why."""


@contextlib.contextmanager
def memory_cgroup() -> Iterator[Path]:
    """A new one, empty. Raises NoMemoryCgroup."""
    parent, limit = _hierarchy()
    folder = parent / f"procession test, task=x, {uuid.uuid4().hex[:8]}"
    try:
        folder.mkdir()
    except OSError as error:
        raise NoMemoryCgroup(str(error)) from None
    try:
        try:
            (folder / limit).write_text(str(LIMIT_BYTES))
        except OSError as error:
            raise NoMemoryCgroup(str(error)) from None
        for swap in ("memory.swap.max", "memory.swappiness"):
            with contextlib.suppress(OSError):
                (folder / swap).write_text("0")
        yield folder
    finally:
        _remove(folder)


def run_out_of_memory(folder: Path) -> subprocess.Popen[str]:
    """A process in this cgroup that has been killed for want of memory. Nobody has waited for it."""
    process = subprocess.Popen([sys.executable, "-c", _EATER], stdin=subprocess.PIPE, text=True)
    (folder / "cgroup.procs").write_text(str(process.pid))
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return process


def _hierarchy() -> tuple[Path, str]:
    first = Path("/sys/fs/cgroup/memory")
    if (first / "memory.limit_in_bytes").exists():
        return first, "memory.limit_in_bytes"
    second = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError):
        if "memory" in (second / "cgroup.subtree_control").read_text().split():
            return second, "memory.max"
    raise NoMemoryCgroup("no memory controller")


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            folder.rmdir()
        except OSError:  # what was killed in it is not all gone
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
