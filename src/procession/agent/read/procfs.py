"""The kernel's files about a process: bytes -> values.

A number that the agent reads is named and parsed here, and nowhere else in this room: readings carry `Stat`,
`IoCounters` and `Status` whole.
"""

from __future__ import annotations

import msgspec

from procession.agent.tag_text import tag_of
from procession.command_line.arguments import MOST_EMPTY
from procession.process import MAX_UINT32

_MOST_EMPTY_AT_END = 8
"""Empty arguments at the end that somebody may have given."""

KERNEL_THREAD = 0x00200000
"""A bit of `Stat.flags`."""


MAX_PID = 2**31 - 1
_MAX_COUNT = 2**63 - 1
_MAX_KILOBYTES = _MAX_COUNT // 1024
_MAX_PAGES = _MAX_COUNT // 2**16
"""Pages may have up to 64 KiB."""
_MAX_START_TICKS = 2**37
"""43 years after the machine started: not a moment, but a number that was less than 0 or had no end."""


class MalformedFile(ValueError):
    """What was read is not what a kernel writes: an empty file, as while a process exits, or a broken copy."""


class Stat(msgspec.Struct, frozen=True, gc=False):
    """`/proc/<pid>/stat`. None: the kernel does not say, or says what cannot be."""

    comm: str
    """The kernel's name of it, at most 15 bytes."""
    state: str
    """Empty where not known."""
    ppid: int
    """0 where not known, as of those without a parent."""
    flags: int
    user_ticks: int | None
    system_ticks: int | None
    nice: int | None
    """From -20, which goes first, to 19."""
    threads: int | None
    start_ticks: int
    """Since the machine started; 0 where not known."""
    vms_bytes: int | None
    """0 of what has no memory of its own: a kernel thread, or a process that is exiting."""
    rss_pages: int | None
    image: bytes
    """Where its program and arguments lie in memory: differs after an exec, since the kernel puts each elsewhere. All 0
    where we may not know."""


class IoCounters(msgspec.Struct, frozen=True, gc=False):
    """`/proc/<pid>/io`. None: not counted."""

    read_operations: int | None
    """System calls, as are the writes."""
    write_operations: int | None
    read_bytes: int | None
    """From storage, as the written ones went there."""
    write_bytes: int | None


class Status(msgspec.Struct, frozen=True, gc=False):
    """What `/proc/<pid>/status` has and `stat` has not. None: it has no such line, or one that says what cannot be."""

    uid: int | None = None
    """The real one, as is the gid."""
    gid: int | None = None
    namespace_pid: int | None = None
    """The pid in the innermost namespace."""
    voluntary_switches: int | None = None
    """Since the start."""
    involuntary_switches: int | None = None
    shared_bytes: int | None = None
    """Files and shared memory, as far as they are in memory: the same as in `statm`. None of what has no memory of its
    own, and before Linux 4.5."""
    swap_bytes: int | None = None


NO_STATUS = Status()


def parse_stat(data: bytes) -> Stat:
    """Raises MalformedFile for what names no process."""
    # The name stands between parentheses and may itself hold blanks, parentheses and newlines:
    # "1 (tmux: server (x)) S 0 ...".  The last ")" ends it.
    start = data.find(b"(") + 1
    end = data.rfind(b")")
    fields = data[end + 2 :].split()
    if not 0 < start <= end or not fields:
        raise MalformedFile(f"not a stat file: {data[:80]!r}")
    comm, state = text(data[start:end]), _letter(fields[0])
    try:
        ppid, flags, user_ticks, system_ticks = int(fields[1]), int(fields[6]), int(fields[11]), int(fields[12])
        nice, threads, start_ticks = int(fields[16]), int(fields[17]), int(fields[19])
        vms_bytes, rss_pages = int(fields[20]), int(fields[21])
        # startcode, startstack, start_data, arg_start
        image = b" ".join((fields[23], fields[25], fields[42], fields[45]))
    except (ValueError, IndexError):
        return _odd_stat(comm, state, fields)
    can_be = (
        0 <= ppid <= MAX_PID
        and 0 <= flags <= MAX_UINT32
        and 0 <= user_ticks <= _MAX_COUNT
        and 0 <= system_ticks <= _MAX_COUNT
        and -20 <= nice < 20
        and 0 <= threads <= MAX_PID
        and 0 <= start_ticks <= _MAX_START_TICKS
        and 0 <= vms_bytes <= _MAX_COUNT
        and 0 <= rss_pages <= _MAX_PAGES
    )
    if not can_be:
        return _odd_stat(comm, state, fields)
    return Stat(
        comm, state, ppid, flags, user_ticks, system_ticks, nice, threads, start_ticks, vms_bytes, rss_pages, image
    )


