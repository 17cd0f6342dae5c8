"""Monitors over processes that come and go, on the oracle of the store: every reason, every function, every limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from procession.accounts.hosts import HostNotice, HostTags, TagSource
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.monitors import evaluator as evaluating
from procession.monitors.evaluation import Rules
from procession.monitors.evaluator import Evaluation
from procession.monitors.group_state import Group, GroupState, group_name
from procession.monitors.late.silences import Silences
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.observing import grouping
from procession.monitors.observing import observer as observing
from procession.monitors.observing.host_facts import KnownHosts
from procession.monitors.observing.observer import LastSeen, Observer
from procession.monitors.query import MonitorQuery
from procession.monitors.transition import State, Transition
from procession.process import ExitFacts, ProcessNumbers, Sighting
from tests.support.builders import NOON, a_sighting
from tests.support.builders import a_snapshot as snapshot_of
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

ORG = 1
MINUTE = NOON // 60 * 60
"""The first minute; every process of a test began before, unless it says when."""


def nginx(pid: int = 7, **fields: Any) -> Sighting:
    defaults: dict[str, Any] = {"cmdline": "nginx", "command": "nginx", "started_at": MINUTE - 9000}
    return a_sighting(pid, **(defaults | fields))


def init(started_at: int = MINUTE - 100_000) -> Sighting:
    return a_sighting(1, cmdline="/sbin/init", exe="/sbin/init", command="init", user="root", started_at=started_at)


@dataclass
class World:
    """Hosts, and one monitor that is evaluated each minute."""

    query: str
    options: dict[str, Any] = field(default_factory=dict)
    store: OracleStore = field(default_factory=OracleStore)
    states: dict[Group, GroupState] = field(default_factory=dict)
    at: int = MINUTE
    happened: list[Transition] = field(default_factory=list)
    evaluated_at: int | None = None
    found: str = ""
    silences: Silences = field(default_factory=Silences)

    def minute(self, **hosts: Iterable[Sighting] | None) -> str:
        """What each host tells for a minute; None where it says nothing. Then the monitor is evaluated, and its groups
        are stored and read. Gives the groups and their states."""
        begin, self.at = self.at, self.at + 60
        for taken_at in range(begin, self.at, 10):
            for host, sightings in hosts.items():
                if sightings is not None:
                    name = host.replace("_", "-")
                    snapshot = snapshot_of(*sightings, host=name, taken_at=taken_at, chunk_count=1)
                    self.store.add([(ORG, snapshot)])
        return self.evaluate()

    def evaluate(self) -> str:
        body = {"type": "process alert", "name": "a", "query": self.query, "options": self.options}
        monitor = new_monitor(ORG, 7, body, creator=Creator(1, "", "", ""), changed_by="", now_us=0)
        rules = Rules.of(monitor)
        analysis, moment = OracleAnalysis(self.store), rules.moment(self.at, self.at)
        observer = Observer(self.store, analysis, KnownHosts(self.store), ORG, moment, self.silences.unheard)
        outcome = Evaluation(rules, self.states, observer, evaluated_at=self.evaluated_at).run()
        self.silences.note(observer.facts())
        self.evaluated_at = observer.moment.at
        self.happened += [one for state in outcome.states.values() for one in (*state.unsent, *state.quiet)]
        self.states = {}
        for state in outcome.states.values():
            stored = msgspec.json.decode(msgspec.json.encode(state), type=GroupState)
            self.states[state.group] = msgspec.structs.replace(stored, unsent=(), quiet=())
        return "; ".join(
            f"{group_name(one.group)} {one.state}" for one in sorted(outcome.states.values(), key=str_of_group)
        )

    def reasons(self) -> dict[str, str]:
        return {group_name(one.group): one.reason for one in self.states.values() if one.reason}


def str_of_group(state: GroupState) -> str:
    return group_name(state.group)


GONE_NOW = "processes('nginx').by('host').rollup('count_now') < 1"
GONE = "processes('nginx').by('host').rollup('count').last('2m') < 1"
NO_WAIT: dict[str, Any] = {"new_group_delay": 0}


def test_a_process_that_is_gone_alerts_with_its_name_and_exit_code() -> None:
    world = World(GONE_NOW, NO_WAIT)
    assert world.minute(web_1=[init(), nginx()], web_2=[init(), nginx()]) == "host:web-1 OK; host:web-2 OK"
    exits = (ProcessExit(pid=7, at=MINUTE + 55, exit_code=137, description=nginx().description),)
    world.store.add_exits([(ORG, ProcessExits("web-1", exits))])

    assert world.minute(web_1=[init()], web_2=[init(), nginx()]) == "host:web-1 Alert; host:web-2 OK"

    (alert,) = world.happened
    assert (alert.group, alert.value, alert.reason) == ((("host", "web-1"),), 0, "process gone")
    assert alert.processes == ("nginx (pid 7 on web-1, exit code 137)",)
    assert world.minute(web_1=[init(), nginx(8)], web_2=[init(), nginx()]) == "host:web-1 OK; host:web-2 OK"
    assert world.happened[-1].cycle_key == alert.cycle_key


def test_an_alert_says_that_a_process_was_killed_for_want_of_memory() -> None:
    world = World(GONE_NOW, NO_WAIT)
    world.minute(web_1=[init(), nginx()])
    facts = ExitFacts(oom_killed=True, oom_cgroup="/shop")
    ended = ProcessExit(pid=7, at=MINUTE + 55, exit_code=137, description=nginx().description, facts=facts)
    world.store.add_exits([(ORG, ProcessExits("web-1", (ended,)))])
    world.minute(web_1=[init()])

    assert world.happened[0].processes == ("nginx (pid 7 on web-1, exit code 137, OOM-killed)",)


def test_a_count_over_a_window_is_late_by_the_window_as_at_datadog() -> None:
    world = World(GONE, NO_WAIT)
    world.minute(web_1=[init(), nginx()])

    assert world.minute(web_1=[init()]) == "host:web-1 OK"
    assert world.minute(web_1=[init()]) == "host:web-1 Alert"


def test_a_restart_counts_twice_in_a_window_as_at_datadog() -> None:
    world = World("processes('nginx').rollup('count').last('2m') > 1")
    assert world.minute(web_1=[init(), nginx(7)]) == "* OK"
    assert world.minute(web_1=[init(), nginx(8)]) == "* Alert"
    assert world.happened[0].value == 2


@pytest.mark.parametrize("query", [GONE_NOW, GONE, GONE_NOW.replace(".by('host')", "")])
def test_a_silent_agent_is_no_data_and_never_an_alert(query: str) -> None:
    world = World(query, NO_WAIT)
    world.minute(web_1=[init(), nginx()], web_2=[init()])
    for _ in range(4):
        found = world.minute(web_1=None, web_2=[init()])

    assert found in ("host:web-1 No Data", "* No Data")
    assert set(world.reasons().values()) == {"agent silent"}
    assert State.ALERT not in {one.state for one in world.happened}


def test_a_group_in_alert_stays_in_alert_through_silence_and_a_reboot_and_says_why() -> None:
    world = World(GONE_NOW, NO_WAIT)
    world.minute(web_1=[init(), nginx()], web_2=[init()])
    assert world.minute(web_1=[init()], web_2=[init()]) == "host:web-1 Alert"
    world.minute(web_1=None, web_2=[init()])
    assert world.minute(web_1=None, web_2=[init()]) == "host:web-1 Alert"
    assert world.reasons() == {"host:web-1": "agent silent"}

    booted = init(started_at=world.at - 5)
    assert world.minute(web_1=[booted], web_2=[init()]) == "host:web-1 Alert"

    assert world.reasons() == {"host:web-1": "host gone"}
    assert len(world.happened) == 1
    assert world.minute(web_1=[booted, nginx(3, started_at=world.at)], web_2=[init()]) == "host:web-1 OK"


def test_a_host_that_comes_back_without_the_process_alerts_and_says_that_it_was_away() -> None:
    world = World(GONE_NOW, NO_WAIT)
    world.minute(web_1=[init(), nginx()])
    world.minute(web_1=None)
    world.minute(web_1=None)

    assert world.minute(web_1=[init(started_at=world.at - 20)]) == "host:web-1 Alert"
    assert world.happened[-1].reason == "host gone"


def test_a_new_monitor_expects_the_groups_that_had_a_process_before() -> None:
    world = World(GONE_NOW, NO_WAIT)
    world.evaluate()
    world.states = {}
    for at in (MINUTE - 86_400, MINUTE):
        world.store.add([(ORG, snapshot_of(init(), nginx(), host="web-1", taken_at=at - 5, chunk_count=1))])
    world.at += 600

    assert world.minute(web_1=[init()]) == "host:web-1 Alert"
    assert world.happened[0].processes == ("nginx (pid 7 on web-1)",)


def test_a_group_is_expected_for_as_long_as_the_option_says() -> None:
    world = World(GONE_NOW, NO_WAIT | {"group_retention_duration": "1h"})
    world.minute(web_1=[init(), nginx()], web_2=[init(), nginx()])
    assert world.minute(web_1=[init()], web_2=[init(), nginx()]) == "host:web-1 Alert; host:web-2 OK"
    world.at += 3600

    assert world.minute(web_1=[init()], web_2=[init(), nginx()]) == "host:web-2 OK"


def test_a_monitor_over_no_process_at_all_is_about_the_hosts_that_tell() -> None:
    world = World("processes('nginx').rollup('count_now') < 1")
    assert world.minute() == "* No Data"
    assert world.minute(web_1=[init()]) == "* Alert"


def test_starts_in_a_window_tell_of_crash_loops() -> None:
    world = World("processes('nginx').by('host').rollup('starts').last('3m') > 2", NO_WAIT)
    found = [
        world.minute(web_1=[init(), nginx(number, started_at=world.at)], web_2=[init(), nginx()])
        for number in range(10, 14)
    ]

    assert found[0] == "host:web-1 OK"
    assert [one.split("; ")[0] for one in found] == ["host:web-1 OK", "host:web-1 OK"] + ["host:web-1 Alert"] * 2
    assert world.happened[0].value == 3


def test_sums_and_maxima_are_of_the_newest_snapshots() -> None:
    def heavy(pid: int, rss: int) -> Sighting:
        return nginx(pid, numbers=ProcessNumbers(rss_bytes=rss))

    total = World("processes('nginx').rollup('sum','rss_bytes') > 500")
    most = World("processes('nginx').by('host').rollup('max','rss_bytes') > 500", NO_WAIT)
    for world in (total, most):
        world.minute(web_1=[init(), heavy(7, 300), heavy(8, 200)])
        world.minute(web_1=[init(), heavy(7, 300), heavy(8, 201)])

    assert [(one.value, one.state) for one in total.happened] == [(501, State.ALERT)]
    assert most.happened == []
    assert most.minute(web_1=[init(), heavy(7, 600)]) == "host:web-1 Alert"


def test_what_is_seen_for_the_first_time_alerts_for_the_window_and_what_was_there_does_not() -> None:
    world = World("processes('').by('command').rollup('first_seen').last('2m') > 0")
    assert world.minute(web_1=[init(), nginx()]) == "command:init OK; command:nginx OK"

    miner = a_sighting(66, cmdline="xmrig", command="xmrig", started_at=world.at)
    assert "command:xmrig Alert" in world.minute(web_1=[init(), nginx(), miner])
    assert world.happened[-1].processes == ("xmrig (pid 66 on web-1)",)
    world.minute(web_1=[init(), nginx()])
    assert "command:xmrig OK" in world.minute(web_1=[init(), nginx()])
    assert "command:xmrig OK" in world.minute(web_1=[init(), miner])
    assert [one.group[0][1] for one in world.happened if one.state is State.ALERT] == ["xmrig"]


def test_several_keys_make_a_group_of_each_combination() -> None:
    world = World("processes('').by('host','command').rollup('count_now') < 1", NO_WAIT)
    world.minute(web_1=[init(), nginx()])

    assert world.minute(web_1=[init()]) == "host:web-1,command:init OK; host:web-1,command:nginx Alert"


@pytest.mark.parametrize("function", ["rollup('count').last('5m')", "rollup('count_now')"])
def test_a_monitor_of_too_many_groups_is_skipped_and_says_why(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    monkeypatch.setattr(grouping, "MAX_GROUPS", 3)
    world = World(f"processes('').by('cmdline').{function} > 5")
    few = [init(), nginx(7), nginx(8, cmdline="nginx 8")]
    assert "Skipped" not in world.minute(web_1=few)

    found = world.minute(web_1=[*few, nginx(9, cmdline="nginx 9")])

    assert "* Skipped" in found
    assert world.states[()].reason == "it has 4 groups; by cmdline there may be 3"
    world.at += 300
    assert "Skipped" not in world.minute(web_1=few)


HOSTILE = ("*", "a,host:web-2", "a'b", "x\ny", "{{#is_alert}}", "host:web-2", "\u202e", "a\\", "ключ", "A" * 300)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_process_that_names_itself_as_it_likes_is_its_own_group_and_no_other(name: str) -> None:
    world = World("processes('').by('command').rollup('count_now') < 1")
    evil = a_sighting(66, cmdline=name, command=name, started_at=MINUTE - 50)
    world.minute(web_1=[init(), nginx(), evil], web_2=[init(), nginx()])
    world.minute(web_1=[init(), nginx()], web_2=[init(), nginx()])

    (alert,) = world.happened
    assert alert.group == (("command", name),)
    (process,) = alert.processes
    assert process.isprintable()
    assert process.endswith("(pid 66 on web-1)")
    assert world.states[("command", "nginx"),].state is State.OK


def test_an_evaluation_that_is_delayed_looks_at_the_past() -> None:
    world = World(GONE_NOW, NO_WAIT | {"evaluation_delay": 61})  # two whole minutes
    world.minute(web_1=[init(), nginx()])
    world.minute(web_1=[init(), nginx()])

    assert world.minute(web_1=[init()]) == "host:web-1 OK"
    assert world.minute(web_1=[init()]) == "host:web-1 Alert"


def test_a_window_that_began_before_anything_was_known_is_not_full() -> None:
    world = World("processes('nginx').rollup('count').last('3m') < 5", {"require_full_window": True})
    assert [world.minute(web_1=[init(), nginx()]) for _ in range(4)] == ["* OK"] * 2 + ["* Alert"] * 2


class CountingObserver(Observer):
    asked: list[str]

    def booted_at(self, host: str) -> int | None:
        self.asked.append(f"boot of {host}")
        return super().booted_at(host)

    def behind(self, query: MonitorQuery, group: Group) -> tuple[str, ...]:
        self.asked.append(f"behind {group_name(group)}")
        return super().behind(query, group)

    def last_seen(self, query: MonitorQuery, group: Group, since: int) -> LastSeen:
        self.asked.append(f"last of {group_name(group)}")
        return super().last_seen(query, group, since)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is looked up host by host and group by group."""
    asked: list[str] = []
    monkeypatch.setattr(CountingObserver, "asked", asked, raising=False)
    monkeypatch.setattr(f"{__name__}.Observer", CountingObserver)
    return asked


