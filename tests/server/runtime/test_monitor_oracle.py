"""Two servers on one store, killed between any two writes and while the lease moves: what monitors say is what plain
Python says, whoever said it, however often it had to begin anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procession.analysis import Groups, Order, Selection
from procession.monitors.evaluator import NOT_COUNTED
from procession.monitors.group_state import Group, GroupState
from procession.monitors.late.silences import Silence
from procession.monitors.lease import EvaluationLease
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.transition import Late, Transition
from procession.server.runtime import monitor_task
from procession.server.runtime.monitor_task import MonitorTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import Clock
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.monitors_oracle import OracleMonitors
from tests.support.stores.oracle import OracleStore

ORG = 1
MINUTE = NOON // 60 * 60
HOSTS = ("web-1", "web-2")
GONE, DELAYED, MANY, FEW, NAMED, CROWD, BUSY, BUSY_HOST = range(1, 9)
BY_HOST = "processes('nginx').by('host').rollup('count_now') < 1"
QUERIES: dict[int, tuple[str, dict[str, Any]]] = {
    GONE: (BY_HOST, {"on_missing_data": "show_and_notify_no_data"}),
    DELAYED: (BY_HOST, {"evaluation_delay": 120}),
    MANY: (
        "processes('').rollup('count_now') > 5",
        {"thresholds": {"critical": 5, "critical_recovery": 4, "warning": 4}},
    ),
    FEW: ("processes('nginx').rollup('count_now') < 1", {"thresholds": {"critical": 1, "warning": 2}}),
    NAMED: ("processes('nginx').by('command').rollup('count_now') < 2", {}),
    CROWD: ("processes('nginx').rollup('count_now') > 2", {}),
    BUSY: ("processes('nginx').by('command').rollup('count_now') > 2", {}),
    BUSY_HOST: ("processes('nginx').by('host').rollup('count_now') > 1", {}),
}
ALWAYS = {MANY: 1}
"""Processes besides nginx that each host has, and the monitor counts."""

Told = int | None
"""How many nginx a host has in a minute; None: it is cut off."""


class Killed(BaseException):
    """The process, by somebody."""


@dataclass
class Faults:
    """The process ends at one of its next writes: before it, or after it and before it knows."""

    writes_left: int | None = None
    is_after: bool = False

    def around(self, write: Callable[[], None]) -> None:
        if self.writes_left is None:
            write()
            return
        self.writes_left -= 1
        if self.writes_left > 0:
            write()
            return
        if self.is_after:
            write()
        self.writes_left = None
        raise Killed


@dataclass
class FaultyMonitors(OracleMonitors):
    faults: Faults

    def __post_init__(self) -> None:
        super().__init__()

    def put_groups(self, org_id: int, monitor_id: int, states: Sequence[GroupState]) -> None:
        self.faults.around(lambda: OracleMonitors.put_groups(self, org_id, monitor_id, states))

    def put_transitions(self, transitions: Sequence[Transition]) -> None:
        self.faults.around(lambda: OracleMonitors.put_transitions(self, transitions))

    def put_silences(self, silences: Sequence[Silence]) -> None:
        self.faults.around(lambda: OracleMonitors.put_silences(self, silences))

    def put_lease(self, lease: EvaluationLease) -> None:
        self.faults.around(lambda: OracleMonitors.put_lease(self, lease))


@dataclass
class FaultySink:
    faults: Faults
    taken: list[Transition] = field(default_factory=list)

    def put(self, transitions: Sequence[Transition]) -> None:
        self.faults.around(lambda: self.taken.extend(transitions))


class Analysis(OracleAnalysis):
    def __init__(self, house: House) -> None:
        super().__init__(house.processes)
        self._house = house

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
        happens, self._house.while_read = self._house.while_read, None
        if happens is not None:
            happens()
        return super().groups(selection, at, by, measures, order, limit, second=second, has_percentiles=has_percentiles)


class House:
    """A store, and two servers on it. Snapshots are never of the second in which monitors are evaluated."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.processes = OracleStore()
        self.monitors = FaultyMonitors(self.faults)
        self.sink = FaultySink(self.faults)
        self.clock = Clock(MINUTE)
        self.told: list[dict[str, Told]] = []
        self.while_read: Callable[[], None] | None = None
        for number, (query, options) in QUERIES.items():
            body = {"type": "process alert", "query": query, "options": {"new_host_delay": 0} | options}
            made = new_monitor(ORG, number, body, creator=Creator(1, "", "", ""), changed_by="", now_us=0)
            self.monitors.put_monitor(made)
        self.servers = [self.server(), self.server()]
        for _ in range(4):
            self.tells((1, 1))
            self.evaluate(0)

    def server(self) -> MonitorTask:
        return MonitorTask(
            self.monitors,
            self.processes,
            Analysis(self),
            self.processes,
            self.sink,
            ThreadPool(1, "monitors"),
            self.clock,
            is_only_server=False,
        )

    def tells(self, counts: Sequence[Told]) -> None:
        """A minute goes by."""
        begin = self.clock.now
        self.told.append(dict(zip(HOSTS, counts, strict=True)))
        for host, count in self.told[-1].items():
            if count is not None:
                self.add(host, begin, count)
        self.clock.now += 60

    def add(self, host: str, begin: int, count: int) -> None:
        init = a_sighting(1, command="init", cmdline="init", exe="")
        for seconds in (5, 25, 45):
            nginx = [a_sighting(pid, started_at=MINUTE - 9000) for pid in range(2, 2 + count)]
            self.processes.add([(ORG, a_snapshot(init, *nginx, host=host, taken_at=begin + seconds, chunk_count=1))])

    def spool_comes(self, host: str, counts: dict[int, int]) -> None:
        for minute, count in counts.items():
            self.add(host, MINUTE + 60 * minute, count)

    def evaluate(self, index: int) -> None:
        try:
            self.servers[index].evaluate()
        except Killed:
            self.servers[index] = self.server()

    def history(self, number: int) -> list[Transition]:
        return list(reversed(self.monitors.transitions(ORG, Window(0, 2**32 - 1), 10_000, number)))


