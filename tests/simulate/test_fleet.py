from __future__ import annotations

import itertools
from typing import Any

import pytest

from procession.process import Sighting, Snapshot
from procession.simulate import Fleet, FleetShape
from procession.simulate.host import Step
from tests.support.builders import NOON


def a_shape(**fields: Any) -> FleetShape:
    return FleetShape(**{"hosts": 6, "processes": 60, "begin_at": NOON} | fields)


def steps(seconds: int = 60, **fields: Any) -> list[Step]:
    shape = a_shape(**fields)
    return list(Fleet(shape).steps(shape.begin_at + seconds))


def snapshots(seconds: int = 60, **fields: Any) -> list[Snapshot]:
    return [step.snapshot for step in steps(seconds, **fields)]


def by_host(found: list[Snapshot]) -> dict[str, list[Snapshot]]:
    ordered = sorted(found, key=lambda snapshot: (snapshot.host, snapshot.taken_at))
    return {host: list(group) for host, group in itertools.groupby(ordered, key=lambda snapshot: snapshot.host)}


def identities(snapshot: Snapshot) -> set[tuple[int, int]]:
    return {(one.pid, one.started_at) for one in snapshot.sightings}


def test_the_same_shape_is_the_same_fleet() -> None:
    assert snapshots() == snapshots()


def test_another_seed_is_another_fleet() -> None:
    assert snapshots(seed=1) != snapshots(seed=2)


def test_a_part_of_a_fleet_is_what_it_is_in_the_whole() -> None:
    shape = a_shape()
    parts = [step.snapshot for part in range(3) for step in Fleet(shape, part=part, parts=3).steps(NOON + 60)]

    assert by_host(parts) == by_host(snapshots())


def test_each_host_takes_a_snapshot_in_each_interval_and_they_come_by_moment() -> None:
    found = snapshots(60, interval_seconds=20)

    moments = [snapshot.taken_at for snapshot in found]
    assert moments == sorted(moments)
    for taken in by_host(found).values():
        assert [one.taken_at - taken[0].taken_at for one in taken] == [0, 20, 40]
        assert NOON <= taken[0].taken_at < NOON + 20


def test_a_host_has_as_many_processes_as_asked_for_and_those_of_the_moment() -> None:
    for processes in (1, 2, 7, 60, 700):
        for snapshot in snapshots(10, processes=processes, churn=0):
            assert len(snapshot.sightings) == processes


def test_pids_are_unique_and_in_the_order_of_proc() -> None:
    for snapshot in snapshots(600, churn=20, deploy_hours=0.1):
        pids = [one.pid for one in snapshot.sightings]
        assert pids == sorted(set(pids))


def test_nobody_starts_after_he_is_seen() -> None:
    for snapshot in snapshots(600, churn=20, deploy_hours=0.1):
        assert all(one.started_at <= snapshot.taken_at for one in snapshot.sightings)


def test_parents_were_there_before_their_children() -> None:
    for snapshot in snapshots(10):
        assert all(one.description.ppid < one.pid for one in snapshot.sightings)


def test_without_churn_and_deployments_everybody_stays() -> None:
    for taken in by_host(snapshots(300, churn=0, deploy_hours=0)).values():
        assert len({frozenset(identities(snapshot)) for snapshot in taken}) == 1


def test_churn_brings_as_many_processes_as_it_says() -> None:
    found = by_host(snapshots(3600, hosts=4, processes=50, churn=4, deploy_hours=0))

    begun = sum(
        len(identities(after) - identities(before))
        for taken in found.values()
        for before, after in itertools.pairwise(taken)
    )
    # Some live for less than an interval, and are never seen.
    assert 0.5 * 4 * 50 * 4 < begun < 1.2 * 4 * 50 * 4


def test_most_processes_do_nothing_and_are_the_very_same_sighting() -> None:
    same = total = 0
    for taken in by_host(snapshots(300, hosts=20, processes=200)).values():
        for before, after in itertools.pairwise(taken[1:]):
            objects = {id(one) for one in before.sightings}
            same += sum(id(one) in objects for one in after.sightings)
            total += len(after.sightings)

    assert 0.7 < same / total < 0.9  # recorded: 0.82


