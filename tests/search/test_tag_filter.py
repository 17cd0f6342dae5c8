from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.search.pattern import Pattern
from procession.search.tag_filter import TagCondition, TagFilter
from tests.support.stores import strategies

TAGS = (
    "env:prod",
    "index:0",
    "index:1",
    "pci",
    "team:größe",
    "host:Web-1",
    "user:Ольга",
    "command:a b",
    "state_zombie:false",
)


@pytest.mark.parametrize("blank", ["", " ", ",", " , ,, "])
def test_blank_items_are_skipped_and_no_condition_lets_everything_pass(blank: str) -> None:
    assert TagFilter.parse(blank) == TagFilter(())
    assert TagFilter.parse(blank).accepts(TAGS)
    assert TagFilter.parse(blank).accepts(())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env:prod", True),
        ("ENV:Prod", True),
        ("env:pro", False),
        ("env", False),
        ("prod", False),
        ("pci", True),
        ("host:web-1", True),
        ("user:ольга", True),
        ("command:a b", True),
        ("  env:prod ,\tpci", True),
        ("env:prod,pci,index:0,index:1", True),
        ("env:prod,nope", False),
        ("index:0,index:2", False),
        ("!nope", True),
        ("!pci", False),
        ("! pci", False),
        ("env:prod,!nope", True),
        ("env:prod,!index:1", False),
        ("env:*", True),
        ("env:p*d", True),
        ("env:*x", False),
        ("*", True),
        ("*:*", True),
        ("*ö*", True),
        ("!env:*", False),
        ("!", True),
        ("-env:prod", False),
        ("env:prod\0", False),
        ("!env:\ud800", True),
    ],
)
def test_all_conditions_must_hold_whatever_the_case(text: str, expected: bool) -> None:
    assert TagFilter.parse(text).accepts(TAGS) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env:prod OR env:test", True),
        ("env:test  OR\tENV:Prod", True),
        ("env:test OR env:demo", False),
        ("env:test OR env:p*, pci", True),
        ("env:prod OR env:test,index:2 OR index:3", False),
        ("env:test or env:prod", False),
        ("env:test ORenv:prod", False),
        ("OR", False),
    ],
)
def test_one_of_the_tags_around_an_or_is_enough(text: str, expected: bool) -> None:
    assert TagFilter.parse(text, has_or=True).accepts(TAGS) is expected


def test_without_it_or_is_a_part_of_the_tag_as_any_other_text() -> None:
    assert not TagFilter.parse("env:prod OR env:test").accepts(TAGS)
    assert TagFilter.parse("team:a OR b").accepts(["team:a OR b"])


def test_a_process_without_tags_passes_negations_only() -> None:
    assert not TagFilter.parse("*").accepts(())
    assert TagFilter.parse("!*,!env:prod").accepts(())


def test_an_item_is_a_condition() -> None:
    assert TagFilter.parse("Env:P*, !pci") == TagFilter(
        (TagCondition((Pattern(("env:p", "")),)), TagCondition((Pattern(("pci",)),), negated=True))
    )


@given(st.text(), st.sets(st.sampled_from(TAGS)))
def test_any_text_is_a_filter(text: str, tags: set[str]) -> None:
    assert TagFilter.parse(text).accepts(tags) in (True, False)


@given(st.sets(st.text(st.characters(exclude_characters=",*!", exclude_categories=["Cs"]), min_size=1).map(str.strip)))
def test_the_tags_of_a_process_are_a_filter_that_it_passes(tags: set[str]) -> None:
    assert TagFilter.parse(",".join(tags)).accepts(tags)
    assert all(not TagFilter.parse(f"!{tag}").accepts(tags) for tag in tags if tag)


@given(strategies.tag_filters, strategies.tag_filters, strategies.tag_sets)
def test_two_filters_in_one_accept_what_both_accept(one: TagFilter, other: TagFilter, tags: tuple[str, ...]) -> None:
    both = TagFilter(one.conditions + other.conditions)

    assert both.accepts(tags) is (one.accepts(tags) and other.accepts(tags))
