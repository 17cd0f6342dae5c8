"""Reads the processes of a machine, as cheaply as the kernel lets us.

The kernel is the cost: to open, read and close `stat` takes 9 µs, to read it through a descriptor that is kept open 4.
So three descriptors are kept for each process, as far as the limit on open files goes: its folder, `stat` and `io`.
They also make sure whose numbers we read: those of a process that has exited answer no more, whoever has its pid now.

`stat` and `io` are read every time. Most processes sleep, and then both are, byte for byte, what they were: the reading
from before holds, and nothing else needs a look. What may change without a trace in them is read again at every
REVISIT_EVERY-th turn: the command line that a process wrote over itself, its folder, its user.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import msgspec

from procession.agent.procfs import (
    KERNEL_THREAD,
    IoCounters,
    MalformedFile,
    Stat,
    Status,
    parse_boot_time,
    parse_cmdline,
    parse_io,
    parse_stat,
    parse_status,
    text,
)
from procession.errors import UsageError

REVISIT_EVERY = 6
"""Turns, so once a minute by default; not for all processes in the same turn."""

MAX_CMDLINE_BYTES = 256 * 1024
"""What is longer is cut. The kernel allows megabytes, and a snapshot has to fit into memory."""

DESCRIPTORS_EACH = 3

MAX_KEPT_PROCESSES = 4096
"""An open file costs the kernel up to 5 kB of its own memory."""

_SPARE_DESCRIPTORS = 128
"""For everybody else in this process."""

_PROC_INODE = 1
_UNREADABLE = (PermissionError, FileNotFoundError)
"""`io` of another user, or of a kernel that does not count."""
_PAGE = 4096
"""Up to here the kernel gives a whole file in one go."""
_CHUNK = 64 * 1024


class ProcessFacts(msgspec.Struct, frozen=True, gc=False):
    """What hardly changes. Texts are empty and numbers None where we may not read them."""

    arguments: tuple[str, ...]
    exe: str
    cwd: str
    uid: int | None
    gid: int | None
    namespace_pid: int | None


NO_FACTS = ProcessFacts((), "", "", None, None, None)


class ProcessReading(msgspec.Struct, frozen=True, gc=False):
    """Raw counters of one process. The same object as the time before where nothing has changed."""

    pid: int
    stat: Stat
    facts: ProcessFacts
    io: IoCounters | None
    open_files: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None


class ProcReader:
    """Reads the processes under one root, again and again. For one thread."""

    def __init__(self, root: str = "/proc", *, kernel_threads: bool = False, max_kept: int | None = None) -> None:
        """Raises UsageError if there is no /proc. `max_kept` processes have descriptors of their own kept open [what
        the limits allow]."""
        self.root = root
        self.boot_time = _boot_time(root)
        self.ticks_per_second = os.sysconf("SC_CLK_TCK")
        self.page_bytes = os.sysconf("SC_PAGE_SIZE")
        self.is_live = Path(root).stat().st_ino == _PROC_INODE
        """Whether it is the kernel's own, and not a copy."""
        self._kernel_threads = kernel_threads
        self._max_kept = _affordable() if max_kept is None else max_kept
        self._counts_in_size = self.is_live and _folder_size_is_a_count()
        self._tracked: dict[str, _Tracked] = {}
        self._kept = 0
        self._turn = 0

    def read(self) -> list[ProcessReading]:
        """All processes in the order of the folder. One that exits meanwhile is left out."""
        self._turn += 1
        turn = self._turn
        tracked = self._tracked
        readings: list[ProcessReading] = []
        for name in os.listdir(self.root):  # noqa: PTH208
            if not name.isdigit():
                continue
            process = tracked.get(name)
            if process is None or (reading := self._again(process)) is None:
                if process is not None:
                    self._forget(process)
                found = self._first(name)
                if found is None:
                    continue
                process, reading = found
            process.turn = turn
            if self._kernel_threads or not reading.stat.flags & KERNEL_THREAD:
                readings.append(reading)
        for process in [process for process in tracked.values() if process.turn != turn]:
            self._forget(process)
        return readings

    def look_at(self, pid: int) -> ProcessReading | None:
        """What one process is, apart from the others; None if it is gone. For any thread."""
        process = _Tracked(f"{self.root}/{pid}/", pid)
        try:
            facts = process.glimpse()
        except (OSError, MalformedFile):
            return None
        if process.stat.flags & KERNEL_THREAD and not self._kernel_threads:
            return None
        return ProcessReading(pid, process.stat, facts, None, None, None, None)

    def known(self, pid: int) -> ProcessReading | None:
        """What the last reading had of a process. For any thread."""
        process = self._tracked.get(str(pid))
        if process is None or (process.stat.flags & KERNEL_THREAD and not self._kernel_threads):
            return None
        return process.reading

    def close(self) -> None:
        for process in list(self._tracked.values()):
            self._forget(process)

    def _first(self, name: str) -> tuple[_Tracked, ProcessReading] | None:
        process = _Tracked(f"{self.root}/{name}/", int(name))
        try:
            if self._kept < self._max_kept and process.keep_open():
                self._kept += 1
            process.read_stat()
            if process.stat.flags & KERNEL_THREAD:
                process.reading = ProcessReading(process.pid, process.stat, NO_FACTS, None, None, None, None)
            else:
                process.read_io()
                process.look(counts_in_size=self._counts_in_size, revisit=True)
        except (OSError, MalformedFile):
            self._forget(process)
            return None
        self._tracked[name] = process
        return process, process.reading

    def _again(self, process: _Tracked) -> ProcessReading | None:
        """None if it has exited."""
        start_ticks = process.stat.start_ticks
        revisit = (self._turn + process.pid) % REVISIT_EVERY == 0
        try:
            changed = process.read_stat()
            if process.stat.start_ticks != start_ticks:
                return None  # its pid is another one's now
            if process.stat.flags & KERNEL_THREAD:
                return process.reading
            changed |= process.read_io()
            if changed or revisit:
                process.look(counts_in_size=self._counts_in_size, revisit=revisit)
        except (OSError, MalformedFile):
            return None
        return process.reading

    def _forget(self, process: _Tracked) -> None:
        self._kept -= process.close()
        self._tracked.pop(str(process.pid), None)


