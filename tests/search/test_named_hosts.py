from __future__ import annotations

import pytest

from procession.search.named_hosts import hosts_alone, mentions_host, named_hosts, required_host
from procession.search.parser import Language, parse_search
from procession.search.tag_filter import TagFilter


@pytest.mark.parametrize(
    ("search", "tags", "named", "required"),
    [
        ("nginx", "", [], None),
        ("nginx", "host:web-1", [{"host:web-1"}], "host:web-1"),
        ("host:web-1 nginx", "", [{"host:web-1"}], "host:web-1"),
        ("host:web-1 OR host:web-2", "", [{"host:web-1", "host:web-2"}], None),
        ("host:web-1 OR nginx", "", [], None),
        ("NOT host:web-1", "!host:web-2", [], None),
        ("host:web-*", "", [{"host:web-*"}], None),
    ],
)
def test_the_hosts_that_somebody_named_are_known(
    search: str, tags: str, named: list[set[str]], required: str | None
) -> None:
    node, condition = parse_search(search), TagFilter.parse(tags)

    assert [{"*".join(one.parts) for one in some} for some in named_hosts(node, condition)] == named
    pattern = required_host(node, condition)
    assert (pattern and pattern.text) == required


@pytest.mark.parametrize(
    ("search", "alone"),
    [
        ("nginx", ""),
        ("host:web-1 nginx", "host:web-1"),
        ("host:web-1 OR nginx", ""),
        ("NOT host:web-1", ""),
        ("host:* host:a nginx OR host:* host:b", "host:* host:a OR host:* host:b"),
        ("(host:a OR host:b) (nginx OR host:c)", "host:a OR host:b"),
    ],
)
def test_what_a_search_says_of_hosts_is_told_as_a_whole(search: str, alone: str) -> None:
    assert hosts_alone(parse_search(search)) == parse_search(alone)


def test_a_bare_word_of_our_own_language_may_be_in_a_host() -> None:
    assert mentions_host(parse_search("web", Language.PROCESSION))
    assert not mentions_host(parse_search("web", Language.DATADOG))
