from __future__ import annotations

import struct
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.agent.read.exits.task_stats import TaskStats, TaskStatsListener, TaskStatsUnavailable, parse_stats

HEADERS = bytes(20)


def stats(
    *, status: int = 0, user: int = 0, system: int = 0, peak: int = 0, read: int = 0, written: int = 0, size: int = 416
) -> bytes:
    whole = bytearray(416)
    struct.pack_into("=I", whole, 4, status)
    struct.pack_into("=QQ", whole, 152, user, system)
    struct.pack_into("=Q", whole, 200, peak)
    struct.pack_into("=QQ", whole, 248, read, written)
    return bytes(whole[:size])


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def of_thread(pid: int, told: bytes, *, padding: bytes = b"") -> bytes:
    return attribute(4, attribute(1, struct.pack("=I", pid)) + padding + attribute(3, told))


def of_process(pid: int) -> bytes:
    return attribute(5, attribute(2, struct.pack("=I", pid)) + attribute(3, stats(user=99)))


def test_a_process_of_one_thread_has_all_its_numbers() -> None:
    told = stats(status=9, user=1_500_000, system=250_000, peak=2048, read=4096, written=8192)

    assert parse_stats(HEADERS + of_thread(7, told)) == TaskStats(7, 137, 2 * 2**20, 1.5, 0.25, 4096, 8192)


def test_numbers_of_the_last_thread_are_not_those_of_the_process_but_its_peak_is() -> None:
    message = HEADERS + of_thread(9, stats(status=9, user=1_500_000, peak=2048, read=4096)) + of_process(7)

    assert parse_stats(message) == TaskStats(7, None, 2 * 2**20, None, None, None, None)


def test_machines_that_pad_before_64_bits_are_understood() -> None:
    found = parse_stats(HEADERS + of_thread(7, stats(peak=1), padding=attribute(6, b"")))

    assert found is not None
    assert (found.pid, found.peak_rss_bytes) == (7, 1024)


def test_a_peak_of_nothing_is_not_known_and_neither_are_bytes_that_nobody_counts() -> None:
    found = parse_stats(HEADERS + of_thread(7, stats(read=5)), counts_bytes=False)

    assert found is not None
    assert (found.peak_rss_bytes, found.read_bytes, found.written_bytes) == (None, None, None)


@pytest.mark.parametrize(
    "message", [b"", HEADERS, HEADERS + of_thread(7, stats(size=271)), HEADERS + of_process(7), HEADERS + b"\xff" * 9]
)
def test_what_is_too_short_or_none_is_left_out(message: bytes) -> None:
    assert parse_stats(message) is None


@given(st.binary(max_size=80), st.integers(0, 900))
def test_any_bytes_are_read_without_trouble(begin: bytes, length: int) -> None:
    parse_stats(HEADERS + begin)
    parse_stats((HEADERS + of_thread(7, stats()) + of_process(7))[:length] + begin)


# This machine's kernel


@pytest.fixture
def listener() -> Iterator[TaskStatsListener]:
    try:
        listener = TaskStatsListener()
    except TaskStatsUnavailable as error:
        pytest.skip(str(error))
    yield listener
    listener.close()


def run(code: str) -> int:
    process = subprocess.Popen([sys.executable, "-S", "-c", code])
    process.wait()
    return process.pid


def await_end(listener: TaskStatsListener, pid: int) -> tuple[TaskStats, list[int]]:
    """With the pids that were told of until then."""
    told: list[int] = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found, _ = listener.take()
        for one in found:
            told.append(one.pid)
            if one.pid == pid:
                return one, told
        time.sleep(0.005)
    raise AssertionError(f"nothing was told of {pid}")


@pytest.mark.may_skip
def test_this_kernel_tells_what_a_process_has_used(listener: TaskStatsListener) -> None:
    pid = run(
        "import time; x = bytearray(b'x') * (64 << 20)\nwhile time.process_time() < 0.2: pass\nraise SystemExit(3)"
    )

    found, _ = await_end(listener, pid)

    assert found.exit_code == 3
    assert found.peak_rss_bytes is not None
    assert 64 * 2**20 <= found.peak_rss_bytes < 256 * 2**20
    assert found.cpu_user_seconds is not None
    assert found.cpu_system_seconds is not None
    assert 0.1 <= found.cpu_user_seconds + found.cpu_system_seconds < 10


@pytest.mark.may_skip
def test_of_threads_this_kernel_tells_once_at_the_end_of_their_process(listener: TaskStatsListener) -> None:
    code = "import threading\nfor _ in range(20):\n  one = threading.Thread(target=int)\n  one.start()\n  one.join()"
    pid = run(code)

    found, told = await_end(listener, pid)

    assert found.exit_code is None
    assert found.cpu_user_seconds is None
    assert found.peak_rss_bytes is not None
    assert len(told) < 20


@pytest.mark.may_skip
def test_a_flood_is_left_out_and_says_so() -> None:
    try:
        listener = TaskStatsListener(max_messages=1)
    except TaskStatsUnavailable as error:
        pytest.skip(str(error))
    run("pass")

    found, is_whole = listener.take()

    assert (len(found), is_whole) == (1, False)
    listener.close()
