"""Who is there at an instant: also by what was said of ends since the snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from procession.analysis import Match, Order, Selection, Side
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import LiveNumbers, LiveSnapshot, ProcessNumbers, Sighting
from procession.storage import AnalysisStore
from procession.window import Window
from tests.storage.conftest import Store
from tests.support.builders import a_description, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.merges import merge
from tests.support.stores.oracle import OracleStore
from tests.support.stores.strategies import TURN_OF_HOUR

T = TURN_OF_HOUR - 3
"""A snapshot; what comes after it goes over the turn of an hour, and of all shorter stretches."""

LIVES = 7
LONG_AGO = T - 600


class Host:
    """What it posts, in the order of the calls."""

    def __init__(self, store: Store, org: int) -> None:
        self._store, self._org, self._number = store, org, 0
        self.analysis: AnalysisStore = OracleAnalysis(store) if isinstance(store, OracleStore) else store.analysis  # type: ignore[attr-defined]

    def snapshot(self, at: int, *pids: int, started_at: int = LONG_AGO, state: str = "S") -> None:
        self._number += 1
        found = [self._sighting(pid, started_at, state) for pid in pids]
        chunk = a_snapshot(*found, taken_at=at, request_id=self._number, split_id=self._number, chunk_count=1)
        self._store.add([(self._org, chunk)])

    def partial(self, at: int, pid: int, started_at: int, state: str = "") -> None:
        self._number += 1
        chunk = a_snapshot(self._sighting(pid, started_at, state), taken_at=at, request_id=self._number)
        self._store.add([(self._org, chunk)])

    def exit(self, at: int, pid: int, executed_at: int | None = None) -> None:
        ended = ProcessExit(pid=pid, at=at, executed_at=executed_at, exit_code=3, description=a_description())
        self._store.add_exits([(self._org, ProcessExits("web-1", (ended,)))])

    def numbers(self, at: int, pid: int, started_at: int, state: str) -> None:
        self._number += 1
        one = LiveNumbers(pid, started_at, ProcessNumbers(state=state))
        live = LiveSnapshot(host="web-1", taken_at=at, processes=(one,), request_id=self._number)
        self._store.add_live([(self._org, live)])

    def _sighting(self, pid: int, started_at: int, state: str) -> Sighting:
        return a_sighting(pid, started_at, ProcessNumbers(state=state, rss_bytes=pid))

    def pids(self, at: int) -> list[int]:
        before = self._pids(at)
        if merge(self._store):
            assert self._pids(at) == before, "a merge has changed the answer"
        return before

    def _pids(self, at: int) -> list[int]:
        page = self.analysis.instant_page(Selection(self._org), at, Order("pid"), 0, 100)
        return [one.process.identity.pid for one in page.processes]


@pytest.fixture
def host(store: Store, org: int) -> Host:
    host = Host(store, org)
    host.snapshot(T, LIVES, 8)
    return host


def test_what_exited_since_the_snapshot_is_gone(host: Host) -> None:
    host.exit(T + 4, 8)

    assert [host.pids(T + after) for after in (0, 3, 4, 9)] == [[7, 8], [7, 8], [7], [7]]


@pytest.mark.parametrize("exit_first", [False, True])
def test_what_came_and_went_since_the_snapshot_is_gone(host: Host, exit_first: bool) -> None:
    told: list[Any] = [lambda: host.partial(T + 2, 9, T + 2), lambda: host.exit(T + 4, 9, T + 2)]
    for tell in reversed(told) if exit_first else told:
        tell()

    assert [host.pids(T + after) for after in (1, 2, 3, 4, 5)] == [[7, 8], [7, 8, 9], [7, 8, 9], [7, 8], [7, 8]]


def test_an_end_that_was_told_late_counts_at_once(host: Host) -> None:
    host.partial(T + 2, 9, T + 2)
    assert host.pids(T + 6) == [7, 8, 9]

    host.exit(T + 4, 9, T + 2)

    assert host.pids(T + 6) == [7, 8]


@pytest.mark.parametrize("dead_first", [False, True])
def test_a_last_look_at_the_dead_counts_in_the_second_of_an_exec(host: Host, dead_first: bool) -> None:
    for state in ("X", "") if dead_first else ("", "X"):
        host.partial(T + 2, 9, T + 2, state)

    assert host.pids(T + 2) == [7, 8]


def test_a_last_look_at_the_dead_since_the_snapshot_counts(host: Host) -> None:
    host.partial(T + 5, 8, LONG_AGO, "X")

    assert [host.pids(T + after) for after in (4, 5, 6)] == [[7, 8], [7], [7]]


def test_live_numbers_of_the_dead_count(host: Host) -> None:
    host.numbers(T + 2, 8, LONG_AGO + 1, "S")
    host.numbers(T + 4, 8, LONG_AGO + 1, "X")
    host.numbers(T + 4, 7, LONG_AGO + 100, "X")

    assert [host.pids(T + after) for after in (3, 4, 9)] == [[7, 8], [7], [7]]


def test_a_pid_that_was_taken_again_has_its_last_process(host: Host) -> None:
    host.exit(T + 3, 8)
    host.partial(T + 5, 8, T + 5)

    assert [host.pids(T + after) for after in (2, 3, 4, 5, 9)] == [[7, 8], [7], [7], [7, 8], [7, 8]]
    host.exit(T + 7, 8, T + 5)
    assert [host.pids(T + after) for after in (6, 7)] == [[7, 8], [7]]
    host.partial(T + 8, 8, T + 8)
    assert [host.pids(T + after) for after in (7, 8)] == [[7], [7, 8]]


def test_a_pid_that_was_taken_in_the_second_of_an_exit_lives(host: Host) -> None:
    host.partial(T + 2, 9, T + 2)
    host.exit(T + 5, 9, T + 2)
    host.partial(T + 5, 9, T + 5)

    assert [host.pids(T + after) for after in (2, 5, 9)] == [[7, 8, 9], [7, 8, 9], [7, 8, 9]]


def test_a_pid_has_one_process_though_an_exit_was_lost(host: Host) -> None:
    host.partial(T + 5, 8, T + 5)

    assert [host.pids(T + after) for after in (4, 5)] == [[7, 8], [7, 8]]


def test_an_exit_before_the_snapshot_says_nothing_of_who_is_in_it(host: Host) -> None:
    host.exit(T - 1, 8)
    host.snapshot(T + 10, LIVES, state="")
    host.exit(T + 9, LIVES)

    assert [host.pids(T + after) for after in (0, 5, 10)] == [[7, 8], [7, 8], [7]]


@pytest.mark.parametrize("executed_at", [(None, LONG_AGO - 100), (LONG_AGO - 100, None)])
def test_exits_of_two_owners_of_a_pid_in_one_second_both_count(host: Host, executed_at: tuple[int | None, ...]) -> None:
    for one in executed_at:
        host.exit(T + 4, 8, one)

    assert [host.pids(T + after) for after in (3, 4)] == [[7, 8], [7]]


def test_a_zombie_is_there_until_it_is_gone(host: Host) -> None:
    host.exit(T + 9, 8)
    host.snapshot(T + 10, LIVES, 8, state="Z")

    assert [host.pids(T + after) for after in (9, 10)] == [[7], [7, 8]]


def test_an_end_is_that_of_its_host_and_org_alone(host: Host, store: Store, org: int) -> None:
    ended = ProcessExit(pid=8, at=T + 1, exit_code=0, description=a_description())
    store.add_exits([(org, ProcessExits("web-2", (ended,))), (org + 500_000, ProcessExits("web-1", (ended,)))])

    assert host.pids(T + 5) == [7, 8]


def test_all_questions_agree_on_who_is_there(host: Host, org: int) -> None:
    host.partial(T + 2, 9, T + 2)
    host.exit(T + 4, 9, T + 2)
    host.exit(T + 4, 8)
    ask, chosen, at = host.analysis, Selection(org), T + 6

    assert ask.facets(chosen, at, ["host"], 9).total == 1
    assert ask.facets(chosen, Window(T, at), ["host"], 9).total == 3
    assert ask.groups(chosen, at, "host", ("rss_bytes",), Order("value"), 9).found[0].numbers["rss_bytes"].sum == LIVES
    assert ask.hosts(chosen, at, ("rss_bytes",), Order("host"), 0, 9).found[0].processes == 1
    assert ask.points(chosen, at, "rss_bytes", "rss_bytes", None, 9).total == 1
    assert ask.host_tree(org, "web-1", at).total == 1
    assert ask.timeseries(chosen, Window(T + 1, at), None, ("rss_bytes",), "count", 1, 2).series[0].count == (2, 1)
    for match in Match:
        found = ask.compare(Side(chosen, T), Side(chosen, at), match, 9)
        assert (found.left_total, found.right_total) == (2, 1)
    found = ask.compare(Side(chosen, T), Side(chosen, at), Match.PROCESS, 9)
    assert (found.started_total, found.ended_total, found.same_total) == (0, 1, 1)
    assert ask.compare(Side(chosen, T + 3), Side(chosen, T), Match.PROCESS, 9).ended_total == 1


def test_after_a_complete_snapshot_of_no_process_nobody_is_there_and_that_is_known(host: Host, org: int) -> None:
    host.snapshot(T + 10)

    assert [host.pids(T + after) for after in (9, 10, 20)] == [[7, 8], [], []]
    for at, is_known in ((T + 10, True), (T + 70, True), (T + 71, False), (T - 1, False)):
        assert host.analysis.instant_page(Selection(org), at, Order(), 0, 9).is_known is is_known
        assert host.analysis.is_known(Selection(org), Window(at - 60, at)) is is_known


def test_a_chunk_of_no_process_is_a_part_of_its_snapshot(host: Host, store: Store, org: int) -> None:
    for number, sightings in enumerate(([], [a_sighting(LIVES, LONG_AGO)])):
        chunk = a_snapshot(*sightings, taken_at=T + 10, request_id=50 + number, split_id=50, chunk_count=2)
        store.add([(org, chunk)])
        assert host.pids(T + 10) == ([7, 8] if number == 0 else [7])
