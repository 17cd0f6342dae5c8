"""Reads the processes of a machine, as cheaply as the kernel lets us.

The kernel is the cost: to open, read and close `stat` takes 9 µs, to read it through a descriptor that is kept open 4.
So four descriptors are kept for each process, as far as the limit on open files goes: its folder, `schedstat`, `stat`
and `io`. A descriptor stays with its process: once that has exited, reading fails, even if another process has the pid
now.

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
import select
import time
from collections.abc import Callable
from pathlib import Path

from procession.agent.read.boot_history import BootHistory
from procession.agent.read.boot_time import BootTime, uptime_seconds
from procession.agent.read.discovery.finder import Finder
from procession.agent.read.network.traffic_reader import TrafficReader
from procession.agent.read.process_handle import EXITED, ProcessHandle
from procession.agent.read.process_reading import NO_FACTS, ProcessReading
from procession.agent.read.procfs import MAX_PID, MalformedFile

DESCRIPTORS_EACH = 4

REVISIT_EVERY = 5
"""Turns after which a process is visited: every 50 seconds by default."""

_REVISIT_SECONDS = 55.0
"""Where turns are longer, a process is visited after as many as fit into this: it has to arrive within the minute."""

MAX_KEPT_PROCESSES = 4096
"""Three of the open files of each cost the kernel about 5 kB of its own memory."""

_SPARE_DESCRIPTORS = 128
"""For everybody else in this process."""

_GIVEN_BACK = 8
"""Processes whose descriptors are closed when there are no more to be had."""

_PROC_INODE = 1

_NEVER = -REVISIT_EVERY
"""Before all revisits."""


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
        finds_out: bool = False,
        reads_traffic: bool = False,
        max_kept: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        boot_file: Path | None = None,
        uptime: Callable[[], float] = uptime_seconds,
    ) -> None:
        """Raises UsageError if there is no /proc. `max_kept` processes have descriptors of their own kept open [what
        the limits allow]. `finds_out`: also where processes listen, and what they are written in; with
        `reads_traffic` also what they send and receive. `boot_file` keeps what starts go by for the next reader
        [nothing is kept]. `uptime` is in seconds since the boot."""
        self.root = root
        self.ticks_per_second = os.sysconf("SC_CLK_TCK")
        self.page_bytes = os.sysconf("SC_PAGE_SIZE")
        self.is_live = _inode_of(root) == _PROC_INODE
        """Whether it is the kernel's own, and not a copy."""
        self.boot = BootTime(root, is_live=self.is_live)
        self._history: BootHistory | None = None
        if boot_file is not None and (boot_id := _boot_id(root)):
            self._history = BootHistory(boot_file, boot_id, lambda: int(uptime() * self.ticks_per_second))
        self._kernel_threads = kernel_threads
        self._reads_environment = reads_environment
        self._max_kept = _affordable() if max_kept is None else max_kept
        self._counts_runs = self.is_live and _runs_are_counted()
        self._counts_in_size = self.is_live and _folder_size_is_a_count()
        self._has_our_pids = self.is_live and _has_our_pids(root)
        self._handles: dict[str, ProcessHandle] = {}
        self._kept = 0
        self._monotonic = monotonic
        self._read_at: float | None = None
        self._boot_time = self.boot.now()
        self._revisits = 0
        self._revisit_every = REVISIT_EVERY
        self._last_due = _NEVER
        """Who was visited at that revisit, or before, is due."""
        self._zombies: set[int] = set()
        self._traffic = TrafficReader(root, monotonic=monotonic) if reads_traffic and self.is_live else None
        self._finder = Finder(root, traffic=self._traffic) if finds_out else None
        self.found = self.unreadable = 0
        """Folders of processes at the last reading, and how many of them could not be read: those that had just gone,
        or all that are not the agent's to see."""
        self._trouble = ""

    def read(self, *, numbers_only: bool = False, spare_seconds: float | None = None) -> list[ProcessReading]:
        """All processes in the order of the folder. One that exits meanwhile is left out.

        With `numbers_only` nothing is revisited: between two snapshots, of those that are known only numbers are read.
        `spare_seconds` of CPU may be spent on what can be left out [no limit].
        """
        boot_time = self.boot.now()
        if not numbers_only:
            self._plan_revisits()
        self._last_due = _NEVER if numbers_only else self._revisits - self._revisit_every
        names = self._names()
        if self._history is not None:
            self._history.listed(boot_time)
        self._boot_time = self.boot_now(boot_time)
        handles = list(map(self._handles.get, names))
        gone = self._gone(names, handles)
        ended = self._zombies | {handle.pid for handle in gone}
        last_due, counts_runs, shows_all = self._last_due, self._counts_runs, self._kernel_threads
        readings: list[ProcessReading] = []
        self.found = self.unreadable = 0
        for name, known in zip(names, handles, strict=True):
            # Here nearly all of the time goes by: a process that rests costs one short file, and little else.
            handle, reading = known, None
            if handle is not None:
                has_rested = counts_runs and handle.has_rested()
                if has_rested and handle.visited > last_due and handle.ppid not in ended:
                    reading = handle.reading
                else:
                    reading = self._again(handle, has_rested=has_rested)
            elif not _is_pid(name):
                continue
            self.found += 1
            if handle is None or reading is None:
                if (handle := self._first(name, known)) is None:
                    self.unreadable += 1
                    continue
                reading = handle.reading
            if shows_all or not handle.is_kernel_thread:
                readings.append(reading)
        for handle in gone:
            self._forget(handle)
        return (
            readings
            if self._finder is None or numbers_only
            else _with_found_out(self._finder.look(spare_seconds), readings)
        )

    def _gone(self, names: list[str], handles: list[ProcessHandle | None]) -> list[ProcessHandle]:
        """Those that are known and not listed any more."""
        if len(handles) - handles.count(None) == len(self._handles):
            return []
        return [self._handles[name] for name in self._handles.keys() - names]

    def _plan_revisits(self) -> None:
        """As far apart as the turns before this one allow: they may be set longer, or cost more than the agent may."""
        self._revisits += 1
        now = self._monotonic()
        if self._read_at is not None:
            turn_seconds = max(now - self._read_at, 1.0)
            self._revisit_every = max(1, min(REVISIT_EVERY, int(_REVISIT_SECONDS / turn_seconds)))
        self._read_at = now

    def boot_now(self, boot_time: int | None = None) -> int:
        """When the machine was booted, for what begins now. `boot_time`: as it is reckoned. For any thread."""
        kept = None if self._history is None else self._history.current
        return kept or boot_time or self.boot.now()

    def look_at(self, pid: int) -> ProcessReading | None:
        """What one process is, apart from the others; None if it is gone. For any thread."""
        handle = self._handle_of(pid, self.boot_now())
        try:
            facts = handle.read_facts_now()
        except (OSError, MalformedFile):
            return None
        if handle.is_kernel_thread and not self._kernel_threads:
            return None
        return ProcessReading(pid, handle.boot_time, handle.stat, facts)

    def life_of(self, pid: int) -> Life:
        """For any thread."""
        if self._has_our_pids and _is_over(pid):
            return Life.OVER
        handle = self._handle_of(pid, 0)
        try:
            handle.read_stat()
        except (OSError, MalformedFile):
            return Life.OVER
        if handle.stat.state in EXITED:
            return Life.OVER
        return Life.WITHOUT_LEADER if handle.is_without_leader else Life.WHOLE

    def is_over(self, pid: int) -> bool:
        """Whether `life_of` is; for less, since nothing is read of one that goes on. For any thread."""
        is_over = _is_over(pid) if self._has_our_pids else None
        return self.life_of(pid) is Life.OVER if is_over is None else is_over

    @property
    def spare_spent(self) -> float:
        """Seconds of CPU that the last reading of all spent on what can be left out."""
        return 0.0 if self._traffic is None else self._traffic.spent_seconds

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
        handle = self._handles.get(str(pid))
        if handle is None or (handle.is_kernel_thread and not self._kernel_threads):
            return None
        return handle.reading

    def close(self) -> None:
        if self._history is not None:
            self._history.close()
        for handle in list(self._handles.values()):
            self._forget(handle)

    def _names(self) -> list[str]:
        while True:
            try:
                return os.listdir(self.root)  # noqa: PTH208
            except OSError as error:
                if not self._freed_descriptors(error):
                    raise

    def _first(self, name: str, before: ProcessHandle | None) -> ProcessHandle | None:
        """None if there is none. `before` is what was last known under its pid."""
        if before is not None:
            self._forget(before)
        handle = self._handle_of(int(name), self._boot_time)
        try:
            if self._kept < self._max_kept:
                handle.keep_open()
                self._kept += 1
            if self._counts_runs:
                handle.has_rested()
            handle.read_stat()
            if self._history is not None:
                handle.boot_time = self._history.boot_for(handle.stat.start_ticks)
            if before is not None and before.stat.start_ticks == handle.stat.start_ticks:
                handle.boot_time = before.boot_time  # the same one, which could not be read for a moment
            if handle.is_kernel_thread and not self._kernel_threads:
                handle.reading = ProcessReading(handle.pid, handle.boot_time, handle.stat, NO_FACTS)
            else:
                handle.read_io()
                handle.look(counts_in_size=self._counts_in_size, revisit=True)
            handle.visited = self._revisits - handle.pid % REVISIT_EVERY  # not all of them in the same turn
        except (OSError, MalformedFile) as error:
            self._forget(handle)
            if self._freed_descriptors(error):
                return self._first(name, before)
            self._trouble = f"{self.root}/{name}: {getattr(error, 'strerror', None) or error}"
            return None
        self._handles[name] = handle
        self._note_end(handle)
        if self._finder is not None and not handle.is_kernel_thread:
            self._finder.note(handle)
        return handle

    def _handle_of(self, pid: int, boot_time: int) -> ProcessHandle:
        return ProcessHandle(f"{self.root}/{pid}/", pid, boot_time, reads_environment=self._reads_environment)

    def _again(self, handle: ProcessHandle, *, has_rested: bool) -> ProcessReading | None:
        """None if it has exited. `has_rested`: it has not run since the last time."""
        start_ticks = handle.stat.start_ticks
        is_due = revisit = handle.visited <= self._last_due
        handle.has_run |= not has_rested
        facts = handle.reading.facts
        try:
            changed = handle.read_stat()
            if handle.stat.start_ticks != start_ticks:
                return None  # its pid is another one's now
            self._note_end(handle)
            if self._kernel_threads or not handle.is_kernel_thread:
                if not has_rested:
                    changed |= handle.read_io()
                if is_due and not changed and not handle.has_run:
                    changed = revisit = not handle.is_unchanged()
                if changed or revisit:
                    handle.look(counts_in_size=self._counts_in_size, revisit=revisit)
                if self._finder is not None:
                    self._finder.see(handle, facts, has_run=not has_rested)
            if is_due:
                handle.visited = self._revisits
        except (OSError, MalformedFile) as error:
            return self._again(handle, has_rested=has_rested) if self._freed_descriptors(error) else None
        return handle.reading

    def _note_end(self, handle: ProcessHandle) -> None:
        """The children of a zombie have another parent from its end on."""
        if handle.stat.state == "Z":
            self._zombies.add(handle.pid)
        else:
            self._zombies.discard(handle.pid)

    def _freed_descriptors(self, error: Exception) -> bool:
        """Whether it failed for want of descriptors, and some of those that are kept were given back."""
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            return False
        given_back = 0
        for handle in self._handles.values():
            given_back += handle.close()
            if given_back == _GIVEN_BACK:
                break
        self._kept -= given_back
        self._max_kept = self._kept
        return given_back > 0

    def _forget(self, handle: ProcessHandle) -> None:
        self._kept -= handle.close()
        self._handles.pop(str(handle.pid), None)
        self._zombies.discard(handle.pid)
        if self._finder is not None:
            self._finder.forget(handle)


