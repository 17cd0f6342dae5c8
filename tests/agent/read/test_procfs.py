from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.agent.read.procfs import (
    IoCounters,
    MalformedFile,
    Status,
    parse_boot_time,
    parse_cmdline,
    parse_io,
    parse_service_tags,
    parse_stat,
    parse_status,
)

STAT = (
    b"123 (%s) S 45 123 123 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 7 0 987654 228344 390 18446744073709551615 "
    b"94579436290048 94579436309929 140721066762720 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 94579436325936 94579436327552 "
    b"94579598491648 140721066769082 140721066769102 140721066769102 140721066770411 0\n"
)


def test_stat_gives_each_number_its_name() -> None:
    stat = parse_stat(STAT % b"nginx")

    assert (stat.comm, stat.state, stat.ppid, stat.flags) == ("nginx", "S", 45, 4194560)
    assert (stat.user_ticks, stat.system_ticks, stat.threads, stat.start_ticks) == (250, 50, 7, 987654)
    assert (stat.vms_bytes, stat.rss_pages) == (228344, 390)
    assert stat.image == b"94579436290048 140721066762720 94579436325936 140721066769082"


@pytest.mark.parametrize(
    ("comm", "shown"),
    [
        (b"tmux: server (x)", "tmux: server (x)"),
        (b") S 1 (", ") S 1 ("),
        (b"a\nb", "a\nb"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
        ("ÄÖ".encode(), "ÄÖ"),
    ],
)
def test_stat_takes_any_name(comm: bytes, shown: str) -> None:
    assert parse_stat(STAT % comm).comm == shown
    assert parse_stat(STAT % comm).ppid == 45


@given(st.binary(max_size=15))
def test_no_name_moves_the_fields(comm: bytes) -> None:
    assert parse_stat(STAT % comm.replace(b"%", b"")).start_ticks == 987654


@given(st.one_of(st.binary(max_size=300), st.integers(0, 400).map(lambda end: (STAT % b"x")[:end])))
def test_what_names_no_process_is_called_malformed_and_all_else_is_what_there_is(data: bytes) -> None:
    try:
        stat = parse_stat(data)
    except MalformedFile:
        assert not re.search(rb"(?s)\(.*\).\s*\S", data)
        return
    assert 0 <= stat.ppid < 2**31
    assert 0 <= stat.start_ticks < 2**40


@given(st.integers(0, 52))
def test_a_stat_of_a_kernel_with_fewer_fields_has_what_it_has(count: int) -> None:
    fields = (STAT % b"x").split()
    whole, part = parse_stat(STAT % b"x"), parse_stat(b" ".join(fields[: max(3, count)]))

    assert (part.comm, part.state) == ("x", "S")
    for name, position in {"user_ticks": 14, "system_ticks": 15, "nice": 19, "threads": 20, "vms_bytes": 23}.items():
        assert getattr(part, name) == (getattr(whole, name) if count >= position else None)
    assert part.start_ticks == (987654 if count >= 22 else 0)
    assert part.ppid == (45 if count >= 4 else 0)


# In the form of Linux 2.6.32: no addresses of data and arguments.
OLD_STAT = (
    b"1 (init) S 0 1 1 0 -1 4202752 1540 23519 19 76 2 80 30 27 20 0 1 0 3 19857408 383 18446744073709551615 1 1 0 0 0 "
    b"0 0 4096 536962595 18446744073709551615 0 0 0 0 0 0 9 0 0\n"
)


def test_a_stat_of_an_old_kernel_is_read() -> None:
    stat = parse_stat(OLD_STAT)

    assert (stat.comm, stat.user_ticks, stat.system_ticks, stat.threads, stat.rss_pages) == ("init", 2, 80, 1, 383)
    assert (stat.start_ticks, stat.vms_bytes) == (3, 19857408)


@pytest.mark.parametrize(
    "number", [b"-1", b"18446744073709551615", b"99999999999999999999999999", b"x", b"1.5", b"\xd9\xa3"]
)
def test_a_number_that_cannot_be_is_not_known_and_the_others_are(number: bytes) -> None:
    positions = {"user_ticks": 14, "system_ticks": 15, "nice": 19, "threads": 20, "vms_bytes": 23, "rss_pages": 24}
    if number == b"-1":
        del positions["nice"]
    for name, position in positions.items():
        fields = (STAT % b"x").split()
        fields[position - 1] = number
        stat = parse_stat(b" ".join(fields))

        assert getattr(stat, name) is None
        assert [getattr(stat, other) is None for other in positions].count(True) == 1
    for name, position in {"ppid": 4, "start_ticks": 22, "flags": 9}.items():
        fields = (STAT % b"x").split()
        fields[position - 1] = number
        if name != "flags" or not number.isdigit():
            assert getattr(parse_stat(b" ".join(fields)), name) == 0


@given(st.binary(max_size=300))
def test_garbage_says_nothing(data: bytes) -> None:
    assert parse_io(data) == IoCounters(None, None, None, None)
    assert parse_status(data) == Status()
    with pytest.raises(MalformedFile):
        parse_boot_time(data)


def test_io_of_a_kernel_that_counts_less_is_what_it_counts() -> None:
    assert parse_io(b"rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\n") == IoCounters(3, 4, None, None)
    assert parse_io(b"write_bytes: 6\nread_bytes: 5\ncancelled_write_bytes: 7\n") == IoCounters(None, None, 5, 6)
    assert parse_io(b"syscr: -3\nsyscw: 99999999999999999999\nread_bytes: x\nwrite_bytes:\n") == parse_io(b"")


# As older gVisor has it.
GVISOR_STATUS = """\
Name:\tweb
State:\tS (sleeping)
Tgid:\t10
Pid:\t10
PPid:\t1
TracerPid:\t0
FDSize:\t4
VmSize:\t10240 kB
VmRSS:\t1200 kB
VmData:\t400 kB
Threads:\t1
CapInh:\t0000000000000000
Seccomp:\t0
Mems_allowed:\t1
"""
STATUS = """\
Name:\tx
Pid:\t77
Uid:\t1000\t0\t0\t0
Gid:\t100\t0\t0\t0
NSpid:\t77\t5
RssFile:\t 4 kB
RssShmem:\t 1 kB
VmSwap:\t 2 kB
voluntary_ctxt_switches:\t11
nonvoluntary_ctxt_switches:\t12
"""
OF_LINE = {
    "Uid": "uid", "Gid": "gid", "NSpid": "namespace_pid", "VmSwap": "swap_bytes", "RssFile": "shared_bytes",
    "RssShmem": "shared_bytes", "voluntary_ctxt_switches": "voluntary_switches",
    "nonvoluntary_ctxt_switches": "involuntary_switches",
}  # fmt: skip


def test_a_status_without_owners_is_read() -> None:
    assert parse_status(GVISOR_STATUS.encode()) == Status(namespace_pid=10)


@pytest.mark.parametrize("line", OF_LINE)
@pytest.mark.parametrize("value", [None, "", "-1", "99999999999999999999999", "many kB", "\t\t"])
def test_a_line_of_status_that_is_missing_or_odd_costs_nothing_else(line: str, value: str | None) -> None:
    whole = parse_status(STATUS.encode())
    changed = re.sub(rf"(?m)^{line}:.*\n", "" if value is None else f"{line}:\t{value}\n", STATUS)
    status = parse_status(changed.encode())

    for name in Status.__struct_fields__:
        if name != OF_LINE[line]:
            assert getattr(status, name) == getattr(whole, name)
    # Without the namespaces, the pid is the one of ours.
    assert getattr(status, OF_LINE[line]) == (77 if line == "NSpid" and value is None else None)


def test_a_status_with_other_blanks_or_one_id_is_read() -> None:
    status = parse_status(b"Name: x\r\nPid: 77\nUid:  5\nGid:\t6 7\nvoluntary_ctxt_switches: 3\n")

    assert (status.uid, status.gid, status.namespace_pid, status.voluntary_switches) == (5, 6, 77, 3)


def test_io_gives_calls_and_what_reached_storage() -> None:
    io = parse_io(b"rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n")

    assert (io.read_operations, io.write_operations, io.read_bytes, io.write_bytes) == (3, 4, 5, 6)


def test_status_gives_the_real_ids_and_the_innermost_pid() -> None:
    status = parse_status(
        b"Name:\tx\nPid:\t77\nUid:\t1000\t0\t0\t0\nGid:\t100\t0\t0\t0\nNSpid:\t77\t5\t1\n"
        b"voluntary_ctxt_switches:\t11\nnonvoluntary_ctxt_switches:\t12\n"
    )

    assert (status.uid, status.gid, status.namespace_pid) == (1000, 100, 1)
    assert (status.voluntary_switches, status.involuntary_switches) == (11, 12)


def test_a_status_of_a_kernel_without_namespaces_and_counts_is_read_too() -> None:
    status = parse_status(b"Name:\tx\nPid:\t77\nUid:\t1\t2\t3\t4\nGid:\t1\t2\t3\t4\n")

    assert (status.namespace_pid, status.voluntary_switches, status.involuntary_switches) == (77, None, None)


def test_status_gives_what_is_shared_and_what_is_swapped_out() -> None:
    head = b"Name:\tRssFile: 9 kB\nPid:\t77\nUid:\t1\t2\t3\t4\nGid:\t1\t2\t3\t4\n"
    status = parse_status(head + b"VmRSS:\t 9000 kB\nRssFile:\t    4 kB\nRssShmem:\t 1 kB\nVmSwap:\t       0 kB\n")

    assert (status.shared_bytes, status.swap_bytes) == (5 * 1024, 0)
    assert (parse_status(head).shared_bytes, parse_status(head).swap_bytes) == (None, None)


def test_of_an_environment_only_the_unified_service_tags_are_taken() -> None:
    environ = (
        b"PATH=/bin\0DD_ENV=prod\0DD_SERVICE=a b,c\0XDD_VERSION=1\0DD_VERSION=\0DB_PASSWORD=x\0DD_API_KEY=y\0DD_ENV=2"
    )

    assert parse_service_tags(environ) == ("env:prod", "service:a_b_c")
    assert parse_service_tags(b"") == parse_service_tags(b"DD_ENV") == ()


@pytest.mark.parametrize(
    ("data", "arguments"),
    [
        (b"", ()),
        (b"\0", ()),
        (b"a\0b c\0", ("a", "b c")),
        (b"a\0\0b\0", ("a", "", "b")),
        (b"\0-x\0y\0", ("", "-x", "y")),
        (b"grep\0\0", ("grep", "")),
        (b"\0\0\0", ()),
        # Padded.
        (b"nginx: master process\0\0\0\0\0", ("nginx: master process",)),
        (b"title" + b"\0" * 300, ("title",)),
        (b"title" + b"\0" * 300 + b"-x\0", ("title", "-x")),
        (b"without an end", ("without an end",)),
        (b"a\nb\0\xff\0", ("a\nb", "\ufffd")),
    ],
)
def test_a_command_line_comes_apart_at_its_nuls(data: bytes, arguments: tuple[str, ...]) -> None:
    assert parse_cmdline(data) == arguments


def test_this_kernels_own_files_are_understood() -> None:
    me = Path("/proc/self")

    assert parse_stat((me / "stat").read_bytes()).ppid == os.getppid()
    assert parse_status((me / "status").read_bytes()).uid == os.getuid()
    assert (parse_io((me / "io").read_bytes()).read_operations or 0) > 0
    assert parse_boot_time(Path("/proc/stat").read_bytes()) > 1_000_000_000
