"""Processes that no snapshot sees, on this machine's kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from procession.agent.connector import ConnectorUnavailable, ProcConnector
from procession.agent.reader import ProcReader
from procession.agent.short_lived import Ended, ShortLived

pytestmark = pytest.mark.may_skip


class Listening:
    def __init__(self) -> None:
        self.reader = ProcReader()
        self.reader.read()
        self.short_lived = ShortLived(
            ProcConnector(),
            self.reader.look_at,
            self.reader.known,
            self.reader.boot,
            ticks_per_second=self.reader.ticks_per_second,
        )
        self.short_lived.start()
        self.ended: dict[int, Ended] = {}

    def drain(self, *, until: set[int]) -> None:
        """Takes no snapshots in between, so that nothing is alive in one."""
        deadline = time.monotonic() + 10
        while not until <= self.ended.keys() and time.monotonic() < deadline:
            self.ended |= {ended.pid: ended for ended in self.short_lived.drain(())}
            time.sleep(0.01)

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


_IN_ANOTHER_TIME = """
import os, subprocess, time
from tests.agent.test_short_lived import Listening
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
