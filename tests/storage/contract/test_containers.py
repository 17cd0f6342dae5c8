"""Containers in each kind of store, on one server or many, are those of the oracle: now, over time and by group."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from procession.containers.container import Container
from procession.errors import InvalidRequest
from procession.search.tag_filter import TagFilter
from procession.storage import ContainerStore
from procession.storage.containers import history
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.conftest import SERVERS
from tests.support.builders import NOON
from tests.support.containers import a_container, containers_of
from tests.support.stores.containers_oracle import OracleContainers

BEGIN = NOON // 60 * 60 - 600
HOSTS = ("web-1", "web-2", "db-1", "db-2", "wéb-3", "cache-1")
MEASURES = ("cpu_total_percent", "cpu_throttled_percent", "memory_usage_bytes")
CPUS = {"web-1": 4, "db-2": 16, "wéb-3": 3}


@pytest.fixture(params=["embedded", *SERVERS])
def store(request: pytest.FixtureRequest) -> EmbeddedStore | ClickHouseStore:
    found: EmbeddedStore | ClickHouseStore = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def containers(store: EmbeddedStore | ClickHouseStore) -> ContainerStore:
    return store.containers


def told(org: int) -> OracleContainers:
    """Six hosts over five minutes, every twenty seconds, each with three containers that use more and more."""
    oracle = OracleContainers()
    for place, host in enumerate(HOSTS):
        for at in range(BEGIN, BEGIN + 300, 20):
            some = [
                a_container(
                    f"{host}-{number}",
                    host,
                    (f"env:{'prod' if number else 'test'}",),
                    name=("web", "db", "")[number],
                    started_at=BEGIN - 100 * number,
                    cpu_total_percent=float((at - BEGIN) * (place + 1)) / 4,
                    cpu_throttled_percent=None if number == 2 else 10.0 * place,
                    memory_usage_bytes=2**20 * (place + number + 1),
                )
                for number in range(3)
            ]
            oracle.add([(org, containers_of(*some, host=host, taken_at=at))])
    return oracle


def put(containers: ContainerStore, oracle: OracleContainers) -> None:
    containers.add(oracle._told)


def group_of(container: Container) -> str | None:
    return (container.name or container.container_id) if "env:prod" in container.tags else None


def known(values: Sequence[float | None]) -> list[float]:
    return [-1.0 if value is None else value for value in values]


def test_those_of_an_instant_are_found_on_all_hosts(containers: ContainerStore, org: int) -> None:
    oracle = told(org)
    put(containers, oracle)

    for at in (BEGIN + 59, BEGIN + 299, BEGIN + 3000):
        assert containers.present(org, at) == oracle.present(org, at)
    assert len(containers.present(org, BEGIN + 299)) == 18


def test_one_of_them_is_found_over_time(containers: ContainerStore, org: int) -> None:
    oracle = told(org)
    put(containers, oracle)

    for host in HOSTS:
        asked = (org, host, f"{host}-1", Window(BEGIN, BEGIN + 300), 60)
        found, expected = containers.history(*asked), oracle.history(*asked)
        assert found.times == expected.times != ()
        for name, values in expected.numbers.items():
            assert known(found.numbers[name]) == pytest.approx(known(values), rel=1e-6), name


def test_over_time_only_minutes_count_in_which_it_had_the_tags(containers: ContainerStore, org: int) -> None:
    oracle = OracleContainers()
    for place, tags in enumerate([("env:a", "x:y"), ("env:b",), ("env:a",), ()]):
        for at in (BEGIN + 60 * place, BEGIN + 60 * place + 20):
            # It has other tags before the minute is over.
            then = tags if at % 60 else ("env:a",)
            one = a_container("c1", tags=then, threads=place, state="running" if place else "created")
            oracle.add([(org, containers_of(one, taken_at=at))])
    put(containers, oracle)

    fitting = {"env:a": [0, 2], "ENV:a OR env:b": [0, 1, 2], "!env:*": [3], "x:y,env:b": [], "": [0, 1, 2, 3]}
    for text, minutes in fitting.items():
        asked = (org, "web-1", "c1", Window(BEGIN, BEGIN + 300), 60, TagFilter.parse(text, has_or=True))
        found = containers.history(*asked)
        assert found.times == oracle.history(*asked).times == tuple(BEGIN + 60 * one for one in minutes)
        assert found.numbers["threads"] == tuple(map(float, minutes))
    whole = containers.history(org, "web-1", "c1", Window(BEGIN, BEGIN + 300), 600, TagFilter.parse("env:a"))
    assert whole.numbers["threads"] == (1.0,)


@pytest.mark.parametrize("cpus", [None, CPUS])
@pytest.mark.parametrize(("rank", "limit"), [("count", 100), ("memory_usage_bytes", 2), ("cpu_total_percent", 1)])
def test_groups_are_put_together_over_all_hosts(
    containers: ContainerStore, org: int, rank: str, limit: int, cpus: dict[str, int] | None
) -> None:
    oracle = told(org)
    put(containers, oracle)

    for times in (range(BEGIN, BEGIN + 421, 60), range(BEGIN + 60, BEGIN + 301, 120), range(BEGIN + 65, BEGIN + 66)):
        found = containers.timeseries(org, times, MEASURES, rank, limit, group_of, cpus)
        expected = oracle.timeseries(org, times, MEASURES, rank, limit, group_of, cpus)
        assert (found.times, found.is_known) == (expected.times, expected.is_known)
        assert [(one.value, one.is_rest, one.count) for one in found.series] == [
            (one.value, one.is_rest, one.count) for one in expected.series
        ]
        for one, other in zip(found.series, expected.series, strict=True):
            for measure in MEASURES:
                assert known(one.numbers[measure]) == pytest.approx(known(other.numbers[measure]), rel=1e-6), measure


def test_of_too_many_minutes_fewer_instants_are_looked_at(
    containers: ContainerStore, org: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(containers, told(org))
    monkeypatch.setattr(history, "MAX_ROWS", 45)

    found = containers.timeseries(org, range(BEGIN + 60, BEGIN + 301, 60), MEASURES, "count", 9, group_of)

    # Of each minute there are 18 containers: as many rows, or three times that where no merge came yet.
    assert 1 <= len(found.times) < 4
    assert all(known(one.count)[0] > 0 for one in found.series)


def test_too_many_containers_are_refused_wherever_they_are(
    containers: ContainerStore, org: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(containers, told(org))
    monkeypatch.setattr(history, "MAX_FOUND", 17)

    with pytest.raises(InvalidRequest, match="more than 17 containers"):
        containers.present(org, BEGIN + 299)
    with pytest.raises(InvalidRequest, match="more than 17 containers in the window"):
        containers.timeseries(org, range(BEGIN + 60, BEGIN + 301, 60), MEASURES, "count", 9, group_of)
