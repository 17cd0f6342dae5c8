"""Containers of now, in memory."""

from __future__ import annotations

from procession.containers.container import ContainerNumbers, ContainerStat, ContainerStats
from procession.storage.containers.table import CONTAINER_CHARACTERS, ContainerTable
from tests.support.builders import NOON
from tests.support.containers import a_container, containers_of

ORG = 1


def ids(table: ContainerTable, at: int = NOON, org_id: int = ORG) -> list[str]:
    return [one.container.container_id for one in table.present(org_id, at)]


def test_messages_of_one_moment_add_up_and_what_has_gone_lingers_for_15_seconds() -> None:
    table = ContainerTable()
    table.put(ORG, containers_of(a_container("a"), taken_at=NOON))
    table.put(ORG, containers_of(a_container("b"), taken_at=NOON))
    assert ids(table) == ["a", "b"]

    table.put(ORG, containers_of(a_container("a"), taken_at=NOON + 10))
    assert ids(table, NOON + 10) == ["a", "b"]

    table.put(ORG, containers_of(a_container("a"), taken_at=NOON + 20))
    assert ids(table, NOON + 20) == ["a"]


def test_what_comes_late_changes_nothing() -> None:
    table = ContainerTable()
    table.put(ORG, containers_of(a_container("a", name="new"), taken_at=NOON))
    table.put(ORG, containers_of(a_container("a", name="old"), a_container("b"), taken_at=NOON - 60))

    (found,) = table.present(ORG, NOON)

    assert (found.container.name, found.seen_at) == ("new", NOON)


def test_a_host_that_is_silent_has_none_that_anybody_knows_of() -> None:
    table = ContainerTable()
    table.put(ORG, containers_of(a_container("a"), taken_at=NOON))
    table.put(ORG, containers_of(a_container("b"), host="web-2", taken_at=NOON + 290))

    assert ids(table, NOON + 299) == ["a", "b"]
    assert ids(table, NOON + 300) == ["b"]


def test_orgs_see_their_own() -> None:
    table = ContainerTable()
    table.put(1, containers_of(a_container("a")))
    table.put(2, containers_of(a_container("b")))

    assert (ids(table, org_id=1), ids(table, org_id=2), ids(table, org_id=3)) == (["a"], ["b"], [])
    table.forget_org(1)
    assert (ids(table, org_id=1), ids(table, org_id=2)) == ([], ["b"])


def test_numbers_of_right_now_are_of_containers_that_are_known() -> None:
    table = ContainerTable()
    table.put(ORG, containers_of(a_container("a", cpu_total_percent=1.0)))
    stats = [
        ContainerStat(
            container_id=name,
            state="paused",
            health="healthy",
            started_at=None,
            numbers=ContainerNumbers(cpu_total_percent=9.0),
        )
        for name in ("a", "unknown")
    ]

    table.put_stats(ORG, ContainerStats(host="web-1", taken_at=NOON + 2, stats=tuple(stats)))
    table.put_stats(ORG, ContainerStats(host="web-9", taken_at=NOON + 2, stats=tuple(stats)))

    (found,) = table.present(ORG, NOON)
    assert (found.container.state, found.container.numbers.cpu_total_percent) == ("paused", 9.0)
    assert (found.container.name, found.container.started_at) == ("name-of-a", NOON - 3600)


def test_an_org_that_takes_too_much_is_left_out_and_others_stay() -> None:
    table = ContainerTable(max_characters=30 * CONTAINER_CHARACTERS)
    table.put(1, containers_of(a_container("a")))
    for number in range(40):
        table.put(2, containers_of(a_container(f"c{number}"), host=f"web-{number}", taken_at=NOON + number))

    assert (table.holds(1), table.holds(2)) == (True, False)
    assert (ids(table, org_id=1), ids(table, org_id=2)) == (["a"], [])
    assert table.characters < 30 * CONTAINER_CHARACTERS


def test_silent_hosts_are_forgotten_before_an_org_is() -> None:
    table = ContainerTable(max_characters=30 * CONTAINER_CHARACTERS)
    for number in range(100):
        table.put(ORG, containers_of(a_container("a"), host=f"web-{number}", taken_at=NOON + 60 * number))

    assert table.holds(ORG)
    assert table.characters <= 30 * CONTAINER_CHARACTERS * 1.2