def test_nobody_asks_when_a_silent_host_booted(asked: list[str]) -> None:
    world = World(GONE_NOW, NO_WAIT)
    world.minute(web_1=[init(), nginx()], web_2=[init(), nginx()])
    for _ in range(3):
        world.minute(web_1=None, web_2=[init()])

    assert set(asked) == {"boot of web-2", "last of host:web-1", "last of host:web-2"}
    assert world.reasons() == {"host:web-1": "agent silent", "host:web-2": "process gone"}


@pytest.mark.parametrize("by", ["host", "command"])
def test_nobody_asks_what_ran_in_a_group_that_is_well_without_it_unless_a_host_is_silent(
    by: str, asked: list[str]
) -> None:
    world = World(f"processes('nginx').by('{by}').rollup('count_now') > 5", NO_WAIT)
    world.minute(web_1=[init(), nginx()], web_2=[init()])
    world.minute(web_1=[init()], web_2=[init()])
    group = "host:web-1" if by == "host" else "command:nginx"
    assert (world.states.popitem()[1].value, world.happened) == (0, [])
    assert not [one for one in asked if one.startswith("last")]

    world = World(f"processes('nginx').by('{by}').rollup('count_now') > 5", NO_WAIT)
    world.minute(web_1=[init(), nginx()], web_2=[init()])
    world.minute(web_2=[init()])
    world.minute(web_2=[init()])
    assert f"last of {group}" in asked
    assert world.reasons() == {group: "agent silent"}
    assert [str(one.state) for one in world.happened] == ["No Data"]


