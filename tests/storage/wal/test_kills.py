"""`kill -9` of a process that appends with many threads, again and again: what it said was acknowledged is there."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from procession.storage.wal import WriteAheadLog
from tests.storage.wal.appender import number_of, payload_of
from tests.support.torture import is_full, record

ROUNDS = 50 if is_full() else 4


@dataclass
class Told:
    """What the processes have said."""

    acknowledged: dict[int, int] = field(default_factory=dict)
    """Sequence number -> number of the payload."""
    released: int = 0

    def read(self, line: str) -> None:
        first, second = line.split()
        if first == "released":
            self.released = max(self.released, int(second))
        else:
            assert int(first) not in self.acknowledged, "two records have one number"
            self.acknowledged[int(first)] = int(second)


def test_what_was_acknowledged_is_there_after_each_kill(tmp_path: Path) -> None:
    chance, told, folder = random.Random(9), Told(), tmp_path / "log"

    for one in range(ROUNDS):
        _append_and_kill(folder, one * 1_000_000, chance.randrange(1, 400), told)
        _compare(folder, told)

    assert told.released > 0
    record("kill -9 of a process that writes a log", times=ROUNDS, lost=0, answered=f"{len(told.acknowledged):,} kept")


def _append_and_kill(folder: Path, first_number: int, count: int, told: Told) -> None:
    command = [sys.executable, "-m", "tests.storage.wal.appender", str(folder), str(first_number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(count):
            told.read(process.stdout.readline())
        process.kill()
        # What it had still said; a line may be cut off.
        for line in process.stdout:
            if line.endswith("\n"):
                told.read(line)


def _compare(folder: Path, told: Told) -> None:
    log = WriteAheadLog(folder)
    found = {one.sequence: one.payload for one in log.read()}
    first, last = log.status().first_sequence, log.last_sequence
    log.close()

    assert list(found) == list(range(first, last + 1))
    assert first <= max(told.released, 0) + 1
    assert last >= max(told.acknowledged)
    for sequence, payload in found.items():
        assert payload == payload_of(number_of(payload))
        # Of what was not acknowledged, some may be there; from then on it has to be.
        assert told.acknowledged.setdefault(sequence, number_of(payload)) == number_of(payload)
