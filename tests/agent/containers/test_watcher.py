"""What an agent knows of the containers of its machine, up to the message that a server reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from procession.agent.containers.watcher import CONTAINER_SECONDS, ContainerWatcher
from procession.containers.container import Container
from procession.process import ProcessNumbers, Sighting
from procession.wire.datadog import ContainerInfo, MessageType, decode_containers, encode_containers, frame
from tests.support.builders import NOON, a_sighting

ID = "ab" * 32
OTHER = "cd" * 32


class Machine:
    """Files of control groups, and of the processes in them."""

    def __init__(self, root: Path) -> None:
        self.proc, self.groups = root / "proc", root / "cgroup"
        self.watcher = ContainerWatcher(
            lambda name: ContainerInfo(
                container_id=name,
                runtime="docker",
                name=f"name-{name[:2]}",
                image="shop/web:1.2",
                created_at=NOON - 900,
            ),
            proc_root=str(self.proc),
            ticks_per_second=100,
            cgroup_root=str(self.groups),
        )

    def process(
        self, pid: int, container_id: str = ID, started_at: int = NOON - 100, files: int | None = 5
    ) -> Sighting:
        folder = self.proc / str(pid)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup").write_text(f"0::/docker/{container_id}\n" if container_id else "0::/\n")
        numbers = ProcessNumbers(open_files=files, threads=2)
        return a_sighting(pid, started_at, numbers, container_id=container_id)

    def group(self, container_id: str = ID, *, usage: float, periods: int = 0, throttled: int = 0) -> None:
        folder = self.groups / "docker" / container_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.stat").write_text(
            f"usage_usec {int(usage * 1e6)}\nuser_usec {int(usage * 1e6)}\nsystem_usec 0\n"
            f"nr_periods {periods}\nnr_throttled {throttled}\n"
        )
        (folder / "cpu.max").write_text("50000 100000\n")
        (folder / "memory.current").write_text("1000\n")

    def look(self, *sightings: Sighting, moment: float) -> dict[str, Container] | None:
        found = self.watcher.look(sightings, moment=moment)
        return None if found is None else {one.container_id: one for _, one in found}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_rates_are_between_two_looks(machine: Machine) -> None:
    machine.group(usage=100, periods=50, throttled=5)
    first = machine.look(machine.process(7), machine.process(8), moment=1000)
    machine.group(usage=104, periods=90, throttled=15)
    second = machine.look(machine.process(7), machine.process(8), moment=1010)

    assert first is not None
    assert second is not None
    before, now = first[ID].numbers, second[ID].numbers
    assert (before.cpu_total_percent, now.cpu_total_percent, now.cpu_limit_percent) == (None, 40.0, 50.0)
    assert (now.cpu_throttled_percent, now.memory_usage_bytes, now.open_files, now.threads) == (25.0, 1000, 10, 4)
    assert (second[ID].state, second[ID].started_at) == ("running", NOON - 100)


def test_it_looks_only_so_often(machine: Machine) -> None:
    machine.group(usage=1)
    process = machine.process(7)

    looked = [machine.look(process, moment=moment) is not None for moment in range(0, 41, 2)]

    assert sum(looked) == 1 + 40 // CONTAINER_SECONDS


def test_a_container_began_with_its_first_process_that_was_seen(machine: Machine) -> None:
    machine.group(usage=1)
    machine.look(machine.process(7, started_at=NOON - 500), machine.process(8), moment=0)
    found = machine.look(machine.process(8), moment=10)

    assert found is not None
    assert found[ID].started_at == NOON - 500


def test_what_cannot_be_read_is_not_known_and_hides_no_container(machine: Machine) -> None:
    unreadable = a_sighting(9, container_id=OTHER)
    found = machine.look(unreadable, machine.process(10, "", files=None), machine.process(11, ID, files=None), moment=0)

    assert found is not None
    assert set(found) == {ID, OTHER}
    assert found[OTHER].numbers.memory_usage_bytes is None
    assert found[ID].numbers.open_files is None


def test_a_container_that_began_anew_under_its_id_has_no_rate_below_zero(machine: Machine) -> None:
    machine.group(usage=100, periods=50, throttled=40)
    machine.look(machine.process(7), moment=0)
    machine.group(usage=1, periods=2, throttled=1)
    found = machine.look(machine.process(7), moment=10)

    assert found is not None
    assert (found[ID].numbers.cpu_total_percent, found[ID].numbers.cpu_throttled_percent) == (None, 0.0)


def test_a_server_reads_what_was_looked_at(machine: Machine) -> None:
    machine.group(usage=100, periods=50, throttled=5)
    machine.look(machine.process(7), moment=0)
    machine.group(usage=102, periods=60, throttled=10)
    found = machine.watcher.look([machine.process(7), a_sighting(9, container_id=OTHER)], moment=10)
    assert found is not None

    messages = encode_containers("web-1", found * 60, split_id=2**40)

    assert [count for _, count in messages] == [100, 20]
    snapshots = [decode_containers(frame.Frame(MessageType.CONTAINERS, body), taken_at=NOON) for body, _ in messages]
    for (_, told), read in zip(found, snapshots[0].containers, strict=True):
        assert read.numbers == told.numbers
        assert (read.name, read.image_name, read.image_tags) == (f"name-{read.container_id[:2]}", "shop/web", ("1.2",))
        assert (read.state, read.started_at, read.created_at) == ("running", told.started_at, NOON - 900)
        assert f"container_id:{read.container_id}" in read.tags
