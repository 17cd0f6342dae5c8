"""One process, read again and again."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from procession.agent.read.cgroups import container_id
from procession.agent.read.network.traffic import Traffic
from procession.agent.read.process_files import ProcessFiles
from procession.agent.read.process_reading import ProcessFacts, ProcessReading
from procession.agent.read.procfs import (
    KERNEL_THREAD,
    IoCounters,
    MalformedFile,
    Stat,
    Status,
    parse_cmdline,
    parse_io,
    parse_service_tags,
    parse_stat,
    parse_status,
    stat_of_process,
    status_of_process,
)

THOROUGH_EVERY = 5
"""Visits after which also that is read again which others hardly ever change: its root, its container, and the command
line that a debugger writes over."""

_LINE = 100
"""More than `schedstat` has."""

_STAYS = ("", "/")
"""Where a link leads to that nobody can rename or delete: another user's, of which we know nothing, or the top."""

MAX_CMDLINE_BYTES = 256 * 1024
"""What is longer is cut. The kernel allows megabytes, and a snapshot has to fit into memory."""

MAX_ENVIRONMENT_BYTES = 256 * 1024

EXITED = ("Z", "X", "x")
"""States of a thread that has exited. So has its process, unless it was the first thread and there are others."""


class ProcessHandle:
    """A process between two readings: what is open of it, and what was read last."""

    __slots__ = (
        "_files",
        "_has_other_threads",
        "_io_hash",
        "_looks",
        "_reads_environment",
        "_run_data",
        "_stat_hash",
        "_visits",
        "boot_time",
        "has_run",
        "io",
        "is_kernel_thread",
        "pid",
        "ppid",
        "ran_at",
        "reading",
        "stat",
        "visited",
    )

    reading: ProcessReading
    stat: Stat

    def __init__(self, folder: str, pid: int, boot_time: int, *, reads_environment: bool = False) -> None:
        self.pid = pid
        self.boot_time = boot_time
        self.visited = 0
        """At which of its reader's revisits."""
        self.ran_at = 0
        """Before which look of its reader's `Finder` it was last seen to have run."""
        self.is_kernel_thread = False
        self.ppid = 0
        self.has_run = True
        """Since its facts were read, so that it may have changed them."""
        self.io: IoCounters | None = None
        # Of the bytes that were read, which themselves would take a fifth of the agent's memory.
        self._stat_hash: int | None = None
        self._io_hash = hash(b"")
        self._reads_environment = reads_environment
        self._files = ProcessFiles(folder)
        self._run_data: bytes | None = None
        self._has_other_threads = False
        self._looks = self._visits = 0

    def keep_open(self) -> None:
        """Keep descriptors of its own for it. On an error, none."""
        self._files.keep_open()

    def close(self) -> bool:
        """Whether anything was open."""
        return self._files.close()

    def has_rested(self) -> bool:
        """Whether it has not run at all since this was last asked; to be asked before all else is read.

        The file counts the nanoseconds that the first thread has run, so that it says nothing of the others.
        """
        if self._has_other_threads:
            self._run_data = None
            return False
        files = self._files
        try:
            # Here, since it is what is asked of each process in each turn.
            data = os.pread(files.run_fd, _LINE, 0) if files.run_fd >= 0 else files.schedstat()
        except OSError:
            return False  # the next file says what it is
        if data and data == self._run_data:
            return True
        self._run_data = data
        return False

    def read_stat(self) -> bool:
        """Whether it has changed."""
        data = self._files.stat()
        now = hash(data)
        if now == self._stat_hash and not self._files.thread:
            return False
        stat = parse_stat(data)
        if stat.state in EXITED and (stat.threads or 0) > 1:
            stat = self._stat_of_living_thread(stat)
        else:
            self._files.thread = ""
        has_changed = now != self._stat_hash or stat != self.stat
        self.stat = stat
        self.ppid = stat.ppid
        self.is_kernel_thread = stat.flags & KERNEL_THREAD != 0
        self._has_other_threads = stat.threads != 1
        self._stat_hash = now
        return has_changed

    @property
    def is_without_leader(self) -> bool:
        """Whether its first thread has exited, and others have not: the process goes on."""
        return bool(self._files.thread)

    def _stat_of_living_thread(self, leader: Stat) -> Stat:
        """The file is that of the first thread. If none lives, the process has exited."""
        for thread in [self._files.thread, *self._other_threads()] if self._files.thread else self._other_threads():
            try:
                stat = parse_stat(self._files.read(thread + "stat"))
            except (FileNotFoundError, ProcessLookupError, MalformedFile):
                continue
            if stat.state not in EXITED:
                self._files.thread = thread
                return stat_of_process(leader, stat)
        self._files.thread = ""
        # One that runs a new program becomes the first thread, perhaps just now.
        return parse_stat(self._files.stat())

    def _other_threads(self) -> list[str]:
        """Their folders, the oldest first."""
        return [f"task/{tid}/" for tid in self._files.threads() if tid != self.pid]

    def read_io(self) -> bool:
        """Whether it has changed."""
        data = self._files.io()
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
        open_files = self._files.open_files(counts_in_size=counts_in_size)
        reading = ProcessReading(
            self.pid,
            self.boot_time,
            self.stat,
            facts,
            self.io,
            open_files,
            status,
            None if before is None else before.traffic,
        )
        self.reading = before if before is not None and before == reading else reading
        self._looks += 1

    def link(self, name: str) -> str:
        """Where one of its links leads to; empty where that is not to be known."""
        return self._files.link(name)

    @property
    def open_files(self) -> int | None:
        """As it was read last."""
        return self.reading.open_files

    def sockets(self, most: int) -> tuple[int, frozenset[int] | None]:
        """As of its files."""
        return self._files.sockets(most, all_files=self.reading.open_files)

    def learn(self, **found: Any) -> None:
        """Fields of its facts that were found out apart from them."""
        facts = msgspec.structs.replace(self.reading.facts, **found)
        self.reading = msgspec.structs.replace(self.reading, facts=facts)

    def take_traffic(self, traffic: Traffic | None) -> None:
        self.reading = msgspec.structs.replace(self.reading, traffic=traffic)

    def read_facts_now(self) -> ProcessFacts:
        """The facts of a process that may exit at any moment: the most telling file first. What is gone is absent."""
        arguments = self._arguments()
        self.read_stat()
        if self._files.thread:
            arguments = self._arguments()
        exe, cwd, root = self._files.link("exe"), self._files.link("cwd"), self._files.link("root")
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

    def is_unchanged(self) -> bool:
        """Whether others have left it alone that has not run since its facts were read: its folder and its executable
        can be renamed or deleted at any time."""
        if self.stat.vms_bytes == 0:
            return True
        facts = self.reading.facts
        self._visits += 1
        if self._visits % THOROUGH_EVERY == 0:
            return self._is_thoroughly_unchanged(facts)
        return (facts.cwd in _STAYS or self._files.leads_to("cwd", facts.cwd)) and (
            facts.exe in _STAYS or self._files.leads_to("exe", facts.exe)
        )

    def _arguments(self) -> tuple[str, ...]:
        return parse_cmdline(self._files.of_thread("cmdline", MAX_CMDLINE_BYTES))

    def _status(self) -> Status:
        status = parse_status(self._files.of_thread("status"))
        if not self._files.thread:
            return status
        return status_of_process(parse_status(self._files.read_if_there("status")), status)

    def _is_thoroughly_unchanged(self, facts: ProcessFacts) -> bool:
        arguments = self._arguments()
        return (
            arguments == facts.arguments
            and self._files.leads_to("cwd", facts.cwd)
            and self._files.leads_to("exe", facts.exe)
            and self._files.leads_to("root", facts.root)
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
            exe=self._files.link("exe"),
            cwd=self._files.link("cwd"),
            root=self._files.link("root"),
            uid=status.uid,
            gid=status.gid,
            namespace_pid=status.namespace_pid,
            container_id=self._container(),
            service_tags=self._service_tags(),
            language="" if before is None else before.facts.language,
            ports=None if before is None else before.facts.ports,
        )
        return before.facts if before is not None and before.facts == facts else facts

    def _container(self) -> str:
        return container_id(self._files.of_thread("cgroup"))

    def _service_tags(self) -> tuple[str, ...]:
        if not self._reads_environment:
            return ()
        return parse_service_tags(self._files.of_thread("environ", MAX_ENVIRONMENT_BYTES))
