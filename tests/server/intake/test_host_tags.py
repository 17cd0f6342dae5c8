from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from typing import Any

import cramjam
import pytest

from procession.accounts.hosts import HostTags, TagSource
from procession.server.intake.hosts import host_and_tags
from procession.server.runtime.host_tag_cache import HostTagCache
from procession.server.runtime.thread_pools import FairThreadPool, ThreadPool
from tests.support.agents.posting import a_payload, post
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import ADMIN, OTHER_API_KEY, Client, Served
from tests.support.stores.oracle import OracleStore

METADATA = {
    "apiKey": "x",
    "internalHostname": "web-1",
    "meta": {"timezones": ["UTC"]},
    "host-tags": {"system": ["Env:Prod", "role:web"], "google cloud platform": ["zone:b"], "odd": None},
}
BODY = json.dumps(METADATA).encode()
TAGS_URL = "/api/procession/v1/admin/hosts/tags"


def shown_tags(client: Client) -> list[str]:
    (item,) = client.processes(f"from={NOON}&to={NOON}").json()["data"]
    tags: list[str] = item["attributes"]["tags"]
    return tags[:-4]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", BODY),
        ("identity", BODY),
        ("deflate", zlib.compress(BODY)),
        ("gzip", gzip.compress(BODY)),
        ("zstd", bytes(cramjam.zstd.compress(BODY))),
    ],
)
def test_the_tags_in_an_agents_metadata_are_those_of_its_processes(
    client: Client, served: Served, encoding: str, body: bytes
) -> None:
    assert post(client, body, "/intake/", content_encoding=encoding).status_code == 202
    assert post(client, a_payload(a_snapshot(a_sighting()))).status_code == 200

    assert shown_tags(client) == ["env:prod", "role:web", "zone:b"]
    assert served.store.host_tags() == (HostTags(1, "web-1", TagSource.AGENT, ("env:prod", "role:web", "zone:b")),)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        b"[1]",
        b"{}",
        b'{"internalHostname": 7, "host-tags": {}}',
        b'{"internalHostname": "", "host-tags": {}}',
        b'{"internalHostname": "web-1", "host-tags": null}',
        b'{"internalHostname": "web-1"}',
        b"[" * 100_000,
        b'{"host-tags": ' + b"[" * 100_000,
    ],
)
def test_whatever_else_is_posted_there_is_taken_and_dropped(client: Client, served: Served, document: bytes) -> None:
    for encoding in ("", "deflate", "zstd", "br"):
        assert post(client, document, "/intake/", content_encoding=encoding).status_code == 202

    assert served.store.host_tags() == ()


def test_a_document_is_unpacked_to_its_limit_only(client: Client) -> None:
    bomb = zlib.compress(bytes(20 * 2**20))
    zstd_bomb = bytes(cramjam.zstd.compress(bytes(20 * 2**20)))

    assert post(client, bomb, "/intake/", content_encoding="deflate").status_code == 413
    assert post(client, zstd_bomb, "/intake/", content_encoding="zstd").status_code == 413


def test_half_a_surrogate_in_a_tag_is_no_fault() -> None:
    found = host_and_tags(b'{"internalHostname": "a", "host-tags": {"system": ["x:\\ud800"]}}', "", 1000)

    assert found is None or found[1][0].encode()


def test_an_org_does_not_give_tags_to_the_hosts_of_another(client: Client) -> None:
    post(client, BODY, "/intake/", key=OTHER_API_KEY)
    post(client, a_payload(a_snapshot(a_sighting())))

    assert shown_tags(client) == []


def change(client: Client, **body: Any) -> Any:
    return client.post(TAGS_URL, json={"org_id": 1, "host": "web-1"} | body, headers=ADMIN)


def test_tags_of_the_user_join_those_of_the_agent(client: Client) -> None:
    post(client, BODY, "/intake/")
    answer = change(client, add=["Team:A", "role:web"])
    post(client, a_payload(a_snapshot(a_sighting())))

    assert answer.json() == {
        "host_tags": {"org_id": 1, "host": "web-1", "source": "user", "tags": ["role:web", "team:a"]}
    }
    assert shown_tags(client) == ["env:prod", "role:web", "team:a", "zone:b"]


def test_tags_of_the_user_are_taken_away_by_the_user_only(client: Client) -> None:
    change(client, add=["team:a", "team:b"])
    post(client, BODY, "/intake/")

    assert change(client, remove=["Team:A"]).json()["host_tags"]["tags"] == ["team:b"]
    refused = change(client, remove=["env:prod"])
    assert (refused.status_code, refused.json()) == (
        400,
        {"errors": ["web-1 was not given the tag env:prod here"]},
    )
    listed = client.get(f"{TAGS_URL}?org_id=1", headers=ADMIN).json()["host_tags"]
    assert [(entry["source"], entry["tags"]) for entry in listed] == [
        ("agent", ["env:prod", "role:web", "zone:b"]),
        ("user", ["team:b"]),
    ]
    assert client.get(f"{TAGS_URL}?org_id=2", headers=ADMIN).json() == {"host_tags": []}


