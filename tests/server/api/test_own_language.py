"""Our own language, and windows in any order, in Procession's API; Datadog's endpoint knows none of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ExitFacts, ProcessNumbers
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.served import ORG, PATH, READER, Client, Served

PREFIX = "/api/procession/v1"
OURS = "language=procession"


@pytest.fixture(autouse=True)
def _processes(served: Served) -> None:
    """1 runs, 2 was missing in the second snapshot, 3 was killed, 4 failed."""
    numbers = [ProcessNumbers(cpu_total_percent=cpu, rss_bytes=2**20 * cpu, state="S") for cpu in (10, 60, 30, 5)]
    sightings = [
        a_sighting(pid, numbers=one, cmdline=f"java -jar {pid}.jar", command="java", tags=("env:prod",))
        for pid, one in enumerate(numbers, start=1)
    ]
    before = a_snapshot(*sightings, taken_at=NOON - 20, split_id=1, chunk_count=1)
    after = a_snapshot(sightings[0], taken_at=NOON - 10, split_id=2, chunk_count=1)
    served.store.add([(ORG, before), (ORG, after)])
    exits = [
        ProcessExit(
            pid=pid, at=NOON - at, exit_code=code, description=a_description(), facts=ExitFacts(code == 137, cgroup)
        )
        for pid, at, code, cgroup in ((3, 15, 137, "/shop"), (4, 12, 1, ""))
    ]
    served.store.add_exits([(ORG, ProcessExits("web-1", tuple(exits)))])


def ask(client: Client, path: str, status: int = 200) -> Any:
    answer = client.get(PREFIX + path, headers=READER)
    assert answer.status_code == status, answer.text
    return answer.json()


def pids(answer: Any) -> list[int]:
    return [item["attributes"]["pid"] for item in answer["data"]]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("cpu>20", {2, 3}),
        ("rss>=30MiB", {2, 3}),
        ("pid:1", {1}),
        ("ended:true", {2, 3, 4}),
        ("ended:oom", {3}),
        ("ended:true !ended:oom", {2, 4}),
        ("exit_code:1", {4}),
        ("signal:KILL OR signal:9", {3}),
        ("web-1", {1, 2, 3, 4}),
        ("prod !3.jar", {1, 2, 4}),
    ],
)
def test_a_window_is_searched_in_our_own_language(client: Client, search: str, found: set[int]) -> None:
    query = f"search={quote(search)}&{OURS}"

    assert set(pids(ask(client, f"/processes?{query}"))) == found
    assert ask(client, f"/facets?{query}")["meta"]["total"] == len(found)


@pytest.mark.parametrize(
    "call", ["/processes?at={at}", "/facets?at={at}", "/points?at={at}", "/hosts?at={at}", "/groups?by=host&at={at}"]
)
def test_an_instant_is_searched_in_our_own_language(client: Client, call: str) -> None:
    at = call.format(at=NOON - 20)

    assert ask(client, f"{at}&{OURS}&search=cpu%3E20")["meta"]["total"] in (1, 2)
    assert ask(client, f"{at}&{OURS}&search=cpu%3E90")["meta"]["total"] == 0
    assert ask(client, f"{at}&search=cpu%3E20")["meta"]["total"] == 0


def test_series_and_comparisons_are_searched_in_our_own_language(client: Client) -> None:
    bounds = f"from={NOON - 30}&to={NOON}"
    series = ask(client, f"/timeseries?{bounds}&points=4&{OURS}&search=cpu%3E50")["series"]
    compared = ask(client, f"/compare?at={NOON - 20}&other_at={NOON}&{OURS}&search=cpu%3E50")["meta"]

    assert max(count or 0 for one in series for count in one["count"]) == 1
    assert (compared["left"]["total"], compared["right"]["total"]) == (1, 0)


@pytest.mark.parametrize("search", ["cpu>20", "pid:1", "web-1", "prod", "ended:true", "cpu>"])
def test_without_its_name_a_search_is_in_datadogs_language(client: Client, search: str) -> None:
    query = f"search={quote(search)}"
    theirs = client.get(f"{PATH}?{query}&{OURS}&ended=true&sort=-pid", headers=READER)

    assert ask(client, f"/processes?{query}")["data"] == []
    assert theirs.status_code == 200
    assert theirs.json() == {"meta": {"page": {"after": "", "size": 0}}, "data": []}


def test_a_search_that_is_not_finished_is_refused_with_its_place(client: Client) -> None:
    for call in ("/processes?", "/processes?at=1&", "/facets?", "/search?"):
        errors = ask(client, f"{call}{OURS}&search=java+cpu%3E", 400)["errors"]
        assert any('expected a number, as in "cpu>50", at character 6' in error for error in errors), errors
    assert "language" in ask(client, "/search?search=x&language=sql", 400)["errors"][0]


def test_what_a_search_looks_at_is_told(client: Client) -> None:
    assert ask(client, f"/search?{OURS}&search={quote('Java !web cpu>5 env:prod ended:true')}") == {
        "language": "procession",
        "compares": ["cpu_total_percent", "ended"],
        "words": ["java", "web"],
    }
    assert ask(client, "/search?search=java+cpu%3E5") == {"language": "datadog", "compares": [], "words": []}


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("-ended", [2, 4, 3, 1]),
        ("exit_code", [4, 3, 1, 2]),
        ("signal", [3, 1, 2, 4]),
        ("lifetime", [3, 4, 2, 1]),
        ("-cpu_total_percent", [2, 3, 1, 4]),
        ("pid", [1, 2, 3, 4]),
        ("-tag:env", [1, 2, 3, 4]),
    ],
)
def test_a_window_is_sorted_by_every_column(client: Client, sort: str, found: list[int]) -> None:
    bounds = f"from={NOON - 100}&to={NOON}"
    whole = ask(client, f"/processes?{bounds}&sort={sort}")
    pages = [ask(client, f"/processes?{bounds}&sort={sort}&page[offset]={at}&page[limit]=3") for at in (0, 3)]

    meta = {"from": NOON - 100, "to": NOON, "total": 4, "known": True}
    assert whole["meta"] == meta | {"page": {"after": "", "size": 4}}
    assert pids(whole) == found
    assert [pid for page in pages for pid in pids(page)] == pids(whole)


def test_those_that_have_ended_are_asked_for_apart(client: Client) -> None:
    ended = ask(client, "/processes?ended=true&sort=-ended")
    others = ask(client, "/processes?ended=false")
    facets = ask(client, "/facets?ended=true&keys=exit_code,signal,ended,command")["facets"]

    assert set(pids(ended)) == {2, 3, 4}
    assert pids(others) == [1]
    assert {facet["key"]: [(one["value"], one["count"]) for one in facet["values"]] for facet in facets} == {
        "exit_code": [("1", 1), ("137", 1)],
        "signal": [("SIGKILL", 1)],
        "ended": [("true", 3), ("oom", 1)],
        "command": [("java", 3)],
    }


def test_the_cgroup_that_was_out_of_memory_is_told(client: Client) -> None:
    attributes = [item["attributes"] for item in ask(client, "/processes?ended=true&sort=pid")["data"]]

    assert [(one["oom_killed"], one["oom_cgroup"]) for one in attributes] == [
        (None, None),
        (True, "/shop"),
        (False, None),
    ]


def test_endings_among_the_tags_are_no_tags_in_our_own_language(client: Client) -> None:
    for tags, found in (
        ("ended:oom", {3}),
        ("exit_code:137", {3}),
        ("!exit_code:137,env:prod", {1, 2, 4}),
        ("signal:SIGKILL", {3}),
    ):
        assert set(pids(ask(client, f"/processes?{OURS}&tags={tags}"))) == found
        assert ask(client, f"/facets?{OURS}&tags={tags}")["meta"]["total"] == len(found)
        assert pids(ask(client, f"/processes?tags={tags}")) == ([] if tags[0] != "!" else [1, 2, 3, 4])


def test_one_of_several_endings_among_the_tags_is_enough(client: Client) -> None:
    tags = quote("exit_code:137 OR exit_code:1,env:prod OR env:test")
    mixed = quote("exit_code:137 OR env:prod")

    assert set(pids(ask(client, f"/processes?{OURS}&tags={tags}"))) == {3, 4}
    assert ask(client, f"/facets?{OURS}&tags={tags}")["meta"]["total"] == 2
    for call in ("/processes", "/facets"):
        assert (
            "an OR between a tag and how processes ended"
            in ask(client, f"{call}?{OURS}&tags={mixed}", 400)["errors"][0]
        )


def test_what_stands_anywhere_in_an_ending_is_listed(client: Client) -> None:
    for prefix, listed in (("*KILL", ["SIGKILL"]), ("sig", ["SIGKILL"]), ("KILL", [])):
        (facet,) = ask(client, f"/facets?ended=true&keys=signal&prefix={prefix}")["facets"]
        assert [one["value"] for one in facet["values"]] == listed


def test_endings_are_of_windows_only(client: Client) -> None:
    for call in ("/processes", "/facets"):
        assert "ended" in ask(client, f"{call}?at={NOON}&ended=true", 400)["errors"][0]
    assert "from" in ask(client, f"/processes?at={NOON}&from={NOON - 9}", 400)["errors"][0]
    assert "sort" in ask(client, f"/processes?at={NOON}&sort=ended", 400)["errors"][0]


def test_a_cursor_is_good_for_the_language_that_it_came_from(client: Client) -> None:
    after = ask(client, f"/processes?search=java&{OURS}&page[limit]=2")["meta"]["page"]["after"]

    assert len(pids(ask(client, f"/processes?search=java&{OURS}&page[cursor]={after}"))) == 2
    ask(client, f"/processes?search=java&page[cursor]={after}", 400)


def test_a_word_is_completed_to_values(client: Client) -> None:
    matches = ask(client, "/tags?prefix=JA&matches=true")["matches"]

    assert matches == [{"key": "command", "value": "java", "count": 4}]
    assert ask(client, "/tags?prefix=p&matches=true")["matches"] == [{"key": "env", "value": "prod", "count": 4}]
    assert ask(client, "/tags?prefix=env:p&matches=true")["matches"] == []
    assert ask(client, "/tags?prefix=ja")["matches"] == []


def test_a_hint_knows_the_language(client: Client) -> None:
    theirs = ask(client, "/processes?search=pid:77")["meta"]["hints"]

    assert "language=procession" in theirs[0]
    assert "hints" not in ask(client, f"/processes?search=pid:77&{OURS}")["meta"]
