from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from procession.monitors.evaluation import Moment, Rules
from procession.monitors.evaluator import Evaluation
from procession.monitors.group_state import Group, GroupState
from procession.monitors.late.replay import Replayed, replay
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.observing.host_facts import KnownHosts
from procession.monitors.observing.observer import Observer
from procession.monitors.transition import Transition
from procession.process import Sighting
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

MINUTE = NOON // 60 * 60
INIT = a_sighting(1, command="init", cmdline="init", exe="")
NGINX = a_sighting(2)


@dataclass
class Fleet:
    """Hosts and one monitor of them, evaluated each minute."""

    query: str
    store: OracleStore = field(default_factory=OracleStore)
    states: dict[Group, GroupState] = field(default_factory=dict)
    happened: list[Transition] = field(default_factory=list)

    @property
    def rules(self) -> Rules:
        body: dict[str, Any] = {"type": "process alert", "query": self.query, "options": {"new_group_delay": 0}}
        return Rules.of(new_monitor(1, 7, body, creator=Creator(1, "", "", ""), changed_by="", now_us=0))

    def observer(self, at: int) -> Observer:
        return Observer(self.store, OracleAnalysis(self.store), KnownHosts(self.store), 1, Moment(at, at))

    def tells(self, minute: int, host: str, *sightings: Sighting, ago: int = 5) -> None:
        taken_at = MINUTE + 60 * minute - ago
        self.store.add([(1, a_snapshot(INIT, *sightings, host=host, taken_at=taken_at, chunk_count=1))])

    def evaluate(self, minute: int) -> None:
        outcome = Evaluation(self.rules, self.states, self.observer(MINUTE + 60 * minute)).run()
        self.happened += (one for state in outcome.changed for one in (*state.unsent, *state.quiet))
        told = outcome.states.items()
        self.states = {group: msgspec.structs.replace(one, unsent=(), quiet=()) for group, one in told}

    def again(self, minutes: Iterable[int], *hosts: str) -> Replayed:
        moments = [MINUTE + 60 * minute for minute in minutes]
        return replay(self.rules, self.states, self.happened, moments, frozenset(hosts), self.observer)


def short(transitions: Iterable[Transition]) -> list[tuple[str, int, str, str]]:
    return [
        (dict(one.group).get("host", "*"), (one.at - MINUTE) // 60, str(one.state), str(one.late))
        for one in transitions
    ]


def test_groups_of_hosts_that_told_in_time_are_left_as_they_are() -> None:
    fleet = Fleet("processes('nginx').by('host').rollup('count_now') < 1")
    for host in ("web-1", "web-2"):
        fleet.tells(1, host, NGINX)
    fleet.evaluate(1)
    fleet.tells(2, "web-2")
    fleet.evaluate(2)
    fleet.tells(3, "web-2", NGINX)
    fleet.evaluate(3)
    for host in ("web-1", "web-2"):  # of both there is more now; only of one of them it is late
        fleet.tells(2, host, NGINX, ago=3)
    said = [("web-1", 2, "No Data", "None"), ("web-2", 2, "Alert", "None"), ("web-2", 3, "OK", "None")]
    assert sorted(short(fleet.happened)) == said

    assert short(fleet.again([2, 3], "web-1").transitions) == [
        ("web-1", 2, "No Data", "refuted"),
        ("web-1", 3, "No Data", "added"),  # it told of no third minute
    ]


def test_an_alert_that_only_lacked_a_silent_host_is_refuted() -> None:
    fleet = Fleet("processes('nginx').rollup('count_now') < 2")
    for host in ("web-1", "web-2"):
        fleet.tells(1, host, NGINX)
    fleet.evaluate(1)
    fleet.tells(2, "web-2", NGINX)
    fleet.evaluate(2)
    assert short(fleet.happened) == [("*", 2, "Alert", "None")]

    fleet.tells(2, "web-1", NGINX)
    assert short(fleet.again([2], "web-1").transitions) == [("*", 2, "Alert", "refuted")]


def test_what_was_marked_before_is_not_marked_again_and_who_has_no_time_marks_nothing() -> None:
    fleet = Fleet("processes('nginx').rollup('count_now') < 2")
    fleet.tells(1, "web-1", NGINX)
    fleet.tells(1, "web-2", NGINX)
    fleet.evaluate(1)
    fleet.tells(2, "web-2", NGINX)
    fleet.evaluate(2)
    fleet.tells(2, "web-1", NGINX)

    moments = [MINUTE + 120]
    assert replay(fleet.rules, fleet.states, fleet.happened, moments, frozenset(), fleet.observer, lambda: False) == (
        Replayed((), ())
    )
    fleet.happened = list(fleet.again([2], "web-1").transitions)
    assert fleet.again([2], "web-1") == Replayed((), ())