def test_a_group_of_any_host_that_is_well_says_so_where_its_host_is_gone() -> None:
    query = "processes('nginx').by('command').rollup('count_now') > 5"
    shut_down, booted = World(query), World(query)
    for world in (shut_down, booted):
        world.minute(web_1=[init(), nginx()], web_2=[init()])
    say(shut_down, "web-1", interval_seconds=10, shut_down_at=shut_down.at)
    for _ in range(2):
        shut_down.minute(web_2=[init()])
    booted.minute(web_1=[init(started_at=booted.at + 5)], web_2=[init()])

    assert shut_down.reasons() == booted.reasons() == {"command:nginx": "host gone"}


def test_processes_are_named_of_so_many_groups_in_an_evaluation(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    monkeypatch.setattr(evaluating, "MAX_NAMED_GROUPS", 2)
    world = World("processes('nginx').by('host').rollup('count_now') > 1", NO_WAIT)
    world.minute(**{f"web_{number}": [init(), nginx(), nginx(8)] for number in range(5)})

    assert len(asked) == 2
    assert [len(one.processes) for one in world.happened] == [2, 2, 0, 0, 0]


def test_groups_that_could_not_be_looked_up_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("processes('').by('command').rollup('count_now') < 1")
    names = [a_sighting(pid, command=f"c{pid}", cmdline="x", started_at=MINUTE - 50) for pid in range(10, 13)]
    world.minute(web_1=[init(), *names])
    monkeypatch.setattr(evaluating, "MAX_LOOKUPS", 2)

    found = [world.minute(web_1=[init()]) for _ in range(2)]

    assert [(one.count("Alert"), one.count("OK")) for one in found] == [(2, 2), (3, 1)]
    assert State.NO_DATA not in {one.state for one in world.happened}


def test_all_groups_by_host_are_judged_at_once_however_many_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "MAX_LOOKUPS", 1)
    monkeypatch.setattr(evaluating, "MAX_BOOTS", 2)
    world, hosts = World(GONE_NOW, NO_WAIT), ["web_1", "web_2", "web_3"]
    world.minute(**{host: [init(), nginx()] for host in hosts})
    world.minute(**{host: [init(world.at + 5)] for host in hosts})

    assert [str(one.state) for one in world.happened] == ["Alert"] * 3
    assert [len(one.processes) for one in world.happened] == [1, 0, 0]
    # Nobody asked when the third came up; in time it is known of all.
    assert [one.reason for one in world.happened] == ["host gone", "host gone", "process gone"]


