"""Who evaluates monitors, when, and that no transition is lost or comes as another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from procession.errors import Unavailable
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.transition import State, Transition
from procession.server.runtime.monitor_task import MAX_CAUGHT_UP, MonitorTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import Clock
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.monitors_oracle import OracleMonitors
from tests.support.stores.oracle import OracleStore

ORG = 1
MINUTE = NOON // 60 * 60


class ListSink:
    def __init__(self) -> None:
        self.taken: list[Transition] = []
        self.fails = False

    def put(self, transitions: Sequence[Transition]) -> None:
        if self.fails:
            raise Unavailable("killed")
        self.taken += transitions


@dataclass
class House:
    """A store, and servers on it."""

    processes: OracleStore = field(default_factory=OracleStore)
    monitors: OracleMonitors = field(default_factory=OracleMonitors)
    sink: ListSink = field(default_factory=ListSink)
    clock: Clock = field(default_factory=lambda: Clock(MINUTE))

    def server(self, *, is_only_server: bool = True) -> MonitorTask:
        return MonitorTask(
            self.monitors,
            self.processes,
            OracleAnalysis(self.processes),
            self.sink,
            ThreadPool(1, "monitors"),
            self.clock,
            is_only_server=is_only_server,
        )

    def monitor(self, query: str = "processes('nginx').rollup('count_now') < 1", number: int = 7) -> None:
        body = {"type": "process alert", "name": "a", "query": query}
        creator = Creator(1, "", "", "")
        made_at = (self.clock.now - 3600) * 1_000_000
        self.monitors.put_monitor(new_monitor(ORG, number, body, creator=creator, changed_by="", now_us=made_at))

    def minute(self, *commands: str) -> None:
        """What web-1 tells until the next minute."""
        for taken_at in range(self.clock.now, self.clock.now + 60, 10):
            sightings = [a_sighting(number, cmdline=one, command=one, exe="") for number, one in enumerate(commands, 2)]
            snapshot = a_snapshot(
                a_sighting(1, command="init", cmdline="init", exe=""), *sightings, taken_at=taken_at, chunk_count=1
            )
            self.processes.add([(ORG, snapshot)])
        self.clock.now += 60

    def kinds(self) -> list[str]:
        return [str(one.kind) for one in self.sink.taken]

    def stored(self) -> list[str]:
        found = self.monitors.transitions(ORG, Window(0, 2**32 - 1), 100)
        return [str(one.kind) for one in reversed(found)]


@pytest.fixture
def house() -> House:
    house = House()
    house.monitor()
    return house


def test_each_minute_is_evaluated_once(house: House) -> None:
    server = house.server()
    house.minute("nginx")
    assert [server.evaluate(), server.evaluate()] == [1, 0]
    house.minute()
    assert server.evaluate() == 1
    house.minute("nginx")
    server.evaluate()

    assert house.kinds() == house.stored() == ["triggered", "recovered"]
    assert house.sink.taken[0].at == MINUTE + 120


def test_missed_minutes_are_caught_up_with_what_was_known_then(house: House) -> None:
    house.minute("nginx")
    house.server().evaluate()
    for commands in (["nginx"], [], ["nginx"], []):
        house.minute(*commands)

    assert house.server().evaluate() == 4
    assert house.kinds() == ["triggered", "recovered", "triggered"]
    # What is told in the second of an evaluation belongs to it.
    assert [one.at - MINUTE for one in house.sink.taken] == [120, 180, 240]


def test_no_more_than_an_hour_is_caught_up(house: House) -> None:
    house.minute("nginx")
    house.server().evaluate()
    house.clock.now += 86400

    assert house.server().evaluate() == MAX_CAUGHT_UP + 1


def test_minutes_in_which_no_agent_could_tell_are_no_alert(house: House) -> None:
    house.minute("nginx")
    house.server().evaluate()
    house.clock.now += 600
    house.minute("nginx")
    house.server().evaluate()

    assert house.kinds() == []
    assert house.stored() == ["no data", "recovered"]


def test_a_server_that_is_killed_before_it_told_anybody_loses_nothing(house: House) -> None:
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.minute()
    house.sink.fails = True
    with pytest.raises(Unavailable):
        server.evaluate()
    assert house.kinds() == []
    house.sink.fails = False

    house.server().evaluate()

    assert house.kinds() == house.stored() == ["triggered"]
    assert house.sink.taken[0].at == MINUTE + 120


def test_a_server_that_is_killed_after_it_told_somebody_tells_the_same_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.minute()
    put, count = house.monitors.put_groups, 0

    def put_once(*args: object) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise Unavailable("killed")
        put(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(house.monitors, "put_groups", put_once)
    with pytest.raises(Unavailable):
        server.evaluate()
    monkeypatch.undo()

    house.server().evaluate()

    first, again = house.sink.taken
    assert first == again
    assert house.stored() == ["triggered"]


def test_of_two_servers_one_evaluates_and_the_other_takes_over(house: House) -> None:
    first, second = (house.server(is_only_server=False) for _ in range(2))
    house.minute("nginx")
    assert [first.evaluate(), second.evaluate()] == [0, 0]  # whose turn it is, is settled within a minute
    house.minute()
    assert [first.evaluate(), second.evaluate()] == [1, 0]
    assert house.kinds() == ["triggered"]

    # The first is killed.
    for _ in range(3):
        house.minute()
        second.evaluate()
    house.minute("nginx")
    assert second.evaluate() >= 1

    assert house.kinds() == house.stored() == ["triggered", "recovered"]
    assert len({one.cycle_key for one in house.sink.taken}) == 1


def test_a_deleted_monitor_is_evaluated_no_more_and_its_groups_go(house: House) -> None:
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.monitors._monitors.clear()
    house.minute()
    server.evaluate()

    assert house.kinds() == []
    assert house.monitors.groups_by_monitor() == {}


def test_groups_of_another_query_are_forgotten(house: House) -> None:
    house.monitor("processes('').by('command').rollup('count_now') < 1")
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.monitor("processes('').by('user').rollup('count_now') < 1")
    house.minute()
    server.evaluate()

    (states,) = house.monitors.groups_by_monitor().values()
    assert {key for one in states for key, _ in one.group} == {"user"}
    assert house.stored() == []


def test_a_monitor_that_takes_too_long_is_skipped_and_the_others_go_on(house: House) -> None:
    moments = iter([0.0, 11.0] + [float(number) for number in range(20, 60)])
    house.monitor("processes('cron').rollup('count_now') > 0", number=8)
    server = house.server()
    server._clock = lambda: next(moments)
    house.minute("nginx")
    server.evaluate()
    house.minute("cron")
    server.evaluate()

    states = {key[1]: states[0] for key, states in house.monitors.groups_by_monitor(ORG).items()}
    assert states[7].state is State.SKIPPED
    assert states[7].reason == "its evaluation took 11 s; there may be 10 s"
    assert states[8].state is State.ALERT
    assert [one.monitor_id for one in house.sink.taken] == [8]
