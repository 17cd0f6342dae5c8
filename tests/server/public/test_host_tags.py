from __future__ import annotations

from collections.abc import Iterator

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import NotFoundException
from datadog_api_client.v1.api.tags_api import TagsApi
from datadog_api_client.v1.model.host_tags import HostTags as HostTagsOfClient

from procession.accounts.hosts import HostTags, TagSource
from tests.support.builders import NOON
from tests.support.served import (
    API_KEY,
    APPLICATION_KEY,
    ORG,
    OTHER_ORG,
    PLAIN_APPLICATION_KEY,
    READER,
    Client,
    Served,
    a_store,
)

PATH = "/api/v1/tags/hosts"


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    served.store.put_host_tags(HostTags(ORG, "web-1", TagSource.AGENT, ("env:prod",), NOON))
    served.store.put_host_tags(HostTags(ORG, "web-1", TagSource.USER, ("team:web",), NOON))
    served.store.put_host_tags(HostTags(ORG, "db-1", TagSource.AGENT, ("env:prod", "role:db"), NOON))
    served.store.put_host_tags(HostTags(OTHER_ORG, "web-1", TagSource.USER, ("team:other",), NOON))
    client = Client(served.app())
    yield client
    client.close()


def test_tags_are_read_by_tag_and_by_host_and_by_source(client: Client) -> None:
    def tags(query: str = "") -> object:
        return client.get(f"{PATH}{query}", headers=READER).json()

    assert tags() == {"tags": {"env:prod": ["db-1", "web-1"], "role:db": ["db-1"], "team:web": ["web-1"]}}
    assert tags("?source=Users") == {"tags": {"team:web": ["web-1"]}}
    assert tags("/web-1") == {"host": "web-1", "tags": ["env:prod", "team:web"]}
    assert tags("/web-1?source=datadog") == {"host": "web-1", "tags": ["env:prod"]}


def test_tags_are_given_replaced_and_taken_away(client: Client, served: Served) -> None:
    def given() -> list[tuple[str, ...]]:
        return [
            one.tags
            for one in served.store.host_tags()
            if (one.org_id, one.host, one.source) == (ORG, "web-1", TagSource.USER)
        ]

    added = client.post(f"{PATH}/web-1?source=users", json={"host": "web-1", "tags": ["Tier:1"]}, headers=READER)
    assert (added.status_code, added.json()) == (201, {"host": "web-1", "tags": ["team:web", "tier:1"]})
    replaced = client.request("PUT", f"{PATH}/web-1", json={"tags": ["a:b"]}, headers=READER)
    assert (replaced.status_code, replaced.json()) == (201, {"host": "web-1", "tags": ["a:b"]})
    assert given() == [("a:b",)]
    deleted = client.request("DELETE", f"{PATH}/web-1", headers=READER)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert [one for one in given() if one] == []
    assert client.get(f"{PATH}/web-1", headers=READER).json()["tags"] == ["env:prod"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nobody", None, 404),
        ("GET", "?source=chef", None, 400),
        ("POST", "/web-1?source=datadog", {"tags": ["a:b"]}, 400),
        ("POST", "/web-1", {"tags": ["a,b"]}, 400),
        ("POST", "/web-1", {"tags": [" "]}, 400),
        ("PUT", "/web-1", {"tags": ["a\nb"]}, 400),
        ("PUT", "/web-1", {"tags": [f"tag:{number}" for number in range(1001)]}, 400),
        ("PUT", "/web-1", {"tags": "a:b"}, 400),
        ("PUT", "/web-1", {}, 400),
        ("PUT", "/web-1", {"tags": ["a" * 20_000]}, 413),
        ("PUT", f"/{'h' * 256}", {"tags": ["a:b"]}, 400),
        ("DELETE", "/web-1?source=agent", None, 400),
    ],
)
def test_what_is_bad_is_refused_and_changes_nothing(
    client: Client, served: Served, method: str, path: str, body: object, status: int
) -> None:
    before = served.store.host_tags()

    answer = client.request(method, f"{PATH}{path}", json=body, headers=READER)

    assert (answer.status_code, len(answer.json()["errors"])) == (status, 1)
    assert served.store.host_tags() == before


def test_writing_takes_its_scope(client: Client) -> None:
    plain = {"authorization": f"Bearer {PLAIN_APPLICATION_KEY}"}

    refused = client.request("PUT", f"{PATH}/web-1", json={"tags": []}, headers=plain)

    assert refused.status_code == 403
    assert refused.json()["errors"] == ["Forbidden: this takes an application key with the scope host_tags_write"]
    assert client.get(f"{PATH}/web-1", headers=plain).status_code == 200


def test_the_official_client_keeps_tags_of_hosts() -> None:
    with Served(a_store()).server() as url:
        configuration = Configuration(host=url)
        configuration.api_key = {"apiKeyAuth": API_KEY, "appKeyAuth": APPLICATION_KEY}
        with ApiClient(configuration) as official:
            api = TagsApi(official)

            made = api.create_host_tags("web-9", HostTagsOfClient(host="web-9", tags=["a:b", "c:d"]))
            assert made.to_dict() == {"host": "web-9", "tags": ["a:b", "c:d"]}
            assert api.update_host_tags("web-9", HostTagsOfClient(tags=["e:f"]), source="users").tags == ["e:f"]
            assert api.list_host_tags().to_dict() == {"tags": {"e:f": ["web-9"]}}
            api.delete_host_tags("web-9")
            with pytest.raises(NotFoundException):
                api.get_host_tags("web-9")