def test_a_group_that_is_expected_no_longer_stays_until_what_happened_to_it_was_told() -> None:
    world = World("processes('nginx').by('host').rollup('count_now') > 0", NO_WAIT | {"group_retention_duration": "1m"})
    world.minute(web_1=[init(), nginx()])
    untold = world.happened[0]
    (group,) = world.states
    world.states[group] = msgspec.structs.replace(world.states[group], unsent=(untold,))
    for _ in range(4):
        world.at += 60
    world.minute(web_1=[init()])
    assert group in world.states
    world.minute(web_1=[init()])
    assert group not in world.states


def test_a_group_is_expected_for_as_long_as_anything_is_known_of_it() -> None:
    world = World(GONE_NOW, NO_WAIT | {"group_retention_duration": "99999d"})
    world.store.add([(ORG, snapshot_of(init(), nginx(), host="web-1", taken_at=MINUTE - 5, chunk_count=1))])
    world.at += 600

    assert world.minute(web_1=[init()]) == "host:web-1 Alert"


# How a host is heard


def say(world: World, host: str, **said: int) -> None:
    world.store.put_host_notices([HostNotice(ORG, host, **said)])


def test_a_host_is_silent_after_three_of_its_own_intervals() -> None:
    world = World(GONE_NOW, NO_WAIT)
    say(world, "web-1", interval_seconds=10)
    world.minute(web_1=[init(), nginx()], web_2=[init(), nginx()])
    for host in ("web-1", "web-2"):
        world.store.add([(ORG, snapshot_of(init(), host=host, taken_at=world.at + 25, chunk_count=1))])

    # Of both, the newest snapshot is of 35 s ago.
    assert world.minute() == "host:web-1 No Data; host:web-2 Alert"
    assert world.reasons() == {"host:web-1": "agent silent", "host:web-2": "process gone"}


