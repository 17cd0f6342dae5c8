"""Processes that no snapshot sees, on this machine's kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from procession.agent.read.connector import ConnectorUnavailable, ProcConnector
from procession.agent.read.exits.ended import Ended
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.short_lived import ShortLived
from tests.support.agents.zoo import READY, Zoo, leave, program_without_leader

pytestmark = pytest.mark.may_skip


class Listening:
    def __init__(self) -> None:
        self.reader = ProcReader()
        self.reader.read()
        self.short_lived = ShortLived(ProcConnector(), self.reader)
        self.short_lived.start()
        self.ended: dict[int, Ended] = {}
        self._all: list[Ended] = []

    def drain(self, *, until: set[int]) -> None:
        """Takes no snapshots in between, so that nothing is alive in one."""
        deadline = time.monotonic() + 10
        while not until <= self.ended.keys() and time.monotonic() < deadline:
            drained = self.short_lived.drain(())
            self._all += drained
            self.ended |= {ended.pid: ended for ended in drained}
            time.sleep(0.01)

    def catch_up(self) -> None:
        """Until all that has happened was heard of."""
        process = subprocess.Popen(["true"])
        process.wait()
        self.drain(until={process.pid})

    def await_watch(self, pid: int) -> None:
        """Until it is known to go on without its first thread."""
        self.catch_up()
        deadline = time.monotonic() + 10
        while pid not in self.short_lived._watched and time.monotonic() < deadline:
            time.sleep(0.001)

    def count(self, pids: set[int]) -> int:
        return sum(ended.pid in pids for ended in self._all)

    def end(self) -> None:
        self.short_lived.stop()
        self.reader.close()


@pytest.fixture
def listening() -> Iterator[Listening]:
    try:
        listening = Listening()
    except ConnectorUnavailable as error:
        pytest.skip(str(error))
    yield listening
    listening.end()


def test_a_process_between_two_snapshots_is_known_with_its_end(listening: Listening) -> None:
    begin = time.time()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.05); exit(7)", "marker"])
    process.wait()
    end = time.time()
    listening.drain(until={process.pid})
    ended = listening.ended[process.pid]

    assert ended.exit_code == 7
    assert ended.reading is not None
    assert ended.reading.facts.arguments[-1] == "marker"
    assert ended.reading.facts.exe
    assert ended.reading.stat.state == "X"
    assert ended.reading.stat.ppid == os.getpid()
    started_at = ended.reading.boot_time + ended.reading.stat.start_ticks // listening.reader.ticks_per_second
    assert begin - 2 < started_at <= begin + 0.1  # the start of the machine and of the process are cut to seconds
    assert ended.forked_at is not None
    assert ended.executed_at is not None
    assert begin - 0.01 <= ended.forked_at <= ended.executed_at <= ended.ended_at <= end + 0.01


def without_leader(zoo: Zoo, after: str, *arguments: str) -> subprocess.Popen[bytes]:
    """One whose first thread has exited. It goes on when it is told to."""
    process = zoo.python(program_without_leader(after=after), *arguments)
    leave(zoo, process)
    return process


@pytest.mark.parametrize("is_known", [False, True], ids=["between two snapshots", "in a snapshot"])
def test_a_process_ends_with_its_last_thread_and_not_with_its_first(
    zoo: Zoo, listening: Listening, is_known: bool
) -> None:
    process = without_leader(zoo, "os._exit(7)", "marker")
    if is_known:
        listening.short_lived.drain([reading.pid for reading in listening.reader.read()])
    listening.await_watch(process.pid)
    assert process.pid not in listening.ended

    begin = time.time()
    zoo.tell(process)
    assert process.wait() == 7
    listening.drain(until={process.pid})
    ended = listening.ended[process.pid]

    assert ended.exit_code == 7
    assert begin - 0.01 <= ended.ended_at <= time.time() + 0.01
    assert (ended.reading is None) is is_known
    if ended.reading is not None:
        assert ended.reading.facts.arguments[-1] == "marker"


def test_one_that_is_killed_after_its_first_thread_has_exited_has_the_exit_code_of_a_shell(
    zoo: Zoo, listening: Listening
) -> None:
    process = without_leader(zoo, "pass")
    listening.await_watch(process.pid)
    process.kill()
    process.wait()
    listening.drain(until={process.pid})

    assert listening.ended[process.pid].exit_code == 128 + 9


@pytest.mark.parametrize("is_there", [True, False], ids=["first thread there", "first thread gone"])
def test_a_program_that_another_thread_runs_ends_nothing(zoo: Zoo, listening: Listening, is_there: bool) -> None:
    again = f"import sys; {READY}sys.stdin.readline(); sys.exit(5)"
    run = f"os.execv(sys.executable, [sys.executable, '-c', {again!r}, 'second'])"
    if is_there:
        code = "import os, sys, threading; " + READY
        code += f"sys.stdin.readline()\nthreading.Thread(target=lambda: {run}).start(); threading.Event().wait()"
        process = zoo.python(code)
    else:
        process = without_leader(zoo, run)
    zoo.tell(process)
    zoo.await_line(process)
    listening.catch_up()
    assert process.pid not in listening.ended

    zoo.tell(process)
    assert process.wait() == 5
    listening.drain(until={process.pid})
    ended = listening.ended[process.pid]

    assert ended.exit_code == 5
    assert ended.reading is not None
    assert ended.reading.facts.arguments[-1] == "second"


def test_processes_with_threads_end_once_with_their_exit_code(listening: Listening) -> None:
    code = (
        "import os, threading; wait = threading.Event().wait; "
        "[threading.Thread(target=wait, daemon=True).start() for _ in range(20)]; os._exit(9)"
    )
    pids = set()
    for _ in range(20):
        process = subprocess.Popen([sys.executable, "-S", "-c", code])
        pids.add(process.pid)
        process.wait()
    listening.drain(until=pids)

    assert {listening.ended[pid].exit_code for pid in pids} == {9}
    assert listening.count(pids) == 20


_IN_ANOTHER_TIME = """
import os, subprocess, time
from tests.agent.read.test_short_lived import Listening
listening = Listening()
ends = []
for command in (["sleep", "0.05"], None):  # one that is looked at, and one that is gone before that
    begin = time.time()
    if command:
        process = subprocess.Popen(command)
        pid = process.pid
        process.wait()
    else:
        pid = os.fork() or os._exit(0)
        os.waitpid(pid, 0)
    listening.drain(until={pid})
    ended = listening.ended[pid]
    started_at = ended.reading.boot_time + ended.reading.stat.start_ticks // listening.reader.ticks_per_second
    print(*(moment - begin for moment in (started_at, ended.forked_at, ended.ended_at)))
