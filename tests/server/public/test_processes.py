from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from procession.accounts.visibility import Visibility
from procession.config import ServerSettings
from procession.errors import Unavailable
from procession.paging import Page
from procession.process import ProcessDescription, ProcessIdentity, ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.server.public.processes import render_page
from procession.server.public.remembered_items import RememberedItems
from procession.window import Window
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.served import (
    APPLICATION_KEY,
    ORG,
    OTHER_API_KEY,
    OTHER_APPLICATION_KEY,
    OTHER_ORG,
    READER,
    Client,
    Served,
)

RATE_LIMIT_HEADERS = {f"x-ratelimit-{name}" for name in ("limit", "period", "remaining", "reset", "name")}


def a_fleet(size: int) -> list[tuple[int, Snapshot]]:
    sightings = [a_sighting(pid=1 + number // 2, started_at=NOON - 1000 + number // 5) for number in range(size)]
    return [
        (ORG, a_snapshot(sighting, host=f"web-{number % 2}", request_id=number))
        for number, sighting in enumerate(sightings)
    ]


def pids(answer_json: dict[str, list[dict[str, dict[str, int]]]]) -> list[int]:
    return [process["attributes"]["pid"] for process in answer_json["data"]]


def test_an_empty_answer_is_the_recorded_49_bytes(client: Client) -> None:
    answer = client.processes("tags=testing:true")

    assert answer.content == b'{"meta":{"page":{"after":"","size":0}},"data":[]}'


def test_a_process_is_rendered_compactly_with_its_keys_in_the_recorded_order(served: Served, client: Client) -> None:
    sighting = a_sighting(pid=7, started_at=NOON - 100, tags=("env:prod", "p-bosh"))
    served.store.add([(ORG, a_snapshot(sighting))])

    answer = client.processes()

    after = answer.json()["meta"]["page"]["after"]
    process_id = answer.json()["data"][0]["id"]
    assert answer.text == (
        f'{{"meta":{{"page":{{"after":"{after}","size":1}}}},'
        f'"data":[{{"type":"process","id":"{process_id}","attributes":'
        '{"cmdline":"/usr/sbin/nginx -g daemon off;","timestamp":"2023-11-14T22:13:20","start":"2023-11-14T22:11:40",'
        '"user":"www-data","pid":7,"ppid":1,"host":"web-1",'
        '"tags":["env:prod","p-bosh","host:web-1","user:www-data","command:nginx","state_zombie:false"]}}]}'
    )
    assert answer.text == json.dumps(answer.json(), separators=(",", ":"))


def test_an_id_begins_with_the_org_and_is_the_same_in_every_answer(served: Served, client: Client) -> None:
    served.store.add([(ORG, a_snapshot(a_sighting()))])
    first = client.processes().json()["data"][0]["id"]

    served.clock.now += 600
    served.store.add([(ORG, a_snapshot(a_sighting(cmdline="another"), taken_at=NOON + 600))])

    assert client.processes().json()["data"][0]["id"] == first
    assert first.startswith("01000000")
    assert len(first) == 40


def test_texts_are_shown_as_they_are(served: Served, client: Client) -> None:
    cmdline = 'café "quoted" \\ \x01 \u2028 </script> \U0001f600'
    served.store.add([(ORG, a_snapshot(a_sighting(cmdline=cmdline)))])

    assert client.processes().json()["data"][0]["attributes"]["cmdline"] == cmdline


def test_a_page_has_as_many_as_asked_for_and_the_cursor_leads_through_all(served: Served, client: Client) -> None:
    served.store.add(a_fleet(50))
    whole = client.processes("page[limit]=10000").json()["data"]

    found, sizes, after = [], [], ""
    while True:
        page = client.processes(f"page[limit]=7&page[cursor]={after}").json()
        if not page["data"]:
            break
        after = page["meta"]["page"]["after"]
        assert after
        sizes.append(page["meta"]["page"]["size"])
        found.extend(page["data"])

    assert sizes == [7] * 7 + [1]
    assert found == whole
    assert page["meta"]["page"] == {"after": "", "size": 0}


def test_the_order_is_by_start_and_then_by_id_descending(served: Served, client: Client) -> None:
    served.store.add(a_fleet(50))

    data = client.processes().json()["data"]

    ranks = [(process["attributes"]["start"], [-byte for byte in bytes.fromhex(process["id"])]) for process in data]
    assert ranks == sorted(ranks)


def test_a_scan_keeps_the_window_of_its_first_page(served: Served, client: Client) -> None:
    served.store.add(a_fleet(4))
    after = client.processes("page[limit]=2").json()["meta"]["page"]["after"]

    served.clock.now += 3600
    late = a_snapshot(a_sighting(pid=99, started_at=NOON + 5), taken_at=NOON + 3600)
    served.store.add([(ORG, late)])
    second = client.processes(f"page[limit]=9&page[cursor]={after}").json()

    assert len(second["data"]) == 2
    assert 99 not in pids(second)


def test_an_org_never_sees_the_processes_of_another(served: Served, client: Client) -> None:
    served.store.add([(ORG, a_snapshot(a_sighting(pid=1), a_sighting(pid=2)))])
    served.store.add([(OTHER_ORG, a_snapshot(a_sighting(pid=3), a_sighting(pid=4)))])
    other = {"dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}

    assert sorted(pids(client.processes().json())) == [1, 2]
    assert sorted(pids(client.processes(headers=other).json())) == [3, 4]
    assert client.processes("tags=host:web-1,user:www-data", headers=other).json()["meta"]["page"]["size"] == 2


def test_a_cursor_of_another_org_opens_nothing(served: Served, client: Client) -> None:
    served.store.add([(OTHER_ORG, a_snapshot(a_sighting(pid=3), a_sighting(pid=4)))])
    other = {"authorization": f"Bearer {OTHER_APPLICATION_KEY}"}
    after = client.processes("page[limit]=1", headers=other).json()["meta"]["page"]["after"]

    answer = client.processes(f"page[cursor]={after}")

    assert answer.status_code == 400
    assert "comes from a query with other parameters" in answer.text


def test_an_application_key_alone_reads_as_a_bearer(served: Served, client: Client) -> None:
    served.store.add([(ORG, a_snapshot(a_sighting(pid=7)))])

    answer = client.processes(headers={"authorization": f"Bearer {APPLICATION_KEY}"})

    assert pids(answer.json()) == [7]


def test_an_answer_carries_the_recorded_headers(client: Client) -> None:
    headers = client.processes().headers

    assert headers["content-type"] == "application/json"
    assert headers["vary"] == "Accept-Encoding"
    assert headers["x-ratelimit-limit"] == "100"
    assert headers["x-ratelimit-period"] == "60"
    assert headers["x-ratelimit-remaining"] == "99"
    assert headers["x-ratelimit-reset"] == str(60 - NOON % 60)
    assert headers["x-ratelimit-name"] == "processes_get_all"


def test_a_bad_query_counts_and_says_how_many_are_left(client: Client) -> None:
    client.processes()

    answer = client.processes("page[limit]=0")

    assert answer.status_code == 400
    assert answer.headers["x-ratelimit-remaining"] == "98"


def test_a_refused_reader_is_not_told_of_any_limit(client: Client) -> None:
    answer = client.processes(headers={"dd-api-key": "x", "dd-application-key": "y"})

    assert (answer.status_code, answer.content) == (403, b'{"errors":["Forbidden"]}')
    assert not RATE_LIMIT_HEADERS & set(answer.headers)
    assert "www-authenticate" not in answer.headers


def test_too_many_queries_get_a_429_that_says_when_to_come_back(served: Served) -> None:
    served.settings = ServerSettings(rate_limit=2)
    client = Client(served.app())
    client.processes()
    client.processes()

    answer = client.processes()

    assert (answer.status_code, answer.content) == (429, b'{"errors":["Too many requests"]}')
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers.get_list("x-ratelimit-reset") == [str(60 - NOON % 60)]
    other = {"authorization": f"Bearer {OTHER_APPLICATION_KEY}"}
    assert client.processes(headers=other).status_code == 200
    served.clock.now += 60 - NOON % 60
    assert client.processes().status_code == 200
    client.close()


def test_without_a_limit_there_are_no_headers_of_one(served: Served) -> None:
    served.settings = ServerSettings(rate_limit=0)
    client = Client(served.app())

    answers = [client.processes() for _ in range(150)]

    assert {answer.status_code for answer in answers} == {200}
    assert not RATE_LIMIT_HEADERS & set(answers[0].headers)
    client.close()


def test_head_is_answered_like_get_without_the_body(served: Served, client: Client) -> None:
    served.store.add([(ORG, a_snapshot(a_sighting()))])
    full = client.processes(headers=READER | {"accept-encoding": "identity"})

    head = client.request("HEAD", "/api/v2/processes", headers=READER | {"accept-encoding": "identity"})

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(full.content))


def test_a_store_that_cannot_answer_gives_a_503_without_a_limit_to_wait_for(served: Served) -> None:
    def fail(_: ProcessQuery) -> Page:
        raise Unavailable("The store cannot answer now; try again")

    served.find = fail
    client = Client(served.app())

    answer = client.processes()

    assert answer.status_code == 503
    assert answer.json() == {"errors": ["The store cannot answer now; try again"]}
    # Clients that try again after a 5xx wait for as long as this header says.
    assert not RATE_LIMIT_HEADERS & set(answer.headers)
    client.close()


def test_a_slow_query_keeps_no_other_request_waiting(served: Served) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def find_slowly(_: ProcessQuery) -> Page:
        is_asked.set()
        may_answer.wait(60)
        return Page(())

    served.find = find_slowly
    with served.server() as url, ThreadPoolExecutor(1) as others:
        slow = others.submit(served.get, f"{url}/api/v2/processes", READER)
        assert is_asked.wait(30)

        assert served.get(f"{url}/healthz", {}).status_code == 200

        may_answer.set()
        assert slow.result(30).status_code == 200


@pytest.mark.parametrize("started_at", [0, 1, 2**32 - 1])
def test_any_start_that_an_id_can_hold_is_rendered(started_at: int) -> None:
    summary = ProcessSummary(ProcessIdentity("web-1", 7, started_at), NOON, a_description())
    query = ProcessQuery(ORG, Window(0, NOON))

    body = json.loads(render_page(Page((summary,)), Visibility(ORG), query, b"12345678", RememberedItems()))

    assert body["data"][0]["id"] == ProcessKey.of(summary.identity).id_of(ORG).hex()
    assert (
        body["data"][0]["attributes"]["start"]
        == {
            0: "1970-01-01T00:00:00",
            1: "1970-01-01T00:00:01",
            2**32 - 1: "2106-02-07T06:28:15",
        }[started_at]
    )


def test_a_zombie_is_tagged_so() -> None:
    summary = ProcessSummary(
        ProcessIdentity("web-1", 7, NOON), NOON, ProcessDescription(is_zombie=True, user="uid:118")
    )

    query = ProcessQuery(ORG, Window(0, NOON))
    body = json.loads(render_page(Page((summary,)), Visibility(ORG), query, b"12345678", RememberedItems()))

    assert body["data"][0]["attributes"]["tags"] == ["host:web-1", "user:uid:118", "command:", "state_zombie:true"]
