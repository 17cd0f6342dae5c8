"""One process, read again and again."""

from __future__ import annotations

import errno
import os
import sys

import msgspec

from procession.agent.read.cgroups import container_id
from procession.agent.read.procfs import (
    IoCounters,
    MalformedFile,
    Stat,
    Status,
    parse_cmdline,
    parse_io,
    parse_service_tags,
    parse_stat,
    parse_status,
    text,
)

THOROUGH_EVERY = 5
"""Visits after which also that is read again which others hardly ever change: its root, its container, and the command
line that a debugger writes over."""

MAX_CMDLINE_BYTES = 256 * 1024
"""What is longer is cut. The kernel allows megabytes, and a snapshot has to fit into memory."""

MAX_ENVIRONMENT_BYTES = 256 * 1024

EXITED = ("Z", "X", "x")
"""States of a thread that has exited. So has its process, unless it was the first thread and there are others."""

_NOT_THE_FILE = (errno.EMFILE, errno.ENFILE, errno.ESRCH)
"""There are no descriptors left, or no process. All else is about the file: it is another user's, or of a kernel that
has no such file, or cannot say."""
_LINE = 100
_PAGE = 4096
"""Up to here the kernel gives a whole file in one go."""
_CHUNK = 64 * 1024


class ProcessFacts(msgspec.Struct, frozen=True, gc=False):
    """What hardly changes. Texts are empty and numbers None where we may not read them."""

    arguments: tuple[str, ...]
    exe: str
    cwd: str
    root: str
    uid: int | None
    gid: int | None
    namespace_pid: int | None
    container_id: str = ""
    service_tags: tuple[str, ...] = ()
    """From its environment, if that is to be looked at."""


NO_FACTS = ProcessFacts((), "", "", "", None, None, None)


class ProcessReading(msgspec.Struct, frozen=True, gc=False):
    """Raw counters of one process. The same object as the time before where nothing has changed."""

    pid: int
    boot_time: int
    """When the machine was booted, as Unix time, by its clock when this process was first seen. A clock that is set
    later does not change when it started: it would be another process."""
    stat: Stat
    facts: ProcessFacts
    io: IoCounters | None
    open_files: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None
    shared_bytes: int | None = None
    swap_bytes: int | None = None


