"""Containers in our own API: of any instant, with their numbers, and one over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from procession.containers.container import NUMBERS
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.containers import a_container, containers_of
from tests.support.served import ORG, OTHER_APPLICATION_KEY, READER, Client, Served, a_store

PATH = "/api/procession/v1/containers"
CPU = {"a": 5.0, "b": None, "c": 250.5}


@pytest.fixture(scope="module")
def a_fleet() -> Served:
    served = Served(a_store())
    for minutes in range(30):
        containers = [
            a_container(name, tags=("env:prod",) if name == "a" else (), cpu_total_percent=cpu, threads=minutes)
            for name, cpu in CPU.items()
            if name != "c" or minutes < 5
        ]
        served.store.containers.add([(ORG, containers_of(*containers, taken_at=NOON - 60 * minutes))])
    return served


@pytest.fixture(scope="module")
def client(a_fleet: Served) -> Iterator[Client]:
    client = Client(a_fleet.app())
    yield client
    client.close()


def asked(client: Client, query: str = "", path: str = PATH) -> dict[str, Any]:
    answer = client.get(f"{path}?{query}", headers=READER)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(client: Client, query: str = "") -> list[str]:
    return [one["id"] for one in asked(client, query)["data"]]


def test_what_is_listed_has_all_that_is_known(client: Client) -> None:
    answer = asked(client, "tags=env:prod")

    (one,) = answer["data"]
    assert answer["meta"] == {"at": "2023-11-14T22:13:20", "total": 1, "known": True}
    attributes = one["attributes"]
    assert (one["id"], attributes["host"], attributes["name"]) == ("a", "web-1", "name-of-a")
    assert attributes["started_at"] == "2023-11-14T21:13:20"
    assert attributes["timestamp"] == "2023-11-14T22:13:20"
    assert attributes["created_at"] is None
    assert list(attributes["numbers"]) == list(NUMBERS)
    assert attributes["numbers"] | {"cpu_total_percent": 5.0, "threads": 0} == attributes["numbers"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a", "b", "c"]),
        (f"at={NOON - 600}", ["a", "b"]),
        (f"at={NOON - 7200}", []),
        ("sort=cpu_total_percent", ["a", "c", "b"]),
        ("sort=-cpu_total_percent", ["c", "a", "b"]),
        ("sort=-name&limit=2&offset=1", ["b", "a"]),
        ("tags=!env:*", ["b", "c"]),
        ("tags=container_id:a OR container_id:c&language=procession", ["a", "c"]),
        ("search=NAME-OF-A", ["a"]),
        ("search=shop/web !env:prod", ["b", "c"]),
        ("search=container_id:c OR env:*", ["a", "c"]),
        ("search=prod&language=procession", ["a"]),
        ("search=cpu>5&language=procession", ["c"]),
        ("search=cpu<=5 age>59m&language=procession", ["a"]),
        ("search=pid:1&language=procession", []),
        ("search=nothing", []),
    ],
)
def test_containers_of_an_instant_are_chosen_and_ordered(client: Client, query: str, found: list[str]) -> None:
    assert ids(client, query) == found


def test_the_processes_of_each_are_counted_where_somebody_asks(client: Client, a_fleet: Served) -> None:
    processes = [a_sighting(pid, container_id=name) for pid, name in enumerate("aacx", 2)]
    a_fleet.store.add([(ORG, a_snapshot(*processes, a_sighting(9), host="web-1", taken_at=NOON - 1, chunk_count=1))])

    answer = asked(client, "processes=true")

    assert {one["id"]: one["attributes"]["processes"] for one in answer["data"]} == {"a": 2, "b": None, "c": 1}
    assert "processes" not in asked(client)["data"][0]["attributes"]


def test_where_nothing_was_told_nothing_is_known(client: Client) -> None:
    assert asked(client, f"at={NOON - 7200}&processes=true")["meta"]["known"] is False
    assert asked(client, "search=nothing")["meta"]["known"] is True


def test_a_container_over_time_is_what_the_store_knows(client: Client, a_fleet: Served) -> None:
    window = Window(NOON - 1200, NOON)
    query = f"host=web-1&container_id=a&from={window.from_at}&to={window.to_at}"
    found = asked(client, query, f"{PATH}/history")

    expected = a_fleet.store.containers.history(ORG, "web-1", "a", window, 60)
    assert found["meta"]["step"] == 60
    assert len(found["times"]) == len(expected.times) == 21
    assert found["numbers"] == {name: list(values) for name, values in expected.numbers.items()}


def test_a_long_window_has_no_more_than_500_steps(client: Client) -> None:
    found = asked(client, f"host=web-1&container_id=a&from={NOON - 30 * 86400}&to={NOON}", f"{PATH}/history")

    assert found["meta"]["step"] == 60 * 87


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("?sort=nothing", "sort"),
        ("?limit=0", "limit"),
        ("?search=(java", "search"),
        ("?processes=maybe", "processes"),
        ("/history?host=web-1", "container_id"),
        ("/history?container_id=a", "host"),
        ("/history?host=web-1&container_id=" + "a" * 300, "container_id"),
        (f"/history?host=web-1&container_id=a&from={NOON - 40 * 86400}&to={NOON}", "from"),
    ],
)
def test_what_is_wrong_is_named(client: Client, query: str, named: str) -> None:
    answer = client.get(PATH + query, headers=READER)

    assert answer.status_code == 400
    assert any(f"Invalid query parameter {named}: " in message for message in answer.json()["errors"])


def test_an_instant_that_is_no_longer_kept_is_refused(client: Client) -> None:
    assert client.get(f"{PATH}?at=1000", headers=READER).status_code == 400


def test_another_org_sees_none_of_them(client: Client) -> None:
    headers = {"authorization": f"Bearer {OTHER_APPLICATION_KEY}"}

    assert client.get(PATH, headers=headers).json()["data"] == []
    found = client.get(f"{PATH}/history?host=web-1&container_id=a", headers=headers).json()
    assert found["times"] == []
