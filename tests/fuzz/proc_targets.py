"""The kernel's files about processes: as a kernel writes them, with the names and numbers that a process chooses, and
as bytes of any kind."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Callable

from procession.agent.read.cgroups import container_id
from procession.agent.read.connector import EXEC, EXIT, FORK, THREAD_EXIT, parse_event
from procession.agent.read.procfs import (
    IoCounters,
    MalformedFile,
    parse_boot_time,
    parse_cmdline,
    parse_io,
    parse_service_tags,
    parse_stat,
    parse_status,
)
from procession.agent.read.users import parse_passwd
from procession.agent.tag_text import MAX_TAG_LENGTH
from tests.fuzz.draw import Draw

_STATES = b"RSDTZXIWtP"


def check_stat(data: bytes) -> None:
    """Whatever a process calls itself, the numbers behind the name are those of the kernel."""
    _check_any(parse_stat, data)
    draw = Draw(data)
    comm = draw.some(64)
    state = bytes([draw.pick(_STATES)])
    numbers = [draw.signed(64) for _ in range(49)]
    _check_stat_of(comm, state, numbers)
    # And such as all can be, even the nice value at position 15, whatever the others of that many bits are.
    _check_stat_of(comm, state, [number % (20 if place == 15 else 2**31) for place, number in enumerate(numbers)])


def _check_stat_of(comm: bytes, state: bytes, numbers: list[int]) -> None:
    stat = parse_stat(b"1 (%s) %s %s\n" % (comm, state, b" ".join(b"%d" % number for number in numbers)))

    assert stat.comm == comm.decode("utf-8", "replace")
    assert stat.state == state.decode()
    # As proc(5) counts them: the state is field 3.
    fields = dict(enumerate(numbers, 4))
    assert stat.ppid == _within(fields[4], 0, 2**31 - 1, else_=0)
    assert stat.flags == _within(fields[9], 0, 2**32 - 1, else_=0)
    assert stat.start_ticks == _within(fields[22], 0, 2**37, else_=0)
    assert (stat.user_ticks, stat.system_ticks) == tuple(_within(fields[field], 0, 2**63 - 1) for field in (14, 15))
    assert (stat.nice, stat.threads) == (_within(fields[19], -20, 19), _within(fields[20], 0, 2**31 - 1))
    assert stat.vms_bytes == _within(fields[23], 0, 2**63 - 1)
    assert stat.rss_pages == _within(fields[24], 0, (2**63 - 1) // 65536)
    assert stat.image == b"%d %d %d %d" % (fields[26], fields[28], fields[45], fields[48])


def _within(number: int, least: int, most: int, else_: int | None = None) -> int | None:
    return number if least <= number <= most else else_


def check_status(data: bytes) -> None:
    """Whatever a process calls itself: the kernel writes a line feed in its name as `\\\\n`."""
    _check_any(parse_status, data)
    draw = Draw(data)
    name = draw.some(64).replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    pid, uid, gid, swap, voluntary, involuntary = (draw.number(2**32 - 1) for _ in range(6))
    pid = pid % 2**31 or 1
    file_kb, shmem_kb, inner = (draw.number(2**32 - 1) for _ in range(3))
    inner = inner % 2**31 or 1
    has_memory = draw.number(1)
    draw.number(1)
    groups = b" ".join(b"%d" % draw.number(2**32 - 1) for _ in range(draw.number(4)))
    memory = b"VmRSS:\t%8d kB\nRssFile:\t%8d kB\nRssShmem:\t%8d kB\nVmSwap:\t%8d kB\n" % (1, file_kb, shmem_kb, swap)
    for has_namespaces in (True, False):
        file = (
            b"Name:\t%s\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t1\nTracerPid:\t0\n"
            b"Uid:\t%d\t1\t2\t3\nGid:\t%d\t1\t2\t3\nFDSize:\t64\nGroups:\t%s \n%s%sThreads:\t1\n"
            b"voluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n"
        ) % (
            name,
            pid,
            pid,
            uid,
            gid,
            groups,
            b"NStgid:\t%d\t%d\nNSpid:\t%d\t%d\n" % (pid, inner, pid, inner) if has_namespaces else b"",
            memory if has_memory else b"",
            voluntary,
            involuntary,
        )

        status = parse_status(file)

        assert (status.uid, status.gid) == (uid, gid)
        assert status.namespace_pid == (inner if has_namespaces else pid)
        assert (status.voluntary_switches, status.involuntary_switches) == (voluntary, involuntary)
        assert status.shared_bytes == ((file_kb + shmem_kb) * 1024 if has_memory else None)
        assert status.swap_bytes == (swap * 1024 if has_memory else None)


def check_io(data: bytes) -> None:
    _check_any(parse_io, data)
    draw = Draw(data)
    numbers = [draw.number(2**64 - 1) for _ in range(7)]
    names = (b"rchar", b"wchar", b"syscr", b"syscw", b"read_bytes", b"write_bytes", b"cancelled_write_bytes")
    file = b"".join(b"%s: %d\n" % line for line in zip(names, numbers, strict=True))

    assert parse_io(file) == IoCounters(*(_within(number, 0, 2**63 - 1) for number in numbers[2:6]))


def check_arguments(data: bytes) -> None:
    """No argument is lost or made up. An empty one may be padding, and left out; it is where the kernel has one."""
    arguments = parse_cmdline(data)
    parts = [part.decode("utf-8", "replace") for part in data.removesuffix(b"\0").split(b"\0")]
    assert [argument for argument in arguments if "\0" in argument] == []
    assert list(filter(None, arguments)) == list(filter(None, parts))
    rest = iter(parts)
    assert all(argument in rest for argument in arguments)


def check_environment(data: bytes) -> None:
    """Of an environment, which is full of secrets, three variables come through and nothing else."""
    tags = parse_service_tags(data)
    entries = [part.decode("utf-8", "replace") for part in data.split(b"\0")]
    assert len(tags) <= 3
    for tag in tags:
        key, _, value = tag.partition(":")
        assert value
        assert len(tag) <= MAX_TAG_LENGTH
        assert value.isprintable()
        assert not set(value) & set(", ")
        given = [entry.partition("=")[2] for entry in entries if entry.startswith(f"DD_{key.upper()}=")]
        letters = [re.sub(r"[\W_]", "", text) for text in given]
        assert any(text.startswith(re.sub(r"[\W_]", "", value)) for text in letters)


def check_boot_time(data: bytes) -> None:
    _check_any(parse_boot_time, data)
    draw = Draw(data)
    moment = draw.number(2**32 - 1)
    others = b"".join(b"intr %d\n" % draw.number(2**32 - 1) for _ in range(draw.number(8)))

    assert parse_boot_time(b"cpu  1 2 3\n%sctxt 5\nbtime %d\nprocesses 7\n" % (others, moment)) == moment


def check_container_id(data: bytes) -> None:
    """Nothing, or a stretch of the file that has the form of an id."""
    found = container_id(data)
    assert not found or re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{32}-\d{1,20}|[0-9a-f]{8}(-[0-9a-f]{4}){4,5}", found)
    assert found.encode() in data
    draw = Draw(data)
    wanted = draw.raw(32).hex().ljust(64, "0")
    slices = b"/".join(draw.some(20).replace(b"\n", b"").replace(b":", b"") for _ in range(draw.number(3)))
    if not re.search(rb"[0-9a-f]{8}|conmon|libpod_parent|kata_overhead", slices):
        path = draw.pick((b"0::/%s/docker-%s.scope\n", b"0::/%s/%s\n", b"7:pids:/%s/cri-containerd-%s.scope\n"))
        assert container_id(path % (slices, wanted.encode())) == wanted


def check_users(data: bytes) -> None:
    """Each name stands before its number in a line of the file."""
    for uid, name in parse_passwd(data).items():
        assert 0 <= uid < 10**10
        assert name
        assert any(
            line.split(b":")[0].decode("utf-8", "replace") == name and int(line.split(b":")[2]) == uid
            for line in data.splitlines()
            if line.count(b":") > 1 and line.split(b":")[2].isdigit()
        )


def check_kernel_event(data: bytes) -> None:
    """What the process connector says: nothing, or what stands in the bytes."""
    _check_any(parse_event, data)
    draw = Draw(data)
    kind = draw.pick((FORK, EXEC, EXIT, 4, 0x200))
    first, second, third, fourth = (draw.number(2**32 - 1) for _ in range(4))
    if draw.number(1):
        second = first
        fourth = third
    moment = draw.number(2**64 - 1)

    event = parse_event(bytes(36) + struct.pack("=IIQIIII", kind, 0, moment, first, second, third, fourth))

    wanted = {
        FORK: (third, second) if third == fourth else None,
        EXEC: (second, 0),
        EXIT: (second, third),  # of a process, or of one of its threads
    }.get(kind)
    said = THREAD_EXIT if kind == EXIT and first != second else kind
    assert (None if event is None else (event.pid, event.number)) == wanted
    assert event is None or (event.kind, event.nanoseconds) == (said, moment)


def _check_any(parse: Callable[[bytes], object], data: bytes) -> None:
    with contextlib.suppress(MalformedFile):
        parse(data)
