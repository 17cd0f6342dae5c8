from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v1.api.hosts_api import HostsApi

from procession.accounts.hosts import HostNotice, HostTags, TagSource
from procession.process import ProcessNumbers
from tests.support.builders import NOON, a_sighting, a_snapshot
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

PATH = "/api/v1/hosts"


@pytest.fixture(scope="module")
def a_fleet() -> Served:
    """Two hosts that tell, one that does so every ten minutes, one that is silent, and one of yesterday."""
    served = Served(a_store())
    for host, seconds, cpu in (
        ("db-1", 5, 250.0),
        ("web-1", 10, 50.0),
        ("slow-1", 500, 1.0),
        ("web-2", 500, 1.0),
        ("old-1", 80_000, 1.0),
    ):
        numbers = ProcessNumbers(cpu_total_percent=cpu)
        told_at = NOON - seconds
        earlier = a_sighting(2, NOON - 90_000)
        served.store.add([(ORG, a_snapshot(earlier, host=host, taken_at=told_at - 30, chunk_count=1))])
        last = [a_sighting(pid, NOON - 90_000, numbers=numbers) for pid in (2, 3)]
        served.store.add([(ORG, a_snapshot(*last, host=host, taken_at=told_at, chunk_count=1))])
    served.store.put_host_notices([HostNotice(ORG, "slow-1", 600)])
    served.store.put_host_tags(HostTags(ORG, "web-1", TagSource.AGENT, ("env:prod",), NOON))
    served.store.put_host_tags(HostTags(ORG, "web-1", TagSource.USER, ("team:web",), NOON))
    return served


@pytest.fixture(scope="module")
def client(a_fleet: Served) -> Iterator[Client]:
    client = Client(a_fleet.app())
    yield client
    client.close()


def listed(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"{PATH}?{query}", headers=READER)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["host_list"]]


def test_a_host_is_shown_with_its_tags_its_cpu_and_when_it_told(client: Client) -> None:
    found = client.get(f"{PATH}?filter=web-1", headers=READER).json()

    (host,) = found["host_list"]
    assert (found["total_matching"], found["total_returned"], found["exact_total_matching"]) == (1, 1, True)
    assert 0 <= host.pop("id") < 2**53
    assert host == {
        "aliases": ["web-1"],
        "apps": ["agent"],
        "host_name": "web-1",
        "is_muted": False,
        "last_reported_time": NOON - 10,
        "meta": {},
        "metrics": {"cpu": 100.0},
        "mute_timeout": None,
        "name": "web-1",
        "sources": ["agent"],
        "tags_by_source": {"Datadog": ["host:web-1", "env:prod"], "Users": ["team:web"]},
        "up": True,
    }


def test_a_host_is_up_as_long_as_its_agent_tells_when_it_should(client: Client) -> None:
    found = client.get(PATH, headers=READER).json()["host_list"]

    assert [(one["name"], one["up"], one["last_reported_time"]) for one in found] == [
        ("db-1", True, NOON - 5),
        ("slow-1", True, NOON - 500),
        ("web-1", True, NOON - 10),
        ("web-2", False, NOON - 500),
    ]
    assert found[3]["metrics"] == {}


def test_hosts_of_a_longer_time_are_counted_when_they_are_asked_for(client: Client) -> None:
    assert client.get(f"{PATH}/totals", headers=READER).json() == {"total_active": 4, "total_up": 3}
    day = f"from={NOON - 86_400}"
    assert client.get(f"{PATH}/totals?{day}", headers=READER).json() == {"total_active": 5, "total_up": 3}
    assert "old-1" in listed(client, day)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter=WEB", ["web-1", "web-2"]),
        ("filter=web+env:prod", ["web-1"]),
        ("filter=host:web-2", ["web-2"]),
        ("filter=nobody", []),
        ("sort_field=cpu&sort_dir=desc", ["db-1", "web-1", "slow-1", "web-2"]),
        ("sort_field=status", ["web-2", "db-1", "slow-1", "web-1"]),
        ("sort_dir=desc", ["web-2", "web-1", "slow-1", "db-1"]),
        ("start=1&count=2", ["slow-1", "web-1"]),
        ("count=0", []),
        (f"from={NOON + 5}", ["db-1", "web-1"]),
    ],
)
def test_hosts_are_filtered_sorted_and_cut(client: Client, query: str, names: list[str]) -> None:
    assert listed(client, query) == names


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("count=1001", "count"),
        ("start=-1", "start"),
        ("sort_field=load", "sort_field"),
        ("sort_dir=up", "sort_dir"),
        (f"from={NOON - 86_401}", "from"),
        ("from=noon", "from"),
        (f"filter={'a' * 1001}", "filter"),
    ],
)
def test_a_bad_parameter_is_named(client: Client, query: str, name: str) -> None:
    answer = client.get(f"{PATH}?{query}", headers=READER)

    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith(f"Invalid query parameter {name}: ")


def test_an_org_never_sees_the_hosts_of_another(client: Client) -> None:
    other: dict[str, Any] = {"headers": {"authorization": f"Bearer {OTHER_APPLICATION_KEY}"}}

    assert client.get(PATH, **other).json()["host_list"] == []
    assert client.get(f"{PATH}/totals", **other).json() == {"total_active": 0, "total_up": 0}


def test_the_official_client_reads_hosts(a_fleet: Served) -> None:
    with a_fleet.server() as url:
        configuration = Configuration(host=url)
        configuration.api_key = {"apiKeyAuth": API_KEY, "appKeyAuth": APPLICATION_KEY}
        with ApiClient(configuration) as official:
            api = HostsApi(official)

            found = api.list_hosts(filter="web-1", count=5, include_hosts_metadata=True)
            totals = api.get_host_totals()

    (host,) = found.host_list
    assert not getattr(found, "_unparsed", False)
    assert (host.name, host.up, host.metrics.cpu, found.total_matching) == ("web-1", True, 100.0, 1)
    assert dict(host.tags_by_source)["Users"] == ["team:web"]
    assert (totals.total_active, totals.total_up) == (4, 3)
