"""Monitors whose search asks how processes ended, over rows that a store has: in its live table, and in its history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.monitors.evaluation import Moment
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.observing.grouping import TooMuch
from procession.monitors.observing.host_facts import KnownHosts
from procession.monitors.observing.observer import Observer
from procession.monitors.query import parse_monitor_query
from procession.monitors.transition import Transition
from procession.process import ExitFacts, Sighting
from procession.server.runtime.monitor_task import MonitorTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import Clock
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.folders import quick_folder
from tests.support.stores.monitors_oracle import OracleMonitors
from tests.support.stores.oracle import OracleStore

ORG, QUIET_ORG = 1, 2
MINUTE = NOON // 60 * 60
YEARS = 30 * 365 * 24


def a_worker(pid: int, started_at: int = MINUTE - 9000) -> Sighting:
    return a_sighting(pid, started_at, command=f"worker{pid % 2}", cmdline=f"worker {pid}", exe="", user="shop")


def init() -> Sighting:
    return a_sighting(1, MINUTE - 9000, command="init", cmdline="init", exe="", user="root")


def an_exit(pid: int, at: int, *, code: int = 137, oom: bool | None = True) -> ProcessExit:
    description = a_worker(pid).description
    return ProcessExit(pid=pid, at=at, exit_code=code, description=description, facts=ExitFacts(oom, "/shop"))


@dataclass
class House:
    """Hosts that tell the store and the oracle the same, and a monitor that is evaluated over the store."""

    store: EmbeddedStore
    clock: Clock
    org_id: int = ORG
    oracle: OracleStore = field(default_factory=OracleStore)
    monitors: OracleMonitors = field(default_factory=OracleMonitors)
    taken: list[Transition] = field(default_factory=list)

    def put(self, transitions: Sequence[Transition]) -> None:
        self.taken += transitions

    def server(self, query: str) -> MonitorTask:
        body = {"type": "process alert", "name": "a", "query": query, "options": {"new_group_delay": 0}}
        made_at = (self.clock.now - 3600) * 1_000_000
        monitor = new_monitor(self.org_id, 7, body, creator=Creator(1, "", "", ""), changed_by="", now_us=made_at)
        self.monitors.put_monitor(monitor)
        store = self.store
        threads = ThreadPool(1, "monitors")
        return MonitorTask(
            self.monitors, store, store.analysis, store.hosts, self, threads, self.clock, is_only_server=True
        )

    def minute(self, *exits: ProcessExit, **hosts: list[Sighting]) -> None:
        """What each host tells until the next minute; `exits` are of web-1, which has no such process afterwards."""
        for taken_at in range(self.clock.now, self.clock.now + 60, 10):
            for name, sightings in hosts.items():
                host = name.replace("_", "-")
                gone = {one.pid for one in exits if one.at <= taken_at and host == "web-1"}
                left = [one for one in sightings if one.pid not in gone]
                snapshot = a_snapshot(*left, host=host, taken_at=taken_at, chunk_count=1)
                for one in (self.store, self.oracle):
                    one.add([(self.org_id, snapshot)])
        if exits:
            for one in (self.store, self.oracle):
                one.add_exits([(self.org_id, ProcessExits("web-1", exits))])
        self.clock.now += 60


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Six minutes of two hosts. On web-1 4 was killed for want of memory, 5 was killed otherwise, 6 failed, and 7 began
    in the fourth minute and failed in it."""
    with quick_folder(Path(tmp_path_factory.mktemp("store"))) as folder:
        clock = Clock(MINUTE)
        store = opened(folder, clock)
        house = House(store, clock)
        everybody = [init(), *(a_worker(pid) for pid in (3, 4, 5, 6))]
        began = a_worker(7, MINUTE + 181)
        house.minute(web_1=everybody, web_2=everybody)
        house.minute(an_exit(4, MINUTE + 75), web_1=everybody, web_2=everybody)
        everybody.pop(2)
        house.minute(
            an_exit(5, MINUTE + 135, oom=False), an_exit(6, MINUTE + 155, code=1, oom=False), web_1=everybody, web_2=[]
        )
        house.minute(an_exit(7, MINUTE + 225, code=1, oom=None), web_1=[init(), a_worker(3), began], web_2=[init()])
        house.minute(web_1=[init(), a_worker(3)], web_2=[init()])
        house.minute(web_1=[init(), a_worker(3)], web_2=[init()])
        yield house
        store.close()


def opened(folder: Path, clock: Clock) -> EmbeddedStore:
    return open_embedded(
        folder,
        retention_hours=YEARS,
        sighting_retention_hours=YEARS,
        live_retention_hours=YEARS,
        now=clock,
        forced_seconds=0,
    )


