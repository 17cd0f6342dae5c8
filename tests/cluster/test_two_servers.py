"""What two servers of one store know of each other's doings, and what each knows for itself alone: docs/scaling.md says
which is which."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from procession.wire.datadog import decode_answer
from tests.cluster.nodes.pair import LIMIT, Pair
from tests.conformance.conftest import KEYS, ORGS, PROCESSES, Keys, Server
from tests.support.agents.posting import COLLECTOR, a_payload
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import eventually

OWN = "/api/procession/v1"
WITHIN = 20.0
"""Seconds for what is promised within five, on a machine that does other things too."""


@pytest.fixture(scope="module")
def servers(pair: Pair) -> Iterator[tuple[Server, Server]]:
    first, second = (Server(url, pair.data_dir(number)) for number, url in enumerate(pair.urls))
    yield first, second
    for server in (first, second):
        server.http.close()


@dataclass(frozen=True)
class NewOrg:
    id: int
    keys: Keys
    application_key_id: str


def new_org(server: Server) -> NewOrg:
    org_id = server.http.post(ORGS, json={"name": secrets.token_hex(8)}).raise_for_status().json()["org"]["id"]
    made = []
    for kind in ("api", "application"):
        body = {"org_id": org_id, "kind": kind, "name": "test"}
        made.append(server.http.post(KEYS, json=body).raise_for_status().json())
    api, application = made
    return NewOrg(org_id, Keys(api["secret"], application["secret"]), application["key"]["id"])


@pytest.fixture
def made(servers: tuple[Server, Server]) -> NewOrg:
    """An org that the first server made just now, and that both know."""
    first, second = servers
    org = new_org(first)
    soon(lambda: status(second, org.keys) == 200)
    return org


@pytest.fixture
def org(made: NewOrg) -> Keys:
    return made.keys


def soon(find: Callable[[], Any]) -> Any:
    return eventually(find, seconds=WITHIN, what="what the other server was told")


def status(server: Server, keys: Keys) -> int:
    return httpx.get(server.url + PROCESSES, headers=keys.headers, params={"page[limit]": 1}, timeout=60).status_code


def post(server: Server, keys: Keys, *pids: int, host: str = "told") -> httpx.Response:
    now = int(time.time())
    payload = a_payload(a_snapshot(*(a_sighting(pid, now - 60) for pid in pids), host=host, taken_at=now))
    headers = {"dd-api-key": keys.api_key, "x-dd-hostname": host}
    return httpx.post(server.url + COLLECTOR, content=payload, headers=headers, timeout=60).raise_for_status()


def own(server: Server, keys: Keys, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {keys.application_key}"}
    return httpx.request(method, server.url + OWN + path, headers=headers, timeout=60, **options).raise_for_status()


def test_both_say_that_they_are_alive_and_that_their_store_answers(servers: tuple[Server, Server]) -> None:
    for server in servers:
        for path in ("/healthz", "/readyz"):
            answer = server.http.get(path)
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_key_that_one_revokes_is_soon_refused_by_the_other(servers: tuple[Server, Server], made: NewOrg) -> None:
    first, second = servers

    first.http.post(f"{KEYS}/{made.application_key_id}/revoke").raise_for_status()

    assert status(first, made.keys) == 403
    soon(lambda: status(second, made.keys) == 403)


def test_a_watch_lease_of_one_is_soon_told_to_agents_by_the_other(servers: tuple[Server, Server], org: Keys) -> None:
    first, second = servers
    assert decode_answer(post(second, org, 1).content).active_clients == 0

    def is_told() -> bool:
        own(first, org, "POST", "/watch", json={"host": "told"})  # as a page does, as long as somebody looks
        return decode_answer(post(second, org, 1).content).active_clients == 1

    soon(is_told)


def test_a_view_that_one_saves_the_other_shows_at_once(servers: tuple[Server, Server], org: Keys) -> None:
    first, second = servers

    own(first, org, "PUT", "/views/mine", json={"state": "first"})
    shown = own(second, org, "GET", "/views").json()["views"]
    own(second, org, "PUT", "/views/mine", json={"state": "second"})
    shown_back = own(first, org, "GET", "/views").json()["views"]
    own(second, org, "DELETE", "/views/mine")

    assert [(view["name"], view["state"]) for view in shown] == [("mine", "first")]
    assert [(view["name"], view["state"]) for view in shown_back] == [("mine", "second")]
    assert own(first, org, "GET", "/views").json()["views"] == []


def test_a_tag_that_one_gives_a_host_is_soon_on_what_the_other_takes(
    servers: tuple[Server, Server], made: NewOrg
) -> None:
    first, second = servers
    change = {"org_id": made.id, "host": "tagged", "add": ["team:blue"]}

    first.http.post("/api/procession/v1/admin/hosts/tags", json=change).raise_for_status()

    def is_tagged() -> bool:
        post(second, made.keys, 5, host="tagged")
        found = httpx.get(first.url + PROCESSES, headers=made.keys.headers, params={"tags": "team:blue"}, timeout=60)
        return [row["attributes"]["host"] for row in found.raise_for_status().json()["data"]] == ["tagged"]

    soon(is_tagged)


def test_who_signed_in_at_one_is_known_to_the_other_until_they_sign_out(
    servers: tuple[Server, Server], org: Keys
) -> None:
    first, second = servers
    body = {"application_key": org.application_key}
    begun = httpx.post(f"{first.url}{OWN}/session", json=body, timeout=60).raise_for_status()
    (token,) = begun.cookies.values()
    # The name of a cookie has the port: behind a balancer, both have its.
    of_first, of_second = ({f"procession_session_{urlsplit(url).port}": token} for url in (first.url, second.url))

    def seen_by_second() -> int:
        return httpx.get(f"{second.url}{OWN}/session", cookies=of_second, timeout=60).status_code

    assert seen_by_second() == 200
    httpx.delete(
        f"{first.url}{OWN}/session", cookies=of_first, headers={"origin": first.url}, timeout=60
    ).raise_for_status()
    soon(lambda: seen_by_second() == 403)


def test_a_link_signs_in_once_whichever_server_made_it(servers: tuple[Server, Server], org: Keys) -> None:
    first, second = servers
    body = {"link": own(first, org, "POST", "/session/link").json()["token"]}

    assert httpx.post(f"{second.url}{OWN}/session", json=body, timeout=60).status_code == 201
    assert httpx.post(f"{first.url}{OWN}/session", json=body, timeout=60).status_code == 403


def test_each_counts_queries_for_itself(servers: tuple[Server, Server]) -> None:
    first, second = servers
    left: list[int] = []
    for _ in range(3):  # a minute may turn in between
        org = new_org(first)
        soon(partial(is_known_as_page, second, org.keys))
        left = [remaining(server, org.keys) for server in (first, first, second)]
        if left == [LIMIT - 1, LIMIT - 2, LIMIT - 1]:
            return
    pytest.fail(f"{left} of {LIMIT} are left")


def is_known_as_page(server: Server, keys: Keys) -> bool:
    """Asked where it does not count as a query of the API."""
    headers = {"authorization": f"Bearer {keys.application_key}"}
    return httpx.get(server.url + OWN + "/views", headers=headers, timeout=60).status_code == 200


def remaining(server: Server, keys: Keys) -> int:
    answer = httpx.get(server.url + PROCESSES, headers=keys.headers, params={"page[limit]": 1}, timeout=60)
    return int(answer.raise_for_status().headers["x-ratelimit-remaining"])