class _Tracked:
    """A process between two readings."""

    __slots__ = (
        "_dir_fd",
        "_folder",
        "_io_data",
        "_io_fd",
        "_looks",
        "_path",
        "_stat_data",
        "_stat_fd",
        "_switches_then",
        "io",
        "pid",
        "reading",
        "stat",
        "turn",
    )

    reading: ProcessReading
    stat: Stat

    def __init__(self, folder: str, pid: int) -> None:
        self.pid = pid
        self.turn = 0
        self.io: IoCounters | None = None
        self._stat_data: bytes | None = None
        self._io_data = b""
        self._folder = folder
        self._path = folder  # in front of a file's name; nothing while the folder is open
        self._dir_fd: int | None = None
        self._stat_fd = self._io_fd = -1
        self._looks = 0
        self._switches_then: int | None = None  # when the facts were read

    def keep_open(self) -> bool:
        """Whether there were descriptors left for it."""
        try:
            self._dir_fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            self._path = ""
            self._stat_fd = self._open("stat")
            with contextlib.suppress(*_UNREADABLE):
                self._io_fd = self._open("io")
        except OSError as error:
            self.close()
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            return False
        return True

    def close(self) -> bool:
        """Whether anything was open."""
        if self._dir_fd is None:
            return False
        for fd in (self._dir_fd, self._stat_fd, self._io_fd):
            if fd >= 0:
                os.close(fd)
        self._dir_fd, self._path = None, self._folder
        self._stat_fd = self._io_fd = -1
        return True

    def read_stat(self) -> bool:
        """Whether it has changed."""
        data = os.pread(self._stat_fd, _PAGE, 0) if self._stat_fd >= 0 else self._read("stat")
        if data == self._stat_data:
            return False
        self.stat = parse_stat(data)
        self._stat_data = data
        return True

    def read_io(self) -> bool:
        """Whether it has changed."""
        try:
            if self._io_fd >= 0:
                data = os.pread(self._io_fd, _PAGE, 0)
            else:
                data = self._read("io") if self._dir_fd is None else b""
        except _UNREADABLE:
            data = b""
        if data == self._io_data:
            return False
        self.io = parse_io(data) if data else None
        self._io_data = data
        return True

    def look(self, *, counts_in_size: bool, revisit: bool) -> None:
        """Read what is behind the numbers, and make a reading of all of it."""
        before = self.reading if self._looks else None
        status = parse_status(self._read("status"))
        facts = self._facts(before, status, revisit=revisit)
        open_files = self._open_files(counts_in_size)
        reading = ProcessReading(
            self.pid, self.stat, facts, self.io, open_files, status.voluntary_switches, status.involuntary_switches
        )
        self.reading = before if before is not None and before == reading else reading
        self._looks += 1

    def glimpse(self) -> ProcessFacts:
        """Of a process that may be gone in a moment: the most telling file first, and what comes too late is absent."""
        arguments = parse_cmdline(self._read("cmdline", MAX_CMDLINE_BYTES))
        self.read_stat()
        exe, cwd = self._link("exe"), self._link("cwd")
        try:
            status = parse_status(self._read("status"))
        except (OSError, MalformedFile):
            return ProcessFacts(arguments, exe, cwd, None, None, None)
        return ProcessFacts(arguments, exe, cwd, status.uid, status.gid, status.namespace_pid)

    def _facts(self, before: ProcessReading | None, status: Status, *, revisit: bool) -> ProcessFacts:
        switches = _sum(status.voluntary_switches, status.involuntary_switches)
        if before is not None:
            if not self.stat.vms_bytes:
                return before.facts  # a zombie, or nearly: what it was is known, and can be read no more
            is_known = before.stat.comm == self.stat.comm and before.stat.image == self.stat.image
            is_known &= (before.facts.uid, before.facts.gid) == (status.uid, status.gid)
            # One that was just born is about to exec. Later, who has not run since has not changed anything either.
            if is_known and self._looks > 1 and (not revisit or switches == self._switches_then is not None):
                return before.facts
        facts = ProcessFacts(
            arguments=parse_cmdline(self._read("cmdline", MAX_CMDLINE_BYTES)),
            exe=self._link("exe"),
            cwd=self._link("cwd"),
            uid=status.uid,
            gid=status.gid,
            namespace_pid=status.namespace_pid,
        )
        self._switches_then = switches
        return before.facts if before is not None and before.facts == facts else facts

    def _open_files(self, counts_in_size: bool) -> int | None:
        try:
            if counts_in_size:
                return os.stat(self._path + "fd", dir_fd=self._dir_fd).st_size
            if self._dir_fd is None:
                return len(os.listdir(self._path + "fd"))  # noqa: PTH208
            fd = os.open("fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._dir_fd)
        except PermissionError:
            return None
        try:
            return len(os.listdir(fd))  # noqa: PTH208
        except PermissionError:
            return None
        finally:
            os.close(fd)

    def _link(self, name: str) -> str:
        try:
            return text(os.fsencode(os.readlink(self._path + name, dir_fd=self._dir_fd)))
        except OSError:
            return ""  # another user's, or without any

    def _open(self, name: str) -> int:
        return os.open(self._path + name, os.O_RDONLY, dir_fd=self._dir_fd)

    def _read(self, name: str, max_bytes: int = _CHUNK) -> bytes:
        fd = self._open(name)
        try:
            data = os.read(fd, _CHUNK)
            if len(data) < _PAGE:
                return data
            parts = [data]
            size = len(data)
            while size < max_bytes and (data := os.read(fd, max_bytes - size)):
                parts.append(data)
                size += len(data)
            return b"".join(parts)
        finally:
            os.close(fd)


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def _boot_time(root: str) -> int:
    try:
        return parse_boot_time(Path(root, "stat").read_bytes())
    except (OSError, MalformedFile):
        raise UsageError(
            f"no processes can be read in {root}: it is not the /proc of a Linux machine; "
            "--proc-root says where that is mounted"
        ) from None


def _affordable() -> int:
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MAX_KEPT_PROCESSES
    return min(MAX_KEPT_PROCESSES, max(0, limit - _SPARE_DESCRIPTORS) // DESCRIPTORS_EACH)


def _folder_size_is_a_count() -> bool:
    """Since Linux 6.2 the size of `/proc/<pid>/fd` is how many files are open, and everybody may know."""
    try:
        return Path("/proc/self/fd").stat().st_size > 0
    except OSError:
        return False
