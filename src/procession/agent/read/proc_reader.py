"""Reads the processes of a machine, as cheaply as the kernel lets us.

The kernel is the cost: to open, read and close `stat` takes 9 µs, to read it through a descriptor that is kept open 4.
So four descriptors are kept for each process, as far as the limit on open files goes: its folder, `schedstat`, `stat`
and `io`. They also make sure whose numbers we read: those of a process that has exited answer no more, whoever has its
pid now.

Most processes sleep. `schedstat`, at 1 µs, says for how many nanoseconds the first thread has run: where that has not
changed and there is no other thread, nothing has that a process does itself, and the reading from before holds. Of all
others `stat` and `io` are read every time, and if both are, byte for byte, what they were, nothing else.

So each process is visited at every fifth turn, not all of them in the same, and as often as it takes to see within a
minute what leaves no trace in these files. If it has run since its facts were read, in whatever turn, all of them are
read: it may have written over its command line, have gone to another folder, have become another user. If not, what
others may have done to it is looked for: pages taken away, another priority, a folder renamed, its executable deleted.
A new parent shows at once, since the old one has ended.
"""

from __future__ import annotations

import enum
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from procession.agent.read.boot_time import BootTime
from procession.agent.read.process_handle import EXITED, NO_FACTS, ProcessHandle, ProcessReading
from procession.agent.read.procfs import KERNEL_THREAD, MAX_PID, MalformedFile

DESCRIPTORS_EACH = 4

REVISIT_EVERY = 5
"""Turns after which a process is visited: every 50 seconds by default."""

_REVISIT_SECONDS = 55.0
"""Where turns are longer, so many of them as fit into this: what is read has to arrive within the minute."""

MAX_KEPT_PROCESSES = 4096
"""Three of the open files of each cost the kernel about 5 kB of its own memory."""

_SPARE_DESCRIPTORS = 128
"""For everybody else in this process."""

_GIVEN_BACK = 8
"""Processes whose descriptors are closed when there are no more to be had."""

_PROC_INODE = 1


class Life(enum.Enum):
    WHOLE = enum.auto()
    WITHOUT_LEADER = enum.auto()
    """Its first thread has exited, and it goes on in others."""
    OVER = enum.auto()


