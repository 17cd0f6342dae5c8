"""The common list of Datadog's clients, asked of two servers on a cluster in turns: what one knows, the other knows."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from procession.process import Snapshot
from tests.cluster.nodes.pair import Pair
from tests.cluster.nodes.stores import FULL
from tests.conformance.cases import Case, cases
from tests.conformance.clients import PYTHON
from tests.conformance.conftest import PROCESSES, Keys, Server, asked_of
from tests.conformance.fleet import Item, items_seen, snapshots
from tests.conformance.test_clients import NAMES, is_what_the_contract_says
from tests.support.running import eventually

CASES = [name for name in NAMES if FULL or name != "all pages of 7"]
"""Some hundred pages take half a minute here, and the store's contract has small ones on a cluster."""


@dataclass(frozen=True)
class Asked:
    """A fleet that was posted to both servers, and what the client said to each case."""

    servers: tuple[Server, ...]
    posted_at: int
    snapshots: list[Snapshot]
    cases: dict[str, Case]
    answers: dict[str, dict[str, Any]]

    def items(self, ago: tuple[int, int]) -> list[Item]:
        begin, end = (self.posted_at - seconds for seconds in ago)
        return items_seen(self.snapshots, self.servers[0].org_id, begin, end)


@pytest.fixture(scope="module")
def asked(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    servers = tuple(Server(url, pair.data_dir(number)) for number, url in enumerate(pair.urls))
    first, second = servers
    posted_at = int(time.time())
    posted = snapshots(posted_at)
    for number, snapshot in enumerate(posted):
        servers[number % 2].take(snapshot)
    after = first.get({"search": "worker", "page[limit]": 10})["meta"]["page"]["after"]
    listed = [case for case in cases(posted_at, after) if case.name in CASES]
    # An org that is made by one server, and the keys that each has in its own folder: all are good at both.
    other, wrong = first.new_org("other"), "0" * 32
    keys = {
        "reader": second.reader,
        "bearer": second.reader,
        "wrong api": Keys(wrong, first.reader.application_key),
        "wrong application": Keys(first.reader.api_key, wrong),
        "two orgs": Keys(first.reader.api_key, other.application_key),
        "other org": other,
    }
    for server, of_the_other in ((second, other), (first, second.reader)):
        eventually(lambda server=server, keys=of_the_other: is_known(server, keys), what="a key of the other server")  # type: ignore[misc]
    bearers = {"bearer": first.reader.application_key}
    questions = []
    for number, case in enumerate(listed):
        # The cursor is from the first server.
        server = second if "page_cursor" in case.parameters else servers[number % 2]
        questions.append(asked_of(case, server.url, keys[case.keys], bearer=bearers.get(case.keys, "")))
    run = PYTHON.start(questions, tmp_path_factory.mktemp("cluster") / "python")
    return Asked(servers, posted_at, posted, {case.name: case for case in listed}, run.results())


def is_known(server: Server, keys: Keys) -> bool:
    return httpx.get(server.url + PROCESSES, headers=keys.headers, params={"page[limit]": 1}).status_code == 200


@pytest.mark.parametrize("name", CASES)
def test_a_client_gets_what_the_contract_says_whichever_server_it_asks(name: str, asked: Asked) -> None:
    case = asked.cases[name]

    is_what_the_contract_says(case, PYTHON, asked.answers[name], asked.items(case.ago))


def test_pages_that_are_asked_for_in_turns_are_one_list(asked: Asked) -> None:
    expected = asked.items((900, 0))
    found: list[Item] = []
    parameters: dict[str, Any] = {"from": asked.posted_at - 900, "to": asked.posted_at, "page[limit]": 250}

    for server in itertools.cycle(asked.servers):
        page = server.get(parameters)
        found += page["data"]
        if not page["data"]:
            break
        assert page["meta"]["page"]["size"] == len(page["data"]) == 250
        parameters["page[cursor]"] = page["meta"]["page"]["after"]

    assert found == expected
    assert len(found) == 2500
