"""When the machine was booted: a moment that moves.

The kernel counts the start of a process from the boot, by a clock that nobody sets, and reckons the boot from what
the time of day is now. A machine without a clock of its own boots in 1970 until it is told better; a virtual machine
that was stopped, or restored, has its clock set when it goes on. So an agent that reads the moment of the boot only
once has all later starts wrong.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from procession.agent.read.procfs import MalformedFile, parse_boot_time
from procession.errors import UsageError

_MOVED_SECONDS = 0.25


class BootTime:
    """When the machine was booted whose /proc is under a root. Threads may share it."""

    def __init__(self, root: str, *, is_live: bool, time_of_day: Callable[[], float] = time.time) -> None:
        """Raises UsageError if there is no /proc. `is_live`: it is the kernel's own, and not a copy."""
        self._file = Path(root, "stat")
        self._is_live = is_live
        self._time_of_day = time_of_day
        self._by_the_clocks = self._look_at_the_clocks()
        try:
            self._boot_time = self._read()
        except OSError:
            # Some mounts hide the file from all but root, and some kernels have none.
            self._boot_time = int(self._by_the_clocks)
            if _has_processes(root):
                return
            raise UsageError(
                f"no processes can be read in {root}: it is not the /proc of a Linux machine; "
                "--proc-root says where that is mounted"
            ) from None

    def now(self) -> int:
        """Unix seconds, as the kernel reckons it at this moment."""
        # For a kernel with many processors the file is work of milliseconds; two clocks cost nothing.
        by_the_clocks = self._look_at_the_clocks()
        if not self._is_live or abs(by_the_clocks - self._by_the_clocks) > _MOVED_SECONDS:
            self._by_the_clocks = by_the_clocks
            with contextlib.suppress(OSError):
                self._boot_time = self._read()
        return self._boot_time

    def _read(self) -> int:
        try:
            return parse_boot_time(self._file.read_bytes())
        except MalformedFile:
            return int(self._by_the_clocks)  # not every kernel says it

    def _look_at_the_clocks(self) -> float:
        return self._time_of_day() - uptime_seconds()


def uptime_seconds() -> float:
    """Since the boot, also while the machine slept."""
    try:
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    except OSError:  # of a kernel without it
        return time.monotonic()


def _has_processes(root: str) -> bool:
    try:
        return any(name.isascii() and name.isdigit() for name in os.listdir(root))  # noqa: PTH208
    except OSError:
        return False
