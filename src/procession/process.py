"""What Procession keeps: processes, as snapshots of hosts saw them.

Moments are whole Unix seconds everywhere inside: the wire, the API and the store all speak integers. The values
are `msgspec.Struct`s and not dataclasses, since an intake makes hundreds of thousands of them a second and a Struct
costs a fifth. Those that are made for each process hold nothing that could hold them in turn, so the collector of
garbage need not look at them, and remember their hash where they are kept and looked up.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Annotated

import msgspec

from procession.discovery import Discovery, discovered_tags

MAX_UINT32 = 2**32 - 1
MAX_UINT64 = 2**64 - 1

Float32 = Annotated[float, "f4"]
"""The annotation, as in the next two, is the type that a number has in a packed row and in the store."""
Int32 = Annotated[int, "i4"]
Int64 = Annotated[int, "i8"]


class ProcessIdentity(msgspec.Struct, frozen=True, order=True, gc=False):
    """What makes two sightings one process, within an org. A reused pid has another `started_at`."""

    host: str
    pid: int
    started_at: int


class ProcessDescription(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True, gc=False):
    """What a process is. Changes rarely: by exec, by a new parent, by renaming itself, by new tags.

    Texts are empty and numbers None where the agent could not read them. `tags` are lower-cased, sorted and unique:
    those of its host, its container and its own, without the four that every process has (see `ProcessSummary.tags`).
    """

    cmdline: str = ""
    """The arguments, joined by single blanks, scrubbed. Empty ones are left out where the words are told."""
    argument_words: tuple[int, ...] = ()
    """Where they end, as far as that is known: see `procession.command_line.arguments`."""
    exe: str = ""
    cwd: str = ""
    root: str = ""
    """Its root folder: `/` but for one that was moved by chroot."""
    comm: str = ""
    """The kernel's name of it: at most 15 bytes on Linux."""
    command: str = ""
    """The short name that people know it by: see `procession.command_line.program_name`."""
    user: str = ""
    """Its name, or `uid:118` where the uid has none."""
    uid: int | None = None
    gid: int | None = None
    group_name: str = ""
    """The name of the group of the gid; empty where it has none, or the agent does not say."""
    ppid: int = 0
    namespace_pid: int | None = None
    nice: int | None = None
    """From -20, which goes first, to 19."""
    container_id: str = ""
    is_zombie: bool = False
    tags: tuple[str, ...] = ()
    discovery: Discovery | None = None
    """None where no agent told anything of it."""