def _odd_stat(comm: str, state: str, fields: list[bytes]) -> Stat:
    """What can be read of a `stat` that has fewer fields than usual, or impossible numbers."""
    return Stat(
        comm=comm,
        state=state,
        ppid=_field(fields, 1, MAX_PID) or 0,
        flags=_field(fields, 6, MAX_UINT32) or 0,
        user_ticks=_field(fields, 11),
        system_ticks=_field(fields, 12),
        nice=_nice(fields),
        threads=_field(fields, 17, MAX_PID),
        start_ticks=_field(fields, 19, _MAX_START_TICKS) or 0,
        vms_bytes=_field(fields, 20),
        rss_pages=_field(fields, 21, _MAX_PAGES),
        image=b" ".join((*fields[23:24], *fields[25:26], *fields[42:43], *fields[45:46])),
    )


def parse_io(data: bytes) -> IoCounters:
    """Lines that are missing, or are none, are absent."""
    try:
        lines = data.split(b"\n")  # rchar, wchar, syscr, syscw, read_bytes, write_bytes, cancelled_write_bytes
        return IoCounters(
            read_operations=_after(lines[2], b"syscr: "),
            write_operations=_after(lines[3], b"syscw: "),
            read_bytes=_after(lines[4], b"read_bytes: "),
            write_bytes=_after(lines[5], b"write_bytes: "),
        )
    except (ValueError, IndexError):
        return _odd_io(b"\n" + data)


def _odd_io(data: bytes) -> IoCounters:
    return IoCounters(
        read_operations=_number_after(data, b"\nsyscr:"),
        write_operations=_number_after(data, b"\nsyscw:"),
        read_bytes=_number_after(data, b"\nread_bytes:"),
        write_bytes=_number_after(data, b"\nwrite_bytes:"),
    )


def parse_status(data: bytes) -> Status:
    """Lines that are missing, or are none, are absent."""
    # "Name:" comes first and may say anything, so that nothing is looked for before the end of its line.
    try:
        start = data.index(b"\nUid:\t") + 6
        uid = int(data[start : data.index(b"\t", start)])
        start = data.index(b"\nGid:\t", start) + 6
        gid = int(data[start : data.index(b"\t", start)])
        start = data.index(b"\nNSpid:\t", start) + 8
        pid = int(data[start : data.index(b"\n", start)].rpartition(b"\t")[2])
        start = data.index(b"\nRssFile:\t", start) + 10
        file_kb = int(data[start : data.index(b" kB\n", start)])
        start = data.index(b"\nRssShmem:\t", start) + 11
        shmem_kb = int(data[start : data.index(b" kB\n", start)])
        start = data.index(b"\nVmSwap:\t", start) + 9
        swap_kb = int(data[start : data.index(b" kB\n", start)])
        start = data.index(b"\nvoluntary_ctxt_switches:\t", start) + 26
        voluntary = int(data[start : data.index(b"\n", start)])
        start = data.index(b"\nnonvoluntary_ctxt_switches:\t", start) + 29
        involuntary = int(data[start : data.index(b"\n", start)])
    except ValueError:
        return _odd_status(data)
    can_be = (
        0 <= uid <= MAX_UINT32
        and 0 <= gid <= MAX_UINT32
        and 0 < pid <= MAX_PID
        and 0 <= file_kb <= _MAX_KILOBYTES
        and 0 <= shmem_kb <= _MAX_KILOBYTES
        and 0 <= swap_kb <= _MAX_KILOBYTES
        and 0 <= voluntary <= _MAX_COUNT
        and 0 <= involuntary <= _MAX_COUNT
    )
    if not can_be:
        return _odd_status(data)
    return Status(uid, gid, pid, voluntary, involuntary, (file_kb + shmem_kb) * 1024, swap_kb * 1024)


