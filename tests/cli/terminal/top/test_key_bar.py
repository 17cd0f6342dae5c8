from __future__ import annotations

import pytest

from procession.cli.terminal.top.key_bar import KEYS, key_at, key_bar


@pytest.mark.parametrize("width", [20, 40, 79, 80, 200])
def test_each_key_is_there_whole_or_not_at_all(width: int) -> None:
    text = "".join(part for part, _ in key_bar(width))

    assert len(text) <= width
    assert text.split("  ") == [f"{name} {label}" for _, name, label in KEYS][: len(text.split("  "))]


def test_80_columns_have_what_one_needs() -> None:
    text = "".join(part for part, _ in key_bar(80))

    assert text == "? Help  q Quit  / Filter  s Sort  t Tree  C Columns  Enter Details  Space Pause"


def test_a_click_on_a_key_is_the_key() -> None:
    text = "".join(part for part, _ in key_bar(80))

    assert [key_at(text.index(word), 80) for word in ("? Help", "Help", "Details", "Space")] == ["?", "?", "enter", " "]
    assert key_at(text.index("  q"), 80) == ""
    assert key_at(500, 80) == ""
