from __future__ import annotations

import pytest

from procession.monitors.observing.grouping import TooMuch, check_groups, counted, groups_of, has_group, most_groups
from procession.monitors.query import MonitorQuery, parse_monitor_query
from procession.process import ProcessIdentity, ProcessSummary
from tests.support.builders import NOON, a_description

BY_HOST = parse_monitor_query("processes('').by('host').rollup('count_now') > 5")
BY_TEAM = parse_monitor_query("processes('').by('team').rollup('count_now') > 5")
OVERALL = parse_monitor_query("processes('').rollup('count_now') > 5")


def a_summary(pid: int, *tags: str) -> ProcessSummary:
    return ProcessSummary(ProcessIdentity("web-1", pid, NOON - 100), NOON, a_description(tags=tags))


def test_a_process_is_in_one_group_for_each_combination_of_its_values() -> None:
    process = a_summary(1, "team:a", "team:b", "team:a", "teams:c")

    assert groups_of(process, ("team", "host")) == [
        (("team", "a"), ("host", "web-1")),
        (("team", "b"), ("host", "web-1")),
    ]
    assert groups_of(process, ("service",)) == []
    assert groups_of(process, ()) == [()]


def test_a_process_has_the_groups_it_is_in_and_without_keys_every_one() -> None:
    process = a_summary(1, "team:a")

    assert has_group(process, ("team",), (("team", "a"),))
    assert not has_group(process, ("team",), (("team", "b"),))
    assert has_group(process, (), ())


def test_processes_are_counted_in_each_of_their_groups() -> None:
    processes = [a_summary(1, "team:a", "team:b"), a_summary(2, "team:a"), a_summary(3)]

    assert counted(BY_TEAM, iter(processes)) == {(("team", "a"),): 2.0, (("team", "b"),): 1.0}
    assert counted(OVERALL, iter(processes)) == {(): 3.0}


@pytest.mark.parametrize(("query", "most"), [(BY_TEAM, 1000), (BY_HOST, 25_000)])
def test_one_group_more_than_there_may_be_is_too_much(query: MonitorQuery, most: int) -> None:
    assert most_groups(query) == most
    check_groups(query, most)
    with pytest.raises(TooMuch, match=f"it has {most + 1} groups; by (team|host) there may be {most}"):
        check_groups(query, most + 1)