def test_a_host_that_is_slow_keeps_its_groups_as_they_were_until_it_is_late() -> None:
    world = World(GONE_NOW, NO_WAIT)
    say(world, "web-1", interval_seconds=120)
    world.store.add([(ORG, snapshot_of(init(), nginx(), host="web-1", taken_at=world.at + 50, chunk_count=1))])

    found = [world.minute() for _ in range(8)]

    assert found == ["host:web-1 OK"] * 6 + ["host:web-1 No Data"] * 2
    assert world.states[("host", "web-1"),].last_seen_at == MINUTE + 50


def test_a_host_that_said_that_it_is_shut_down_is_gone_and_not_silent() -> None:
    world = World(GONE_NOW, NO_WAIT)
    world.minute(web_1=[init(), nginx()], web_2=[init(), nginx()])
    say(world, "web-1", interval_seconds=10, shut_down_at=world.at)
    for _ in range(2):
        found = world.minute(web_2=[init(), nginx()])

    assert found == "host:web-1 Alert; host:web-2 OK"
    assert world.reasons() == {"host:web-1": "host gone"}
    assert world.happened[0].reason == "host gone"
    assert world.happened[0].processes == ("nginx (pid 7 on web-1)",)


def test_a_shutdown_before_the_process_was_seen_explains_nothing() -> None:
    world = World(GONE_NOW, NO_WAIT)
    say(world, "web-1", shut_down_at=world.at - 300)
    world.minute(web_1=[init(), nginx()])
    for _ in range(2):
        found = world.minute()

    assert found == "host:web-1 No Data"


