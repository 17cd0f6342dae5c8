"""What is found out about processes that the tests start, as the kernel of this machine tells it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from procession.agent.read.discovery.ports import Ports
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.process_reading import ProcessFacts
from tests.support.agents.zoo import needs_root

LISTENING = """
import ctypes, socket, sys
served = socket.socket(); served.bind(("", 0)); served.listen()
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); asked.bind(("127.0.0.1", 0))
print(served.getsockname()[1], flush=True)
for line in sys.stdin:
    if line == "listen\\n":
        other = socket.socket(); other.bind(("127.0.0.1", 0)); other.listen()
        print(other.getsockname()[1], flush=True)
    elif line == "go\\n":
        assert ctypes.CDLL(None).unshare(0x40000000) == 0
        there = socket.socket(); there.bind(("", 0)); there.listen()
        print(there.getsockname()[1], flush=True)
    else:
        other.close()
"""
"""Told so, it listens on one more port, and on that no more; or goes to a new network namespace and listens there."""

Started = tuple[subprocess.Popen[bytes], int]
"""A process, and the port on which it listens."""


@pytest.fixture
def start() -> Iterator[Callable[..., Started]]:
    processes: list[subprocess.Popen[bytes]] = []

    def started(*before: str) -> Started:
        process = subprocess.Popen(
            [*before, sys.executable, "-c", LISTENING], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        processes.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def reader() -> Iterator[ProcReader]:
    reader = ProcReader(finds_out=True)
    yield reader
    reader.close()


def facts_of(reader: ProcReader, pid: int) -> ProcessFacts:
    return next(one.facts for one in reader.read() if one.pid == pid)


def found_within(reader: ProcReader, pid: int, turns: int = 200, *, other_than: Ports | None = None) -> Ports | None:
    """Not at once on a machine with very many files open."""
    for _ in range(turns):
        if (found := facts_of(reader, pid).ports) not in (None, other_than):
            return found
    return None


def test_a_process_is_known_with_its_ports_and_its_language(start: Callable[..., Started], reader: ProcReader) -> None:
    process, port = start()

    assert found_within(reader, process.pid) == Ports((port,), ())
    assert facts_of(reader, process.pid).language == "python"


@pytest.mark.may_skip
@needs_root
def test_a_process_in_a_network_namespace_of_its_own_is_known_with_its_ports(
    start: Callable[..., Started], reader: ProcReader
) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("no network namespaces can be made")
    process, port = start("unshare", "-n")

    assert found_within(reader, process.pid) == Ports((port,), ())


@pytest.mark.may_skip
@needs_root
def test_a_process_that_goes_to_another_network_namespace_is_known_with_its_ports_there(
    start: Callable[..., Started], reader: ProcReader
) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("no network namespaces can be made")
    process, port = start()
    known = found_within(reader, process.pid)
    assert process.stdin is not None
    assert process.stdout is not None

    process.stdin.write(b"go\n")
    process.stdin.flush()
    there = int(process.stdout.readline())

    assert known == Ports((port,), ())
    assert found_within(reader, process.pid) == Ports((there,), ())


def test_a_socket_that_begins_to_listen_and_one_that_ends_are_noticed(
    start: Callable[..., Started], reader: ProcReader
) -> None:
    process, port = start()
    assert process.stdin is not None
    assert process.stdout is not None
    before = found_within(reader, process.pid)
    process.stdin.write(b"listen\n")
    process.stdin.flush()
    other = int(process.stdout.readline())
    during = found_within(reader, process.pid, other_than=before)
    process.stdin.write(b"close\n")
    process.stdin.flush()
    after = found_within(reader, process.pid, other_than=during)

    assert during == Ports(tuple(sorted((port, other))), ())
    assert after == before == Ports((port,), ())


def test_what_does_not_change_is_the_same_object_from_turn_to_turn(
    start: Callable[..., Started], reader: ProcReader
) -> None:
    process, _ = start()
    found_within(reader, process.pid)

    assert facts_of(reader, process.pid) is facts_of(reader, process.pid)


@pytest.mark.may_skip
@needs_root
def test_without_the_right_to_see_it_is_not_known_and_never_none() -> None:
    code = (
        "import os; from procession.agent.read.proc_reader import ProcReader; reader = ProcReader(finds_out=True); "
        "os.setgid(65534); os.setuid(65534); "
        "print([one.facts.ports for one in reader.read() if one.pid == os.getppid()])"
    )
    with socket.socket() as served:
        served.bind(("127.0.0.1", 0))
        served.listen()
        found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert found.strip() == "[None]"


def test_a_reader_that_is_not_to_find_out_knows_nothing_of_it(start: Callable[..., Started]) -> None:
    process, _ = start()
    reader = ProcReader()

    facts = facts_of(reader, process.pid)

    assert (facts.ports, facts.language) == (None, "")
    reader.close()
