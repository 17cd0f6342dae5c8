"""What processes send and receive: by what sockets are said to have counted, and between real processes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.agent.read.network.namespaces import NetworkNamespaces
from procession.agent.read.network.sock_diag import TcpSocket
from procession.agent.read.network.traffic import NO_TRAFFIC, Traffic
from procession.agent.read.network.traffic_reader import TRY_EVERY, TrafficReader
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.process_handle import ProcessHandle
from tests.support.agents.zoo import READY, Zoo, needs_root
from tests.support.clock import FastClock
from tests.support.running import eventually

HERE, THERE = "net:[1]", "net:[2]"


class FakeReading:
    traffic: Traffic | None = None


class FakeHandle:
    """A process that has run before each look."""

    open_files = 1

    def __init__(self, pid: int, namespace: str, sockets: set[int] | None) -> None:
        self.pid, self.namespace, self.held = pid, namespace, sockets
        self.reading = FakeReading()
        self.ran_at = sys.maxsize
        self.on_search: Callable[[], None] = lambda: None

    def link(self, name: str) -> str:
        assert name == "ns/net"
        return self.namespace

    def sockets(self, most: int) -> tuple[int, frozenset[int] | None]:
        assert most > 1000
        self.on_search()
        return 1, None if self.held is None else frozenset(self.held)


class FakeNamespaces:
    def __init__(self) -> None:
        self.told: dict[str, list[TcpSocket]] = {HERE: []}
        self.strays: list[int] = []
        self.asked: list[tuple[int, float | None]] = []
        """With how many sockets at most, and with which time."""

    def sockets(
        self, namespaces: Mapping[str, Iterable[int]], most: int, seconds: float | None
    ) -> dict[str, list[TcpSocket]]:
        self.asked.append((most, seconds))
        return {name: found for name, found in self.told.items() if name in namespaces and len(found) <= most}


class Machine:
    """Processes and sockets that are what a test says, seen by a reader of traffic."""

    def __init__(self) -> None:
        self.clock = FastClock()
        self.namespaces = FakeNamespaces()
        self.reader = TrafficReader(
            "/nowhere",
            namespaces=cast("NetworkNamespaces", self.namespaces),
            monotonic=self.clock.monotonic,
            cpu=self.clock.cpu,
        )
        self.handles: dict[int, FakeHandle] = {}
        self.looks = 0

    def process(self, pid: int, *sockets: int, namespace: str = HERE) -> FakeHandle:
        handle = self.handles[pid] = FakeHandle(pid, namespace, set(sockets))
        self.reader.note(cast("ProcessHandle", handle))
        return handle

    def look(self, seconds: float = 10.0, spare_seconds: float | None = None) -> dict[int, Traffic | None]:
        """What is known of each process then."""
        self.clock.sleep(seconds)
        self.looks += 1
        for pid, traffic in self.reader.look(self.looks, spare_seconds).items():
            assert self.handles[pid].reading.traffic != traffic
            self.handles[pid].reading.traffic = traffic
        return {pid: handle.reading.traffic for pid, handle in self.handles.items()}


def a_socket(
    inode: int, sent: int = 0, received: int = 0, *, cookie: int = 0, is_established: bool = True
) -> TcpSocket:
    return TcpSocket(inode, cookie or inode, is_established, sent, received)


def test_rates_are_between_two_looks() -> None:
    machine = Machine()
    machine.process(1, 11, 12)
    machine.process(2)

    machine.namespaces.told[HERE] = [a_socket(11, 1000, 10), a_socket(12, 5, 5)]
    first = machine.look()
    machine.namespaces.told[HERE] = [a_socket(11, 1500, 20), a_socket(12, 5, 105)]
    then = machine.look(10)

    assert first == {1: Traffic(2, None, None), 2: Traffic(0, None, None)}
    assert then == {1: Traffic(2, 11.0, 50.0), 2: NO_TRAFFIC}


def test_a_socket_that_came_since_the_look_before_began_at_nothing() -> None:
    machine = Machine()
    handle = machine.process(1)
    machine.look()
    handle.held = {11}
    machine.namespaces.told[HERE] = [a_socket(11, 400, 200)]

    assert machine.look(10) == {1: Traffic(1, 20.0, 40.0)}


def test_another_socket_under_the_inode_of_one_that_is_gone_counts_by_itself() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.namespaces.told[HERE] = [a_socket(11, 10**12, 10**12, cookie=5)]
    machine.look()
    machine.look()
    machine.namespaces.told[HERE] = [a_socket(11, 100, 50, cookie=6)]

    assert machine.look(10) == {1: Traffic(1, 5.0, 10.0)}


def test_a_counter_that_runs_backwards_is_no_traffic() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.namespaces.told[HERE] = [a_socket(11, 1000, 1000)]
    machine.look()
    machine.namespaces.told[HERE] = [a_socket(11, 10, 1100)]

    assert machine.look(10) == {1: Traffic(1, 10.0, 0.0)}


def test_a_connection_that_one_side_has_closed_counts_no_longer_and_its_bytes_do() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.namespaces.told[HERE] = [a_socket(11)]
    machine.look()
    machine.namespaces.told[HERE] = [a_socket(11, 100, is_established=False)]

    assert machine.look(10) == {1: Traffic(0, 0.0, 10.0)}


def test_a_socket_that_two_have_counts_for_both() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.process(2, 11)
    machine.namespaces.told[HERE] = [a_socket(11)]

    assert machine.look() == dict.fromkeys((1, 2), Traffic(1, None, None))


def test_what_is_not_to_be_seen_is_not_known_and_never_none() -> None:
    machine = Machine()
    machine.process(1).held = None
    machine.process(2, namespace="")
    machine.process(3, namespace=THERE)
    machine.process(4)

    assert machine.look() == {1: None, 2: None, 3: None, 4: Traffic(0, None, None)}


def test_a_round_that_the_kernel_does_not_answer_is_not_known_and_the_next_one_is() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.namespaces.told[HERE] = [a_socket(11)]
    machine.look()
    del machine.namespaces.told[HERE]
    without = machine.look(10)
    machine.namespaces.told[HERE] = [a_socket(11, 200)]

    assert without == {1: None}
    assert machine.look(10) == {1: Traffic(1, 0.0, 10.0)}  # over both rounds


def test_traffic_of_another_namespace_counts_for_its_processes() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.process(2, 21, namespace=THERE)
    machine.namespaces.told = {HERE: [a_socket(11)], THERE: [a_socket(21)]}
    machine.look()
    machine.namespaces.told = {HERE: [a_socket(11, 100)], THERE: [a_socket(21, 0, 300)]}

    assert machine.look(10) == {1: Traffic(1, 0.0, 10.0), 2: Traffic(1, 30.0, 0.0)}


def test_a_process_that_has_gone_elsewhere_is_not_known_until_it_is_known_where() -> None:
    machine = Machine()
    moved = machine.process(1)
    machine.process(2)
    machine.look()
    moved.namespace, moved.held = THERE, {21}
    machine.namespaces.told[THERE] = [a_socket(21)]

    machine.namespaces.strays = [1]
    first = machine.look()
    machine.namespaces.strays = []
    then = machine.look()

    assert first == {1: None, 2: NO_TRAFFIC}
    assert then == {1: Traffic(1, None, None), 2: NO_TRAFFIC}


def test_a_process_that_takes_the_pid_of_another_begins_anew() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.namespaces.told[HERE] = [a_socket(11)]
    machine.look()
    machine.reader.forget(1)
    machine.process(1)

    assert machine.look() == {1: NO_TRAFFIC}


def test_what_costs_more_than_there_is_to_spare_is_left_out_and_tried_again() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.namespaces.told[HERE] = [a_socket(11)]
    found_by = machine.namespaces.sockets
    asked = 0

    def costly(namespaces: Mapping[str, Iterable[int]], most: int, seconds: float | None) -> dict[str, list[TcpSocket]]:
        nonlocal asked
        asked += 1
        machine.clock.use(0.05)
        return found_by(namespaces, most, seconds)

    machine.namespaces.sockets = costly  # type: ignore[method-assign]

    known = machine.look(spare_seconds=0.06)
    assert machine.reader.spent_seconds == pytest.approx(0.05)
    short = [machine.look(spare_seconds=0.04) for _ in range(TRY_EVERY)]
    assert machine.reader.spent_seconds == 0
    assert asked == 1
    again = machine.look(spare_seconds=0.04)

    assert known == {1: Traffic(1, None, None)}
    assert short == [{1: None}] * TRY_EVERY
    assert again == {1: Traffic(1, 0.0, 0.0)}


def test_what_the_search_for_owners_costs_once_leaves_nothing_out_later() -> None:
    machine = Machine()
    handle = machine.process(1, 11)
    machine.namespaces.told[HERE] = [a_socket(11)]
    handle.on_search = lambda: machine.clock.use(0.05)

    found = [machine.look(spare_seconds=0.04) for _ in range(2)]

    assert found == [{1: Traffic(1, None, None)}, {1: Traffic(1, 0.0, 0.0)}]


def test_a_large_namespace_that_costs_more_than_there_is_to_spare_hides_no_other() -> None:
    machine = Machine()
    machine.process(1, 11)
    machine.process(2, namespace=THERE)
    machine.namespaces.told = {HERE: [a_socket(11)], THERE: [a_socket(inode) for inode in range(100, 10_100)]}
    found_by = machine.namespaces.sockets

    def costly(namespaces: Mapping[str, Iterable[int]], most: int, seconds: float | None) -> dict[str, list[TcpSocket]]:
        found = found_by(namespaces, most, seconds)
        machine.clock.use(5e-6 * sum(map(len, found.values())))
        return found

    machine.namespaces.sockets = costly  # type: ignore[method-assign]

    first = machine.look(spare_seconds=0.03)
    cut = [machine.look(spare_seconds=0.03) for _ in range(TRY_EVERY)]
    again = machine.look(spare_seconds=0.03)

    assert first == {1: Traffic(1, None, None), 2: Traffic(0, None, None)}
    assert cut == [{1: Traffic(1, 0.0, 0.0), 2: None}] * TRY_EVERY
    assert again == {1: Traffic(1, 0.0, 0.0), 2: NO_TRAFFIC}
    assert machine.namespaces.asked[1] == (4800, 0.015)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[int, tuple[int, int, int]]]:
    """By look, and by inode: cookie, and what was sent and received. Counters of a cookie only grow."""
    looks: list[dict[int, tuple[int, int, int]]] = []
    now: dict[int, tuple[int, int, int]] = {}
    for _ in range(draw(st.integers(1, 6))):
        for inode in (11, 12, 21):
            match draw(st.sampled_from(("stays", "grows", "goes", "comes"))):
                case "grows" if inode in now:
                    cookie, sent, received = now[inode]
                    more = draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40))
                    now[inode] = cookie, sent + more[0], received + more[1]
                case "goes":
                    now.pop(inode, None)
                case "comes":
                    cookie = draw(st.integers(1, 5)) + 10 * len(looks)
                    now[inode] = cookie, draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40))
        looks.append(dict(now))
    return looks


@given(histories())
def test_rates_are_what_the_sum_over_sockets_says(looks: list[dict[int, tuple[int, int, int]]]) -> None:
    machine = Machine()
    machine.process(1, 11, 12)
    machine.process(2, 21)
    before: dict[int, tuple[int, int, int]] | None = None
    for now in looks:
        machine.namespaces.told[HERE] = [
            a_socket(inode, sent, received, cookie=cookie) for inode, (cookie, sent, received) in now.items()
        ]

        found = machine.look(5)

        for pid, inodes in ((1, (11, 12)), (2, (21,))):
            traffic = found[pid]
            assert traffic is not None
            assert traffic.connections == sum(inode in now for inode in inodes)
            rates = (traffic.sent_bytes_per_second, traffic.received_bytes_per_second)
            for place, rate in enumerate(rates, 1):
                expected = 0
                for inode in inodes:
                    if inode in now:
                        known = (before or {}).get(inode, (0, 0, 0))
                        expected += now[inode][place] - (known[place] if known[0] == now[inode][0] else 0)
                assert rate == (None if before is None else pytest.approx(expected / 5))
        before = now


# Real processes

TALKS = f"""
import socket, sys
one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
{READY}
for line in sys.stdin:
    one.sendall(b"x" * int(line))
    print("sent", flush=True)
