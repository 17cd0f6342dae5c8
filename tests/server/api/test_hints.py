"""Hints beside answers of Procession's API; Datadog's endpoint has none."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from procession.process import ProcessNumbers
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import API_KEY, ORG, OTHER_API_KEY, PATH, READER, Client, Served

PREFIX = "/api/procession/v1"
CALLS = (
    "/processes?",
    f"/processes?at={NOON}&",
    "/facets?",
    f"/facets?at={NOON}&",
    "/groups?by=command&",
    "/points?",
    "/timeseries?",
    "/hosts?",
    f"/compare?other_at={NOON - 10}&",
)
WITH_A_WINDOW = ("/processes?", "/facets?", "/timeseries?")
WITH_AN_INSTANT = (
    "/processes?",
    "/facets?",
    "/groups?by=command&",
    "/points?",
    "/hosts?",
    "/compare?",
    "/tree?host=web-1&",
)


@pytest.fixture(autouse=True)
def _processes(served: Served) -> None:
    for at in (NOON - 10, NOON):
        numbers = ProcessNumbers(cpu_total_percent=1.0, rss_bytes=2**20)
        sightings = [a_sighting(pid, numbers=numbers, tags=("env:prod",)) for pid in (1, 2)]
        served.store.add([(ORG, a_snapshot(*sightings, taken_at=at, split_id=at, chunk_count=1))])


def ask(client: Client, path: str) -> Any:
    answer = client.get(PREFIX + path, headers=READER)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("search", "host:(web-1 OR web-2)", "'(host:web-1 OR host:web-2)'"),
        ("search", "-postgres", "'!postgres'"),
        ("search", "host=web-1", "'host:web-1'"),
        ("tags", "env=prod", "'env:prod'"),
        ("tags", "env:prod role:web", "'env:prod,role:web'"),
    ],
)
def test_what_another_language_means_is_said_where_nothing_was_found(
    client: Client, call: str, name: str, text: str, meant: str
) -> None:
    meta = ask(client, f"{call}{name}={quote(text)}")["meta"]

    assert any(meant in hint for hint in meta["hints"]), meta


@pytest.mark.parametrize("call", CALLS)
def test_where_something_was_found_there_is_no_hint(client: Client, call: str) -> None:
    # It is in the command line, as it is written.
    assert "hints" not in ask(client, f"{call}search=-g")["meta"]
    assert "hints" not in ask(client, call)["meta"]


@pytest.mark.parametrize("call", CALLS)
def test_a_question_that_is_as_it_is_written_here_gets_no_hint(client: Client, call: str) -> None:
    assert "hints" not in ask(client, f"{call}search=java+!nginx&tags=role:web")["meta"]


def test_the_other_side_of_a_comparison_has_its_own(client: Client) -> None:
    meta = ask(client, "/compare?search=nginx&other_search=-nginx&other_tags=env%3Dprod")["meta"]

    assert [hint.partition(":")[0] for hint in meta["hints"]] == ["other_search", "other_tags"]


def test_a_page_beyond_the_last_one_gets_no_hint(client: Client) -> None:
    first = ask(client, "/processes?search=-g")
    after = ask(client, f"/processes?search=-g&page[cursor]={first['meta']['page']['after']}")

    assert len(first["data"]) == 2
    assert after["data"] == []
    assert "hints" not in after["meta"]


@pytest.mark.parametrize(("factor", "unit"), [(10**3, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds")])
@pytest.mark.parametrize(
    ("call", "name"),
    [*((call, "from") for call in WITH_A_WINDOW), *((call, "to") for call in WITH_A_WINDOW)]
    + [(call, "at") for call in WITH_AN_INSTANT]
    + [("/compare?", "other_at")],
)
def test_a_moment_in_parts_of_seconds_is_told_its_seconds(
    client: Client, call: str, name: str, factor: int, unit: str
) -> None:
    meta = ask(client, f"{call}{name}={NOON * factor}")["meta"]

    assert meta["hints"] == ([f"{name} is in Unix seconds; {NOON * factor} looks like {unit}, which would be {NOON}"])


@pytest.mark.parametrize("query", ["search=-postgres", "tags=env%3Dprod", f"from={NOON}000", f"to={NOON}000"])
def test_the_endpoint_of_datadog_says_what_it_always_said(client: Client, query: str) -> None:
    answer = client.get(f"{PATH}?{query}", headers=READER)

    assert answer.status_code == 200
    assert set(answer.json()["meta"]) == {"page"}


def test_a_backslash_before_the_last_quote_is_explained_by_our_own_api_alone(client: Client) -> None:
    query = "search=" + quote('"C:\\Program Files\\"')
    rule = "Invalid query parameter search: expected a closing quote for the one at character 1"

    theirs = client.get(f"{PATH}?{query}", headers=READER)
    ours = [client.get(f"{PREFIX}{call}{query}", headers=READER) for call in CALLS]

    assert theirs.json()["errors"] == [rule]
    for answer in ours:
        assert answer.status_code == 400
        (error,) = set(answer.json()["errors"])
        assert error.startswith(f'{rule}; in quotes \\" is a quote and \\\\ a backslash')


def test_a_host_whose_agent_can_read_no_process_is_named_where_nothing_is_found(client: Client) -> None:
    headers = {"dd-api-key": API_KEY, "x-dd-hostname": "web-9", "x-procession-unreadable": "57"}
    client.post("/intake/", json={"internalHostname": "web-9", "host-tags": {"system": []}}, headers=headers)

    hint = "the agent of web-9 can read none of the 57 processes there; its console says why"
    for call in CALLS:
        assert ask(client, f"{call}search=nowhere")["meta"]["hints"] == [hint], call
        assert "hints" not in ask(client, call)["meta"], call
    assert ask(client, "/hosts?")["meta"]["blind"] == [{"host": "web-9", "processes": 57}]
    client.post("/intake/", json={}, headers=headers | {"dd-api-key": OTHER_API_KEY, "x-dd-hostname": "theirs"})
    assert len(ask(client, "/hosts?")["meta"]["blind"]) == 1
