"""Monitors, the states of their groups and their transitions, in the tables and in the oracle."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import msgspec
import pytest

from procession.monitors.group_state import GroupState
from procession.monitors.late.silences import Silence
from procession.monitors.lease import EvaluationLease
from procession.monitors.monitor import Creator, Monitor, new_monitor
from procession.monitors.transition import Late, State, Transition, TransitionKind
from procession.storage import MonitorStore
from procession.storage.accounts.tables import AccountTables
from procession.storage.monitors import monitors as stored
from procession.storage.monitors.monitors import ClickHouseMonitors
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON
from tests.support.stores.monitors_oracle import OracleMonitors

ORG, OTHER_ORG = 8801, 8802
HOSTILE = "a\\'\"`{x:String}\n\t,\u2028:é"


@pytest.fixture(params=["oracle", "clickhouse", "server_store", "cluster_store"])
def store(request: pytest.FixtureRequest) -> MonitorStore:
    if request.param == "oracle":
        return OracleMonitors()
    clickhouse: ClickHouseStore = request.getfixturevalue(request.param)
    for org in (ORG, OTHER_ORG):
        for monitor in clickhouse.monitors.monitors(org):
            clickhouse.monitors.delete_monitor(org, monitor.id)
    return clickhouse.monitors


def a_monitor(monitor_id: int, org_id: int = ORG, name: str = "a") -> Monitor:
    body = {"type": "process alert", "name": name, "query": "processes('a').by('host').rollup('count').last('5m') < 1"}
    creator = Creator(7, "terraform", "terraform", "")
    return new_monitor(org_id, monitor_id, body, creator=creator, changed_by="k", now_us=NOON * 1_000_000)


def a_transition(monitor: Monitor, at: int, host: str = "web-1") -> Transition:
    return Transition(
        org_id=monitor.org_id,
        monitor_id=monitor.id,
        monitor_name=monitor.name,
        message="gone @webhook-x",
        tags=("a",),
        priority=None,
        query=monitor.query_text,
        group=(("host", host),),
        previous=State.OK,
        state=State.ALERT,
        at=at,
        value=0.0,
        threshold=1.0,
        warn_threshold=None,
        reason="process gone",
        processes=("nginx (pid 12 on web-1, exit code 137)",),
        cycle_key="c",
        kind=TransitionKind.TRIGGERED,
    )


def test_monitors_are_kept_changed_and_deleted(store: MonitorStore) -> None:
    store.put_monitor(a_monitor(2))
    store.put_monitor(a_monitor(1, name=HOSTILE))
    store.put_monitor(a_monitor(2, name="b"))
    store.put_monitor(a_monitor(3, OTHER_ORG))

    assert store.monitors(ORG) == (a_monitor(1, name=HOSTILE), a_monitor(2, name="b"))

    store.delete_monitor(ORG, 1)
    store.delete_monitor(ORG, 99)
    assert store.monitors(ORG) == (a_monitor(2, name="b"),)
    assert store.monitors(OTHER_ORG) == (a_monitor(3, OTHER_ORG),)


def test_states_of_groups_are_kept_with_what_was_not_sent_and_go_with_the_monitor(store: MonitorStore) -> None:
    monitor = a_monitor(4)
    store.put_monitor(monitor)
    states = [
        GroupState(group=(("host", HOSTILE), ("command", "x")), hosts=("h",), unsent=(a_transition(monitor, NOON),)),
        GroupState(group=(("host", "web-1"),), state=State.ALERT, since=NOON, cycle_key="c", value=0.5),
    ]
    store.put_groups(ORG, 4, states)
    store.put_groups(ORG, 4, [GroupState(group=(("host", "web-1"),), state=State.NO_DATA)])
    store.put_groups(ORG, 5, [GroupState(group=())])

    found = store.groups_by_monitor(ORG, 4)

    assert set(found) == {(ORG, 4)}
    assert set(found[ORG, 4]) == {states[0], GroupState(group=(("host", "web-1"),), state=State.NO_DATA)}
    assert store.groups_by_monitor(ORG)[ORG, 5] == (GroupState(group=()),)
    assert store.groups_by_monitor(OTHER_ORG) == {}

    store.drop_groups(ORG, 4, [states[0].group])
    assert store.groups_by_monitor(ORG, 4)[ORG, 4] == (GroupState(group=(("host", "web-1"),), state=State.NO_DATA),)
    store.delete_monitor(ORG, 4)
    assert store.groups_by_monitor(ORG, 4) == {}
    store.drop_groups(ORG, 5, [()])


def test_the_same_transition_is_kept_once_and_the_newest_comes_first(store: MonitorStore) -> None:
    monitor = a_monitor(6)
    for _ in range(2):
        store.put_transitions([a_transition(monitor, NOON), a_transition(monitor, NOON + 60)])
    store.put_transitions([a_transition(a_monitor(7), NOON + 30), a_transition(a_monitor(8, OTHER_ORG), NOON)])

    def moments(limit: int, monitor_id: int | None = None, until: int = NOON + 100) -> list[tuple[int, int]]:
        found = store.transitions(ORG, Window(NOON, until), limit, monitor_id)
        return [(one.monitor_id, one.at - NOON) for one in found]

    assert moments(10) == [(6, 60), (7, 30), (6, 0)]
    assert moments(1) == [(6, 60)]
    assert moments(10, 6) == [(6, 60), (6, 0)]
    assert moments(10, until=NOON + 59) == [(7, 30), (6, 0)]
    assert store.transitions(ORG, Window(NOON, NOON), 1) == (a_transition(monitor, NOON),)
    for ids, expected in (({6, 8}, [60, 0]), ({7}, [30]), ({6, 7}, [60, 30, 0]), ((), [])):
        found = store.transitions(ORG, Window(NOON, NOON + 100), 10, among=ids)
        assert [one.at - NOON for one in found] == expected


def test_a_lease_is_replaced_by_its_owner(store: MonitorStore) -> None:
    now = int(time.time())  # the tables keep leases for a day
    store.put_lease(EvaluationLease("a", 1, now, 0))
    store.put_lease(EvaluationLease("b", 2, now, 60))
    store.put_lease(EvaluationLease("a", 1, now + 90, 120))

    assert set(store.leases()) == {EvaluationLease("a", 1, now + 90, 120), EvaluationLease("b", 2, now, 60)}


def test_what_is_longer_than_a_parameter_may_be_is_kept_whole(store: MonitorStore) -> None:
    """A server takes 128 KiB, and an address counts some characters thrice."""
    long = HOSTILE * 20_000
    monitor = dataclasses.replace(a_monitor(10), message=long)
    processes = tuple(f"{HOSTILE} (pid {number} on web-1)" for number in range(20_000))
    transition = dataclasses.replace(a_transition(monitor, NOON), processes=processes)
    state = GroupState(group=(("host", "web-1"),), processes=processes, unsent=(transition,))

    store.put_monitor(monitor)
    store.put_groups(ORG, 10, [GroupState(group=(("host", "a"),)), state, GroupState(group=(("host", "z"),))])
    store.put_transitions([transition, a_transition(a_monitor(11), NOON)])

    assert store.monitors(ORG) == (monitor,)
    assert state in store.groups_by_monitor(ORG, 10)[ORG, 10]
    assert len(store.groups_by_monitor(ORG, 10)[ORG, 10]) == 3
    assert store.transitions(ORG, Window(NOON, NOON), 5, 10) == (transition,)
    store.delete_monitor(ORG, 10)


class RecordingTables(AccountTables):
    """Takes every insert."""

    def __init__(self) -> None:
        self.written: list[tuple[str, dict[str, Any]]] = []
        self.inserted: list[tuple[str, Any]] = []

    def write(self, text: str, parameters: dict[str, Any]) -> None:
        self.written.append((text, parameters))

    def insert(self, table: str, rows: Any) -> None:
        self.inserted.append((table, rows))


def test_no_insert_is_larger_than_a_server_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_INSERTED_BYTES", 512 * 1024)
    tables = RecordingTables()
    monitors = ClickHouseMonitors(tables)
    monitor = dataclasses.replace(a_monitor(9), name="\\" * 5_000)
    told = [dataclasses.replace(a_transition(monitor, NOON + number), message="'" * 2_000) for number in range(100)]
    states = [GroupState(group=(("host", f"web-{number}"),), unsent=(one,)) for number, one in enumerate(told)]

    monitors.put_groups(ORG, 9, states)
    monitors.put_transitions(told)
    monitors.drop_groups(ORG, 9, [(("cmdline", "x" * 4096 + str(number)),) for number in range(200)])

    lists = [value for _, parameters in tables.written for value in parameters.values() if isinstance(value, list)]
    assert max(len(str(value)) for value in lists) < 128 * 1024
    texts = [text for _, rows in tables.inserted for text in rows.column("state").to_pylist() if text]
    assert [msgspec.json.decode(text, type=GroupState) for text in texts] == states
    assert len(tables.inserted) > 3
    assert max(rows.nbytes for _, rows in tables.inserted) < 600 * 1024
    kept = [text for _, parameters in tables.written for text in parameters.get("transition", [])]
    assert [msgspec.json.decode(text, type=Transition) for text in kept] == told


def test_silences_are_kept_until_they_are_over(store: MonitorStore) -> None:
    first, second = Silence(ORG, HOSTILE, NOON), Silence(ORG, "web-2", NOON)
    store.put_silences([first, second, Silence(OTHER_ORG, "web-2", NOON)])
    again = Silence(ORG, "web-2", NOON + 600)
    ended = dataclasses.replace(second, ended_at=NOON + 300)

    store.put_silences([ended, again])
    store.drop_silences([first, Silence(OTHER_ORG, "web-2", NOON)])

    assert [one for one in store.silences() if one.org_id in (ORG, OTHER_ORG)] == [ended, again]
    many = [Silence(ORG, f"web-{number}", NOON) for number in range(500)]
    store.put_silences(many)
    store.drop_silences([*many, ended, again])
    assert [one for one in store.silences() if one.org_id in (ORG, OTHER_ORG)] == []


def test_what_was_said_and_was_not_so_stands_beside_what_was_found_later(store: MonitorStore) -> None:
    said = a_transition(a_monitor(61), NOON)
    refuted = dataclasses.replace(said, late=Late.REFUTED)
    found = dataclasses.replace(said, state=State.WARN, late=Late.ADDED)
    store.put_transitions([said])
    for _ in range(2):
        store.put_transitions([refuted, found])

    kept = store.transitions(ORG, Window(NOON, NOON), 10, 61)

    assert sorted(kept, key=lambda one: one.state) == [refuted, found]


def test_as_many_groups_as_there_may_be_are_kept_and_dropped(store: MonitorStore) -> None:
    monitor = a_monitor(62)
    store.put_monitor(monitor)
    groups = [(("host", f"web-{number} {HOSTILE}"),) for number in range(25_001)]

    store.put_groups(ORG, 62, [GroupState(group=group, since=NOON) for group in groups])
    store.put_groups(ORG, 62, [GroupState(group=groups[-1], since=NOON + 60)])

    (found,) = store.groups_by_monitor(ORG, 62).values()
    assert {one.group: one.since for one in found} == dict.fromkeys(groups, NOON) | {groups[-1]: NOON + 60}
    store.drop_groups(ORG, 62, groups)
    assert store.groups_by_monitor(ORG, 62) == {}
