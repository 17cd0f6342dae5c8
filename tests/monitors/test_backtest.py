from __future__ import annotations

from collections.abc import Callable

import pytest

from procession.analysis import Selection
from procession.errors import InvalidRequest
from procession.monitors import backtest
from procession.monitors.backtest import MAX_STEPS, Backtest, run_backtest
from procession.monitors.evaluation import Moment, Rules
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.observing.host_facts import KnownHosts
from procession.monitors.observing.observer import Observer, Unheard
from procession.monitors.transition import State
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

MINUTE = NOON // 60 * 60


def rules() -> Rules:
    body = {"type": "process alert", "name": "a", "query": "processes('nginx').rollup('count_now') > 1"}
    return Rules.of(new_monitor(1, 7, body, creator=Creator(1, "", "", ""), changed_by="", now_us=0))


def always(_: Window) -> bool:
    return True


def test_a_monitor_is_run_over_what_was_and_says_when_it_would_have_fired() -> None:
    store = OracleStore()
    for minute in range(10):
        count = 2 if minute in (3, 4, 8) else 1
        nginx = [a_sighting(pid, command="nginx", started_at=MINUTE - 9) for pid in range(1, count + 1)]
        store.add([(1, a_snapshot(*nginx, taken_at=MINUTE + 60 * minute, chunk_count=1))])
    analysis = OracleAnalysis(store)

    found = run_backtest(
        rules(),
        MINUTE,
        MINUTE + 540,
        lambda *when: Observer(store, analysis, KnownHosts(store), 1, *when),
        is_known=always,
    )

    alerts = [(one.at - MINUTE) // 60 for one in found.transitions if one.state is State.ALERT]
    assert (found.step_seconds, alerts) == (60, [3, 8])
    assert found.transitions[0].processes == ("nginx (pid 1 on web-1)", "nginx (pid 2 on web-1)")


def test_the_curves_are_those_of_the_groups_that_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "MAX_CURVES", 2)
    store = OracleStore()
    for minute in range(4):
        for host, count in (("a", 1), ("b", 2), ("c", 3 if minute == 1 else 0), ("d", 1)):
            running = [a_sighting(pid, command="nginx", started_at=MINUTE - 9) for pid in range(1, count + 1)]
            init = a_sighting(99, command="init", cmdline="init", exe="", started_at=MINUTE - 9)
            taken_at = MINUTE + 60 * minute
            store.add([(1, a_snapshot(init, *running, host=host, taken_at=taken_at, chunk_count=1))])
    analysis = OracleAnalysis(store)
    body = {"type": "process alert", "query": "processes('nginx').by('host').rollup('count_now') > 2"}
    options = {"options": {"new_host_delay": 0}}
    monitor = new_monitor(1, 7, body | options, creator=Creator(1, "", "", ""), changed_by="", now_us=0)

    found = run_backtest(
        Rules.of(monitor),
        MINUTE,
        MINUTE + 180,
        lambda *when: Observer(store, analysis, KnownHosts(store), 1, *when),
        is_known=always,
    )

    assert found.times == (MINUTE, MINUTE + 60, MINUTE + 120, MINUTE + 180)
    assert [(one.group, one.values) for one in found.curves] == [
        ((("host", "c"),), (None, 3, 0, 0)),
        ((("host", "b"),), (2, 2, 2, 2)),
    ]


def test_over_days_the_steps_are_longer_and_never_more_than_is_said() -> None:
    moments = []
    store = OracleStore()
    analysis = OracleAnalysis(store)

    def observer(moment: Moment, unheard: Unheard) -> Observer:
        moments.append(moment)
        return Observer(store, analysis, KnownHosts(store), 1, moment, unheard)

    found = run_backtest(rules(), MINUTE - 3 * 86400, MINUTE, observer, is_known=always)

    assert found.step_seconds == 900
    assert len(moments) == MAX_STEPS + 1


def test_processes_are_named_for_the_first_changes_and_the_others_are_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = OracleStore()
    for minute in range(9):
        nginx = [a_sighting(7, command="nginx", started_at=MINUTE - 9)] if minute % 2 == 0 else []
        init = a_sighting(99, command="init", cmdline="init", exe="", started_at=MINUTE - 9)
        store.add([(1, a_snapshot(init, *nginx, taken_at=MINUTE + 60 * minute, chunk_count=1))])
    analysis = OracleAnalysis(store)
    body = {"type": "process alert", "query": "processes('nginx').by('host').rollup('count_now') < 1"}
    options = {"options": {"new_host_delay": 0}}
    gone = Rules.of(new_monitor(1, 7, body | options, creator=Creator(1, "", "", ""), changed_by="", now_us=0))

    def run() -> Backtest:
        return run_backtest(
            gone,
            MINUTE,
            MINUTE + 480,
            lambda *when: Observer(store, analysis, KnownHosts(store), 1, *when),
            is_known=always,
        )

    of_all = run().transitions
    monkeypatch.setattr(backtest, "MAX_NAMED", 3)
    found = run().transitions

    assert [(one.at, one.kind, one.state, one.reason) for one in found] == [
        (one.at, one.kind, one.state, one.reason) for one in of_all
    ]
    assert all(one.processes for one in of_all if one.state is State.ALERT)
    assert [bool(one.processes) for one in found if one.state is State.ALERT] == [True, True, False, False]


