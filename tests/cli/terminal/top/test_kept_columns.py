from __future__ import annotations

from pathlib import Path

import pytest

from procession.cli.terminal.top.kept_columns import keep_columns, read_columns


def test_columns_are_there_again_and_the_usual_ones_are_nothing_chosen(tmp_path: Path) -> None:
    path = tmp_path / "state" / "top.json"

    keep_columns(path, ("pid", "swap", "command"))
    assert read_columns(path) == ("pid", "swap", "command")
    keep_columns(path, None)
    assert read_columns(path) is None
    assert [each.name for each in path.parent.iterdir()] == ["top.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", '{"columns":null}', '{"columns":7}', '{"columns":[[]]}', '{"columns":["no-such"]}']
)
def test_what_makes_no_sense_is_nothing_chosen(tmp_path: Path, text: str) -> None:
    path = tmp_path / "top.json"
    path.write_text(text)

    assert read_columns(path) is None
    assert read_columns(tmp_path / "not-there") is None


def test_names_of_another_version_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "top.json"
    path.write_text('{"columns":["later","swap","pid"]}')

    assert read_columns(path) == ("pid", "swap", "command")