# The oracle: what is to be said, out of what was told


def level(number: int, now: str, value: float) -> str:
    if number == MANY:
        if value > 5 or (now == "Alert" and value > 4):
            return "Alert"
        return "Warn" if value > 4 else "OK"
    if number in (CROWD, BUSY, BUSY_HOST):
        return "Alert" if value > (1 if number == BUSY_HOST else 2) else "OK"
    if value < (2 if number == NAMED else 1):
        return "Alert"
    return "Warn" if number == FEW and value < 2 else "OK"


def next_state(number: int, now: str, value: float | None, part: float) -> str:
    """`part`: what hosts that are silent had when they told last. They may have any number by now: what that could
    undo is not known."""
    if value is not None:
        found = level(number, now, value)
        if found == now or not part or found == level(number, now, math.inf):
            return found
    return "Alert" if now == "Alert" else "No Data"


@dataclass
class Seen:
    """What is known of one group, minute by minute."""

    number: int
    host: str | None
    last: dict[str, int] = field(default_factory=dict)
    """What each host had when it told last."""
    ran_at: dict[str, int] = field(default_factory=dict)
    """When each host had some of it last."""
    ran_on: frozenset[str] | None = None
    """Where it ran last, while none is seen of it."""

    def look(self, minute: int, told: dict[str, Told]) -> tuple[float | None, float]:
        """Its value, and the part that is missing."""
        if self.host is not None:
            count = told[self.host]
            return None if count is None else float(count), 0.0
        known = {host: count + ALWAYS.get(self.number, 0) for host, count in told.items() if count is not None}
        self.last |= known
        self.ran_at |= {host: minute for host, count in known.items() if count}
        part = float(sum(count for host, count in self.last.items() if host not in known))
        value = float(sum(known.values()))
        if value > 0:
            self.ran_on = None
            return value, part
        if self.ran_on is None:
            newest = max(self.ran_at.values())
            self.ran_on = frozenset(host for host, at in self.ran_at.items() if at >= newest - 1)
        return (value if self.ran_on <= known.keys() else None), part


@dataclass
class Expected:
    """Of one group, by minute."""

    states: list[str] = field(default_factory=list)
    changes: list[tuple[int, str]] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, number: int, told: Sequence[dict[str, Told]], host: str | None) -> Expected:
        found, state, is_told, seen = cls(), "OK", False, Seen(number, host)
        for minute, one in enumerate(told, 1):
            fresh = next_state(number, state, *seen.look(minute, one))
            if fresh != state and minute > 1:
                found.changes.append((minute, fresh))
                is_wanted = is_told if fresh == "OK" else fresh != "No Data" or number == GONE
                if is_wanted:
                    found.told.append((minute, fresh))
                is_told = fresh != "OK" and (is_told or is_wanted)
            state = fresh
            found.states.append(state)
        return found


def groups_of(number: int) -> list[tuple[Group, str | None]]:
    if number in (NAMED, BUSY):
        return [((("command", "nginx"),), None)]
    return [((), None)] if number in (MANY, FEW, CROWD) else [((("host", host),), host) for host in HOSTS]


