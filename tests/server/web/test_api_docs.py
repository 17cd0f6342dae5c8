"""What docs/api.md says holds: its examples are read, its messages are given, its settings exist."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from procession.config import ServerSettings
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.server.http.responses import STANDARD_HEADERS
from tests.support.served import Client

DOCS = (Path(__file__).parent.parent.parent.parent / "docs" / "api.md").read_text(encoding="utf-8")


def examples(heading: str) -> list[str]:
    """The first column of the table under a heading."""
    section = DOCS.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("text", examples("Search"))
def test_a_search_in_the_docs_is_understood(text: str) -> None:
    assert parse_search(text) is not None


@pytest.mark.parametrize("text", examples("Tags"))
def test_a_tag_filter_in_the_docs_has_its_conditions(text: str) -> None:
    assert len(TagFilter.parse(text).conditions) == text.count(",") + 1


@pytest.mark.parametrize("query", ["page[limit]=0", "from=1&to=2", "search=(java"])
def test_a_message_in_the_docs_is_the_one_given(client: Client, query: str) -> None:
    (message,) = client.processes(query).json()["errors"]

    assert f"`{message}`" in DOCS


def test_the_headers_in_the_docs_are_those_sent(client: Client) -> None:
    sent = set(client.processes().headers)

    assert set(re.findall(r"`(x-ratelimit-[a-z]+)`", DOCS)) == {name for name in sent if name.startswith("x-rate")}
    assert set(STANDARD_HEADERS) <= sent


def test_every_parameter_of_the_query_is_in_the_docs() -> None:
    assert examples("Parameters") == ["search", "tags", "from", "to", "page[limit]", "page[cursor]"]


def test_settings_in_the_docs_exist() -> None:
    names = {field.name.replace("_", "-") for field in dataclasses.fields(ServerSettings)}

    assert set(re.findall(r"`--([a-z-]+)`", DOCS)) <= names