def test_what_comes_late_out_of_a_spool_gives_no_alarm() -> None:
    world = World(GONE_NOW, NO_WAIT)
    world.minute(web_1=[init(), nginx()])
    for _ in range(3):
        world.minute()
    assert world.reasons() == {"host:web-1": "agent silent"}

    for seconds in (70, 80, 90):  # nginx was being restarted
        late = snapshot_of(init(), host="web-1", taken_at=MINUTE + seconds, chunk_count=1)
        world.store.add([(ORG, late)])
    assert world.minute() == "host:web-1 No Data"

    assert world.minute(web_1=[init(), nginx(8)]) == "host:web-1 OK"
    assert State.ALERT not in {one.state for one in world.happened}


# Which groups are expected


def test_hosts_with_the_tags_are_expected_where_that_is_asked_for() -> None:
    query = "processes('nginx').over('role:web').by('host').rollup('count_now') < 1"
    seen, tagged = World(query, NO_WAIT), World(query, NO_WAIT | {"expected_groups": "tagged_hosts"})
    for world in (seen, tagged):
        for host, source, said_at in (
            ("web-1", TagSource.AGENT, MINUTE),
            ("web-2", TagSource.USER, 0),
            ("web-3", TagSource.AGENT, MINUTE - 8 * 86400),
        ):
            world.store.put_host_tags(HostTags(ORG, host, source, ("role:web",), said_at))
        world.store.put_host_tags(HostTags(ORG, "db-1", TagSource.USER, ("role:db",)))
        world.store.put_host_tags(HostTags(ORG + 1, "web-4", TagSource.USER, ("role:web",)))

    assert seen.minute(web_1=[init()], db_1=[init()]) == ""
    assert tagged.minute(web_1=[init()], db_1=[init()]) == "host:web-1 Alert; host:web-2 No Data"
    assert tagged.reasons() == {"host:web-1": "process gone", "host:web-2": "agent silent"}

    tagged.store.put_host_tags(HostTags(ORG, "web-5", TagSource.USER, ("role:web",)))
    assert "host:web-5 Alert" in tagged.minute(web_1=[init()], web_5=[init()])


