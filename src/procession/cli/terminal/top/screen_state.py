"""What somebody who watches has chosen so far, and what each key makes of it. No terminal and no server in here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from procession.cli.analysis import Filters
from procession.cli.terminal.top.columns import BY_NAME, COLUMNS, USUAL, in_order

SORT_KEYS = {
    "P": "cpu",
    "c": "cpu",
    "M": "memory",
    "m": "memory",
    "T": "time",
    "r": "read",
    "w": "write",
    "p": "pid",
    "n": "command",
    "h": "host",
    "u": "user",
}
"""Key -> the column that it sorts by."""

FUNCTION_KEYS = {"f1": "?", "f2": "C", "f3": "/", "f4": "/", "f5": "t", "f6": "s", "f10": "q"}
"""As htop has them."""

STEP_SECONDS = 10
LEAP_SECONDS = 600

SIDE_CELLS = 8
WHEEL_ROWS = 3
FAR = 10**9


class Menu(Enum):
    """A list of all columns, to sort by one or to choose those that are shown."""

    SORT = "sort"
    COLUMNS = "columns"


@dataclass(frozen=True)
class ScreenState:
    """`at` is the moment that is looked at, None while it is live."""

    filters: Filters = field(default_factory=Filters)
    sort: str = "cpu"
    is_reversed: bool = False
    at: int | None = None
    is_paused: bool = False
    row: int = 0
    """The chosen one, counted over all pages."""
    top: int = 0
    """The first one on the screen."""
    left: int = 0
    """How many cells of the commands are hidden on the left."""
    columns: tuple[str, ...] | None = None
    """Those that were chosen; None for the usual ones."""
    tree_host: str | None = None
    """The host whose tree is shown."""
    menu: Menu | None = None
    menu_row: int = 0
    prompt: str | None = None
    """The search while it is typed."""
    process_id: str | None = None
    """The id of the process whose details are shown."""
    detail_top: int = 0
    has_help: bool = False
    is_over: bool = False

    @property
    def order(self) -> str:
        order = BY_NAME[self.sort].order
        if not self.is_reversed:
            return order
        return order[1:] if order.startswith("-") else f"-{order}"

    @property
    def is_live(self) -> bool:
        return self.at is None and not self.is_paused


@dataclass(frozen=True)
class Surroundings:
    """What a key may need to know: how many rows the screen has, how many processes there are, which one is chosen and
    on which host, how long its details are, which moment is shown, and how far the commands may go to the left."""

    height: int
    total: int
    chosen_id: str | None
    detail_length: int
    shown_at: int
    chosen_host: str | None = None
    most_left: int = 0


def press(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    """The state after a key. `row 7` and `sort cpu` are clicks."""
    if state.prompt is not None:
        return _typed(state, state.prompt, key)
    key = FUNCTION_KEYS.get(key, key)
    if state.has_help:
        return replace(state, has_help=False)
    if state.menu is not None:
        return _in_menu(state, state.menu, key, around)
    if state.process_id is not None:
        return _in_details(state, key, around)
    if key in ("q", "escape"):
        return replace(state, is_over=True)
    if key in _OPENING:
        return _opened(state, key, around)
    if key in SORT_KEYS or key.startswith("sort "):
        return sorted_by(state, SORT_KEYS.get(key) or key.removeprefix("sort "))
    if key == "I":
        return replace(state, is_reversed=not state.is_reversed, row=0, top=0)
    if key in ("<", ">"):
        return sorted_by(state, _neighbour(state, 1 if key == ">" else -1))
    return _moved(_in_time(state, key, around), key, around)


_OPENING = ("/", "enter", "s", "C", "t")


def _opened(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    if key == "/":
        return replace(state, prompt=state.filters.search)
    if key == "enter":
        return replace(state, process_id=around.chosen_id, detail_top=0)
    if key == "s":
        return replace(state, menu=Menu.SORT, menu_row=[column.name for column in COLUMNS].index(state.sort))
    if key == "C":
        return replace(state, menu=Menu.COLUMNS, menu_row=0)
    host = around.chosen_host if state.tree_host is None else None
    return replace(state, tree_host=host, row=0, top=0, left=0)


def sorted_by(state: ScreenState, name: str) -> ScreenState:
    """By this column; reversed if it was that already. A tree has an order of its own, and is left."""
    is_same = name == state.sort and state.tree_host is None
    is_reversed = is_same and not state.is_reversed
    return replace(state, sort=name, is_reversed=is_reversed, row=0, top=0, tree_host=None)


def _neighbour(state: ScreenState, step: int) -> str:
    """The shown column to the right or to the left of the one that is sorted by."""
    names = in_order({*(state.columns or USUAL), state.sort})
    return names[(names.index(state.sort) + step) % len(names)]


def _in_menu(state: ScreenState, menu: Menu, key: str, around: Surroundings) -> ScreenState:
    row = state.menu_row
    if key.startswith("row "):
        row, key = int(key.removeprefix("row ")), "enter" if menu is Menu.SORT else " "
    row = min(max(row + _steps(around).get(key, 0), 0), len(COLUMNS) - 1)
    state = replace(state, menu_row=row)
    name = COLUMNS[row].name
    if key in ("q", "escape") or (menu is Menu.COLUMNS and key in ("enter", "C")):
        return replace(state, menu=None)
    if menu is Menu.SORT:
        return sorted_by(replace(state, menu=None), name) if key == "enter" else state
    if key == " ":
        return replace(state, columns=in_order(set(state.columns or USUAL) ^ {name}))
    return replace(state, columns=None) if key == "d" else state


def _steps(around: Surroundings) -> dict[str, int]:
    height = max(around.height, 1)
    return {
        "up": -1,
        "down": 1,
        "pageup": -height,
        "pagedown": height,
        "home": -FAR,
        "end": FAR,
        "wheelup": -WHEEL_ROWS,
        "wheeldown": WHEEL_ROWS,
    }


def fitted(state: ScreenState, around: Surroundings) -> ScreenState:
    """With the chosen row among those that there are, and on the screen."""
    height = max(around.height, 1)
    row = min(max(state.row, 0), max(around.total - 1, 0))
    top = min(max(state.top, row - height + 1, 0), row)
    top = max(min(top, around.total - height), 0)
    detail_top = min(max(state.detail_top, 0), max(around.detail_length - height, 0))
    left = min(max(state.left, 0), max(around.most_left, 0))
    return replace(state, row=row, top=top, detail_top=detail_top, left=left)


def _typed(state: ScreenState, text: str, key: str) -> ScreenState:
    if key == "enter":
        return replace(state, prompt=None, filters=replace(state.filters, search=text.strip()), row=0, top=0)
    if key == "escape":
        return replace(state, prompt=None)
    edited = {"backspace": text[:-1], "\x15": "", "\x17": " ".join(text.split()[:-1])}.get(key)
    if edited is None:
        edited = text + key if len(key) == 1 and key.isprintable() else text
    return state if edited == text else replace(state, prompt=edited, row=0, top=0)


def _in_details(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    if key in ("q", "escape", "enter"):
        return replace(state, process_id=None)
    if step := _steps(around).get(key):
        return replace(state, detail_top=state.detail_top + step)
    return _in_time(state, key, around)


def _in_time(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    if key == "?":
        return replace(state, has_help=True)
    if key == " ":
        return replace(state, is_paused=not state.is_paused) if state.at is None else state
    if key == "l":
        return replace(state, at=None, is_paused=False)
    steps = {",": -STEP_SECONDS, ".": STEP_SECONDS, "[": -LEAP_SECONDS, "]": LEAP_SECONDS}
    if key in steps and around.shown_at:
        # There is nothing to the right of what is live.
        if state.is_live and steps[key] > 0:
            return state
        return replace(state, at=max((state.at or around.shown_at) + steps[key], 0), is_paused=False)
    return state


def _moved(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    if key in ("left", "right"):
        return replace(state, left=state.left + (SIDE_CELLS if key == "right" else -SIDE_CELLS))
    if key.startswith("row "):
        row = int(key.removeprefix("row "))
        # A second click on the same process.
        return (
            replace(state, process_id=around.chosen_id, detail_top=0) if row == state.row else replace(state, row=row)
        )
    step = _steps(around).get(key, 0)
    top = state.top + step if key.startswith("page") else state.top
    return replace(state, row=state.row + step, top=max(top, 0))
