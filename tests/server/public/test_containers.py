"""What Datadog's own client reads of containers, compared with what the oracle finds in what was sent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.containers_api import ContainersApi

from procession.process_item import utc_text
from tests.support.builders import NOON
from tests.support.containers import a_container, containers_of
from tests.support.served import (
    API_KEY,
    APPLICATION_KEY,
    ORG,
    OTHER_APPLICATION_KEY,
    READER,
    Client,
    Served,
    a_store,
)

PATH = "/api/v2/containers"
HOSTS = tuple(f"web-{number}" for number in range(5))


def sent() -> Iterator[tuple[str, Any]]:
    chance = random.Random(3)
    for host in HOSTS:
        for number in range(40):
            tags = [f"env:{chance.choice(['prod', 'test'])}", f"image_name:shop/{chance.choice('abc')}"]
            if number % 7 == 0:
                tags += ["team:one", "team:two"]
            yield (
                host,
                a_container(
                    f"{host}-{number:02}",
                    host,
                    tuple(tags),
                    name=chance.choice(["web", "db", "löschen 日本"]),
                    started_at=None if number % 11 == 0 else NOON - chance.randrange(50) * 60,
                    created_at=None if number % 13 == 0 else NOON - 90_000,
                    state=chance.choice(["running", "paused", "unknown"]),
                    image_tags=("1.2", "latest") if number % 2 else (),
                    image_digest="sha256:" + "a" * 64 if number % 3 else "",
                ),
            )


CONTAINERS = tuple(sent())


@pytest.fixture(scope="module")
def a_fleet() -> Served:
    served = Served(a_store())
    for host in HOSTS:
        those = [one for name, one in CONTAINERS if name == host]
        served.store.containers.add([(ORG, containers_of(*those, host=host, taken_at=NOON - 5))])
    return served


@pytest.fixture(scope="module")
def client(a_fleet: Served) -> Iterator[Client]:
    client = Client(a_fleet.app())
    yield client
    client.close()


@pytest.fixture(scope="module")
def official(a_fleet: Served) -> Iterator[ContainersApi]:
    with a_fleet.server() as url:
        configuration = Configuration(host=url, api_key={"apiKeyAuth": API_KEY, "appKeyAuth": APPLICATION_KEY})
        with ApiClient(configuration) as api_client:
            yield ContainersApi(api_client)


def expected(host: str, one: Any) -> dict[str, Any]:
    attributes = {
        "name": one.name,
        "state": one.state,
        "container_id": one.container_id,
        "host": host,
        "image_name": one.image_name,
        "image_tags": list(one.image_tags) or None,
        "image_digest": one.image_digest or None,
        "tags": list(one.tags),
    }
    for name in ("created_at", "started_at"):
        if (at := getattr(one, name)) is not None:
            attributes[name] = utc_text(at)
    return {"type": "container", "id": one.container_id, "attributes": attributes}


def by_start(pair: tuple[str, Any]) -> tuple[int, str, str]:
    return pair[1].started_at or 0, pair[0], pair[1].container_id


def test_the_official_client_reads_every_container_in_order_over_many_pages(official: ContainersApi) -> None:
    found = [one.to_dict() for one in official.list_containers_with_pagination(page_size=17)]

    assert found == [expected(*pair) for pair in sorted(CONTAINERS, key=by_start)]


def test_the_official_client_filters_by_tags(official: ContainersApi) -> None:
    found = official.list_containers(filter_tags="env:prod,!image_name:shop/a,TEAM:*")

    wanted = [
        pair
        for pair in CONTAINERS
        if {"env:prod", "team:one"} <= set(pair[1].tags) and "image_name:shop/a" not in pair[1].tags
    ]
    assert wanted
    assert [one.to_dict() for one in found.data] == [expected(*pair) for pair in sorted(wanted, key=by_start)]
    assert found.meta.pagination.total == len(wanted)


@pytest.mark.parametrize("keys", ["env", "team,env", "image_name, Env", "none"])
def test_the_official_client_reads_groups(official: ContainersApi, keys: str) -> None:
    found = [one.to_dict() for one in official.list_containers_with_pagination(group_by=keys, page_size=2)]

    counts: Counter[str] = Counter()
    members: dict[str, set[str]] = {}
    names = [key.strip().lower() for key in keys.split(",")]
    for _, one in CONTAINERS:
        combinations = [""]
        for name in names:
            values = [tag for tag in one.tags if tag.startswith(f"{name}:")]
            combinations = [f"{before},{tag}" for before in combinations for tag in values]
        for combination in combinations:
            counts[combination[1:]] += 1
            members.setdefault(combination[1:], set()).add(one.container_id)
    assert [(one["type"], one["id"]) for one in found] == [("container_group", name) for name in sorted(counts)]
    for one in found:
        assert one["attributes"]["count"] == counts[one["id"]]
        assert one["attributes"]["tags"] == dict(tag.split(":", 1) for tag in one["id"].split(","))
        assert set(one["relationships"]["containers"]["data"]) == members[one["id"]]


@pytest.mark.parametrize("column", ["name", "host", "state", "image_name", "container_id", "started_at", "created_at"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_any_order_pages_forth_and_back_alike(client: Client, column: str, sign: str) -> None:
    def value(pair: tuple[str, Any]) -> Any:
        host, one = pair
        found = host if column == "host" else getattr(one, column)
        return found or ("" if column in ("name", "host", "state", "image_name", "container_id") else 0)

    whole = sorted(CONTAINERS, key=lambda pair: (value(pair), pair[0], pair[1].container_id), reverse=bool(sign))
    ids = [one.container_id for _, one in whole]
    url = f"{PATH}?sort={sign}{column}&page[size]=33"
    forth: list[str] = []
    back: list[str] = []
    last = None
    while True:
        answer = client.get(url, headers=READER).json()
        forth += [one["id"] for one in answer["data"]]
        if not answer["data"]:
            break
        last, url = answer, answer["links"]["next"]
    while last is not None:
        back = [one["id"] for one in last["data"]] + back
        previous = last["links"]["prev"]
        last = client.get(previous, headers=READER).json() if previous else None

    assert forth == back == ids
    ending = client.get(answer["links"]["last"], headers=READER).json()
    assert [one["id"] for one in ending["data"]] == ids[-33:]
    assert client.get(answer["links"]["first"], headers=READER).json()["data"][0]["id"] == ids[0]


def test_an_org_without_containers_has_an_empty_page(client: Client) -> None:
    answer = client.get(PATH, headers={"authorization": f"Bearer {OTHER_APPLICATION_KEY}"}).json()

    assert answer["data"] == []
    assert answer["meta"]["pagination"] == {
        "cursor": "",
        "limit": 0,
        "next_cursor": "",
        "prev_cursor": None,
        "total": 0,
        "type": "cursor_limit",
    }


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("page[size]=0", "page[size]"),
        ("page[size]=10001", "page[size]"),
        ("page[size]=x", "page[size]"),
        ("sort=nothing", "sort"),
        ("sort=--name", "sort"),
        ("group_by=a,b,c,d,e,f", "group_by"),
        ("group_by=env:prod", "group_by"),
        ("group_by=" + "k" * 201, "group_by"),
        ("page[cursor]=x", "page[cursor]"),
        ("page[cursor]=%F0%9F%98%80", "page[cursor]"),
        ("page[cursor]=k8KAoA==", "page[cursor]"),
        ("filter[tags]=" + ",".join(f"t{n}:1" for n in range(300)), "filter[tags]"),
    ],
)
def test_what_is_wrong_is_named(client: Client, query: str, named: str) -> None:
    answer = client.get(f"{PATH}?{query}", headers=READER)

    assert answer.status_code == 400
    (message,) = answer.json()["errors"]
    assert f"Invalid query parameter {named}: " in message


def test_all_that_is_wrong_is_named_at_once(client: Client) -> None:
    answer = client.get(f"{PATH}?page[size]=0&sort=x&group_by=a:b", headers=READER)

    assert len(answer.json()["errors"]) == 3


def test_a_cursor_is_good_only_with_the_parameters_and_the_org_that_it_came_from(client: Client) -> None:
    cursor = client.get(f"{PATH}?page[size]=5", headers=READER).json()["meta"]["pagination"]["next_cursor"]

    for query, headers in (
        ("filter[tags]=env:prod", READER),
        ("sort=name", READER),
        ("group_by=env", READER),
        ("", {"authorization": f"Bearer {OTHER_APPLICATION_KEY}"}),
    ):
        answer = client.get(f"{PATH}?page[cursor]={cursor}&{query}", headers=headers)
        assert answer.status_code == 400, query


def test_without_a_key_nobody_sees_anything(client: Client) -> None:
    client.forget_cookies()

    assert client.get(PATH).status_code == 403