class ProcReader:
    """Reads the processes under one root, again and again. For one thread."""

    def __init__(
        self,
        root: str = "/proc",
        *,
        kernel_threads: bool = False,
        reads_environment: bool = False,
        max_kept: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises UsageError if there is no /proc. `max_kept` processes have descriptors of their own kept open [what
        the limits allow]."""
        self.root = root
        self.ticks_per_second = os.sysconf("SC_CLK_TCK")
        self.page_bytes = os.sysconf("SC_PAGE_SIZE")
        self.is_live = _inode_of(root) == _PROC_INODE
        """Whether it is the kernel's own, and not a copy."""
        self.boot = BootTime(root, is_live=self.is_live)
        self._kernel_threads = kernel_threads
        self._reads_environment = reads_environment
        self._max_kept = _affordable() if max_kept is None else max_kept
        self._counts_runs = self.is_live and _runs_are_counted()
        self._counts_in_size = self.is_live and _folder_size_is_a_count()
        self._tracked: dict[str, ProcessHandle] = {}
        self._kept = 0
        self._monotonic = monotonic
        self._read_at: float | None = None
        self._boot_time = self.boot.now()
        self._turn = self._revisits = 0
        self._revisit_every = REVISIT_EVERY
        self._numbers_only = False
        self._ended: set[int] = set()
        """Processes whose children have another parent now."""
        self._zombies: set[int] = set()
        self.found = self.unreadable = 0
        """Folders of processes at the last reading, and how many of them could not be read: those that had just gone,
        or all that are not the agent's to see."""
        self._trouble = ""

    def read(self, *, numbers_only: bool = False) -> list[ProcessReading]:
        """All processes in the order of the folder. One that exits meanwhile is left out.

        With `numbers_only` nothing is revisited: between two snapshots, of those that are known only numbers are read.
        """
        self._turn += 1
        self._boot_time = self.boot.now()
        self._numbers_only = numbers_only
        if not numbers_only:
            self._plan_revisits()
        turn = self._turn
        tracked = self._tracked
        readings: list[ProcessReading] = []
        names = [name for name in self._names() if _is_pid(name)]
        self.found, self.unreadable = len(names), 0
        self._ended = self._zombies | set(map(int, tracked.keys() - names))
        self._zombies = set()
        for name in names:
            process = tracked.get(name)
            if process is None or (reading := self._again(process)) is None:
                if process is not None:
                    self._forget(process)
                found = self._first(name, process)
                if found is None:
                    self.unreadable += 1
                    continue
                process, reading = found
            process.turn = turn
            if reading.stat.state == "Z":
                self._zombies.add(process.pid)
            if not self._is_passed_over(process):
                readings.append(reading)
        for process in [process for process in tracked.values() if process.turn != turn]:
            self._forget(process)
        return readings

    def _plan_revisits(self) -> None:
        """As far apart as the turns before this one allow: they may be set longer, or cost more than the agent may."""
        self._revisits += 1
        now = self._monotonic()
        if self._read_at is not None:
            turn_seconds = max(now - self._read_at, 1.0)
            self._revisit_every = max(1, min(REVISIT_EVERY, int(_REVISIT_SECONDS / turn_seconds)))
        self._read_at = now

    def look_at(self, pid: int) -> ProcessReading | None:
        """What one process is, apart from the others; None if it is gone. For any thread."""
        process = self._track(pid, self.boot.now())
        try:
            facts = process.glimpse()
        except (OSError, MalformedFile):
            return None
        if self._is_passed_over(process):
            return None
        return ProcessReading(pid, process.boot_time, process.stat, facts, None, None, None, None)

    def life_of(self, pid: int) -> Life:
        """For any thread."""
        process = self._track(pid, 0)
        try:
            process.read_stat()
        except (OSError, MalformedFile):
            return Life.OVER
        if process.stat.state in EXITED:
            return Life.OVER
        return Life.WITHOUT_LEADER if process.is_without_leader else Life.WHOLE

    @property
    def blindness(self) -> str:
        """Why there is nothing to tell, if the last reading could read no process at all; else empty."""
        if self.unreadable < self.found:
            return ""
        if not self.found:
            return f"there are no processes in {self.root}"
        return f"none of the {self.found} processes in {self.root} can be read: {self._trouble}"

    def known(self, pid: int) -> ProcessReading | None:
        """What the last reading had of a process. For any thread."""
        process = self._tracked.get(str(pid))
        if process is None or self._is_passed_over(process):
            return None
        return process.reading

    def close(self) -> None:
        for process in list(self._tracked.values()):
            self._forget(process)

    def _names(self) -> list[str]:
        while True:
            try:
                return os.listdir(self.root)  # noqa: PTH208
            except OSError as error:
                if not self._made_room(error):
                    raise

    def _first(self, name: str, before: ProcessHandle | None) -> tuple[ProcessHandle, ProcessReading] | None:
        """None if there is none. `before` is what was last known under its pid."""
        process = self._track(int(name), self._boot_time)
        try:
            if self._kept < self._max_kept:
                process.keep_open()
                self._kept += 1
            if self._counts_runs:
                process.has_rested()
            process.read_stat()
            if before is not None and before.stat.start_ticks == process.stat.start_ticks:
                process.boot_time = before.boot_time  # the same one, which could not be read for a moment
            if self._is_passed_over(process):
                process.reading = ProcessReading(
                    process.pid, process.boot_time, process.stat, NO_FACTS, None, None, None, None
                )
            else:
                process.read_io()
                process.look(counts_in_size=self._counts_in_size, revisit=True)
            process.visited = self._revisits - process.pid % REVISIT_EVERY  # not all of them in the same turn
        except (OSError, MalformedFile) as error:
            self._forget(process)
            if self._made_room(error):
                return self._first(name, before)
            self._trouble = f"{self.root}/{name}: {getattr(error, 'strerror', None) or error}"
            return None
        self._tracked[name] = process
        return process, process.reading

    def _track(self, pid: int, boot_time: int) -> ProcessHandle:
        return ProcessHandle(f"{self.root}/{pid}/", pid, boot_time, reads_environment=self._reads_environment)

    def _again(self, process: ProcessHandle) -> ProcessReading | None:
        """None if it has exited."""
        start_ticks = process.stat.start_ticks
        revisit = not self._numbers_only and self._revisits - process.visited >= self._revisit_every
        try:
            has_rested = self._counts_runs and process.has_rested()
            process.has_run |= not has_rested
            if has_rested and not revisit and process.stat.ppid not in self._ended:
                return process.reading
            changed = process.read_stat()
            if process.stat.start_ticks != start_ticks:
                return None  # its pid is another one's now
            if revisit:
                process.visited = self._revisits
            if self._is_passed_over(process):
                return process.reading
            if not has_rested:
                changed |= process.read_io()
            if revisit and not changed and not process.has_run:
                changed = not process.is_as_it_was()
                revisit = changed
            if changed or revisit:
                process.look(counts_in_size=self._counts_in_size, revisit=revisit)
        except (OSError, MalformedFile) as error:
            return self._again(process) if self._made_room(error) else None
        return process.reading

    def _is_passed_over(self, process: ProcessHandle) -> bool:
        return not self._kernel_threads and process.stat.flags & KERNEL_THREAD != 0

    def _made_room(self, error: Exception) -> bool:
        """Whether it failed for want of descriptors, and some of those that are kept were given back."""
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            return False
        given_back = 0
        for process in self._tracked.values():
            given_back += process.close()
            if given_back == _GIVEN_BACK:
                break
        self._kept -= given_back
        self._max_kept = self._kept
        return given_back > 0

    def _forget(self, process: ProcessHandle) -> None:
        self._kept -= process.close()
        self._tracked.pop(str(process.pid), None)


def _inode_of(root: str) -> int | None:
    try:
        return Path(root).stat().st_ino
    except OSError:
        return None


def _is_pid(name: str) -> bool:
    return name.isascii() and name.isdigit() and int(name) <= MAX_PID


def _affordable() -> int:
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MAX_KEPT_PROCESSES
    return min(MAX_KEPT_PROCESSES, max(0, limit - _SPARE_DESCRIPTORS) // DESCRIPTORS_EACH)


def _runs_are_counted() -> bool:
    """Not by every kernel: where it does not, all three numbers are 0."""
    try:
        return not Path("/proc/self/schedstat").read_bytes().startswith(b"0 ")
    except OSError:
        return False


def _folder_size_is_a_count() -> bool:
    """Since Linux 6.2 the size of `/proc/<pid>/fd` is how many files are open, and everybody may know."""
    try:
        return Path("/proc/self/fd").stat().st_size > 0
    except OSError:
        return False
