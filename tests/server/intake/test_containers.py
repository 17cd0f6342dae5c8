"""What agents send of containers is kept, whether they come by themselves or along with processes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from procession.containers.container import ContainerSnapshot
from procession.errors import Unavailable
from procession.wire.datadog import MessageType, frame
from procession.wire.datadog import process_pb2 as pb
from tests.support.agents.posting import post
from tests.support.agents.vectors import vector
from tests.support.builders import NOON
from tests.support.served import ORG, OTHER_API_KEY, OTHER_ORG, Client, Served

ID = "c0ffee000000000000000000000000000000000000000000000000000000cafe"


def names(served: Served, org_id: int = ORG) -> list[tuple[str, str, int]]:
    return [(one.host, one.container.name, one.seen_at) for one in served.store.containers.present(org_id, NOON)]


@pytest.mark.parametrize(
    ("name", "path"),
    [("container_enc2", "/api/v1/container"), ("proc_container_only_enc4", "/api/v1/collector")],
)
def test_containers_are_kept_for_the_org_of_the_key(served: Served, client: Client, name: str, path: str) -> None:
    for key in ({}, {"key": OTHER_API_KEY}):
        answer = post(client, vector(name), path, x_dd_agent_timestamp=str(NOON - 5), **key)
        assert answer.status_code == 200

    assert names(served) == names(served, OTHER_ORG) == [("web-1", "web", NOON - 5)]


def test_processes_and_their_containers_are_kept_of_one_payload(served: Served, client: Client) -> None:
    assert post(client, vector("proc_v3_enc4_zstd1x"), x_dd_agent_timestamp=str(NOON)).status_code == 200

    (found,) = served.store.containers.present(ORG, NOON)
    assert f"container_id:{found.container.container_id}" in found.container.tags
    assert len(client.processes().json()["data"]) == 2


def test_a_payload_that_says_it_has_no_containers_is_not_looked_through(served: Served, client: Client) -> None:
    body = vector("proc_container_only_enc4")
    assert post(client, body, x_dd_agent_timestamp=str(NOON), x_dd_containercount="0").status_code == 200

    assert names(served) == []


def test_containers_have_the_tags_of_their_host(served: Served, client: Client) -> None:
    headers = {"dd-api-key": "a" * 32}
    document = {"internalHostname": "web-1", "host-tags": {"system": ["Env:Prod"]}}
    assert client.post("/intake/", json=document, headers=headers).status_code < 300
    assert post(client, vector("container_enc2"), x_dd_agent_timestamp=str(NOON)).status_code == 200

    (found,) = served.store.containers.present(ORG, NOON)
    assert {"env:prod", "host:web-1", f"container_id:{ID}"} <= set(found.container.tags)


def test_what_is_older_than_anything_that_is_kept_is_dropped(served: Served, client: Client) -> None:
    assert post(client, vector("container_enc2"), x_dd_agent_timestamp="1000").status_code == 200

    assert served.store.containers.present(ORG, 1000) == ()


def test_an_agent_is_told_to_try_again_where_the_store_does_not_take_containers(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Sequence[tuple[int, ContainerSnapshot]]) -> None:
        raise Unavailable("The store cannot do this now")

    monkeypatch.setattr(served.store.containers, "add", refuse)

    assert post(client, vector("container_enc2"), x_dd_agent_timestamp=str(NOON)).status_code == 503


def test_damaged_containers_are_refused_for_good(client: Client) -> None:
    for kind in (MessageType.CONTAINERS, MessageType.CONTAINERS_REAL_TIME):
        nameless = pb.CollectorContainer(containers=[pb.Container(id="a")]).SerializeToString()
        for body in (b"\xff\xff", nameless, b""):
            assert post(client, frame.encode(kind, body)).status_code == 400