def _odd_status(data: bytes) -> Status:
    """What can be read of a `status` that is not as usual: of a process without memory, with other lines, or with
    impossible numbers."""
    return Status(
        uid=_number_after(data, b"\nUid:", MAX_UINT32),
        gid=_number_after(data, b"\nGid:", MAX_UINT32),
        namespace_pid=_namespace_pid(data),
        voluntary_switches=_number_after(data, b"\nvoluntary_ctxt_switches:"),
        involuntary_switches=_number_after(data, b"\nnonvoluntary_ctxt_switches:"),
        shared_bytes=_shared_bytes(data),
        swap_bytes=_bytes(data, b"\nVmSwap:"),
    )


def stat_of_process(leader: Stat, thread: Stat) -> Stat:
    """The `stat` of a process whose first thread has exited while another goes on. The first thread still has the times
    of the whole process; memory and state are those of the living thread."""
    return msgspec.structs.replace(
        leader,
        state=thread.state,
        flags=thread.flags,
        vms_bytes=thread.vms_bytes,
        rss_pages=thread.rss_pages,
        image=thread.image,
    )


def status_of_process(leader: Status, thread: Status) -> Status:
    """As `stat_of_process`; what is counted here is that of the first thread."""
    return msgspec.structs.replace(
        thread,
        namespace_pid=leader.namespace_pid,
        voluntary_switches=leader.voluntary_switches,
        involuntary_switches=leader.involuntary_switches,
    )


def parse_cmdline(data: bytes) -> tuple[str, ...]:
    """The arguments, empty ones too, but for those that pad a title: what a process writes over its arguments may be
    shorter, and then NULs follow to where they ended."""
    data = data.removesuffix(b"\0")
    arguments = data.split(b"\0")
    if b"" not in arguments:
        return tuple(text(data).split("\0"))
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
    """Unix seconds, from `/proc/stat`. Raises MalformedFile where it does not say."""
    boot_time = _number_after(b"\n" + data, b"\nbtime ", MAX_UINT32)
    if boot_time is None:
        raise MalformedFile("there is no btime in it")
    return boot_time


def text(data: bytes) -> str:
    """What is not UTF-8 becomes U+FFFD."""
    return data.decode("utf-8", "replace")


def _letter(field: bytes) -> str:
    return field.decode("ascii") if len(field) == 1 and field.isalpha() else ""


def _field(fields: list[bytes], index: int, most: int = _MAX_COUNT) -> int | None:
    return _number(fields[index], most) if index < len(fields) else None


def _number(digits: bytes, most: int = _MAX_COUNT) -> int | None:
    """None for what is no number, or none from 0 to `most`."""
    return number if digits.isdigit() and len(digits) < 20 and (number := int(digits)) <= most else None


def _nice(fields: list[bytes]) -> int | None:
    digits = fields[16] if len(fields) > 16 else b""
    nice = _number(digits.removeprefix(b"-"), 20)
    if nice is None:
        return None
    nice = -nice if digits.startswith(b"-") else nice
    return nice if nice < 20 else None


def _number_after(data: bytes, name: bytes, most: int = _MAX_COUNT) -> int | None:
    """The first number of the line that begins so."""
    words = _line(data, name).split(None, 1)
    return _number(words[0], most) if words else None


def _namespace_pid(data: bytes) -> int | None:
    words = (_line(data, b"\nNSpid:") or _line(data, b"\nPid:")).split()
    return _number(words[-1], MAX_PID) or None if words else None


def _line(data: bytes, name: bytes) -> bytes:
    """What follows the name; nothing where there is no such line."""
    start = data.find(name)
    if start < 0:
        return b""
    start += len(name)
    end = data.find(b"\n", start)
    return data[start:] if end < 0 else data[start:end]


def _bytes(data: bytes, name: bytes) -> int | None:
    """The bytes that a line such as `VmSwap:\t      12 kB` says; None where there is no such line."""
    kilobytes = _number_after(data, name, _MAX_KILOBYTES)
    return None if kilobytes is None else kilobytes * 1024


def _shared_bytes(data: bytes) -> int | None:
    files, shared = _bytes(data, b"\nRssFile:"), _bytes(data, b"\nRssShmem:")
    return None if files is None or shared is None else files + shared


def _after(line: bytes, name: bytes) -> int:
    number = int(line[len(name) :]) if line.startswith(name) else -1
    if not 0 <= number <= _MAX_COUNT:
        raise ValueError
    return number