def _with_found_out(found: dict[int, ProcessReading], readings: list[ProcessReading]) -> list[ProcessReading]:
    return [found.get(one.pid, one) for one in readings] if found else readings


def _inode_of(root: str) -> int | None:
    try:
        return Path(root).stat().st_ino
    except OSError:
        return None


def _boot_id(root: str) -> str:
    """Another one each time that the machine is booted; empty where the kernel has none."""
    try:
        return Path(root, "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _is_pid(name: str) -> bool:
    return name.isascii() and name.isdigit() and int(name) <= MAX_PID


def _affordable() -> int:
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MAX_KEPT_PROCESSES
    return min(MAX_KEPT_PROCESSES, max(0, limit - _SPARE_DESCRIPTORS) // DESCRIPTORS_EACH)


def _has_our_pids(root: str) -> bool:
    """Whether pids mean there what they mean in system calls: not where another pid namespace is looked into."""
    try:
        lines = Path(root, "self", "status").read_bytes().splitlines()
    except OSError:
        return False
    # From the namespace that the folder is of down to that of the process.
    pids = [line.split()[1:] for line in lines if line.startswith(b"NSpid:")]
    return pids == [[str(os.getpid()).encode()]]


def _is_over(pid: int) -> bool | None:
    """Whether a process has exited with all of its threads. None where the kernel does not say.

    Its files say so too, but cost five times as much for a process that nobody has looked at yet.
    """
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except OSError:  # before Linux 5.3, or for want of descriptors
        return None
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(0))
    finally:
        os.close(fd)


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
