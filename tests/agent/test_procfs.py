from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.agent.procfs import (
    MalformedFile,
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
def test_what_is_no_stat_file_is_called_malformed(data: bytes) -> None:
    try:
        parse_stat(data)
    except MalformedFile:
        return
    assert data.count(b" ") > 45


@given(st.binary(max_size=300))
def test_garbage_in_any_file_is_called_malformed(data: bytes) -> None:
    for parse in (parse_io, parse_status, parse_boot_time):
        with pytest.raises(MalformedFile):
            parse(data)


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
    assert parse_io((me / "io").read_bytes()).read_operations > 0
    assert parse_boot_time(Path("/proc/stat").read_bytes()) > 1_000_000_000
