"""Links of before have searches in Datadog's language; the page reads them in our own, and they mean what they did."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from procession.discovery import DISCOVERED_KEYS
from procession.search.fields import NAMES
from procession.search.parser import Language, parse_search

STATE = Path(__file__).parents[2] / "web" / "src" / "state" / "language"


@pytest.mark.parametrize(("datadog", "ours"), json.loads((STATE / "oldSearches.json").read_text()))
def test_what_the_page_makes_of_an_old_search_means_the_same(datadog: str, ours: str) -> None:
    assert parse_search(ours, Language.PROCESSION) == parse_search(datadog)


def test_the_page_knows_every_name_that_is_compared() -> None:
    (listed,) = re.findall(r"COMPARED = \[(.*?)\]", (STATE / "ownLanguage.ts").read_text(), re.DOTALL)

    assert set(re.findall(r'"(\w+)"', listed)) == set(NAMES)


def test_the_page_knows_every_key_of_what_agents_find_out() -> None:
    (listed,) = re.findall(r"DISCOVERED = \[(.*?)\]", (STATE / "ownLanguage.ts").read_text(), re.DOTALL)

    assert set(re.findall(r'"(\w+)"', listed)) == set(DISCOVERED_KEYS)
