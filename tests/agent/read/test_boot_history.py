"""Starts that stay what they were when the agent starts again, whatever became of the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from procession.agent.read.proc_reader import ProcReader
from tests.support.agents.proc_tree import BOOT_TIME, ProcTree

HOUR = 3600


class Host:
    """Its uptime goes on by itself; agents come and go on it."""

    def __init__(self, tree: ProcTree, file: Path) -> None:
        self.tree = tree
        self.uptime = 100.0
        self._file = file
        self._agents: list[ProcReader] = []
        self.boot("one")

    def boot(self, boot_id: str) -> None:
        folder = self.tree.root / "sys/kernel/random"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "boot_id").write_text(f"{boot_id}\n")

    def start_process(self, pid: int) -> None:
        self.uptime += 1
        self.tree.put(pid, start_ticks=int(self.uptime * 100))
        self.uptime += 1

    def agent(self) -> ProcReader:
        self._agents.append(ProcReader(str(self.tree.root), boot_file=self._file, uptime=lambda: self.uptime))
        return self._agents[-1]

    def end(self) -> None:
        for agent in self._agents:
            agent.close()


@pytest.fixture
def host(tree: ProcTree, tmp_path: Path) -> Iterator[Host]:
    host = Host(tree, tmp_path / "state" / "boot.json")
    yield host
    host.end()


def boots_in(reader: ProcReader) -> dict[int, int]:
    return {reading.pid: reading.boot_time for reading in reader.read()}


def stop(reader: ProcReader) -> None:
    reader.close()


def kill(_: ProcReader) -> None:
    """It says nothing any more."""


@pytest.mark.parametrize("end", [stop, kill])
@pytest.mark.parametrize("moved", [HOUR, -HOUR])
def test_an_agent_that_starts_again_gives_each_process_the_start_that_it_had(
    host: Host, end: Callable[[ProcReader], None], moved: int
) -> None:
    host.start_process(7)
    first = host.agent()
    boots_in(first)
    host.start_process(8)
    boots_in(first)
    host.tree.boot_at(BOOT_TIME + moved)
    host.start_process(9)
    before = boots_in(first)
    end(first)

    host.tree.boot_at(BOOT_TIME + 2 * moved)
    second = host.agent()
    after = boots_in(second)
    host.start_process(10)
    later = boots_in(second)

    assert before == after == {7: BOOT_TIME, 8: BOOT_TIME, 9: BOOT_TIME + moved}
    assert later == {**before, 10: BOOT_TIME + 2 * moved}
    second.close()
    assert boots_in(host.agent()) == later


def test_what_starts_while_no_agent_runs_has_its_own_start(host: Host) -> None:
    host.start_process(7)
    first = host.agent()
    boots_in(first)
    first.close()

    host.tree.boot_at(BOOT_TIME + HOUR)
    host.start_process(8)

    assert boots_in(host.agent()) == {7: BOOT_TIME, 8: BOOT_TIME + HOUR}


def test_a_boot_that_jitters_by_a_second_changes_no_start(host: Host) -> None:
    host.start_process(7)
    first = host.agent()
    boots_in(first)
    first.close()

    host.tree.boot_at(BOOT_TIME + 1)

    assert boots_in(host.agent()) == {7: BOOT_TIME}


def test_what_was_kept_of_another_boot_counts_for_nothing(host: Host) -> None:
    host.start_process(7)
    first = host.agent()
    boots_in(first)
    first.close()

    host.boot("two")
    host.tree.boot_at(BOOT_TIME + HOUR)

    assert boots_in(host.agent()) == {7: BOOT_TIME + HOUR}


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b"\xff", b'{"boot_id":"one","entries":[[0,-5]],"read_until":null}']
)
def test_a_file_that_is_damaged_is_done_without(host: Host, tmp_path: Path, data: bytes) -> None:
    host.start_process(7)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "boot.json").write_bytes(data)

    assert boots_in(host.agent()) == {7: BOOT_TIME}


def test_a_folder_that_cannot_be_written_is_done_without(host: Host, tmp_path: Path) -> None:
    host.start_process(7)
    (tmp_path / "state").write_text("a file in its place")
    reader = host.agent()

    assert boots_in(reader) == {7: BOOT_TIME}
    reader.close()
