from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from procession.agent.describe.collector import Collector
from procession.agent.describe.live_numbers import LiveNumbers
from procession.agent.read.proc_reader import ProcReader
from procession.process import Snapshot
from tests.support.agents.proc_tree import ProcTree
from tests.support.builders import NOON

TICKS = 100


class Machine:
    def __init__(self, tree: ProcTree) -> None:
        self.reader = ProcReader(str(tree.root))
        self.collector = Collector(host="web-1", ticks_per_second=TICKS, page_bytes=4096, scrub=tuple)

    def snapshot(self, second: int) -> Snapshot:
        return self.collector.collect(self.reader.read(), taken_at=NOON + second, moment=float(second))

    def look(self, live: LiveNumbers, second: int) -> tuple[list[int], dict[int, float | None]]:
        """The pids of those that are sent whole, and the CPU of all."""
        readings = self.reader.read(numbers_only=True)
        new, everything = live.look(readings, taken_at=NOON + second, moment=float(second))
        return [one.pid for one in new], {one.pid: one.numbers.cpu_total_percent for one in everything}


@pytest.fixture
def machine(tree: ProcTree) -> Iterator[Machine]:
    machine = Machine(tree)
    yield machine
    machine.reader.close()


def test_only_what_is_new_or_has_changed_is_sent_whole_and_once(tree: ProcTree, machine: Machine) -> None:
    tree.put(7)
    tree.put(8)
    live = LiveNumbers(machine.collector, machine.snapshot(0))

    assert machine.look(live, 2) == ([], {7: 0.0, 8: 0.0})
    tree.put(9)
    tree.put(8, ppid=7)
    whole, everything = machine.look(live, 4)
    assert (sorted(whole), sorted(everything)) == ([8, 9], [7, 8, 9])
    tree.remove(7)
    assert machine.look(live, 6) == ([], {8: 0.0, 9: 0.0})


def test_what_a_snapshot_has_told_is_not_told_again(tree: ProcTree, machine: Machine) -> None:
    tree.put(7)
    live = LiveNumbers(machine.collector, machine.snapshot(0))
    machine.look(live, 2)
    tree.put(8)

    live.was_told(machine.snapshot(10))

    assert machine.look(live, 12)[0] == []


def test_looks_in_between_have_rates_of_their_own(tree: ProcTree, machine: Machine) -> None:
    tree.put(7)
    live = LiveNumbers(machine.collector, machine.snapshot(0))
    tree.put(7, user_ticks=100)

    assert machine.look(live, 2)[1] == {7: 50.0}
    tree.put(7, user_ticks=300)
    assert machine.look(live, 4)[1] == {7: 100.0}

    (sighting,) = machine.snapshot(10).sightings
    assert sighting.numbers.cpu_total_percent == 30.0


def test_what_was_told_is_kept_by_value_and_not_by_object(tree: ProcTree, machine: Machine) -> None:
    tree.put(7)
    snapshot = machine.snapshot(0)
    copied = msgspec.structs.replace(
        snapshot,
        sightings=tuple(
            msgspec.structs.replace(one, description=msgspec.structs.replace(one.description))
            for one in snapshot.sightings
        ),
    )

    assert machine.look(LiveNumbers(machine.collector, copied), 2)[0] == []
