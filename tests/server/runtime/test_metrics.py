from __future__ import annotations

import asyncio

import pytest

from procession.errors import Unavailable
from procession.server.intake.agents import Agents
from procession.server.runtime.metrics import Counter, CountingSink, Histogram, Metrics
from procession.server.runtime.timed_store import TimedStore
from tests.support.agents.posting import a_payload, post
from tests.support.builders import a_sighting, a_snapshot
from tests.support.served import APPLICATION_KEY, PATH, READER, Client, a_store

BEARER = {"authorization": f"Bearer {APPLICATION_KEY}"}


def test_a_counter_shows_each_combination_of_labels() -> None:
    counter = Counter("things_total", "Things.", ("kind", "name"))
    counter.add(1, "b", "x")
    counter.add(2.5, "a", 'q"\\\n')
    counter.add(1, "b", "x")

    assert list(counter.lines()) == [
        "# HELP things_total Things.",
        "# TYPE things_total counter",
        'things_total{kind="a",name="q\\"\\\\\\n"} 2.5',
        'things_total{kind="b",name="x"} 2',
    ]


def test_a_counter_without_labels_is_there_from_the_start() -> None:
    assert list(Counter("things_total", "Things.").lines())[-1] == "things_total 0"


def test_a_large_count_loses_no_digit() -> None:
    counter = Counter("things_total", "Things.")
    counter.add(123_456_789_012)
    counter.add()

    assert list(counter.lines())[-1] == "things_total 123456789013"


def test_a_histogram_counts_what_took_at_most_so_long() -> None:
    histogram = Histogram("seconds", "Time.", ("route",))
    for seconds in (0.001, 0.002, 0.3, 99):
        histogram.observe(seconds, "/x")

    lines = list(histogram.lines())

    assert 'seconds_bucket{route="/x",le="0.001"} 1' in lines
    assert 'seconds_bucket{route="/x",le="0.0025"} 2' in lines
    assert 'seconds_bucket{route="/x",le="0.25"} 2' in lines
    assert 'seconds_bucket{route="/x",le="10.0"} 3' in lines
    assert 'seconds_bucket{route="/x",le="+Inf"} 4' in lines
    assert 'seconds_count{route="/x"} 4' in lines
    assert 'seconds_sum{route="/x"} 99.303' in lines


def test_requests_are_counted_by_route_and_status(client: Client) -> None:
    client.processes()
    client.processes("search=(")
    client.get(PATH)
    client.request("MADE-UP", PATH)
    client.get("/nowhere/1", headers=READER)
    client.get("/nowhere/2", headers=READER)

    text = client.get("/metrics", headers=BEARER).text

    for method, route, status, count in (
        ("GET", PATH, 200, 1),
        ("GET", PATH, 400, 1),
        ("GET", PATH, 403, 1),
        ("other", PATH, 405, 1),
        ("GET", "none", 404, 2),
    ):
        labels = f'{{method="{method}",route="{route}",status="{status}"}}'
        assert f"procession_http_requests_total{labels} {count}\n" in text
    assert f'procession_http_request_seconds_count{{method="GET",route="{PATH}"}} 3\n' in text


def test_the_text_is_what_prometheus_reads(client: Client) -> None:
    answer = client.get("/metrics", headers=BEARER)

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    assert "procession_sightings_total 0\n" in answer.text
    for line in answer.text.splitlines():
        assert line.startswith(("# HELP procession_", "# TYPE procession_", "procession_"))


@pytest.mark.parametrize("headers", [{}, {"dd-application-key": APPLICATION_KEY}, {"authorization": "Bearer x"}])
def test_metrics_need_an_application_key(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/metrics", headers=headers).status_code == 403


def test_agents_are_counted_by_the_version_that_they_said_last_and_no_more_than_a_few_versions_are_shown() -> None:
    now = 0.0
    agents = Agents(lambda: now)
    for number in range(30):
        agents.posted(1, {"x-dd-hostname": f"web-{number}", "dd-agent-version": f"1.{number}"})
    for number in range(5):
        agents.posted(2, {"x-dd-hostname": f"web-{number}", "x-dd-processagentversion": "7.66.1"})
    agents.posted(2, {"x-dd-hostname": "web-0", "dd-agent-version": 'made "up"'})

    found = agents.by_version()

    assert (found["7.66.1",], found["other",], sum(found.values())) == (4, 12, 35)
    assert len(found) == 21
    now = 121.0
    assert agents.by_version() == {}


def test_what_is_posted_and_watched_shows(agent: Client) -> None:
    payload = a_payload(a_snapshot(a_sighting(1)))
    post(agent, payload, x_dd_hostname="web-1", x_dd_processagentversion="7.66.1")
    agent.post("/api/procession/v1/watch", headers=BEARER, json={"host": "web-1"})

    text = agent.get("/metrics", headers=BEARER).text

    assert 'procession_agents{version="7.66.1"} 1' in text
    assert "procession_watch_leases 1\n" in text
    assert "procession_waiting_sightings 0\n" in text


def test_an_agent_that_says_that_it_can_read_nothing_shows(agent: Client) -> None:
    document = b'{"internalHostname": "web-1", "host-tags": {"system": []}}'
    answer = post(agent, document, "/intake/", x_dd_hostname="web-1", x_procession_unreadable="57")

    assert answer.status_code == 202
    assert "procession_blind_agents 1\n" in agent.get("/metrics", headers=BEARER).text


def test_groups_and_their_time_are_measured() -> None:
    metrics = Metrics()
    store = TimedStore(a_store(), metrics)

    store.add([(1, a_snapshot(a_sighting(1), a_sighting(2))), (2, a_snapshot(a_sighting(1)))])

    text = metrics.render()
    assert "procession_store_batch_sightings_sum 3\n" in text.replace(".0", "")
    assert "procession_store_seconds_count 1\n" in text


def test_what_is_not_safe_yet_is_counted() -> None:
    async def main() -> None:
        go = asyncio.Event()

        class FairQueue:
            async def add(self, *_: object) -> None:
                await go.wait()

        sink = CountingSink(FairQueue(), Counter("sightings_total", "Sightings."))
        task = asyncio.create_task(sink.add(1, a_snapshot(a_sighting(1), a_sighting(2))))
        await asyncio.sleep(0)
        assert sink.waiting == 2
        go.set()
        await task
        assert sink.waiting == 0

    asyncio.run(main())


class ASink:
    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def add(self, *_: object) -> None:
        if self._error:
            raise self._error


def test_sightings_are_counted_once_they_are_safe() -> None:
    counter = Counter("sightings_total", "Sightings.")
    snapshot = a_snapshot(a_sighting(1), a_sighting(2))

    with pytest.raises(Unavailable):
        asyncio.run(CountingSink(ASink(Unavailable("The disk is full")), counter).add(1, snapshot))
    assert list(counter.lines())[-1] == "sightings_total 0"

    asyncio.run(CountingSink(ASink(), counter).add(1, snapshot))
    assert list(counter.lines())[-1] == "sightings_total 2"