def short(transitions: Sequence[Transition], group: Group) -> list[tuple[int, str]]:
    return sorted({((one.at - MINUTE) // 60, str(one.state)) for one in transitions if one.group == group})


def check_sent(house: House) -> None:
    """Nothing is sent twice under another cycle key, and of each alert the recovery has the key of its beginning."""
    keys: dict[tuple[object, ...], str] = {}
    for one in house.sink.taken:
        place = (one.monitor_id, one.group, one.at, one.kind, one.state)
        assert keys.setdefault(place, one.cycle_key) == one.cycle_key
    cycles: dict[tuple[int, Group], str] = {}
    told = {(one.at, one.monitor_id, one.group): one for one in house.sink.taken}
    for (_, number, group), one in sorted(told.items()):
        assert cycles.setdefault((number, group), one.cycle_key) == one.cycle_key
        if str(one.state) == "OK":
            del cycles[number, group]
    kept = {(one.monitor_id, one.group, one.at, one.state) for number in QUERIES for one in house.history(number)}
    assert {(one.monitor_id, one.group, one.at, one.state) for one in house.sink.taken} <= kept
    for states in house.monitors.groups_by_monitor().values():
        assert all(not one.unsent and not one.quiet for one in states)


steps = st.lists(
    st.tuples(
        st.tuples(*(st.sampled_from([1, 1, 0, 2, None]) for _ in HOSTS)),
        st.sampled_from(["first", "second", "both", "none", "moves"]),
        st.none() | st.tuples(st.integers(1, 9), st.booleans()),
    ),
    max_size=14,
)


@pytest.fixture(scope="module", autouse=True)
def agents_have_told() -> Any:
    """What a server leaves as it was in its first two minutes has tests of its own: here each minute has one answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monitor_task, "START_SECONDS", -86400)
        yield


@given(steps)
@settings(max_examples=60, deadline=None)
def test_servers_that_are_killed_and_take_over_say_what_one_would_say(
    found: list[tuple[tuple[Told, Told], str, tuple[int, bool] | None]],
) -> None:
    house = House()

    def the_other_takes_over() -> None:
        for _ in range(3):
            house.tells((1, 1))
            house.evaluate(1)

    for counts, who, fault in found:
        house.tells(counts)
        if fault is not None:
            house.faults.writes_left, house.faults.is_after = fault
        if who == "moves":
            house.while_read = the_other_takes_over
        for index in {"first": [0], "second": [1], "both": [0, 1], "none": [], "moves": [0]}[who]:
            house.evaluate(index)
        house.while_read = None
    house.faults.writes_left = None
    for _ in range(5):
        house.tells((1, 1))
        house.evaluate(0)
        house.evaluate(1)

    for number in QUERIES:
        history = house.history(number)
        assert {one.late for one in history} <= {None}
        told = house.told[:-2] if number == DELAYED else house.told
        for group, host in groups_of(number):
            expected = Expected.of(number, told, host)
            assert short(history, group) == expected.changes
            sent = [one for one in house.sink.taken if one.monitor_id == number]
            assert short(sent, group) == expected.told
    check_sent(house)


@given(
    cut_off=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 1, 2])), min_size=2, max_size=12),
    other=st.lists(st.sampled_from([0, 1, 1, 2]), min_size=12, max_size=12),
    restarted=st.none() | st.integers(0, 11),
)
@settings(max_examples=40, deadline=None)
def test_what_comes_late_makes_the_history_what_it_would_have_been_and_gives_no_false_alarm(
    cut_off: list[tuple[int, int]], other: list[int], restarted: int | None
) -> None:
    """web-1 tells in time, or minutes later with all that it had to tell by then."""
    house, late = House(), dict[int, int]()
    truth = list(house.told)
    for step, (delay, count) in enumerate(cut_off):
        truth.append({"web-1": count, "web-2": other[step]})
        minute = len(house.told)
        if delay and step < len(cut_off) - 1:
            late[minute] = count
            house.tells((None, other[step]))
        else:
            house.spool_comes("web-1", late)
            late = {}
            house.tells((count, other[step]))
        if restarted == step:
            house.servers[0] = house.server()
        house.evaluate(0)
    for _ in range(4):
        truth.append({"web-1": 1, "web-2": 1})
        house.tells((1, 1))
        house.evaluate(0)

    for number in QUERIES:
        known = truth[:-2] if number == DELAYED else truth
        history = house.history(number)
        for group, host in groups_of(number):
            expected = Expected.of(number, known, host)
            right = [one for one in history if one.group == group and one.late is not Late.REFUTED]
            said = dict(short(right, group))
            state, states = "OK", list[str]()
            for minute in range(1, len(known) + 1):
                state = said.get(minute, state)
                states.append(state)
            assert states == expected.states, (number, group)
            # Another server goes on with minutes that are over, and knows by then what came late.
            is_truth = number == DELAYED or restarted is not None
            seen_in_time = expected if is_truth else Expected.of(number, house.told, host)
            for one in house.sink.taken:
                if (one.monitor_id, one.group) != (number, group) or str(one.state) not in ("Alert", "OK"):
                    continue
                minute = (one.at - MINUTE) // 60 - 1
                # What web-1 had begun since it told last, where it had none of it then, nobody can know.
                is_certain = not one.reason.endswith(NOT_COUNTED)
                assert not is_certain or expected.states[minute] == str(one.state)
                assert restarted is not None or seen_in_time.states[minute] == str(one.state)
    check_sent(house)