def of(search: str, rest: str) -> str:
    return f"processes('{search}').language('procession').{rest} > 0"


QUERIES = [
    of(search, rest)
    for search in (
        "ended:oom",
        "worker ended:true !ended:oom",
        "exit_code:1",
        "signal:KILL",
        "lifetime<5m",
        "ended:false",
    )
    for rest in (
        "rollup('count').last('6m')",
        "by('host').rollup('count').last('6m')",
        "by('host','command').rollup('count').last('3m')",
        "by('cmdline').rollup('count').last('6m')",
        "by('host').rollup('starts').last('3m')",
    )
]


@pytest.mark.parametrize("at", [MINUTE + 360, MINUTE + 180], ids=["now", "past"])
@pytest.mark.parametrize("text", QUERIES)
def test_the_store_and_the_oracle_see_the_same(told: House, text: str, at: int) -> None:
    query, moment = parse_monitor_query(text), Moment(at, at)
    expected = Observer(told.oracle, OracleAnalysis(told.oracle), KnownHosts(told.oracle), ORG, moment)
    told.store.flush()
    history = told.store.history
    assert isinstance(history, ClickHouseStore)

    for store in (told.store, history):
        seen = Observer(store, store.analysis, KnownHosts(store.hosts), ORG, moment)
        assert seen.values(query) == expected.values(query)
        for group in list(expected.values(query))[:3]:
            assert seen.behind(query, group) == expected.behind(query, group)
            assert seen.last_seen(query, group, at - 360) == expected.last_seen(query, group, at - 360)


def test_what_was_killed_for_want_of_memory_is_counted_and_named(told: House) -> None:
    moment = Moment(MINUTE + 360, MINUTE + 360)
    observer = Observer(told.store, told.store.analysis, KnownHosts(told.store.hosts), ORG, moment)

    def values(search: str) -> dict[str, float]:
        query = parse_monitor_query(of(search, "by('host').rollup('count').last('6m')"))
        return {group[0][1]: value for group, value in observer.values(query).items()}

    oom = parse_monitor_query(of("ended:oom", "by('host').rollup('count').last('6m')"))
    assert values("ended:oom") == {"web-1": 1}
    assert values("exit_code:1") == {"web-1": 2}
    assert observer.behind(oom, (("host", "web-1"),)) == ("worker0 (pid 4 on web-1, exit code 137, OOM-killed)",)


def test_the_groups_of_such_a_monitor_are_those_that_run_what_may_end_so(told: House) -> None:
    moment = Moment(MINUTE + 120, MINUTE + 120)
    observer = Observer(told.store, told.store.analysis, KnownHosts(told.store.hosts), ORG, moment)
    query = parse_monitor_query(of("worker ended:oom", "by('host').rollup('count').last('2m')"))

    assert observer.groups_seen(query, 120) == {(("host", "web-1"),), (("host", "web-2"),)}


def test_a_monitor_alerts_when_the_kernel_kills_for_want_of_memory_and_recovers(told: House) -> None:
    house = House(told.store, told.clock, QUIET_ORG)
    begin = house.clock.now
    server = house.server(of("ended:oom", "by('host').rollup('count').last('2m')"))
    running: dict[str, Any] = {"web_1": [init(), a_worker(4), a_worker(5)], "web_2": [init(), a_worker(4)]}
    kinds = []
    for exits in ((), (an_exit(5, begin + 61, oom=False),), (an_exit(4, begin + 155),), (), (), ()):
        house.minute(*exits, **running)
        gone = {one.pid for one in exits}
        running["web_1"] = [one for one in running["web_1"] if one.pid not in gone]
        server.evaluate()
        kinds.append([(str(one.kind), dict(one.group)["host"]) for one in house.taken])

    assert kinds == [[], [], [("triggered", "web-1")], [("triggered", "web-1")], *[TRIGGERED_AND_RECOVERED] * 2]
    assert house.taken[0].processes == ("worker0 (pid 4 on web-1, exit code 137, OOM-killed)",)


TRIGGERED_AND_RECOVERED = [("triggered", "web-1"), ("recovered", "web-1")]


def test_what_would_be_listed_without_end_is_too_much(told: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("procession.monitors.observing.observer.MAX_LISTED", 1)
    moment = Moment(MINUTE + 360, MINUTE + 360)
    observer = Observer(told.store, told.store.analysis, KnownHosts(told.store.hosts), ORG, moment)

    with pytest.raises(TooMuch, match="more than 1 processes one by one"):
        observer.values(parse_monitor_query(of("ended:true", "by('cmdline').rollup('count').last('6m')")))
