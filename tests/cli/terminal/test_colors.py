from __future__ import annotations

import pytest

from procession.cli.terminal.colors import ColorDepth, Style, color_depth, painted, style_of_bytes, style_of_percent


@pytest.mark.parametrize(
    ("environment", "depth"),
    [
        ({"TERM": "xterm"}, ColorDepth.SIXTEEN),
        ({"TERM": "xterm-256color"}, ColorDepth.MANY),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, ColorDepth.MANY),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, ColorDepth.NONE),
        # As no-color.org has it, an empty one says nothing.
        ({"TERM": "xterm", "NO_COLOR": ""}, ColorDepth.SIXTEEN),
        ({"TERM": "dumb"}, ColorDepth.NO_STYLES),
        ({}, ColorDepth.NO_STYLES),
    ],
)
def test_the_terminal_and_its_user_say_how_many_colours_there_are(
    environment: dict[str, str], depth: ColorDepth
) -> None:
    assert color_depth(environment, is_terminal=True) is depth
    assert color_depth(environment, is_terminal=False) is ColorDepth.NO_STYLES


def test_without_colours_nothing_but_bold_faint_and_reverse_is_written() -> None:
    for style in Style:
        text = painted("x", style, ColorDepth.NONE)
        codes = text.removesuffix("\x1b[0m").removesuffix("x").removeprefix("\x1b[").removesuffix("m")
        assert set(codes.split(";")) <= {"", "1", "2", "7"}
        assert painted("x", style, ColorDepth.NO_STYLES) == "x"


def test_a_busy_process_and_a_big_one_stand_out() -> None:
    percents = [style_of_percent(percent) for percent in (None, 0.0, 3.0, 60.0, 250.0)]

    assert percents == [Style.FAINT, Style.FAINT, Style.LOW, Style.MEDIUM, Style.HIGH]
    assert style_of_bytes(None) is Style.FAINT
    assert [style_of_bytes(2.0**power) for power in (10, 25, 31, 36)] == [
        Style.FAINT,
        Style.PLAIN,
        Style.MEDIUM,
        Style.HIGH,
    ]
