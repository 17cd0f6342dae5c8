from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.command_line.arguments import MOST_EMPTY, PLAIN, arguments_of, line_of, words_of

ARGUMENTS = st.lists(st.text(st.sampled_from("a ü\n\t"), max_size=6), max_size=12)


@given(ARGUMENTS)
def test_arguments_come_back_from_their_line(arguments: list[str]) -> None:
    expected = arguments if any(arguments) else []  # of nothing but empty ones, nothing is left

    assert arguments_of(line_of(arguments), words_of(arguments)) == expected


@given(ARGUMENTS)
def test_the_line_is_that_of_the_arguments_that_say_something(arguments: list[str]) -> None:
    assert line_of(arguments) == " ".join(argument for argument in arguments if argument)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ()),
        ([""], ()),
        (["nginx"], PLAIN),
        (["java", "-jar", "shop.jar"], PLAIN),
        (["sh", "-c", "sleep 1; true"], (1, 1, 3)),
        (["Plex Media Server", "-x"], (3,)),
        (["", "-x", "y"], (0,)),
        (["grep", "", "file"], (1, 0)),
        (["grep", ""], (1, 0)),
        ([" "], (2,)),
    ],
)
def test_what_the_line_tells_is_not_told_again(arguments: list[str], words: tuple[int, ...]) -> None:
    assert words_of(arguments) == words


def test_very_many_empty_arguments_are_not_told() -> None:
    assert arguments_of("a", words_of(["a", *[""] * MOST_EMPTY])) == ["a", *[""] * MOST_EMPTY]
    assert words_of(["a", *[""] * (MOST_EMPTY + 1)]) == ()


@pytest.mark.parametrize(
    ("line", "words", "arguments"),
    [
        ("a b c", (), None),
        ("", (), []),
        ("", (3,), []),
        ("a b", (3,), None),
        ("a b", (1, 0, 2), None),
        ("a b", (1, 1), ["a", "b"]),
        ("a b c d", (2,), ["a b", "c", "d"]),
    ],
)
def test_words_that_do_not_fit_a_line_say_nothing(
    line: str, words: tuple[int, ...], arguments: list[str] | None
) -> None:
    assert arguments_of(line, words) == arguments
