from __future__ import annotations

import pytest

from procession.accounts.restriction import UNRESTRICTED, Restricted, Restriction
from procession.errors import InvalidRequest


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ("", ""),
        ("env:a", "env:a"),
        (" env:a , ,team:web,", "env:a,team:web"),
        ("!env:b", "!env:b"),
        ("env:a OR env:b,!x", "env:a OR env:b,!x"),
        ("env:*", "env:*"),
    ],
)
def test_rows_are_given_as_tags_are_asked_for(given: str, rows: str) -> None:
    assert Restriction.parse(given) == Restriction(rows)


@pytest.mark.parametrize(
    "rows", [" ", ",", "!", "env:a\nx", "env:a\0", "!env:a OR env:b", "env:a OR !env:b", "x" * 1001, "a:b," * 33]
)
def test_what_could_mean_nothing_or_something_else_restricts_nobody(rows: str) -> None:
    with pytest.raises(InvalidRequest, match="Rows "):
        Restriction.parse(rows)


@pytest.mark.parametrize(
    ("restriction", "kinds", "said"),
    [
        (UNRESTRICTED, Restricted.NOTHING, ""),
        (Restriction("env:a"), Restricted.ROWS, "only env:a"),
        (Restriction("", True), Restricted.ARGUMENTS, "no arguments"),
        (Restriction("env:a", True), Restricted.ALL, "only env:a, no arguments"),
    ],
)
def test_it_says_in_what_it_restricts(restriction: Restriction, kinds: Restricted, said: str) -> None:
    assert (restriction.kinds, str(restriction)) == (kinds, said)


@pytest.mark.parametrize(
    ("rows", "tags", "is_seen"),
    [
        ("env:a", ("ENV:A",), True),
        ("env:a", ("env:ab",), False),
        ("env:a", ("env",), False),
        ("env:a", (), False),
        ("env:a,team:web", ("env:a",), False),
        ("env:a OR env:b", ("env:b",), True),
        ("!env:b", (), True),
        ("!env:b", ("env:a", "env:b"), False),
        ("", (), True),
    ],
)
def test_only_rows_with_all_the_tags_are_seen(rows: str, tags: tuple[str, ...], is_seen: bool) -> None:
    assert Restriction(rows).tags.accepts(tags) is is_seen


def test_what_was_found_out_about_a_process_gives_it_to_nobody() -> None:
    assert not Restriction("service:web,listens:80").tags.accepts((), ("service:web", "listens:80"))


def test_two_restrictions_leave_what_both_leave() -> None:
    rows, both = Restriction("env:a"), Restriction("team:web", True)

    assert rows.within(rows) == rows.within(UNRESTRICTED) == UNRESTRICTED.within(rows) == rows
    assert both.within(rows) == Restriction("env:a,team:web", True)