class ProcessNumbers(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a process used at one sighting. None: not known, or not to be read without more rights. Never 0 for that.

    This is the only list of them: packed rows (`procession.packed`), the columns of the store and the measures of the
    API are made of it.
    """

    cpu_total_percent: Float32 | None = None
    """Percent of one core: four threads that are always busy make 400."""
    cpu_user_percent: Float32 | None = None
    cpu_system_percent: Float32 | None = None
    rss_bytes: Int64 | None = None
    vms_bytes: Int64 | None = None
    shared_bytes: Int64 | None = None
    """The part of rss that others may hold as well: files and shared memory."""
    swap_bytes: Int64 | None = None
    threads: Int32 | None = None
    open_files: Int32 | None = None
    read_bytes_per_second: Float32 | None = None
    write_bytes_per_second: Float32 | None = None
    read_operations_per_second: Float32 | None = None
    write_operations_per_second: Float32 | None = None
    voluntary_switches: Int64 | None = None
    """Since the start of the process."""
    involuntary_switches: Int64 | None = None
    net_received_bytes_per_second: Float32 | None = None
    """Over TCP, as the next two."""
    net_sent_bytes_per_second: Float32 | None = None
    connections: Int32 | None = None
    """That are established."""
    net_bytes_per_second: Float32 | None = None
    """Received and sent together, as Datadog's Agents have it, which do not tell them apart. The next one is theirs,
    too: how many connections they saw in a second."""
    net_connections_per_second: Float32 | None = None
    state: str = ""
    """The kernel's letter: R, S, D, T, t, Z, X, I, or another one of an older kernel; empty where unknown."""


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """One process, as one snapshot saw it."""

    pid: int
    started_at: int
    description: ProcessDescription
    numbers: ProcessNumbers = ProcessNumbers()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The processes of one host at one moment, or one chunk of them.

    Chunks of one snapshot share `host` and `taken_at`; `request_id` tells them apart and stays the same when an agent
    sends one again. `split_id` says which chunks belong together, `chunk_count` how many there are (0: not known).
    """

    host: str
    taken_at: int
    sightings: tuple[Sighting, ...]
    request_id: int = 0
    split_id: int = 0
    chunk_count: int = 0


class LiveNumbers(msgspec.Struct, frozen=True, gc=False):
    """What a process uses right now; what it is, the last snapshot said."""

    pid: int
    started_at: int
    numbers: ProcessNumbers


class LiveSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of the processes of one host, while somebody watches it; in chunks as a Snapshot is."""

    host: str
    taken_at: int
    processes: tuple[LiveNumbers, ...]
    request_id: int = 0
    split_id: int = 0
    chunk_count: int = 0


class ProcessSummary(msgspec.Struct, frozen=True):
    """What the API shows of a process: its newest sighting in the window."""

    identity: ProcessIdentity
    seen_at: int
    description: ProcessDescription

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags in the API's order: the process's, then `host:`, `user:`, `command:` and `state_zombie:`."""
        return (*self.description.tags, *generated_tags(self.identity.host, self.description))

    @property
    def all_tags(self) -> tuple[str, ...]:
        """What counts as its tags in Procession's API: also what was found out about it."""
        return (*self.tags, *discovered_tags(self.description.discovery))


class ExitCost(msgspec.Struct, frozen=True, gc=False):
    """What a process used from its start to its end, with all its threads. None: not known."""

    cpu_user_seconds: float | None = None
    cpu_system_seconds: float | None = None
    peak_rss_bytes: int | None = None
    """The most memory that it had at once."""
    read_bytes: int | None = None
    """From storage, as the next one."""
    written_bytes: int | None = None
    is_final: bool = True
    """Whether these are the numbers at the end. If not, all but the peak are those of the last snapshot before it."""


class ExitFacts(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the agent that reported an exit knew of it besides its moment and its code."""

    oom_killed: bool | None = None
    """Whether the kernel's OOM killer did it. None: the agent could not tell, or does not look."""
    oom_cgroup: str = ""
    """Which cgroup was out of memory. Empty where that is not known, or where it was all of the machine."""
    cost: ExitCost | None = None


NO_EXIT_FACTS = ExitFacts()


class ProcessDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a process besides its summary."""

    numbers: ProcessNumbers = ProcessNumbers()
    """At its newest sighting in the window, or newer ones sent live; all absent where numbers are kept no longer."""
    ended_at: int | None = None
    """When it exited, or when the first complete snapshot without it was taken. None: not in the window."""
    exit_code: int | None = None
    """As a shell has it: 128 and the signal for one that was killed. None where no agent saw the exit."""
    exit_facts: ExitFacts = NO_EXIT_FACTS

    @property
    def ending(self) -> Ending:
        return Ending(self.ended_at, self.exit_code, self.exit_facts)

    def with_ending(self, ending: Ending) -> ProcessDetail:
        """The same numbers, of a process that ended so."""
        return ProcessDetail(
            numbers=self.numbers, ended_at=ending.at, exit_code=ending.exit_code, exit_facts=ending.facts
        )


class Ending(msgspec.Struct, frozen=True):
    """How a process ended, as in `ProcessDetail`."""

    at: int | None = None
    exit_code: int | None = None
    facts: ExitFacts = NO_EXIT_FACTS


GENERATED_KEYS = frozenset(("host", "user", "command", "state_zombie"))
"""Of `generated_tags`."""


def generated_tags(host: str, description: ProcessDescription) -> tuple[str, str, str, str]:
    """The four tags that every process has, in the API's order and in their own case."""
    return (
        f"host:{host}",
        f"user:{description.user}",
        f"command:{description.command}",
        "state_zombie:true" if description.is_zombie else "state_zombie:false",
    )


class ProcessKey(msgspec.Struct, frozen=True, order=True):
    """Where a process stands in the order of the API and of the store: by start, then by host and pid.

    The API's order is "`start` ascending, ties by `id` descending"; the id holds host and pid inverted (`id_of`), so
    that this order, ascending, is that one.
    """

    started_at: int
    host_key: int
    pid: int

    @classmethod
    def of(cls, identity: ProcessIdentity) -> ProcessKey:
        return cls(identity.started_at, host_key(identity.host), identity.pid)

    @classmethod
    def last_of_second(cls, started_at: int) -> ProcessKey:
        """After all that started then, and before what started later."""
        return cls(started_at, MAX_UINT64, MAX_UINT32)

    @property
    def is_last_of_second(self) -> bool:
        return self.host_key == MAX_UINT64 and self.pid == MAX_UINT32

    def id_of(self, org_id: int) -> bytes:
        """20 bytes: org id as uint32 little-endian, host key and pid inverted, start; the last three big-endian."""
        return (
            org_id.to_bytes(4, "little")
            + (MAX_UINT64 - self.host_key).to_bytes(8, "big")
            + (MAX_UINT32 - self.pid).to_bytes(4, "big")
            + self.started_at.to_bytes(4, "big")
        )


def id_text(org_id: int, identity: ProcessIdentity) -> str:
    """`ProcessKey.id_of` in hexadecimal; quick for thousands of processes of some hosts."""
    return f"{_id_beginning(org_id, identity.host)}{MAX_UINT32 - identity.pid:08x}{identity.started_at:08x}"


@lru_cache(maxsize=16384)
def _id_beginning(org_id: int, host: str) -> str:
    return ProcessKey(0, host_key(host), 0).id_of(org_id)[:12].hex()


@lru_cache(maxsize=65536)
def host_key(host: str) -> int:
    """64 bits that stand for a host's name. From a cryptographic hash: no host can take another's on purpose."""
    return int.from_bytes(hashlib.blake2b(host.encode("utf-8", "replace"), digest_size=8).digest(), "big")
