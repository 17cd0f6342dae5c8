from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.search.pattern import Pattern, fold

SHORT = st.text("ab*", max_size=8)
PLAIN = st.text("ab", max_size=12)


def as_regex(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split("*"))


@given(SHORT, PLAIN)
def test_a_star_stands_for_any_run_of_characters(pattern: str, text: str) -> None:
    parsed = Pattern.parse(pattern)

    assert parsed.matches(text) is bool(re.fullmatch(as_regex(pattern), text))
    assert parsed.is_within(text) is bool(re.search(as_regex(pattern), text))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("",)),
        ("a", ("a",)),
        ("*", ("", "")),
        ("***", ("", "")),
        ("a*", ("a", "")),
        ("*a", ("", "a")),
        ("a**b", ("a", "b")),
        ("a*b*c", ("a", "b", "c")),
        ("A*É", ("a", "é")),
    ],
)
def test_a_pattern_is_its_literal_parts(text: str, parts: tuple[str, ...]) -> None:
    assert Pattern.parse(text).parts == parts
    assert Pattern.parse(Pattern.parse(text).text) == Pattern.parse(text)


def test_a_literal_has_no_wildcards() -> None:
    literal = Pattern.literal("A*b")

    assert literal.is_literal
    assert literal.matches("a*b")
    assert not literal.matches("axb")
    assert literal.is_within("-a*b-")
    assert not literal.is_within("-axb-")


def test_literal_parts_do_not_overlap() -> None:
    assert not Pattern.parse("ab*ba").matches("aba")
    assert not Pattern.parse("a*a").matches("a")
    assert Pattern.parse("a*a").matches("aa")
    assert not Pattern.parse("*ab*b").matches("ab")


def test_line_ends_are_characters_like_any_other() -> None:
    assert Pattern.parse("a*b").matches("a\n\0b")
    assert not Pattern.literal("a").matches("a\n")


@given(st.text(), st.text())
def test_the_folded_form_of_a_text_does_not_depend_on_what_stands_around_it(one: str, other: str) -> None:
    assert fold(one + other) == fold(one) + fold(other)
    assert fold(fold(one)) == fold(one)


@pytest.mark.parametrize(
    ("one", "other"), [("ΟΔΟΣ", "οδος"), ("ΟΔΟΣ", "οδοσ"), ("STRAẞE", "straße"), ("Ж", "ж"), ("İ", "i̇")]
)
def test_texts_that_differ_in_case_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.timeout(20)
def test_matching_takes_no_time_that_explodes() -> None:
    pattern = Pattern.parse("a*" * 1000 + "b")

    assert not pattern.matches("a" * 100_000)
    assert not pattern.is_within("a" * 100_000)