class ProcessHandle:
    """A process between two readings: what is open of it, and what was read last."""

    __slots__ = (
        "_dir_fd",
        "_folder",
        "_io_fd",
        "_io_hash",
        "_living",
        "_looks",
        "_path",
        "_reads_environment",
        "_run_data",
        "_run_fd",
        "_stat_fd",
        "_stat_hash",
        "_visits",
        "boot_time",
        "has_run",
        "io",
        "pid",
        "reading",
        "stat",
        "turn",
        "visited",
    )

    reading: ProcessReading
    stat: Stat

    def __init__(self, folder: str, pid: int, boot_time: int, *, reads_environment: bool = False) -> None:
        self.pid = pid
        self.boot_time = boot_time
        self.turn = self.visited = 0
        self.has_run = True
        """Since its facts were read, so that it may have changed them."""
        self.io: IoCounters | None = None
        # Of the bytes that were read, which themselves would take a fifth of the agent's memory.
        self._stat_hash: int | None = None
        self._io_hash = hash(b"")
        self._folder = folder
        self._reads_environment = reads_environment
        self._path = folder  # in front of a file's name; nothing while the folder is open
        self._living = ""  # behind that, for what a first thread that has exited does not have any more
        self._dir_fd: int | None = None
        self._stat_fd = self._io_fd = self._run_fd = -1
        self._run_data: bytes | None = None
        self._looks = self._visits = 0

    def keep_open(self) -> None:
        """Keep descriptors of its own for it. On an error, none."""
        try:
            self._dir_fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            self._path = ""
            self._stat_fd = self._open("stat")
            self._run_fd = self._open_if_there("schedstat")
            self._io_fd = self._open_if_there("io")
        except OSError:
            self.close()
            raise

    def close(self) -> bool:
        """Whether anything was open."""
        if self._dir_fd is None:
            return False
        for fd in (self._dir_fd, self._stat_fd, self._io_fd, self._run_fd):
            if fd >= 0:
                os.close(fd)
        self._dir_fd, self._path = None, self._folder
        self._stat_fd = self._io_fd = self._run_fd = -1
        return True

    def has_rested(self) -> bool:
        """Whether it has not run at all since this was last asked; to be asked before all else is read.

        The file counts the nanoseconds that the first thread has run, so that it says nothing of the others.
        """
        if self._run_fd < 0 and self._dir_fd is not None:
            return False
        if self._looks and self.stat.threads != 1:
            self._run_data = None
            return False
        data = os.pread(self._run_fd, _LINE, 0) if self._run_fd >= 0 else self._read_if_there("schedstat")
        if data and data == self._run_data:
            return True
        self._run_data = data
        return False

    def read_stat(self) -> bool:
        """Whether it has changed."""
        data = self._read_stat_file()
        now = hash(data)
        if now == self._stat_hash and not self._living:
            return False
        stat = parse_stat(data)
        if stat.state in EXITED and (stat.threads or 0) > 1:
            stat = self._stat_of_the_living(stat)
        else:
            self._living = ""
        has_changed = now != self._stat_hash or stat != self.stat
        self.stat = stat
        self._stat_hash = now
        return has_changed

    def _read_stat_file(self) -> bytes:
        return os.pread(self._stat_fd, _PAGE, 0) if self._stat_fd >= 0 else self._read("stat")

    @property
    def is_without_leader(self) -> bool:
        """Whether its first thread has exited, and others have not: the process goes on."""
        return bool(self._living)

    def _stat_of_the_living(self, leader: Stat) -> Stat:
        """The file is that of the first thread. Of one that has exited it still counts for the whole process what time
        it has used; memory and state are those of a thread that lives. If there is none, the process has exited."""
        for thread in [self._living, *self._other_threads()] if self._living else self._other_threads():
            try:
                stat = parse_stat(self._read(thread + "stat"))
            except (FileNotFoundError, ProcessLookupError, MalformedFile):
                continue
            if stat.state not in EXITED:
                self._living = thread
                return msgspec.structs.replace(
                    leader,
                    state=stat.state,
                    flags=stat.flags,
                    vms_bytes=stat.vms_bytes,
                    rss_pages=stat.rss_pages,
                    image=stat.image,
                )
        self._living = ""
        # One that runs a new program becomes the first thread, perhaps just now.
        return parse_stat(self._read_stat_file())

    def _other_threads(self) -> list[str]:
        """The oldest first."""
        try:
            names = self._names_in("task")
        except FileNotFoundError:
            return []  # of a copy
        return [f"task/{tid}/" for tid in sorted(int(name) for name in names if name.isdigit()) if tid != self.pid]

    def read_io(self) -> bool:
        """Whether it has changed."""
        try:
            if self._io_fd >= 0:
                data = os.pread(self._io_fd, _PAGE, 0)
            else:
                data = self._read("io") if self._dir_fd is None else b""
        except OSError as error:
            if error.errno in _NOT_THE_FILE:
                raise
            data = b""
        now = hash(data)
        if now == self._io_hash:
            return False
        self.io = parse_io(data) if data else None
        self._io_hash = now
        return True

    def look(self, *, counts_in_size: bool, revisit: bool) -> None:
        """Read what is behind the numbers, and make a reading of all of it."""
        before = self.reading if self._looks else None
        status = self._status()
        facts = self._facts(before, status, revisit=revisit)
        open_files = self._open_files(counts_in_size)
        reading = ProcessReading(
            self.pid,
            self.boot_time,
            self.stat,
            facts,
            self.io,
            open_files,
            status.voluntary_switches,
            status.involuntary_switches,
            status.shared_bytes,
            status.swap_bytes,
        )
        self.reading = before if before is not None and before == reading else reading
        self._looks += 1

    def glimpse(self) -> ProcessFacts:
        """Of a process that may be gone in a moment: the most telling file first, and what comes too late is absent."""
        arguments = self._arguments()
        self.read_stat()
        if self._living:
            arguments = self._arguments()
        exe, cwd, root = self._link("exe"), self._link("cwd"), self._link("root")
        try:
            status = self._status()
        except OSError:
            return ProcessFacts(arguments, exe, cwd, root, None, None, None)
        return ProcessFacts(
            arguments,
            exe,
            cwd,
            root,
            status.uid,
            status.gid,
            status.namespace_pid,
            self._container(),
            self._service_tags(),
        )

    def is_as_it_was(self) -> bool:
        """Whether others have left it alone that has not run since its facts were read: its folder and its executable
        can be renamed or deleted at any time."""
        if self.stat.vms_bytes == 0:
            return True
        facts = self.reading.facts
        self._visits += 1
        return (
            self._leads_to("cwd", facts.cwd)
            and self._leads_to("exe", facts.exe)
            and (self._visits % THOROUGH_EVERY != 0 or self._is_what_it_was(facts))
        )

    def _arguments(self) -> tuple[str, ...]:
        return parse_cmdline(self._read_if_there(self._living + "cmdline", MAX_CMDLINE_BYTES))

    def _status(self) -> Status:
        status = parse_status(self._read_if_there(self._living + "status"))
        if not self._living:
            return status
        leader = parse_status(self._read_if_there("status"))
        return msgspec.structs.replace(
            status,
            namespace_pid=leader.namespace_pid,
            voluntary_switches=leader.voluntary_switches,
            involuntary_switches=leader.involuntary_switches,
        )

    def _leads_to(self, name: str, path: str) -> bool:
        """Perhaps not where it is no UTF-8."""
        try:
            return os.readlink(self._path + self._living + name, dir_fd=self._dir_fd) == path
        except OSError:
            return path == ""

    def _is_what_it_was(self, facts: ProcessFacts) -> bool:
        arguments = self._arguments()
        return (
            arguments == facts.arguments
            and self._leads_to("root", facts.root)
            and self._container() == facts.container_id
        )

    def _facts(self, before: ProcessReading | None, status: Status, *, revisit: bool) -> ProcessFacts:
        if before is not None:
            if self.stat.vms_bytes == 0:
                return before.facts  # a zombie, or nearly: what it was is known, and can be read no more
            is_known = before.stat.comm == self.stat.comm and before.stat.image == self.stat.image
            is_known &= (before.facts.uid, before.facts.gid) == (status.uid, status.gid)
            is_known &= self._looks > 1  # one that was just born is about to exec
            if is_known and not revisit:
                return before.facts
        self.has_run = False
        facts = ProcessFacts(
            arguments=self._arguments(),
            exe=self._link("exe"),
            cwd=self._link("cwd"),
            root=self._link("root"),
            uid=status.uid,
            gid=status.gid,
            namespace_pid=status.namespace_pid,
            container_id=self._container(),
            service_tags=self._service_tags(),
        )
        return before.facts if before is not None and before.facts == facts else facts

    def _open_files(self, counts_in_size: bool) -> int | None:
        try:
            if counts_in_size:
                return os.stat(self._path + self._living + "fd", dir_fd=self._dir_fd).st_size
            return len(self._names_in(self._living + "fd"))
        except OSError as error:
            if error.errno in _NOT_THE_FILE:
                raise
            return None

    def _names_in(self, folder: str) -> list[str]:
        if self._dir_fd is None:
            return os.listdir(self._path + folder)  # noqa: PTH208
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._dir_fd)
        try:
            return os.listdir(fd)  # noqa: PTH208
        finally:
            os.close(fd)

    def _link(self, name: str) -> str:
        try:
            # Many processes have the same.
            return sys.intern(text(os.fsencode(os.readlink(self._path + self._living + name, dir_fd=self._dir_fd))))
        except OSError:
            return ""  # another user's, or without any

    def _container(self) -> str:
        return container_id(self._read_if_there(self._living + "cgroup"))

    def _service_tags(self) -> tuple[str, ...]:
        if not self._reads_environment:
            return ()
        return parse_service_tags(self._read_if_there(self._living + "environ", MAX_ENVIRONMENT_BYTES))

    def _read_if_there(self, name: str, max_bytes: int = _CHUNK) -> bytes:
        """Nothing from a file that is not to be had. Raises OSError if it is the process, or its thread, that is
        not."""
        try:
            return self._read(name, max_bytes)
        except OSError as error:
            is_thread_gone = self._living and error.errno == errno.ENOENT
            if error.errno in _NOT_THE_FILE or is_thread_gone or not self._read_stat_file():
                raise
            return b""

    def _open_if_there(self, name: str) -> int:
        """-1 for one that is not to be had."""
        try:
            return self._open(name)
        except OSError as error:
            if error.errno in _NOT_THE_FILE:
                raise
            return -1

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