listening.end()
"""


def test_moments_are_right_in_a_time_namespace() -> None:
    """Whose clocks are apart from those that the kernel reports by, and from each other as after a long sleep."""
    program = [sys.executable, "-c", _IN_ANOTHER_TIME]
    unshare = ["unshare", "--time", "--monotonic", "1000", "--boottime", "5000", "--fork"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("there is no time namespace to be had")
    run = subprocess.run([*unshare, *program], capture_output=True, text=True, check=True)

    for line in run.stdout.splitlines():
        started, forked, ended = map(float, line.split())
        assert -2 < started <= 0.2
        assert -0.01 <= forked <= ended < 5
    assert len(run.stdout.splitlines()) == 2


def test_a_killed_process_has_the_exit_code_of_a_shell(listening: Listening) -> None:
    process = subprocess.Popen(["sleep", "1000"])
    process.send_signal(signal.SIGKILL)  # so early that it may not even be what it is to be
    process.wait()
    listening.drain(until={process.pid})
    ended = listening.ended[process.pid]

    assert ended.exit_code == 128 + 9
    assert ended.reading is not None
    assert ended.reading.stat.ppid == os.getpid()
    assert ended.reading.stat.start_ticks > 0
    assert ended.executed_at is None or ended.reading.facts.arguments in ((), ("sleep", "1000"))


def test_a_process_that_only_forked_has_the_program_of_its_parent(listening: Listening) -> None:
    quick = os.fork()
    if quick == 0:
        os._exit(0)
    os.waitpid(quick, 0)
    slow = os.fork()
    if slow == 0:
        time.sleep(0.05)
        os._exit(0)
    os.waitpid(slow, 0)
    listening.drain(until={quick, slow})

    me = listening.reader.known(os.getpid())
    assert me is not None
    for pid in (quick, slow):
        reading = listening.ended[pid].reading
        assert reading is not None
        assert reading.facts.arguments in (me.facts.arguments, ())
        assert reading.stat.comm == me.stat.comm
        assert reading.stat.ppid == os.getpid()


def test_the_end_of_a_process_that_a_snapshot_has_seen_is_known_too(listening: Listening) -> None:
    process = subprocess.Popen(["sleep", "1000"])
    listening.short_lived.drain([reading.pid for reading in listening.reader.read()])
    process.terminate()
    process.wait()
    listening.drain(until={process.pid})

    assert listening.ended[process.pid].reading is None
    assert listening.ended[process.pid].exit_code == 128 + 15


def test_nearly_all_of_a_thousand_processes_of_50_ms_are_known_with_start_end_and_exit_code(
    listening: Listening,
) -> None:
    code = (
        "import os\n"
        "for n in range(1000):\n"
        "  pid = os.posix_spawn('/bin/sh', ['sh', '-c', f'sleep 0.05; exit {n % 100}', f'n{n}'], os.environ)\n"
        "  print(pid, flush=True)\n"
        "  if n % 20 == 19: [os.wait() for _ in range(20)]\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    pids = [int(line) for line in run.stdout.split()]
    listening.drain(until=set(pids))

    known = {number: listening.ended[pid] for number, pid in enumerate(pids) if pid in listening.ended}
    complete = [ended for number, ended in known.items() if ended.reading and ended.exit_code == number % 100]
    readings = {number: ended.reading for number, ended in known.items() if ended.reading is not None}
    named = [number for number, reading in readings.items() if reading.facts.arguments[-1:] == (f"n{number}",)]
    assert len(complete) >= 990
    assert len(named) >= 950  # on a machine that has other things to do some are gone before it is our turn
    assert listening.short_lived.unseen == 0
