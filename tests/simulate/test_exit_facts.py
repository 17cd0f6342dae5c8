from __future__ import annotations

from procession.process import ExitFacts, ProcessNumbers
from procession.simulate import Fleet, FleetShape
from procession.simulate.exit_facts import Ending, ExitFactsMaker
from tests.support.builders import NOON, a_sighting

SEEDS = [f"seed-{number}" for number in range(40)]
KILLED = Ending(NOON, 137, "shop")


def facts_of(ending: Ending, **fields: object) -> list[ExitFacts]:
    last = a_sighting(7, NOON - 50, numbers=ProcessNumbers(rss_bytes=2**20, threads=1), **fields)
    return [ExitFactsMaker(seed).make(last, ending) for seed in SEEDS]


def test_agents_of_most_hosts_tell_the_cost_of_a_process_and_those_of_others_nothing() -> None:
    found = facts_of(Ending(NOON, 0))
    told = [one.cost for one in found if one.cost is not None]

    assert 20 < len(told) < len(SEEDS)
    assert {one.oom_killed for one in found} == {False, None}
    for cost in told:
        user, system = cost.cpu_user_seconds, cost.cpu_system_seconds
        assert user is not None
        assert system is not None
        assert 0 < user + system < 50
        assert (cost.peak_rss_bytes or 0) >= 2**20
        assert cost.is_final


def test_some_of_what_is_killed_in_a_service_was_killed_for_want_of_memory() -> None:
    in_service = {one.oom_cgroup for one in facts_of(KILLED)}
    in_pod = {one.oom_cgroup for one in facts_of(KILLED, container_id="c0ffee")}

    assert in_service == {"", "/system.slice/shop.service"}
    assert in_pod == {"", "/kubepods.slice/kubepods-burstable.slice/cri-containerd-c0ffee.scope"}
    assert not any(one.oom_killed for one in facts_of(Ending(NOON, 137)) + facts_of(Ending(NOON, 1, "shop")))


def test_of_a_process_with_threads_only_the_peak_is_final() -> None:
    last = a_sighting(7, NOON - 50, numbers=ProcessNumbers(rss_bytes=1, threads=9))
    costs = [ExitFactsMaker(seed).make(last, Ending(NOON, 0)).cost for seed in SEEDS]

    assert {one.is_final for one in costs if one is not None} == {False}


def test_a_fleet_has_oom_kills_and_costs_among_its_exits() -> None:
    shape = FleetShape(hosts=8, processes=60, begin_at=NOON, churn=60)
    facts = [one.facts for step in Fleet(shape).steps(NOON + 900) for one in step.exits]

    killed = sum(bool(one.oom_killed) for one in facts)
    assert 0 < killed < len(facts) / 10
    assert any(one.cost is not None for one in facts)
