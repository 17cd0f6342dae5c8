"""The moment of the boot, which moves, and the starts of processes, which do not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.agent.describe.collector import Collector
from procession.agent.describe.live_numbers import LiveNumbers
from procession.agent.read.boot_time import BootTime
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.process_handle import ProcessHandle
from procession.agent.read.procfs import MalformedFile
from procession.process import Snapshot
from tests.support.agents.proc_tree import BOOT_TIME, ProcTree

TICKS = 100


class Machine:
    def __init__(self, tree: ProcTree) -> None:
        self.reader = ProcReader(str(tree.root))
        self.collector = Collector(host="no-clock", ticks_per_second=TICKS, page_bytes=4096, scrub=tuple)
        self._moment = 0.0

    def snapshot(self) -> Snapshot:
        self._moment += 1
        return self.collector.collect(self.reader.read(), taken_at=BOOT_TIME, moment=self._moment)

    def starts(self) -> dict[int, int]:
        return starts_in(self.snapshot())


def starts_in(snapshot: Snapshot) -> dict[int, int]:
    return {sighting.pid: sighting.started_at for sighting in snapshot.sightings}


@pytest.fixture
def machine(tree: ProcTree) -> Iterator[Machine]:
    machine = Machine(tree)
    yield machine
    machine.reader.close()


@pytest.mark.parametrize(("before", "after"), [(5, BOOT_TIME), (BOOT_TIME, BOOT_TIME + 86_400), (BOOT_TIME, 5)])
def test_what_starts_after_the_clock_was_set_has_its_own_start_and_others_keep_theirs(
    tree: ProcTree, machine: Machine, before: int, after: int
) -> None:
    """As where the time of day arrives late, after a machine was stopped for a day, and where a clock is set back."""
    tree.boot_at(before)
    tree.put(10, start_ticks=20 * TICKS)
    assert machine.starts() == {10: before + 20}

    tree.boot_at(after)
    tree.put(10, start_ticks=20 * TICKS, user_ticks=5)
    tree.put(11, start_ticks=103 * TICKS)

    for _ in range(3):
        assert machine.starts() == {10: before + 20, 11: after + 103}


def test_a_process_that_could_not_be_read_for_a_moment_keeps_its_start(
    tree: ProcTree, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.put(10, start_ticks=20 * TICKS)
    machine.starts()
    tree.boot_at(BOOT_TIME + 3600)
    whole = ProcessHandle.read_stat

    def torn(process: ProcessHandle) -> bool:
        monkeypatch.setattr(ProcessHandle, "read_stat", whole)
        raise MalformedFile

    monkeypatch.setattr(ProcessHandle, "read_stat", torn)

    assert machine.starts() == {10: BOOT_TIME + 20}


def test_a_boot_time_that_jitters_by_a_second_doubles_nobody(tree: ProcTree, machine: Machine) -> None:
    seen: list[tuple[int, int]] = []
    for turn in range(20):
        tree.boot_at(BOOT_TIME + turn % 2)
        tree.put(10 + turn, start_ticks=turn * TICKS)
        seen += machine.starts().items()

    assert len(set(seen)) == 20


def test_a_start_is_the_same_in_what_goes_live_and_in_snapshots(tree: ProcTree, machine: Machine) -> None:
    view = LiveNumbers(machine.collector, machine.snapshot())
    tree.boot_at(BOOT_TIME + 3600)
    tree.put(10, start_ticks=20 * TICKS)
    (live,), _ = view.look(machine.reader.read(numbers_only=True), taken_at=BOOT_TIME, moment=2.0)
    tree.boot_at(BOOT_TIME + 7200)

    assert machine.starts() == {10: live.started_at} == {10: BOOT_TIME + 3620}


def test_the_file_of_a_kernel_is_read_again_only_when_its_clock_was_set(tree: ProcTree) -> None:
    """To read it takes a kernel with many processors milliseconds."""
    set_by = 0.0
    boot = BootTime(str(tree.root), is_live=True, time_of_day=lambda: time.time() + set_by)
    tree.boot_at(BOOT_TIME + 60)
    assert boot.now() == BOOT_TIME

    set_by = 60.0

    assert boot.now() == BOOT_TIME + 60


def test_a_boot_that_the_kernel_does_not_tell_is_reckoned_from_the_clocks(tree: ProcTree) -> None:
    (tree.root / "stat").write_text("cpu  1 2 3 4\n")
    set_by = 0.0
    boot = BootTime(str(tree.root), is_live=True, time_of_day=lambda: time.time() + set_by)

    assert boot.now() == pytest.approx(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME), abs=1.5)
    before, set_by = boot.now(), 1000.0
    assert boot.now() == pytest.approx(before + 1000, abs=1)


def test_the_boot_is_what_the_kernel_says() -> None:
    lines = Path("/proc/stat").read_text().splitlines()

    assert f"btime {BootTime('/proc', is_live=True).now()}" in lines
