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


@pytest.mark.parametrize(
    ("this", "other", "expected"),
    [
        ("env:a,x:y", "ENV:A", True),
        ("env:a", "env:a OR env:b", True),
        ("env:a OR env:b", "env:a", False),
        ("env:a OR env:b", "env:b OR env:c OR env:a", True),
        ("env:a", "env:*", True),
        ("env:a*", "env:a*", True),
        ("env:ab*", "env:a*", False),
        ("env:*", "env:a", False),
        ("!env:b", "env:a", False),
        ("env:a", "!env:b", False),
        ("!env:*", "!env:a", True),
        ("!env:a", "!env:*", False),
        ("!env:a,env:b", "env:b,!env:a", True),
        ("env:a", "", True),
        ("", "env:a", False),
        ("*", "env:a", False),
    ],
)
def test_a_filter_implies_another(this: str, other: str, expected: bool) -> None:
    assert TagFilter.parse(this, has_or=True).implies(TagFilter.parse(other, has_or=True)) is expected


def test_what_was_found_out_does_not_stand_for_a_tag() -> None:
    own, found = TagFilter.parse("service:x"), TagFilter.parse("service:x", with_discovered=True)
    neither, not_own = TagFilter.parse("!service:x", with_discovered=True), TagFilter.parse("!service:x")

    assert (own.implies(found), found.implies(own), found.implies(found)) == (True, False, True)
    assert (neither.implies(not_own), not_own.implies(neither)) == (True, False)


_WORDS = st.sampled_from(("a", "b", "ab", "*", "a*", "*b", "a*b", "k:a", "k:*", "*:a"))
_ITEMS = st.builds(
    lambda negated, words: f"!{words[0]}" if negated else " OR ".join(words),
    st.booleans(),
    st.lists(_WORDS, min_size=1, max_size=3),
)
_FILTERS = st.lists(_ITEMS, max_size=3).map(lambda items: TagFilter.parse(",".join(items), has_or=True))


@given(_FILTERS, _FILTERS, st.lists(st.lists(st.sampled_from(("a", "b", "ab", "aab", "k:a", "k:b", "x:a")))))
def test_what_meets_a_filter_meets_those_that_it_implies(
    this: TagFilter, other: TagFilter, processes: list[list[str]]
) -> None:
    if this.implies(other):
        assert all(other.accepts(tags) for tags in processes if this.accepts(tags))