def test_groups_without_a_process_count_where_they_are_about_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_GROUPS", 3)
    few, many = (World(f"processes('').by('command').rollup('count_now') {rest}") for rest in ("< 1", "> 5"))
    for world in (few, many):
        for number in range(4):
            found = world.minute(web_1=[init(), nginx(10 + number, command=f"c{number}")])
        world.found = found

    assert "* Skipped" in few.found
    reason = few.states[()].reason
    assert reason.startswith("it has 4 groups; by command there may be 3, 2 of them without a process")
    # Here nobody misses them: those that have been gone for longest are forgotten.
    assert many.found == "command:c2 OK; command:c3 OK; command:init OK"


def test_a_group_that_goes_on_as_it_was_is_left_alone_and_dated_once_it_is_gone() -> None:
    world = World(GONE_NOW, NO_WAIT)
    world.minute(web_1=[init(), nginx()])
    first = world.states[("host", "web-1"),]
    for _ in range(20):
        world.minute(web_1=[init(), nginx()])
    assert world.states[("host", "web-1"),] == first
    last = world.at

    world.minute(web_1=[init()])

    assert world.states[("host", "web-1"),].last_seen_at == last - 10
    assert world.happened[0].processes == ("nginx (pid 7 on web-1)",)


# Groups over several hosts, of which one does not tell

SOME = [init(), nginx()]
FEW = {
    "count_now": "processes('nginx').rollup('count_now') < 2",
    "by": "processes('nginx').by('command').rollup('count_now') < 2",
    "attribute": "processes('nginx').by('exe').rollup('count_now') < 2",
    "several keys": "processes('nginx').by('command','user').rollup('count_now') < 2",
    "count": "processes('nginx').by('command').rollup('count').last('1m') < 2",
    "sum": "processes('nginx').by('command').rollup('sum','rss_bytes') < 2",
}


@pytest.mark.parametrize("query", FEW.values(), ids=FEW.keys())
def test_a_group_that_lacks_only_a_silent_host_is_no_data_and_never_an_alert(query: str) -> None:
    running = [init(), nginx(numbers=ProcessNumbers(rss_bytes=1))]
    world = World(query)
    world.minute(web_1=running, web_2=running)

    world.minute(web_1=running)
    world.minute(web_1=running)

    (state,) = world.states.values()
    assert (state.state, state.reason, state.value) == (State.NO_DATA, "agent silent", None)
    world.minute(web_1=running, web_2=running)
    assert [str(one.state) for one in world.happened] == ["No Data", "OK"]
    world.minute(web_1=running, web_2=[init()])
    world.minute(web_1=running, web_2=[init()])
    assert str(world.happened[-1].state) == "Alert"


def test_an_alert_does_not_end_since_a_host_is_silent() -> None:
    world = World("processes('nginx').rollup('count_now') > 1")
    assert world.minute(web_1=SOME, web_2=SOME) == "* Alert"

    assert world.minute(web_1=SOME) == "* Alert"
    assert world.minute(web_1=SOME, web_2=[init()]) == "* OK"


@pytest.mark.parametrize(
    ("query", "web_3"),
    [("processes('nginx').rollup('count_now') < 2", [init()]), ("processes('nginx').rollup('count_now') < 1", SOME)],
)
def test_what_a_silent_host_cannot_change_is_certain(query: str, web_3: list[Sighting]) -> None:
    world = World(query)
    assert world.minute(web_1=SOME, web_2=SOME, web_3=web_3) == "* OK"

    states = [world.minute(web_1=SOME, web_2=SOME), world.minute(web_1=SOME, web_2=[init()])]

    assert states == ["* OK", "* Alert" if "< 2" in query else "* OK"]


