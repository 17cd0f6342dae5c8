"""The kernel's files about a process: bytes -> values."""

from __future__ import annotations

import msgspec

from procession.agent.texts import tag_of
from procession.arguments import MOST_EMPTY

_MOST_EMPTY_AT_END = 8
"""Empty arguments at the end that somebody may have given."""

KERNEL_THREAD = 0x00200000
"""A bit of `Stat.flags`."""


class MalformedFile(ValueError):
    """What was read is not what a kernel writes: an empty file, as while a process exits, or a broken copy."""


class Stat(msgspec.Struct, frozen=True, gc=False):
    """`/proc/<pid>/stat`."""

    comm: str
    """The kernel's name of it, at most 15 bytes."""
    state: str
    ppid: int
    flags: int
    user_ticks: int
    system_ticks: int
    nice: int
    """From -20, which goes first, to 19."""
    threads: int
    start_ticks: int
    """Since the machine started."""
    vms_bytes: int
    """0 of what has no memory of its own: a kernel thread, or a process that is exiting."""
    rss_pages: int
    image: bytes
    """Where its program and arguments lie in memory: differs after an exec, since the kernel puts each elsewhere. All 0
    where we may not know."""


class IoCounters(msgspec.Struct, frozen=True, gc=False):
    """`/proc/<pid>/io`."""

    read_operations: int
    """System calls, as are the writes."""
    write_operations: int
    read_bytes: int
    """From storage, as the written ones went there."""
    write_bytes: int


class Status(msgspec.Struct, frozen=True, gc=False):
    """What `/proc/<pid>/status` has and `stat` has not."""

    uid: int
    """The real one, as is the gid."""
    gid: int
    namespace_pid: int
    """The pid in the innermost namespace."""
    voluntary_switches: int | None
    """Since the start."""
    involuntary_switches: int | None
    shared_bytes: int | None
    """Files and shared memory, as far as they are in memory: the same as in `statm`. None of what has no memory of its
    own, and before Linux 4.5."""
    swap_bytes: int | None


def parse_stat(data: bytes) -> Stat:
    # The name stands between parentheses and may itself hold blanks, parentheses and newlines:
    # "1 (tmux: server (x)) S 0 ...".  The last ")" ends it.
    start = data.find(b"(") + 1
    end = data.rfind(b")")
    fields = data[end + 2 :].split(b" ")
    try:
        return Stat(
            comm=text(data[start:end]),
            state=fields[0].decode("ascii"),
            ppid=int(fields[1]),
            flags=int(fields[6]),
            user_ticks=int(fields[11]),
            system_ticks=int(fields[12]),
            nice=int(fields[16]),
            threads=int(fields[17]),
            start_ticks=int(fields[19]),
            vms_bytes=int(fields[20]),
            rss_pages=int(fields[21]),
            # startcode, startstack, start_data, arg_start
            image=b" ".join((fields[23], fields[25], fields[42], fields[45])),
        )
    except (ValueError, IndexError):
        raise MalformedFile(f"not a stat file: {data[:80]!r}") from None


def parse_io(data: bytes) -> IoCounters:
    try:
        lines = data.split(b"\n")  # rchar, wchar, syscr, syscw, read_bytes, write_bytes, cancelled_write_bytes
        return IoCounters(
            read_operations=_after(lines[2], b"syscr: "),
            write_operations=_after(lines[3], b"syscw: "),
            read_bytes=_after(lines[4], b"read_bytes: "),
            write_bytes=_after(lines[5], b"write_bytes: "),
        )
    except (ValueError, IndexError):
        raise MalformedFile(f"not an io file: {data[:80]!r}") from None


def parse_status(data: bytes) -> Status:
    try:
        # "Name:" comes first and may say anything, so that nothing is looked for before the end of its line.
        ids = data.index(b"\nUid:\t")
        uid = data[ids + 6 : data.index(b"\t", ids + 6)]
        ids = data.index(b"\nGid:\t", ids)
        gid = data[ids + 6 : data.index(b"\t", ids + 6)]
        namespaces = data.find(b"\nNSpid:\t", ids)
        line = data[namespaces + 8 : data.index(b"\n", namespaces + 8)] if namespaces >= 0 else b""
        pid = line or _line(data, b"\nPid:\t")
        has_switches = b"\nvoluntary_ctxt_switches:\t" in data
        return Status(
            uid=int(uid),
            gid=int(gid),
            namespace_pid=int(pid.rpartition(b"\t")[2]),
            voluntary_switches=int(_line(data, b"\nvoluntary_ctxt_switches:\t")) if has_switches else None,
            involuntary_switches=int(_line(data, b"\nnonvoluntary_ctxt_switches:\t")) if has_switches else None,
            shared_bytes=_sum(_bytes(data, b"\nRssFile:", ids), _bytes(data, b"\nRssShmem:", ids)),
            swap_bytes=_bytes(data, b"\nVmSwap:", ids),
        )
    except ValueError:
        raise MalformedFile(f"not a status file: {data[:80]!r}") from None


def parse_cmdline(data: bytes) -> tuple[str, ...]:
    """The arguments, empty ones too, but for those that pad a title: what a process writes over its arguments may be
    shorter, and then NULs follow to where they ended."""
    arguments = data.removesuffix(b"\0").split(b"\0")
    if b"" not in arguments:
        return tuple(map(text, arguments))
    given = [argument for argument in arguments if argument]
    after_last = next((count for count, argument in enumerate(reversed(arguments)) if argument), 0)
    is_title = given == arguments[:1] and b" " in given[0]
    if is_title or after_last > _MOST_EMPTY_AT_END:
        del arguments[len(arguments) - after_last :]
    if len(arguments) - len(given) > MOST_EMPTY or not given:
        arguments = given
    return tuple(map(text, arguments))


_SERVICE_VARIABLES = {b"DD_ENV": "env", b"DD_SERVICE": "service", b"DD_VERSION": "version"}


def parse_service_tags(environ: bytes) -> tuple[str, ...]:
    """The unified service tags. Nothing else of an environment, which is full of secrets, leaves this function."""
    tags: dict[str, str] = {}
    for entry in environ.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if (key := _SERVICE_VARIABLES.get(name)) is not None and (tag := tag_of(key, text(value))):
            tags.setdefault(key, tag)
    return tuple(tags.values())


def parse_boot_time(data: bytes) -> int:
    """Unix seconds, from `/proc/stat`."""
    try:
        return int(_line(data, b"\nbtime "))
    except ValueError:
        raise MalformedFile("there is no btime in it") from None


def text(data: bytes) -> str:
    """What is not UTF-8 becomes U+FFFD."""
    return data.decode("utf-8", "replace")


def _line(data: bytes, name: bytes) -> bytes:
    start = data.index(name) + len(name)
    end = data.find(b"\n", start)
    return data[start:] if end < 0 else data[start:end]


def _bytes(data: bytes, name: bytes, start: int) -> int | None:
    """Of a line like `VmSwap:\t      12 kB`; None where there is none."""
    start = data.find(name, start)
    if start < 0:
        return None
    return int(data[start + len(name) : data.index(b" kB", start)]) * 1024


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def _after(line: bytes, name: bytes) -> int:
    if not line.startswith(name):
        raise ValueError
    return int(line[len(name) :])
