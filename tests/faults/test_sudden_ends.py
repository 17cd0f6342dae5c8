"""A whole server that is killed or loses power amid flushes, checkpoints and the removal of segments, at any moment
and at those that are the worst. Each time, what it answers afterwards is compared with what it had acknowledged."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.machines import eager_server
from tests.faults.machines.disks import Disk
from tests.faults.machines.hosts import API_KEY
from tests.faults.machines.servers import Server
from tests.support.agents.posters import Poster
from tests.support.running import eventually
from tests.support.torture import is_full, record

ROUNDS = 50 if is_full() else 4
ROUNDS_EACH = 50 if is_full() else 1
"""Of each moment at which a server ends itself."""
MOST_TIMES = {eager_server.LOGGED: 60, eager_server.FLUSHED: 4, eager_server.CHECKPOINTED: 60}
"""It ends at one of the next so many: a flush comes more rarely than a payload, and a checkpoint has many parts."""
CHUNK = 40
"""Processes of a payload."""


class Machine:
    """With a server, and agents that make its load."""

    def __init__(self, data_dir: Path, ending: ExitStack) -> None:
        self.ending = eager_server.Ending(data_dir.with_name("ending"))
        environment = {eager_server.VARIABLE: str(data_dir.with_name("ending"))}
        self.server = Server(data_dir, before=eager_server.COMMAND, environment=environment)
        ending.callback(self.server.close)
        self.posters = [Poster(API_KEY, f"load-{number}", chunk=CHUNK) for number in range(2)]
        self._chance = random.Random(18)

    @property
    def acknowledged(self) -> int:
        return sum(len(poster.acknowledged) for poster in self.posters)

    def work(self) -> None:
        """For a while, which ends while the load goes on."""
        enough = self.acknowledged + self._chance.randrange(1, 60)
        for poster in self.posters:
            poster.begin(self.server.url)
        eventually(lambda: self.acknowledged >= enough, what="posting")

    def work_until(self, moment: str) -> None:
        """At which the server ends itself."""
        self.ending.set(moment, self._chance.randint(1, MOST_TIMES[moment]))
        for poster in self.posters:
            poster.begin(self.server.url)
        process = self.server.running.process
        eventually(lambda: process.poll() is not None, what=f"an end {moment}", seconds=180)
        assert process.returncode == -signal.SIGKILL
        self.ending.forget()

    def end(self) -> None:
        self.server.kill()
        for poster in self.posters:
            poster.end()

    def assert_all_is_there(self) -> None:
        """What was acknowledged, once and whole, and nothing that nobody sent."""
        listed = self.server.times_listed()
        there = Counter((host, pid // CHUNK) for host, pid in listed)
        assert _chunks(self.posters, "acknowledged") - there.keys() == set(), "lost"
        assert there.keys() - _chunks(self.posters, "sent") == set(), "invented"
        assert set(there.values()) == {CHUNK}
        assert set(listed.values()) == {1}


def _chunks(posters: Sequence[Poster], attribute: str) -> set[tuple[str, int]]:
    return {(poster.host, chunk) for poster in posters for chunk in getattr(poster, attribute)}


def test_what_a_server_acknowledged_outlives_kills(tmp_path: Path, ending: ExitStack) -> None:
    machine = Machine(tmp_path / "data", ending)

    machine.server.start()
    for _ in range(ROUNDS):
        machine.work()
        machine.end()
        machine.server.start()
        machine.assert_all_is_there()
    machine.server.stop()

    _assert_it_went_well(machine)
    record(
        "kill -9 under load, amid flushes, checkpoints and the removal of segments",
        times=ROUNDS,
        lost=0,
        answered="the next start: all acknowledged there once",
    )


@pytest.mark.parametrize("moment", eager_server.MOMENTS)
def test_what_a_server_acknowledged_outlives_its_end_at_the_worst_moment(
    tmp_path: Path, ending: ExitStack, moment: str
) -> None:
    machine = Machine(tmp_path / "data", ending)

    machine.server.start()
    for _ in range(ROUNDS_EACH):
        machine.work_until(moment)
        machine.end()
        machine.server.start()
        machine.assert_all_is_there()
    machine.server.stop()

    assert machine.acknowledged > 0 or not is_full()
    assert not any("Traceback" in line for line in machine.server.output)
    record(
        f"kill -9 {moment}, under load",
        times=ROUNDS_EACH,
        lost=0,
        answered="the next start: all acknowledged there once",
    )


def test_what_a_server_acknowledged_outlives_power_cuts(tmp_path: Path, ending: ExitStack) -> None:
    """The disk is a file system of its own, which forgets what was not synced. Needs root."""
    try:
        disk = Disk(tmp_path, megabytes=1024)
    except OSError as error:
        pytest.skip(f"cannot make a disk here: {error}")
    ending.callback(disk.close)
    machine = Machine(disk.place / "data", ending)

    machine.server.start()
    for _ in range(ROUNDS):
        machine.work()
        # It says nothing more from here on: what it has said was said while there was power.
        os.kill(machine.server.running.pid, signal.SIGSTOP)
        disk.cut_power()
        machine.end()
        disk.unmount()
        disk.mount()
        machine.server.start()
        machine.assert_all_is_there()
    machine.server.stop()

    _assert_it_went_well(machine)
    record(
        "power cut under load, amid flushes, checkpoints and the removal of segments",
        times=ROUNDS,
        lost=0,
        answered="the next start: all acknowledged there once",
    )


def _assert_it_went_well(machine: Machine) -> None:
    assert machine.acknowledged >= ROUNDS
    assert not any("Traceback" in line for line in machine.server.output)
