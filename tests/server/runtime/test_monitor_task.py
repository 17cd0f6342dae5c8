"""Who evaluates monitors, when, and that no transition is lost or comes as another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from procession.analysis import Groups, Order, Selection
from procession.errors import InvalidRequest, Unavailable
from procession.monitors.late import latecomers
from procession.monitors.lease import LEASE_SECONDS
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.transition import State, Transition
from procession.server.runtime.monitor_task import MAX_CAUGHT_UP, MAX_UNANSWERED, SKIPPED_MINUTES, MonitorTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import Clock
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.monitors_oracle import OracleMonitors
from tests.support.stores.oracle import OracleStore

ORG = 1
MINUTE = NOON // 60 * 60


class Killed(BaseException):
    """The process, by somebody."""


class ListSink:
    def __init__(self) -> None:
        self.taken: list[Transition] = []
        self.fails = False
        self.refused: int | None = None
        """A monitor of which it takes nothing."""

    def put(self, transitions: Sequence[Transition]) -> None:
        if self.fails:
            raise Killed
        if self.refused in {one.monitor_id for one in transitions}:
            raise ValueError("a rule that nobody can read")
        self.taken += transitions


class _Analysis(OracleAnalysis):
    """For queries such as `processes('cron').rollup('count_now')`."""

    def __init__(self, store: OracleStore, while_read: dict[str, Callable[[], None]]) -> None:
        super().__init__(store)
        self._while_read = while_read

    def groups(
        self,
        selection: Selection,
        at: int,
        by: str,
        measures: Sequence[str],
        order: Order,
        limit: int,
        *,
        second: str | None = None,
        has_percentiles: bool = False,
    ) -> Groups:
        for word, happens in list(self._while_read.items()):
            if f"'{word}'" in repr(selection.search):
                happens()
        return super().groups(selection, at, by, measures, order, limit, second=second, has_percentiles=has_percentiles)


def raising(error: Exception) -> Callable[[], None]:
    def happens() -> None:
        raise error

    return happens


@dataclass
class House:
    """A store, and servers on it."""

    processes: OracleStore = field(default_factory=OracleStore)
    monitors: OracleMonitors = field(default_factory=OracleMonitors)
    sink: ListSink = field(default_factory=ListSink)
    clock: Clock = field(default_factory=lambda: Clock(MINUTE))
    while_read: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What happens while the processes of a search are counted."""

    def server(self, *, is_only_server: bool = True) -> MonitorTask:
        return MonitorTask(
            self.monitors,
            self.processes,
            _Analysis(self.processes, self.while_read),
            self.processes,
            self.sink,
            ThreadPool(1, "monitors"),
            self.clock,
            is_only_server=is_only_server,
        )

    def monitor(
        self,
        query: str = "processes('nginx').rollup('count_now') < 1",
        number: int = 7,
        options: dict[str, Any] | None = None,
    ) -> None:
        options = {"new_group_delay": 0} | (options or {})
        body = {"type": "process alert", "name": "a", "query": query, "options": options}
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

    assert house.kinds() == house.stored() == []


def test_a_silent_agent_is_no_data_once_the_server_has_run_for_two_minutes(house: House) -> None:
    house.minute("nginx")
    house.server().evaluate()
    house.clock.now += 300
    server = house.server()

    found = []
    for _ in range(3):
        house.clock.now += 60
        server.evaluate()
        found.append(house.stored())

    assert found == [[], ["no data"], ["no data"]]


def test_a_server_that_is_killed_before_it_told_anybody_loses_nothing(house: House) -> None:
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.minute()
    house.sink.fails = True
    with pytest.raises(Killed):
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


# What one monitor cannot do to the others

CRON = "processes('cron').rollup('count_now') > 0"
BAD = "processes('bad').rollup('count_now') > 0"


def states_of(house: House) -> dict[int, State]:
    return {key[1]: states[0].state for key, states in house.monitors.groups_by_monitor(ORG).items()}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable("it takes too long"), "the store did not answer: it takes too long"),
        (InvalidRequest("it is no search"), "it is no search"),
        (ValueError("a bug"), "its evaluation failed: ValueError"),
    ],
)
def test_a_monitor_that_fails_is_skipped_and_the_others_go_on(house: House, error: Exception, reason: str) -> None:
    house.monitor(BAD, number=5)
    house.monitor(CRON, number=8)
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.while_read["bad"] = raising(error)
    house.minute("nginx", "cron")

    assert server.evaluate() == 1

    assert states_of(house) == {5: State.SKIPPED, 7: State.OK, 8: State.ALERT}
    assert house.monitors.groups_by_monitor(ORG)[ORG, 5][0].reason == reason
    assert [one.monitor_id for one in house.sink.taken] == [8]


