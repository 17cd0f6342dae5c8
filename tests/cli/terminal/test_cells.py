from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.cli.terminal.cells import cell_len, chop_cells, set_cell_size, with_ellipsis

texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")))


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("nginx", 5),
        ("日本", 4),
        ("e\u0301", 1),
        ("\u200bx", 1),
        ("ｘ", 2),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
    ],
)
def test_a_text_takes_the_cells_that_a_terminal_gives_it(text: str, cells: int) -> None:
    assert cell_len(text) == cells


@given(texts, st.integers(0, 20))
def test_a_size_is_exact_and_what_is_kept_is_the_beginning(text: str, count: int) -> None:
    sized = set_cell_size(text, count)

    assert cell_len(sized) == count
    assert text.startswith(sized.rstrip(" ")) or sized.rstrip(" ") == text.rstrip(" ")


@given(texts, st.integers(2, 20))
def test_pieces_fit_and_are_all_of_the_text(text: str, count: int) -> None:
    pieces = chop_cells(text, count)

    assert "".join(pieces) == text
    assert all(cell_len(piece) <= count for piece in pieces)


@given(texts, st.integers(1, 20))
def test_what_is_cut_says_so(text: str, count: int) -> None:
    shown = with_ellipsis(text, count)

    assert cell_len(shown) <= count
    assert shown == text or shown.endswith("…")


def test_cells_are_counted_as_by_others() -> None:
    """Rich has tables of its own; a few symbols became wide in a newer Unicode than Python's."""
    from rich.cells import cell_len as cells_of_rich

    became_wide = {*range(0x2630, 0x2638), *range(0x268A, 0x2690), *range(0x4DC0, 0x4E00)}
    characters = [chr(code) for code in range(0x20, 0xFFFF) if chr(code).isprintable() and code not in became_wide]

    assert [hex(ord(one)) for one in characters if cell_len(one) != cells_of_rich(one)] == []
