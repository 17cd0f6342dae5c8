"""Each client asks everything of the common list, and understands what the contract says to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.cases import LIMITED, RETRIED, Case, cases
from tests.conformance.clients import Language, Run
from tests.conformance.conftest import LANGUAGES, Answers, Fleet, take_part
from tests.conformance.fleet import HOSTS, PER_HOST, Item, items_seen

NAMES = [case.name for case in cases(0, "")]

every_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)


@pytest.fixture
def items_of(fleet: Fleet) -> Callable[[tuple[int, int]], list[Item]]:
    def items_of(ago: tuple[int, int]) -> list[Item]:
        begin, end = (fleet.posted_at - seconds for seconds in ago)
        return items_seen(fleet.snapshots, fleet.server.org_id, begin, end)

    return items_of


def test_the_fleet_is_2500_processes_and_some_of_before(items_of: Callable[[tuple[int, int]], list[Item]]) -> None:
    assert len(items_of((900, 0))) == HOSTS * PER_HOST == 2500
    assert len(items_of((100_000, 0))) == 2501


@every_language
@pytest.mark.parametrize("name", NAMES)
def test_a_client_gets_what_the_contract_says(
    language: Language,
    name: str,
    fleet: Fleet,
    items_of: Callable[[tuple[int, int]], list[Item]],
    answers_of: Callable[[Language], Answers],
) -> None:
    (case,) = (case for case in fleet.cases if case.name == name)

    is_what_the_contract_says(case, language, answers_of(language)[name], items_of(case.ago))


def is_what_the_contract_says(case: Case, language: Language, answer: dict[str, Any], items: list[Item]) -> None:
    """`items`: all of the case's window."""
    if language.name in case.refused_by:
        assert answer["status"] == 0
    elif case.status != 200:
        assert (answer["status"], answer["errors"]) == (case.status, list(case.errors))
    else:
        expected = case.expected(items)
        assert answer["status"] == 200, answer
        assert [item["id"] for item in answer["data"]] == [item["id"] for item in expected]
        assert answer["data"] == expected
        if not case.all_pages:
            assert answer["size"] == len(expected)
            # An empty one on a page with processes makes some of the clients start over.
            assert bool(answer["after"]) == bool(expected)


@every_language
def test_a_client_that_is_limited_waits_for_the_next_minute_by_itself(
    language: Language, built: dict[str, str], limited: dict[str, Run]
) -> None:
    take_part(built, language)
    results = limited[language.name].results()
    first = [results[case.name] for case in LIMITED]
    retried = results[RETRIED.name]

    refused = [result for result in first if result["status"] != 200]
    assert refused, "three queries in a row are within two minutes at most"
    assert {(result["status"], *result["errors"]) for result in refused} == {(429, "Too many requests")}
    assert retried["status"] == 200
    assert minute(retried["answered_at"]) > minute(last_granted(first)["asked_at"])


def last_granted(results: list[dict[str, Any]]) -> dict[str, Any]:
    return [result for result in results if result["status"] == 200][-1]


def minute(moment: float) -> int:
    return int(moment // 60)
