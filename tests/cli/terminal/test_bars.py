from __future__ import annotations

from procession.cli.analysis import Item
from procession.cli.terminal.bars import bar, sparkline
from procession.cli.terminal.colors import Style
from procession.cli.terminal.spans import spans_len
from procession.cli.terminal.top.bar_cells import bar_of, bar_width
from procession.cli.terminal.top.columns import BY_NAME


def test_a_bar_is_as_long_as_the_share_and_never_longer() -> None:
    shares = (None, 0.0, 0.5, 0.51, 1.0, 30.0, -1.0)

    assert ["".join(text for text, _ in bar(share, 5)) for share in shares] == [
        "     ",
        "     ",
        "██▌  ",
        "██▌  ",
        "█████",
        "█████",
        "     ",
    ]


def test_a_line_of_what_was_ends_with_the_newest() -> None:
    assert sparkline([0.0, 4.0, 8.0], 5) == "  ▁▅█"
    assert sparkline([1.0, 2.0, 4.0, 8.0], 2) == "▅█"
    assert sparkline([0.0, 0.0], 3) == " ▁▁"
    assert sparkline([1.0], 0) == ""


def test_a_short_bar_has_the_colour_of_its_end() -> None:
    assert [bar(share, 2) for share in (0.3, 0.75, 1.0)] == [
        [("▋ ", Style.LOW)],
        [("█▌", Style.MEDIUM)],
        [("██", Style.HIGH)],
    ]


def test_a_table_of_80_columns_has_bars_for_cpu_and_memory() -> None:
    numbers = {"cpu_total_percent": 50.0, "rss_bytes": 2**20}
    item: Item = {"attributes": {"numbers": numbers}}

    for width, cells in ((79, (0, 0)), (80, (3, 2)), (110, (6, 2)), (130, (6, 6))):
        columns = BY_NAME["cpu"], BY_NAME["memory"]
        assert tuple(bar_width(column, width) for column in columns) == cells
        drawn = [bar_of(column, item, 2.0**20, width) for column in columns]
        assert tuple(spans_len(spans) for spans in drawn) == cells
        assert all("█" in spans[0][0] for spans in drawn if spans)