"""
"""Connects to a port, and then sends as many bytes as it is told to."""

TALKS_TO_ITSELF = f"""
import fcntl, socket, struct, sys
with socket.socket() as up:
    fcntl.ioctl(up, 0x8914, struct.pack("16sh", b"lo", 1).ljust(40, bytes(1)))  # a new namespace has it down
served = socket.create_server(("127.0.0.1", 0))
one = socket.create_connection(served.getsockname())
other, _ = served.accept()
{READY}
for line in sys.stdin:
    one.sendall(b"x" * int(line))
    other.recv(int(line), socket.MSG_WAITALL)
    print("sent", flush=True)
"""


GO_ELSEWHERE = "import ctypes; assert ctypes.CDLL(None).unshare(0x40000000) == 0"
"""Into a new network namespace."""


class Stopwatch:
    """The clock of this machine, which says when it was asked last."""

    asked_at = 0.0

    def __call__(self) -> float:
        self.asked_at = time.monotonic()
        return self.asked_at


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def reader(stopwatch: Stopwatch) -> Iterator[ProcReader]:
    reader = ProcReader(finds_out=True, reads_traffic=True, monotonic=stopwatch)
    yield reader
    reader.close()


@pytest.fixture
def served() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as served:
        yield served


class Totals:
    """What the rates of a process add up to, from a first look on."""

    def __init__(self, reader: ProcReader, stopwatch: Stopwatch, pid: int) -> None:
        self.reader, self.stopwatch, self.pid = reader, stopwatch, pid
        self.received = self.sent = self.at = 0.0

    def look(self) -> Traffic | None:
        readings = self.reader.read()
        now = self.stopwatch.asked_at  # by what looked at traffic, which is what a reading looks at last
        traffic = next(one.traffic for one in readings if one.pid == self.pid)
        if traffic is not None and traffic.sent_bytes_per_second is not None:
            assert traffic.received_bytes_per_second is not None
            self.received += traffic.received_bytes_per_second * (now - self.at)
            self.sent += traffic.sent_bytes_per_second * (now - self.at)
        self.at = now
        return traffic

    def until(self, is_so: Callable[[Traffic], bool]) -> Traffic:
        """The first traffic of which that is so."""

        def find() -> Traffic | None:
            traffic = self.look()
            return traffic if traffic is not None and is_so(traffic) else None

        return eventually(find, what="traffic that was waited for")


def test_bytes_and_connections_of_a_process_are_those_that_it_has_sent(
    zoo: Zoo, reader: ProcReader, stopwatch: Stopwatch, served: socket.socket
) -> None:
    process = zoo.python(TALKS, str(served.getsockname()[1]))
    there, _ = served.accept()
    totals = Totals(reader, stopwatch, process.pid)
    totals.until(lambda traffic: traffic.sent_bytes_per_second is not None)
    totals.sent = 0.0

    with there:
        for size in (300_000, 50_000):
            _send(zoo, process, size)
            received = 0
            while received < size:
                received += len(there.recv(size))
        eventually(lambda: totals.look() and totals.sent > 349_999, what="that all was acknowledged")
        connections = psutil.Process(process.pid).net_connections("tcp")
        traffic = totals.until(lambda traffic: traffic.connections == len(connections))

    assert traffic.connections == 1
    assert totals.sent == pytest.approx(350_000, rel=1e-6)
    assert totals.received <= 2


def test_a_process_without_connections_is_known_to_have_none(
    zoo: Zoo, reader: ProcReader, stopwatch: Stopwatch
) -> None:
    process = zoo.python(f"import sys; {READY} sys.stdin.readline()")

    assert Totals(reader, stopwatch, process.pid).until(lambda traffic: traffic == NO_TRAFFIC) == NO_TRAFFIC


def test_a_connection_that_a_running_process_opens_and_one_that_it_closes_are_noticed(
    zoo: Zoo, reader: ProcReader, stopwatch: Stopwatch, served: socket.socket
) -> None:
    port = served.getsockname()[1]
    process = zoo.python(
        f"import socket, sys; {READY} sys.stdin.readline(); one = socket.create_connection(('127.0.0.1', {port})); "
        "sys.stdin.readline(); one.close(); sys.stdin.readline()"
    )
    totals = Totals(reader, stopwatch, process.pid)
    totals.until(lambda traffic: traffic.connections == 0)

    zoo.tell(process)
    there, _ = served.accept()
    with there:
        opened = totals.until(lambda traffic: traffic.connections == 1)
        zoo.tell(process)
        closed = totals.until(lambda traffic: traffic.connections == 0)

    assert (opened.connections, closed.connections) == (1, 0)


@pytest.mark.may_skip
@needs_root
def test_a_process_that_goes_to_another_namespace_has_what_it_has_there_and_never_nothing(
    zoo: Zoo, reader: ProcReader, stopwatch: Stopwatch
) -> None:
    _need_namespaces()
    process = zoo.python(f"import sys; {READY} sys.stdin.readline(); {GO_ELSEWHERE}\n{TALKS_TO_ITSELF}")
    totals = Totals(reader, stopwatch, process.pid)
    totals.until(lambda traffic: traffic.connections == 0)

    zoo.tell(process)
    zoo.await_line(process)
    found = totals.until(lambda _: True)  # not known before, where there are very many files to be looked at

    assert found.connections == 2


@pytest.mark.may_skip
@needs_root
def test_traffic_inside_of_a_network_namespace_counts(zoo: Zoo, reader: ProcReader, stopwatch: Stopwatch) -> None:
    _need_namespaces()
    before = Path("/proc/self/ns/net").readlink()
    process = zoo.start("unshare", "-n", sys.executable, "-c", TALKS_TO_ITSELF)
    zoo.await_line(process)
    totals = Totals(reader, stopwatch, process.pid)
    totals.until(lambda traffic: traffic.sent_bytes_per_second is not None and traffic.connections == 2)
    totals.sent = totals.received = 0.0

    _send(zoo, process, 200_000)
    eventually(lambda: totals.look() and min(totals.sent, totals.received) > 199_999, what="what was sent")

    assert totals.sent == pytest.approx(200_000, rel=1e-6)
    assert totals.received == pytest.approx(200_000, rel=1e-6)
    assert Path("/proc/self/ns/net").readlink() == before


@pytest.mark.may_skip
@needs_root
def test_without_the_right_to_see_it_traffic_is_not_known(served: socket.socket) -> None:
    code = (
        "import os; from procession.agent.read.proc_reader import ProcReader; "
        "reader = ProcReader(finds_out=True, reads_traffic=True); os.setgid(65534); os.setuid(65534); "
        "print([one.traffic for _ in range(3) for one in reader.read() if one.pid == os.getppid()])"
    )

    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert found.strip() == "[None, None, None]"


def test_a_reader_that_is_not_to_read_traffic_knows_nothing_of_it(zoo: Zoo) -> None:
    process = zoo.python(f"import sys; {READY} sys.stdin.readline()")
    reader = ProcReader(finds_out=True)

    found = [one.traffic for _ in range(2) for one in reader.read() if one.pid == process.pid]

    assert found == [None, None]
    assert reader.spare_spent == 0
    reader.close()


def _need_namespaces() -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("no network namespaces can be made")


def _send(zoo: Zoo, process: subprocess.Popen[bytes], size: int) -> None:
    assert process.stdin is not None
    process.stdin.write(b"%d\n" % size)
    process.stdin.flush()
    assert zoo.await_line(process) == b"sent"
