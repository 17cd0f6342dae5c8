"""A whole server that is killed or loses power amid flushes, checkpoints and the removal of segments."""

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
CHUNK = 40
"""Processes of a payload."""


class Machine:
    """With a server, and agents that make its load."""

    def __init__(self, data_dir: Path, ending: ExitStack) -> None:
        self.server = Server(data_dir, before=eager_server.COMMAND)
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