@pytest.mark.parametrize("is_grouped", [False, True])
def test_of_the_time_before_anything_was_known_one_instant_is_evaluated(*, is_grouped: bool) -> None:
    store = OracleStore()
    for minute in range(5):
        nginx = [a_sighting(7, command="nginx", started_at=MINUTE - 9)] if minute < 3 else []
        init = a_sighting(99, command="init", cmdline="init", exe="", started_at=MINUTE - 9)
        store.add([(1, a_snapshot(init, *nginx, taken_at=MINUTE + 60 * minute, chunk_count=1))])
    analysis = OracleAnalysis(store)
    by = ".by('host')" if is_grouped else ""
    body = {"type": "process alert", "query": f"processes('nginx'){by}.rollup('count_now') < 1"}
    options = {"options": {"new_host_delay": 0}}
    gone = Rules.of(new_monitor(1, 7, body | options, creator=Creator(1, "", "", ""), changed_by="", now_us=0))
    moments: list[int] = []

    def observer(moment: Moment, unheard: Unheard) -> Observer:
        moments.append(moment.at)
        return Observer(store, analysis, KnownHosts(store), 1, moment, unheard)

    def run(from_at: int, is_known: Callable[[Window], bool]) -> Backtest:
        return run_backtest(gone, from_at, MINUTE + 240, observer, is_known=is_known)

    found = run(MINUTE - 3600, lambda window: analysis.is_known(Selection(1), window))

    assert moments == list(range(MINUTE - 60, MINUTE + 241, 60))
    assert found.times[0] == MINUTE - 3600
    (curve,) = found.curves
    assert curve.values == (*[None] * 60, 1, 1, 1, 0, 0)
    whole = run(MINUTE - 3600, always)
    assert whole.curves == found.curves
    changes = [[(one.state, one.at) for one in each.transitions if one.at >= MINUTE] for each in (found, whole)]
    assert changes[0] == changes[1]
    assert changes[0][-1] == (State.ALERT, MINUTE + 180)


def test_what_takes_too_long_ends_and_says_so() -> None:
    store = OracleStore()
    analysis = OracleAnalysis(store)
    moments: list[object] = []

    def observer(moment: Moment, unheard: Unheard) -> Observer:
        moments.append(moment)
        return Observer(store, analysis, KnownHosts(store), 1, moment, unheard)

    with pytest.raises(InvalidRequest, match="takes too long"):
        run_backtest(rules(), MINUTE, MINUTE + 600, observer, lambda: len(moments) == 3, is_known=always)

    assert len(moments) == 3


def test_more_changes_than_anybody_reads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "MAX_TRANSITIONS", 2)
    store = OracleStore()
    for minute in range(5):
        nginx = [a_sighting(pid, command="nginx", started_at=MINUTE - 9) for pid in range(1, 2 + minute % 2)]
        store.add([(1, a_snapshot(*nginx, taken_at=MINUTE + 60 * minute, chunk_count=1))])
    analysis = OracleAnalysis(store)

    def run(minutes: int) -> int:
        end = MINUTE + 60 * minutes
        found = run_backtest(
            rules(), MINUTE, end, lambda *when: Observer(store, analysis, KnownHosts(store), 1, *when), is_known=always
        )
        return len(found.transitions)

    assert run(2) == 2
    with pytest.raises(InvalidRequest, match="more than 2 times"):
        run(3)


def test_a_silent_host_is_no_alert_of_the_past_either() -> None:
    store = OracleStore()
    for minute in range(6):
        for host in ("web-1", "web-2") if minute not in (2, 3) else ("web-1",):
            taken_at = MINUTE + 60 * minute
            store.add([(1, a_snapshot(a_sighting(7, command="nginx"), host=host, taken_at=taken_at, chunk_count=1))])
    analysis = OracleAnalysis(store)
    body = {"type": "process alert", "query": "processes('nginx').rollup('count_now') < 2"}
    few = Rules.of(new_monitor(1, 7, body, creator=Creator(1, "", "", ""), changed_by="", now_us=0))

    found = run_backtest(
        few, MINUTE, MINUTE + 300, lambda *when: Observer(store, analysis, KnownHosts(store), 1, *when), is_known=always
    )

    assert [((one.at - MINUTE) // 60, str(one.state)) for one in found.transitions] == [(3, "No Data"), (4, "OK")]
