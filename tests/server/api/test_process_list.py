from __future__ import annotations

from typing import Any

import pytest

from procession.agent.send.payload_maker import PayloadMaker
from procession.config import ServerSettings
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessNumbers
from procession.wire.datadog import LiveEncoder, MessageType, decode_answer, frame
from tests.support.agents.posting import a_payload, post
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.served import ORG, READER, Client, Served

PATH = "/api/procession/v1/processes"


def items(client: Client, path: str = PATH, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{path}?{query}", headers=READER)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


@pytest.fixture(autouse=True)
def _processes(served: Served) -> None:
    numbers = ProcessNumbers(cpu_total_percent=12.5, rss_bytes=2**20, state="S")
    before = a_snapshot(
        a_sighting(1, numbers=numbers), a_sighting(2), a_sighting(3), taken_at=NOON - 20, split_id=1, chunk_count=1
    )
    after = a_snapshot(a_sighting(1, numbers=numbers), taken_at=NOON - 10, split_id=2, chunk_count=1)
    served.store.add([(ORG, before), (ORG, after)])
    killed = ProcessExit(pid=3, at=NOON - 15, exit_code=137, description=a_description())
    served.store.add_exits([(ORG, ProcessExits("web-1", (killed,)))])


def test_each_process_has_its_numbers_and_its_end(client: Client) -> None:
    found = {item["attributes"]["pid"]: item["attributes"] for item in items(client)}

    assert (found[1]["ended"], found[1]["exit_code"]) == (None, None)
    assert found[1]["numbers"]["cpu_total_percent"] == 12.5
    assert found[1]["numbers"]["rss_bytes"] == 2**20
    assert found[1]["numbers"]["threads"] is None
    assert found[1]["numbers"]["state"] == "S"
    assert (found[2]["ended"], found[2]["exit_code"]) == ("2023-11-14T22:13:10", None)
    assert (found[3]["ended"], found[3]["exit_code"]) == ("2023-11-14T22:13:05", 137)
    assert [found[pid]["signal"] for pid in (1, 2, 3)] == [None, None, "SIGKILL"]


def test_arguments_are_apart_where_they_are_known(client: Client, served: Served) -> None:
    whole = a_sighting(5, cmdline="/opt/my app/run -c sleep 1", argument_words=(2, 0, 1, 2))
    none = a_sighting(6, cmdline="", comm="kthreadd")
    served.store.add([(ORG, a_snapshot(whole, none, host="web-5"))])

    found = {item["attributes"]["pid"]: item for item in items(client, query="tags=host:web-5")}
    alone = client.get(f"{PATH}/{found[5]['id']}", headers=READER).json()["data"]
    (theirs,) = items(client, "/api/v2/processes", "search=sleep")

    assert found[5]["attributes"]["args"] == ["/opt/my app/run", "", "-c", "sleep 1"]
    assert alone["attributes"]["args"] == found[5]["attributes"]["args"]
    assert found[6]["attributes"]["args"] == []
    assert {item["attributes"]["args"] for item in items(client, query="tags=host:web-1")} == {None}
    assert theirs["attributes"]["cmdline"] == "/opt/my app/run -c sleep 1"
    assert "args" not in theirs["attributes"]


def test_an_offset_of_minus_nothing_is_none(client: Client) -> None:
    assert items(client, query=f"at={NOON}&page[offset]=-0") == items(client, query=f"at={NOON}&page[offset]=0")


def test_the_pages_are_those_of_the_other_api(client: Client) -> None:
    theirs = items(client, "/api/v2/processes")
    ours = items(client)

    assert [item["id"] for item in ours] == [item["id"] for item in theirs]
    for our, their in zip(ours, theirs, strict=True):
        assert their["attributes"].items() <= our["attributes"].items()
    assert len(items(client, query="page[limit]=2")) == 2
    assert items(client, query="search=nothing-like-it") == []


def test_a_cursor_leads_on(client: Client) -> None:
    first = client.get(f"{PATH}?page[limit]=2", headers=READER).json()
    second = client.get(f"{PATH}?page[limit]=2&page[cursor]={first['meta']['page']['after']}", headers=READER).json()
    third = client.get(f"{PATH}?page[cursor]={second['meta']['page']['after']}", headers=READER).json()

    assert [answer["meta"]["page"]["size"] for answer in (first, second, third)] == [2, 1, 0]
    assert third["meta"]["page"]["after"] == ""


def test_its_queries_are_counted_apart(served: Served) -> None:
    served.settings = ServerSettings(own_rate_limit=1)
    client = Client(served.app())

    first, second = (client.get(PATH, headers=READER) for _ in range(2))
    other = client.processes()
    client.close()

    assert (first.status_code, second.status_code, other.status_code) == (200, 429, 200)
    assert second.headers["x-ratelimit-name"] == "procession"


def test_what_agents_send_live_updates_the_numbers(client: Client) -> None:
    (body,) = LiveEncoder().encode("web-1", [a_sighting(1, NOON - 100, ProcessNumbers(rss_bytes=7))], split_id=1)
    answer = post(client, frame.encode(MessageType.REAL_TIME, body))

    assert decode_answer(answer.content).active_clients == 0
    assert {item["attributes"]["pid"]: item["attributes"]["numbers"]["rss_bytes"] for item in items(client)}[1] == 7


def test_an_agent_that_leaves_out_every_process_ends_those_that_it_had(client: Client) -> None:
    assert None in {item["attributes"]["ended"] for item in items(client)}
    maker = PayloadMaker(host="web-1", run=1, started_at=NOON)
    (payload,) = maker.make(a_snapshot(taken_at=NOON - 2), says_none=True)
    answer = post(client, payload.body, **{name.lower(): value for name, value in payload.headers.items()})

    assert answer.status_code == 200
    assert None not in {item["attributes"]["ended"] for item in items(client)}


@pytest.mark.parametrize(("headers", "ended"), [({}, "2023-11-14T22:13:15"), ({"x-procession-partial": "true"}, None)])
def test_new_processes_may_be_sent_without_the_others(
    client: Client, headers: dict[str, str], ended: str | None
) -> None:
    new = a_snapshot(a_sighting(4), taken_at=NOON - 5)
    post(client, a_payload(new), **headers, x_dd_agent_timestamp=str(NOON - 5))

    found = {item["attributes"]["pid"]: item["attributes"]["ended"] for item in items(client)}
    assert (found[1], found[4]) == (ended, None)
