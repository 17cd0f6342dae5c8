from __future__ import annotations

from typing import Any

from procession.config import ServerSettings
from procession.wire.datadog import decode_answer
from tests.support.agents.posting import a_payload, post
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import OTHER_API_KEY, READER, Client, Served

PATH = "/api/procession/v1/watch"


def watch(client: Client, **body: Any) -> Any:
    answer = client.post(PATH, json=body, headers=READER)
    assert answer.status_code == 200
    return answer.json()


def told(client: Client, host: str = "web-1", **options: Any) -> int:
    """What the agent of a host hears."""
    answer = post(client, a_payload(a_snapshot(a_sighting(), host=host)), **options)
    return decode_answer(answer.content).active_clients


def test_agents_hear_that_their_host_is_watched_for_as_long_as_it_is(client: Client, served: Served) -> None:
    assert told(client) == 0

    assert watch(client, host="web-1") == {"host": "web-1", "until": NOON + 10, "lease_seconds": 10}
    assert told(client) == 1
    assert told(client, "web-2") == 0

    served.clock.now += 9
    assert told(client) == 1
    served.clock.now += 1
    assert told(client) == 0


def test_a_lease_can_be_renewed(client: Client, served: Served) -> None:
    watch(client, host="web-1")
    served.clock.now += 8
    watch(client, host="web-1")
    served.clock.now += 8

    assert told(client) == 1


def test_a_lease_that_somebody_has_just_taken_is_not_written_again(client: Client, served: Served) -> None:
    watch(client, host="web-1")
    served.clock.now += 2

    assert watch(client, host="web-1")["until"] == NOON + 10
    assert watch(client)["until"] == NOON + 12

    served.clock.now += 1
    assert watch(client, host="web-1")["until"] == NOON + 13


def test_all_hosts_of_an_org_can_be_watched_at_once(client: Client) -> None:
    watch(client)

    assert (told(client), told(client, "web-2")) == (1, 1)
    assert told(client, key=OTHER_API_KEY) == 0


def test_agents_of_another_server_of_the_store_hear_of_it(client: Client, served: Served) -> None:
    other = Client(served.app())
    watch(client, host="web-1")

    assert told(other) == 1
    other.close()


def test_a_host_needs_a_name(client: Client, served: Served) -> None:
    for host in ("", " ", "x" * 256):
        assert client.post(PATH, json={"host": host}, headers=READER).status_code == 400
    assert client.post(PATH, content=b"{", headers=READER).status_code == 400

    assert served.store.leases(0) == ()


def test_it_counts_as_a_call_of_the_own_api(served: Served) -> None:
    served.settings = ServerSettings(own_rate_limit=3)
    client = Client(served.app())

    statuses = [client.post(PATH, json={"host": f"web-{number}"}, headers=READER) for number in range(4)]

    assert [answer.status_code for answer in statuses] == [200, 200, 200, 429]
    assert statuses[0].headers["x-ratelimit-remaining"] == "2"
    assert {lease.host for lease in served.store.leases(0)} == {"web-0", "web-1", "web-2"}
    client.close()