def test_a_monitor_that_fails_twice_is_left_alone_for_a_while(house: House) -> None:
    asked: list[int] = []
    house.monitor(BAD, number=5)

    def fails() -> None:
        asked.append(house.clock.now)
        raise Unavailable("it takes too long")

    house.while_read["bad"] = fails
    server = house.server()
    for _ in range(SKIPPED_MINUTES + 3):
        house.minute("nginx")
        server.evaluate()

    assert [(at - asked[0]) // 60 for at in asked] == [0, 1, 1 + SKIPPED_MINUTES]


def test_many_monitors_that_fail_take_no_more_than_their_part_of_a_minute(house: House) -> None:
    for number in range(1, 2 * MAX_UNANSWERED):
        house.monitor(BAD + f"{number}", number=number)  # alike, and nobody remembers the answer
    house.while_read["bad"] = raising(Unavailable("it takes too long"))
    server = house.server()
    house.minute("nginx")
    server_evaluates = []
    for _ in range(2):
        try:
            server_evaluates.append(server.evaluate())
        except Unavailable:
            server_evaluates.append(-1)

    assert server_evaluates == [-1, 1]
    assert states_of(house)[7] is State.OK


def test_a_store_that_does_not_answer_at_all_skips_no_monitor(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.while_read["nginx"] = raising(Unavailable("down"))
    house.minute()
    leases = house.monitors.leases()
    answers = iter([leases])

    def once() -> object:
        for found in answers:
            return found
        raise Unavailable("down")

    monkeypatch.setattr(house.monitors, "leases", once)
    with pytest.raises(Unavailable):
        server.evaluate()
    monkeypatch.undo()
    house.while_read.clear()
    house.minute()

    assert server.evaluate() == 2
    assert [(str(one.kind), one.at - MINUTE) for one in house.sink.taken] == [("triggered", 120)]
    assert house.stored() == ["triggered"]


def test_what_the_sink_does_not_take_is_told_later_and_keeps_nobody_waiting(house: House) -> None:
    house.monitor(CRON, number=8)
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.sink.refused = 7
    house.minute("cron")
    server.evaluate()
    house.minute("cron")
    assert server.evaluate() == 1
    assert [one.monitor_id for one in house.sink.taken] == [8]
    house.sink.refused = None

    house.minute("cron")
    server.evaluate()

    assert [(one.monitor_id, one.at - MINUTE) for one in house.sink.taken] == [(8, 120), (7, 120)]
    assert all(not one.unsent for states in house.monitors.groups_by_monitor().values() for one in states)


def test_what_the_sink_did_not_take_is_told_after_a_restart(house: House) -> None:
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.sink.refused = 7
    house.minute()
    server.evaluate()
    house.sink.refused = None

    house.server().evaluate()

    assert [(one.monitor_id, one.at - MINUTE) for one in house.sink.taken] == [(7, 120)]


def test_an_alert_that_was_skipped_goes_on_as_the_same_alert(house: House) -> None:
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    house.minute()
    server.evaluate()
    house.while_read["nginx"] = raising(ValueError("a bug"))
    house.minute()
    server.evaluate()
    house.while_read.clear()
    house.minute()
    server.evaluate()
    house.minute("nginx")
    server.evaluate()

    assert house.kinds() == ["triggered", "recovered"]
    assert len({one.cycle_key for one in house.sink.taken}) == 1


# Whose turn it is


def test_a_server_alone_asks_for_no_lease_while_it_has_no_monitor() -> None:
    house = House()
    server = house.server()
    for _ in range(3):
        house.minute("nginx")
        assert server.evaluate() == 0
    assert house.monitors.leases() == ()

    house.monitor()
    house.minute()
    assert server.evaluate() == 1
    assert house.kinds() == ["triggered"]


def test_a_server_whose_lease_ended_while_it_looked_tells_nobody(house: House) -> None:
    first, second = (house.server(is_only_server=False) for _ in range(2))
    house.minute("nginx")
    first.evaluate()
    house.minute("nginx")
    assert first.evaluate() == 1
    house.minute()

    def another_takes_over() -> None:
        house.while_read.clear()
        house.clock.now += LEASE_SECONDS
        second.evaluate()
        house.clock.now += 60
        second.evaluate()

    house.while_read["nginx"] = another_takes_over
    assert first.evaluate() == 0

    assert house.kinds() == house.stored() == ["triggered"]
    house.clock.now += 60
    assert first.evaluate() == 0


def test_a_lease_is_renewed_within_a_long_minute(house: House) -> None:
    house.monitor(CRON, number=8)
    server = house.server(is_only_server=False)
    house.minute("nginx")
    server.evaluate()
    house.minute("nginx")

    def takes_a_minute() -> None:
        house.clock.now += 60

    house.while_read |= {"nginx": takes_a_minute, "cron": takes_a_minute}

    assert server.evaluate() == 1


def test_a_server_forgets_what_it_knew_when_another_evaluated_later(house: House) -> None:
    first = house.server()
    house.minute("nginx")
    first.evaluate()
    second = house.server()
    house.minute()
    second.evaluate()
    house.minute("nginx")

    first.evaluate()

    assert house.kinds() == ["triggered", "recovered"]


def test_nothing_is_remembered_of_a_deleted_monitor(house: House) -> None:
    server = house.server()
    house.while_read["nginx"] = raising(ValueError("a bug"))
    house.minute("nginx")
    server.evaluate()
    house.monitors.delete_monitor(ORG, 7)
    house.minute("nginx")
    server.evaluate()

    remembered = (server._noted, server._skipped_until, server._queries, server._rules, server._states)
    assert remembered == ({},) * 5


# What comes late out of a spool

GONE = "processes('nginx').by('host').rollup('count_now') < 1"
FIRST_SEEN = "'first_seen').last('1h') > 0"


def history(house: House, number: int = 7) -> list[tuple[int, str, str | None]]:
    """Minute, state and what came late says of it."""
    found = house.monitors.transitions(ORG, Window(0, 2**32 - 1), 100, number)
    return [((one.at - MINUTE) // 60, str(one.state), one.late and str(one.late)) for one in reversed(found)]


def silent_minutes(house: House, server: MonitorTask, count: int) -> int:
    """Gives when they began."""
    begin = house.clock.now
    for _ in range(count):
        house.clock.now += 60
        server.evaluate()
    return begin


def spool(house: House, begin: int, *minutes: Sequence[str]) -> None:
    """What web-1 had to tell of minutes that are over."""
    now, house.clock.now = house.clock.now, begin
    for commands in minutes:
        house.minute(*commands)
    house.clock.now = now


@pytest.mark.parametrize("query", [GONE, GONE.replace(".by('host')", "")])
def test_minutes_of_a_silence_are_evaluated_again_once_their_spool_has_come(house: House, query: str) -> None:
    house.monitor(query)
    server = house.server()
    for _ in range(3):
        house.minute("nginx")
        server.evaluate()
    begin = silent_minutes(house, server, 5)
    assert history(house) == [(4, "No Data", None)]

    spool(house, begin, ["nginx"], ["nginx"], [], [], ["nginx"])
    house.minute("nginx")
    server.evaluate()

    # It was gone for the two minutes from the fifth on.
    assert history(house) == [
        (4, "No Data", "refuted"),
        (5, "Alert", "added"),
        (7, "OK", "added"),
        (9, "OK", None),
    ]
    assert house.kinds() == []
    house.minute()
    server.evaluate()
    assert house.kinds() == ["triggered"]


def test_an_alert_of_before_a_silence_ended_in_it_and_the_end_is_told_once(house: House) -> None:
    house.monitor(GONE)
    server = house.server()
    for commands in (["nginx"], ["nginx"], [], []):
        house.minute(*commands)
        server.evaluate()
    begin = silent_minutes(house, server, 3)
    spool(house, begin, [], ["nginx"], ["nginx"])
    house.minute("nginx")
    server.evaluate()

    assert history(house) == [(3, "Alert", None), (5, "OK", "added"), (8, "OK", None)]
    assert house.kinds() == ["triggered", "recovered"]
    assert len({one.cycle_key for one in house.monitors.transitions(ORG, Window(0, 2**32 - 1), 9)}) == 1


def test_what_was_there_only_in_a_silence_is_missed_and_known_afterwards(house: House) -> None:
    gone, fresh = (f"processes('').by('host','command').rollup({rest}" for rest in ("'count_now') < 1", FIRST_SEEN))
    house.monitor(gone, number=8)
    house.monitor(fresh, number=9)
    server = house.server()
    for _ in range(2):
        house.minute("nginx")
        server.evaluate()
    begin = silent_minutes(house, server, 3)
    spool(house, begin, ["nginx"], ["nginx", "miner"], ["nginx"])
    for _ in range(2):
        house.minute("nginx")
        server.evaluate()

    told = [(one.monitor_id, dict(one.group)["command"], str(one.state)) for one in house.sink.taken]
    assert told == [(8, "miner", "Alert"), (9, "miner", "Alert")]
    assert history(house, 9) == [(4, "Alert", "added"), (7, "Alert", None)]


def test_a_host_that_had_nothing_to_tell_changes_nothing(house: House) -> None:
    house.monitor(GONE)
    server = house.server()
    house.minute("nginx")
    server.evaluate()
    silent_minutes(house, server, 4)
    house.minute("nginx")
    server.evaluate()

    assert history(house) == [(2, "No Data", None), (6, "OK", None)]


@pytest.mark.parametrize("is_before_spool", [True, False])
def test_a_server_that_is_started_anew_evaluates_again_what_came_since(house: House, is_before_spool: bool) -> None:
    """Whether the agent was silent before the server ended, or only while there was none."""
    house.monitor(GONE)
    server = house.server()
    for _ in range(4):
        house.minute("nginx")
        server.evaluate()
    begin = house.clock.now
    if is_before_spool:
        silent_minutes(house, server, 2)
    house.clock.now = begin + 240
    server = house.server()
    house.clock.now += 60
    server.evaluate()
    spool(house, begin, ["nginx"], [], [], ["nginx"], ["nginx"])
    house.minute("nginx")
    server.evaluate()

    assert [one for one in history(house) if one[2] == "added"] == [(5, "Alert", "added"), (7, "OK", "added")]
    assert house.kinds() == []


def test_minutes_are_evaluated_again_as_far_back_and_for_as_long_as_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latecomers, "MAX_LATE_MINUTES", 2)
    house.monitor(GONE)
    house.monitor(GONE, number=8)
    server = house.server()
    for _ in range(2):
        house.minute("nginx")
        server.evaluate()
    begin = silent_minutes(house, server, 5)
    spool(house, begin, [], [], [], [], ["nginx"])
    house.minute("nginx")
    ticks = iter(range(10**6))
    server._clock = lambda: float(next(ticks))
    server.evaluate()

    # There was time for the first monitor, and for its last two minutes of five.
    again = [(3, "No Data", None), (6, "OK", "added"), (8, "OK", None)]
    assert history(house) == again
    assert history(house, 8) == [again[0], again[2]]
    house.minute("nginx")
    server.evaluate()
    assert history(house, 8) == again


def test_what_waits_to_be_evaluated_again_outlives_the_server(house: House) -> None:
    """Killed when the spool was there, and before its minutes were looked at for both monitors."""
    house.monitor(GONE)
    house.monitor(GONE, number=8)
    server = house.server()
    for _ in range(2):
        house.minute("nginx")
        server.evaluate()
    begin = silent_minutes(house, server, 5)
    (silence,) = house.monitors.silences()
    assert (silence.host, silence.since, silence.ended_at) == ("web-1", MINUTE + 110, 0)
    spool(house, begin, ["nginx"], [], [], [], ["nginx"])
    house.minute("nginx")
    ticks = iter(range(10**6))
    server._clock = lambda: float(next(ticks))
    server.evaluate()
    again = [(3, "Alert", "added"), (3, "No Data", "refuted"), (6, "OK", "added"), (8, "OK", None)]
    assert [len(history(house, number)) for number in (7, 8)] == [4, 2]
    (silence,) = house.monitors.silences()
    assert silence.ended_at == MINUTE + 480

    server = house.server()
    for _ in range(2):
        house.minute("nginx")
        server.evaluate()

    assert [history(house, number) for number in (7, 8)] == [again, again]
    assert house.monitors.silences() == ()
    assert house.kinds() == []


def test_a_spool_that_comes_while_no_server_runs_is_evaluated_again(house: House) -> None:
    house.monitor(GONE)
    server = house.server()
    for _ in range(2):
        house.minute("nginx")
        server.evaluate()
    begin = silent_minutes(house, server, 3)
    spool(house, begin, ["nginx"], [], ["nginx"])
    house.minute("nginx")
    house.server().evaluate()

    assert [one for one in history(house) if one[2] == "added"] == [(3, "Alert", "added"), (4, "OK", "added")]
    assert house.kinds() == []


def test_a_delayed_evaluation_that_saw_it_in_time_is_not_done_again(house: House) -> None:
    house.monitor(GONE, options={"evaluation_delay": 300})
    server = house.server()
    for _ in range(10):
        house.minute("nginx")
        server.evaluate()
    begin = silent_minutes(house, server, 3)
    spool(house, begin, [], [], ["nginx"])
    for _ in range(6):
        house.minute("nginx")
        server.evaluate()

    assert history(house) == [(10, "Alert", None), (12, "OK", None)]
    assert house.kinds() == ["triggered", "recovered"]