@pytest.mark.parametrize(
    "body",
    [{"add": [""]}, {"add": ["a,b"]}, {"add": ["x" * 201]}, {"add": ["a\nb"]}, {"host": " "}, {"org_id": 7}],
)
def test_unfit_tags_hosts_and_orgs_are_refused(client: Client, body: dict[str, Any]) -> None:
    assert change(client, **({"add": ["a:b"]} | body)).status_code == 400


def test_tags_are_read_again_only_when_they_have_changed() -> None:
    store = CountingStore()

    async def look() -> list[int]:
        thread = ThreadPool(1, "test")
        book = HostTagCache(store, thread, FairThreadPool(1, "test"), lambda: NOON)
        counts = []
        for change in (False, False, True, False):
            if change:  # another server of the store
                store.put_host_tags(HostTags(1, "web-1", TagSource.USER, ("env:prod",)))
            await book._entries.reload()
            counts.append(store.reads)
        assert list((await book.of_org(1))("web-1")) == ["env:prod"]
        thread.close()
        return counts

    assert asyncio.run(look()) == [1, 1, 2, 2]


def test_an_org_that_says_new_tags_without_end_holds_up_no_other() -> None:
    store, may_write = CountingStore(), threading.Event()
    put = store.put_host_tags
    written: list[list[int]] = []

    def put_when_let(*entries: HostTags) -> None:
        if not written:
            assert may_write.wait(30)
        written.append([entry.org_id for entry in entries])
        put(*entries)

    store.put_host_tags = put_when_let  # type: ignore[method-assign]

    async def look() -> None:
        thread, writing = ThreadPool(1, "test"), FairThreadPool(1, "test")
        book = HostTagCache(store, thread, writing, lambda: NOON)
        greedy = [asyncio.create_task(book.learn(1, f"host-{n}", ["env:prod"])) for n in range(300)]

        # What is read does not wait for what is written.
        assert list((await asyncio.wait_for(book.of_org(2), 30))("web-1")) == []
        modest = asyncio.create_task(book.learn(2, "web-1", ["role:web"]))
        await asyncio.sleep(0)
        may_write.set()
        await asyncio.wait_for(modest, 30)
        assert list((await book.of_org(2))("web-1")) == ["role:web"]
        await asyncio.gather(*greedy)
        thread.close()
        writing.close()

    asyncio.run(look())
    assert [2] in written[:2], "it did not wait for all of them"
    assert sum(entries.count(1) for entries in written) == 300


def test_what_the_hosts_of_a_fleet_say_at_once_is_written_together() -> None:
    store = CountingStore()
    put = store.put_host_tags
    sizes: list[int] = []

    def put_and_count(*entries: HostTags) -> None:
        sizes.append(len(entries))
        put(*entries)

    store.put_host_tags = put_and_count  # type: ignore[method-assign]

    async def learn() -> None:
        thread, writing = ThreadPool(1, "test"), FairThreadPool(1, "test")
        book = HostTagCache(store, thread, writing, lambda: NOON)
        await asyncio.gather(*(book.learn(1, f"host-{n}", ["env:prod", f"rack:{n}"]) for n in range(150)))
        assert list((await book.of_org(1))("host-149")) == ["env:prod", "rack:149"]
        thread.close()
        writing.close()

    asyncio.run(learn())
    assert sum(sizes) == 150
    assert len(sizes) <= 3


def test_what_an_agent_says_is_written_where_it_is_new_and_once_a_day(client: Client, served: Served) -> None:
    """The store forgets those of agents that have gone."""
    written: list[int] = []
    put = served.store.put_host_tags

    def put_and_note(*entries: HostTags) -> None:
        written.extend(entry.said_at for entry in entries)
        put(*entries)

    served.store.put_host_tags = put_and_note  # type: ignore[method-assign]

    for hours in (0, 1, 23, 24, 25, 47, 48):
        served.clock.now = NOON + hours * 3600
        post(client, BODY, "/intake/")

    assert written == [NOON, NOON + 24 * 3600, NOON + 48 * 3600]


class CountingStore(OracleStore):
    """Counts how often all tags are read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def host_tags(self) -> tuple[HostTags, ...]:
        self.reads += 1
        return super().host_tags()