def test_more_than_there_may_be_is_an_alert_whoever_is_silent() -> None:
    world = World("processes('nginx').rollup('count_now') > 2")
    world.minute(web_1=SOME, web_2=SOME)

    assert world.minute(web_1=[init(), nginx(), nginx(8), nginx(9)]) == "* Alert"


def test_a_host_that_said_that_it_is_shut_down_is_not_waited_for() -> None:
    world = World(FEW["count_now"])
    world.minute(web_1=SOME, web_2=SOME)
    world.store.put_host_notices([HostNotice(ORG, "web-2", 10, MINUTE + 55)])

    assert world.minute(web_1=SOME) == "* Alert"


def test_a_slow_host_leaves_groups_over_several_hosts_as_they_were_until_it_is_late() -> None:
    world = World(FEW["count_now"])
    say(world, "web-2", interval_seconds=60)
    world.minute(web_1=SOME, web_2=SOME)

    assert [world.minute(web_1=SOME) for _ in range(3)] == ["* OK", "* OK", "* No Data"]


def test_what_nobody_can_say_of_many_silent_hosts_is_no_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "MAX_UNHEARD", 1)
    world = World("processes('nginx').rollup('count_now') < 2")
    world.minute(web_1=SOME, web_2=[init()], web_3=[init()])
    world.minute(web_1=SOME, web_2=SOME, web_3=[init()])
    assert world.states[()].state is State.OK

    assert world.minute(web_1=SOME) == "* No Data"


def test_hosts_that_fell_silent_long_before_others_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "MAX_UNHEARD_MOMENTS", 1)
    world = World("processes('nginx').rollup('count_now') < 3")
    world.minute(web_1=SOME, web_2=SOME, web_3=SOME)
    assert world.minute(web_1=SOME, web_2=[init()]) == "* No Data"

    assert world.minute(web_1=SOME) == "* Alert"
    assert world.reasons() == {"*": "2 silent hosts are not counted"}


def test_a_host_is_waited_for_for_a_day() -> None:
    world = World(FEW["count_now"])
    world.minute(web_1=SOME, web_2=SOME)
    assert world.minute(web_1=SOME) == "* No Data"
    world.at += 86400

    assert world.minute(web_1=SOME) == "* Alert"


@pytest.mark.parametrize(
    "query",
    [
        "processes('nginx').rollup('count_now') < 3",
        "processes('nginx').by('command').rollup('count').last('1m') < 3",
        "processes('nginx').rollup('count_now') == 1",
        "processes('nginx').rollup('count_now') != 3",
    ],
)
def test_a_silent_host_may_run_more_by_now_than_when_it_told_last(query: str) -> None:
    world = World(query)
    world.minute(web_1=[init(), nginx(), nginx(8)], web_2=SOME)
    world.minute(web_1=SOME)
    world.minute(web_1=SOME)

    (state,) = world.states.values()
    assert (state.state, state.reason) == (State.NO_DATA, "agent silent")


def test_what_a_silent_host_might_refute_says_that_it_is_not_counted() -> None:
    few, many = (World(f"processes('nginx').over('host:web-*').rollup('count_now') {rest}") for rest in ("< 1", "> 0"))
    for world in (few, many):
        world.minute(web_1=SOME, web_2=[init()], db_1=SOME)
        world.minute(web_1=SOME)
        world.minute(web_1=[init()])
        world.minute(web_1=[init()])

    assert few.reasons() == many.reasons() == {"*": "process gone; 1 silent host is not counted"}
    assert [(str(one.state), one.reason) for one in few.happened] == [("Alert", few.reasons()["*"])]
    assert [str(one.state) for one in many.happened] == ["Alert", "OK"]
    # It tells again, and had none.
    few.minute(web_1=[init()], web_2=[init()])
    assert few.reasons() == {"*": "process gone"}
