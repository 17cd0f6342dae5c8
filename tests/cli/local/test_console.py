from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from procession.cli.local.console import MOST_LINES, Console


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


def read_lines(fd: int, last: str) -> list[str]:
    data = b""
    while not data.endswith(f"{last}\n".encode()):
        data += os.read(fd, 65536)
    return data.decode().splitlines()


def test_lines_arrive_in_order_and_whole(pipe: tuple[int, int]) -> None:
    console = Console(pipe[1])

    for number in range(100):
        console.say(f"line {number} \u00e4\udc80")

    assert read_lines(pipe[0], "line 99 \u00e4\\udc80") == [f"line {number} \u00e4\\udc80" for number in range(100)]
    console.close()


def test_who_does_not_read_holds_up_nobody_and_misses_the_oldest(pipe: tuple[int, int]) -> None:
    console = Console(pipe[1])
    count = MOST_LINES * 10  # far more than a pipe holds

    begun = time.monotonic()
    for number in range(count):
        console.say(f"line {number} {'x' * 100}")
    console.close()
    took = time.monotonic() - begun
    lines = read_lines(pipe[0], f"line {count - 1} {'x' * 100}")

    assert took < 5
    assert any(line.endswith(" lines were left out, since nobody read them") for line in lines)
    assert len(lines) < count


def test_nobody_at_the_other_end_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    console = Console(writing)

    console.say("hello")
    console.close()

    assert not any(thread.name == "console" and thread.is_alive() for thread in threading.enumerate())
    os.close(writing)


def test_an_agent_ends_though_nobody_reads_what_it_says() -> None:
    code = (
        "from procession.cli.local.console import Console\n"
        "console = Console()\n"
        "for number in range(5000): console.say('x' * 100)\n"
        "console.close()\n"
    )
    reading, writing = os.pipe()

    run = subprocess.run([sys.executable, "-c", code], stderr=writing, timeout=30, check=False)

    assert run.returncode == 0
    os.close(reading)
    os.close(writing)
