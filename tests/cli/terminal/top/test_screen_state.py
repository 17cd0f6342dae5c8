"""What keys make of a screen state, and what bytes make keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from procession.cli.analysis import Filters
from procession.cli.terminal.top.columns import COLUMNS, USUAL
from procession.cli.terminal.top.full_screen import take_key
from procession.cli.terminal.top.screen_state import ScreenState, Surroundings, fitted, press

AROUND = Surroundings(
    height=10, total=100, chosen_id="abc", detail_length=30, shown_at=1000, chosen_host="web-1", most_left=20
)


def after(*keys: str, state: ScreenState | None = None) -> ScreenState:
    state = state or ScreenState()
    for key in keys:
        state = fitted(press(state, key, AROUND), AROUND)
    return state


def test_each_order_begins_in_its_usual_direction_and_turns_with_the_same_key() -> None:
    assert [after(*keys).order for keys in ("M", "Mm", "mMm", "p", "pp", "P", "mc", "T", "I", ">", "<")] == [
        "-rss_bytes",
        "rss_bytes",
        "-rss_bytes",
        "pid",
        "-pid",
        "cpu_total_percent",
        "-cpu_total_percent",
        "start",
        "cpu_total_percent",
        "-rss_bytes",
        "state",
    ]


def test_the_chosen_row_stays_on_the_screen_and_among_those_that_there_are() -> None:
    assert [(state.row, state.top) for state in (after("up"), after("down"), after("pagedown"), after("end"))] == [
        (0, 0),
        (1, 0),
        (10, 10),
        (99, 90),
    ]
    assert after("end", "pagedown").row == 99
    assert after("end", "home").top == 0
    fewer = fitted(after("end"), Surroundings(10, 5, None, 0, 0))
    assert (fewer.row, fewer.top) == (4, 0)


def test_a_search_is_edited_and_either_taken_or_left() -> None:
    typed = after("/", *"ab cd", "backspace")

    assert typed.prompt == "ab c"
    assert after("enter", state=typed).filters == Filters("ab c")
    assert after("escape", state=typed).filters == Filters()
    assert after("\x17", state=typed).prompt == "ab"
    assert after("\x15", state=typed).prompt == ""
    assert after("up", "\x01", state=typed) == typed


def test_time_goes_back_from_what_is_shown_and_never_beyond_live() -> None:
    assert after(",").at == 990
    assert after(",", ",", ".").at == 990
    assert after("[").at == 400
    assert after(".").at is None
    assert after(",", "l").is_live
    assert after(" ", ",").is_paused is False


def test_details_have_keys_of_their_own() -> None:
    details = after("enter")

    assert details.process_id == "abc"
    assert after("q", state=details) == ScreenState()
    assert after("end", state=details).detail_top == 20
    assert after("m", state=details).sort == "cpu"
    assert after(",", state=details).at == 990
    assert after("wheeldown", state=details).detail_top == 3


def test_a_menu_sorts_by_any_column_and_goes_away() -> None:
    names = [column.name for column in COLUMNS]
    opened = after("s")

    assert names[opened.menu_row] == "cpu"
    for name in names:
        steps = names.index(name) - opened.menu_row
        chosen = after(*["down" if steps > 0 else "up"] * abs(steps), "enter", state=opened)
        assert (chosen.sort, chosen.menu, chosen.is_reversed) == (name, None, name == "cpu")
    assert after("down", "escape", state=opened) == replace(after(), menu_row=opened.menu_row + 1)
    assert after("row 0", state=opened).sort == "host"


def test_columns_are_put_in_and_out_and_a_process_keeps_its_command() -> None:
    menu = after("C")
    swap = [column.name for column in COLUMNS].index("swap")
    more = after(f"row {swap}", state=menu)

    assert more.columns == (
        "host",
        "pid",
        "user",
        "state",
        "cpu",
        "memory",
        "swap",
        "threads",
        "read",
        "write",
        "command",
    )
    assert after(f"row {swap}", state=more).columns == USUAL
    assert after("d", state=more).columns is None
    assert after("end", " ", state=menu).columns == USUAL
    assert after("enter", state=more).menu is None


def test_a_tree_is_of_the_chosen_host_until_an_order_is_chosen() -> None:
    tree = after("down", "t")

    assert (tree.tree_host, tree.row) == ("web-1", 0)
    assert after("t", state=tree).tree_host is None
    assert (after("P", state=tree).tree_host, after("P", state=tree).is_reversed) == (None, False)


def test_commands_go_to_the_left_as_far_as_there_is_something_of_them() -> None:
    assert [after(*keys).left for keys in (["right"], ["right"] * 9, ["left"], ["right", "left"])] == [8, 20, 0, 0]


def test_a_second_click_on_a_row_shows_its_details() -> None:
    assert after("row 7").row == 7
    assert after("row 7", "row 7").process_id == "abc"
    assert after("wheeldown").row == 3


def test_while_a_search_is_typed_function_keys_and_clicks_do_nothing() -> None:
    assert after("/", "a", "f1", "row 7", "wheelup").prompt == "a"
    assert after("f1").has_help
    assert after("f10").is_over


def test_escape_leaves_but_from_help_it_only_goes_back() -> None:
    assert after("escape").is_over
    assert not after("?", "escape").is_over


@pytest.mark.parametrize(
    ("filters", "host"),
    [
        (Filters(), None),
        (Filters(tags="env:prod, host:web-1"), "web-1"),
        (Filters(tags="host:web-*"), None),
        (Filters(tags="!host:web-1"), None),
    ],
)
def test_one_host_is_watched_where_only_one_can_be_meant(filters: Filters, host: str | None) -> None:
    assert filters.host == host


def keys_of(data: bytes) -> Iterator[str]:
    while data:
        key, rest = take_key(data)
        if rest == data:
            return
        data = rest
        yield key


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b[A\x1bOB\x1b[5~", ["up", "down", "pageup"]),
        (b"x\xc3\xa9\xe5\x90\x8d\xf0\x9f\x90\x98", ["x", "é", "名", "🐘"]),
        (b"\r\n\x7f\x08", ["enter", "enter", "backspace", "backspace"]),
        (b"\x1b", ["escape"]),
        (b"\x1b[1;5C\x1b[200~q", ["", "", "q"]),
        (b"a\xc3", ["a"]),
        (b"\x80", ["\ufffd"]),
        (b"\x1bOP\x1b[15~\x1b[21~", ["f1", "f5", "f10"]),
        (
            b"\x1b[<0;5;8M\x1b[<0;5;8m\x1b[<64;1;1M\x1b[<65;1;1M\x1b[<2;1;1Mq",
            ["click 4 7", "", "wheelup", "wheeldown", "", "q"],
        ),
        # Of before: three bytes, which are no keys.
        (b"\x1b[M %(q", ["click 4 7", "q"]),
        (b"\x1b[M %", []),
    ],
)
def test_keys_are_taken_out_of_what_a_terminal_sends(data: bytes, keys: list[str]) -> None:
    assert list(keys_of(data)) == keys
