from __future__ import annotations

import pytest

from procession.errors import InvalidRequest
from procession.monitors import backtest
from procession.monitors.backtest import MAX_STEPS, run_backtest
from procession.monitors.evaluation import Rules
from procession.monitors.host_facts import KnownHosts
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.observer import Observer
from procession.monitors.transition import State
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

MINUTE = NOON // 60 * 60


def rules() -> Rules:
    body = {"type": "process alert", "name": "a", "query": "processes('nginx').rollup('count_now') > 1"}
    return Rules.of(new_monitor(1, 7, body, creator=Creator(1, "", "", ""), changed_by="", now_us=0))


def test_a_monitor_is_run_over_what_was_and_says_when_it_would_have_fired() -> None:
    store = OracleStore()
    for minute in range(10):
        count = 2 if minute in (3, 4, 8) else 1
        nginx = [a_sighting(pid, command="nginx", started_at=MINUTE - 9) for pid in range(1, count + 1)]
        store.add([(1, a_snapshot(*nginx, taken_at=MINUTE + 60 * minute, chunk_count=1))])
    analysis = OracleAnalysis(store)

    found = run_backtest(
        rules(), MINUTE, MINUTE + 540, lambda moment: Observer(store, analysis, KnownHosts(store), 1, moment)
    )

    alerts = [(one.at - MINUTE) // 60 for one in found.transitions if one.state is State.ALERT]
    assert (found.step_seconds, alerts) == (60, [3, 8])
    assert found.transitions[0].processes == ("nginx (pid 1 on web-1)", "nginx (pid 2 on web-1)")


def test_over_days_the_steps_are_longer_and_never_more_than_is_said() -> None:
    moments = []
    store = OracleStore()
    analysis = OracleAnalysis(store)

    def observer(moment: object) -> Observer:
        moments.append(moment)
        return Observer(store, analysis, KnownHosts(store), 1, moment)  # type: ignore[arg-type]

    found = run_backtest(rules(), MINUTE - 3 * 86400, MINUTE, observer)

    assert found.step_seconds == 900
    assert len(moments) == MAX_STEPS + 1


def test_what_takes_too_long_ends_and_says_so() -> None:
    store = OracleStore()
    analysis = OracleAnalysis(store)
    moments: list[object] = []

    def observer(moment: object) -> Observer:
        moments.append(moment)
        return Observer(store, analysis, KnownHosts(store), 1, moment)  # type: ignore[arg-type]

    with pytest.raises(InvalidRequest, match="takes too long"):
        run_backtest(rules(), MINUTE, MINUTE + 600, observer, lambda: len(moments) == 3)

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
            rules(), MINUTE, end, lambda moment: Observer(store, analysis, KnownHosts(store), 1, moment)
        )
        return len(found.transitions)

    assert run(2) == 2
    with pytest.raises(InvalidRequest, match="more than 2 times"):
        run(3)
