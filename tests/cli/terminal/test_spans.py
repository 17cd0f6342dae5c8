from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.cli.terminal.cells import cell_len
from procession.cli.terminal.colors import ColorDepth, Style
from procession.cli.terminal.spans import Span, drawn, fitted_spans


def text_of(spans: list[Span]) -> str:
    return drawn(spans, ColorDepth.NO_STYLES)


@pytest.mark.parametrize(
    ("width", "skip", "shown"),
    [(12, 0, "java -jar x "), (8, 0, "java -j…"), (6, 5, "-jar x"), (4, 20, "    "), (1, 0, "…"), (0, 0, "")],
)
def test_a_line_is_cut_or_filled_from_any_cell_on(width: int, skip: int, shown: str) -> None:
    spans = [("java", Style.PROGRAM), (" -jar x", Style.PLAIN)]

    assert text_of(fitted_spans(spans, width, skip=skip)) == shown


def test_half_of_a_wide_character_is_a_blank() -> None:
    assert text_of(fitted_spans([("名前x", Style.PLAIN)], 4, skip=1)) == " 前x"
    assert text_of(fitted_spans([("名前", Style.PLAIN)], 3)) == "名…"


@given(
    st.lists(st.tuples(st.text(max_size=12), st.sampled_from(Style)), max_size=4), st.integers(0, 30), st.integers(0, 9)
)
def test_whatever_is_in_it_a_line_is_as_wide_as_it_should_be_and_steers_nothing(
    spans: list[Span], width: int, skip: int
) -> None:
    line = text_of(fitted_spans(spans, width, skip=skip))

    assert cell_len(line) == width
    assert all(character.isprintable() or not character.isascii() for character in line)
    assert not set("\x1b\x07\x9b\u202e\u2028\n\r") & set(line)
