"""Many who look at the same live: one answer is found and encoded for all of them, and nobody sees another org's."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from typing import Any

import httpx
import pytest

from procession.analysis import InstantPage
from procession.config import ServerSettings
from procession.server import create_app
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import (
    ORG,
    OTHER_API_KEY,
    OTHER_APPLICATION_KEY,
    OTHER_ORG,
    READER,
    Clock,
    StoreSink,
    a_store,
)
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore
from tests.support.stores.stores import oracle_stores

VIEWERS = 20
LIVE = {**READER, "cache-control": "max-age=1"}
OTHER_LIVE = {**LIVE, "dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}
TABLE = f"/api/procession/v1/processes?at={NOON}&sort=-rss_bytes&page[limit]=100"
FACETS = f"/api/procession/v1/facets?at={NOON}&keys=command"


class CountingAnalysis(OracleAnalysis):
    """The real answers, and how often they were found."""

    def __init__(self, store: OracleStore) -> None:
        super().__init__(store)
        self.found: Counter[str] = Counter()

    def instant_page(self, *arguments: Any, **named: Any) -> InstantPage:
        self.found["table"] += 1
        return super().instant_page(*arguments, **named)

    def facets(self, *arguments: Any, **named: Any) -> Any:
        self.found["facets"] += 1
        return super().facets(*arguments, **named)


class Viewers:
    def __init__(self, settings: ServerSettings) -> None:
        self.store = a_store()
        self.store.add([(ORG, a_snapshot(a_sighting(7), host="ours", split_id=1, chunk_count=1))])
        self.store.add([(OTHER_ORG, a_snapshot(a_sighting(9), host="theirs", split_id=1, chunk_count=1))])
        self.analysis = CountingAnalysis(self.store)
        stores = dataclasses.replace(oracle_stores(self.store), analysis=self.analysis)
        self._app = create_app(
            stores, sink=StoreSink(self.store), settings=settings, host_names=("procession.test",), now=Clock()
        )

    def ask(self, *asked: tuple[str, dict[str, str]]) -> list[httpx.Response]:
        """All at once."""

        async def gather() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://procession.test") as client:
                return list(await asyncio.gather(*(client.get(url, headers=headers) for url, headers in asked)))

        return asyncio.run(gather())


@pytest.fixture
def viewers() -> Viewers:
    return Viewers(ServerSettings())


def test_twenty_viewers_cost_one_computation(viewers: Viewers) -> None:
    answers = viewers.ask(*[(url, LIVE) for url in (TABLE, FACETS) for _ in range(VIEWERS)])

    assert viewers.analysis.found == {"table": 1, "facets": 1}
    assert {answer.status_code for answer in answers} == {200}
    tables = [answer.json() for answer in answers[:VIEWERS]]
    assert [item["attributes"]["host"] for item in tables[0]["data"]] == ["ours"]
    assert all(table == tables[0] for table in tables)
    assert {answer.headers["content-encoding"] for answer in answers} == {"gzip"}
    assert all("accept-encoding" in answer.headers["vary"].lower() for answer in answers)


def test_another_org_gets_its_own(viewers: Viewers) -> None:
    ours, theirs = viewers.ask((TABLE, LIVE), (TABLE, OTHER_LIVE))

    assert viewers.analysis.found["table"] == 2
    assert [item["attributes"]["host"] for item in ours.json()["data"]] == ["ours"]
    assert [item["attributes"]["host"] for item in theirs.json()["data"]] == ["theirs"]


def test_who_may_not_read_gets_nothing_that_is_there_already(viewers: Viewers) -> None:
    _, wrong = viewers.ask((TABLE, LIVE), (TABLE, {**LIVE, "dd-application-key": "f" * 40}))

    assert wrong.status_code == 403


def test_who_does_not_say_that_it_may_be_old_gets_it_new(viewers: Viewers) -> None:
    viewers.ask(*[(TABLE, READER) for _ in range(3)], (TABLE, {**READER, "cache-control": "no-cache"}))

    assert viewers.analysis.found["table"] == 4


def test_a_viewer_without_gzip_gets_the_same_text(viewers: Viewers) -> None:
    packed, plain = viewers.ask((TABLE, LIVE), (TABLE, {**LIVE, "accept-encoding": "identity"}))

    assert "content-encoding" not in plain.headers
    assert plain.json() == packed.json()
    assert viewers.analysis.found["table"] == 1


def test_a_mistake_is_said_to_each(viewers: Viewers) -> None:
    answers = viewers.ask(*[(f"{TABLE}&search=(", LIVE) for _ in range(3)])

    assert {answer.status_code for answer in answers} == {400}
    assert all("search" in answer.json()["errors"][0] for answer in answers)


def test_only_who_makes_the_server_work_is_counted() -> None:
    viewers = Viewers(ServerSettings(own_rate_limit=2))

    answers = viewers.ask(*[(TABLE, LIVE) for _ in range(VIEWERS)], (FACETS, LIVE), (f"{TABLE}&search=x", LIVE))

    assert [answer.status_code for answer in answers] == [200] * VIEWERS + [200, 429]