def test_a_new_version_takes_the_place_of_the_old_one() -> None:
    def versions(snapshot: Snapshot) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for one in snapshot.sightings:
            tags = dict(tag.partition(":")[::2] for tag in one.description.tags)
            if "version" in tags:
                found.setdefault(tags["service"], set()).add(tags["version"])
        return found

    changed = 0
    for taken in by_host(snapshots(3600, deploy_hours=0.5, churn=0)).values():
        # Never two of them at a time.
        assert all(len(names) == 1 for snapshot in taken for names in versions(snapshot).values())
        changed += versions(taken[0]) != versions(taken[-1])
    assert changed == 6


def test_who_is_gone_from_a_snapshot_has_an_exit_in_it() -> None:
    before: dict[str, Snapshot] = {}
    exits = 0
    for step in steps(900, churn=20, deploy_hours=0.2):
        snapshot = step.snapshot
        if snapshot.host in before:
            gone = {pid for pid, _ in identities(before[snapshot.host]) - identities(snapshot)}
            assert {one.pid for one in step.exits} == gone
            assert all(one.at <= snapshot.taken_at for one in step.exits)
            exits += len(gone)
        before[snapshot.host] = snapshot
    assert exits > 50


def test_hosts_have_their_tags_on_each_process_or_apart() -> None:
    (host, *_) = Fleet(a_shape()).hosts
    on_each = [one.description.tags for one in snapshots(10, hosts=1)[0].sightings]
    apart = [one.description.tags for one in snapshots(10, hosts=1, with_host_tags=False)[0].sightings]

    assert all(set(host.traits.tags) <= set(tags) for tags in on_each) or len(host.traits.tags) == 6
    assert all(not any(tag.startswith("region:") for tag in tags) for tags in apart)
    assert all(list(tags) == sorted(set(tags)) for tags in (*on_each, *apart))


def test_numbers_are_what_a_kernel_may_say() -> None:
    for snapshot in snapshots(300, hosts=3):
        for one in snapshot.sightings:
            assert_possible(one)


def assert_possible(one: Sighting) -> None:
    numbers = one.numbers
    assert numbers.rss_bytes is not None
    assert numbers.vms_bytes is not None
    assert 0 <= numbers.rss_bytes <= numbers.vms_bytes
    assert numbers.rss_bytes % 4096 == 0
    if numbers.cpu_total_percent is not None:
        assert numbers.cpu_user_percent is not None
        assert numbers.cpu_system_percent is not None
        assert numbers.cpu_user_percent + numbers.cpu_system_percent == pytest.approx(numbers.cpu_total_percent)
    assert all(
        value >= 0 for name in numbers.__struct_fields__ if isinstance(value := getattr(numbers, name), int | float)
    )


def test_no_number_is_that_of_many() -> None:
    found = snapshots(240, hosts=12, churn=0)
    cpu = [one.numbers.cpu_total_percent or 0.0 for snapshot in found for one in snapshot.sightings]
    most = max(cpu)

    assert most > 140
    assert sum(value > 0.995 * most for value in cpu) < 0.1 * sum(value > 100 for value in cpu)


def test_command_lines_differ_from_host_to_host_and_have_no_secret() -> None:
    shape = a_shape(hosts=20, churn=20)
    lines = [
        one.description.cmdline for step in Fleet(shape).steps(shape.begin_at + 120) for one in step.snapshot.sightings
    ]
    java = {line for line in lines if "keyStorePassword=" in line}

    assert len(java) > 2
    assert all("keyStorePassword=******** " in line for line in java)
    dumps = {line for line in lines if line.startswith("pg_dump")}
    assert dumps
    assert all("backup:********@db-1" in line for line in dumps)


def test_web_servers_listen_each_group_of_them_on_a_port_of_its_own() -> None:
    shape = a_shape(hosts=20, processes=300)
    found = {
        (step.snapshot.host, one.description.ppid): one.description.discovery
        for step in Fleet(shape).steps(shape.begin_at + 15)
        for one in step.snapshot.sightings
        if one.description.cmdline == "nginx: worker process"
    }
    ports = [(host, one.tcp_ports) for (host, _), one in found.items() if one is not None]

    assert len(ports) == len(set(ports)) == len(found) > 0
    assert {port for _, port in ports} >= {(443,)}
