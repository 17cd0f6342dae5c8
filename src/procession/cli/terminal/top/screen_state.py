"""What somebody who watches has chosen so far, and what each key makes of it. No terminal and no server in here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from procession.cli.analysis import Filters

SORTS = {
    "cpu": ("c", "-cpu_total_percent"),
    "memory": ("m", "-rss_bytes"),
    "threads": ("t", "-threads"),
    "read": ("r", "-read_bytes_per_second"),
    "write": ("w", "-write_bytes_per_second"),
    "pid": ("p", "pid"),
    "command": ("n", "command"),
    "host": ("h", "host"),
    "user": ("u", "user"),
}
"""Name -> its key, and how the API has it in its usual direction."""

STEP_SECONDS = 10
LEAP_SECONDS = 600

_SORT_OF_KEY = {key: name for name, (key, _) in SORTS.items()}


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
    prompt: str | None = None
    """The search while it is typed."""
    process_id: str | None = None
    """The id of the process whose details are shown."""
    detail_top: int = 0
    has_help: bool = False
    is_over: bool = False

    @property
    def order(self) -> str:
        order = SORTS[self.sort][1]
        if not self.is_reversed:
            return order
        return order[1:] if order.startswith("-") else f"-{order}"

    @property
    def is_live(self) -> bool:
        return self.at is None and not self.is_paused


@dataclass(frozen=True)
class Surroundings:
    """What a key may need to know: how many rows the screen has, how many processes there are, which one is chosen,
    how long its details are, and which moment is shown."""

    height: int
    total: int
    chosen_id: str | None
    detail_length: int
    shown_at: int


def press(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    """The state after a key."""
    if state.prompt is not None:
        return _typed(state, state.prompt, key)
    if state.has_help:
        return replace(state, has_help=False)
    if state.process_id is not None:
        return _in_details(state, key, around)
    if key in ("q", "escape"):
        return replace(state, is_over=True)
    if key == "/":
        return replace(state, prompt=state.filters.search)
    if key == "enter":
        return replace(state, process_id=around.chosen_id, detail_top=0)
    if key in _SORT_OF_KEY:
        name = _SORT_OF_KEY[key]
        return replace(state, sort=name, is_reversed=name == state.sort and not state.is_reversed, row=0, top=0)
    return _moved(_in_time(state, key, around), key, around)


def fitted(state: ScreenState, around: Surroundings) -> ScreenState:
    """With the chosen row among those that there are, and on the screen."""
    height = max(around.height, 1)
    row = min(max(state.row, 0), max(around.total - 1, 0))
    top = min(max(state.top, row - height + 1, 0), row)
    top = max(min(top, around.total - height), 0)
    detail_top = min(max(state.detail_top, 0), max(around.detail_length - height, 0))
    return replace(state, row=row, top=top, detail_top=detail_top)


def _typed(state: ScreenState, text: str, key: str) -> ScreenState:
    if key == "enter":
        return replace(state, prompt=None, filters=replace(state.filters, search=text.strip()), row=0, top=0)
    if key == "escape":
        return replace(state, prompt=None)
    if key == "backspace":
        return replace(state, prompt=text[:-1])
    if key == "\x15":
        return replace(state, prompt="")
    if key == "\x17":
        return replace(state, prompt=" ".join(text.split()[:-1]))
    return replace(state, prompt=text + key) if len(key) == 1 and key.isprintable() else state


def _in_details(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    if key in ("q", "escape", "enter"):
        return replace(state, process_id=None)
    height = max(around.height, 1)
    steps = {"up": -1, "down": 1, "pageup": -height, "pagedown": height, "home": -(10**9), "end": 10**9}
    if key in steps:
        return replace(state, detail_top=state.detail_top + steps[key])
    return _in_time(state, key, around)


def _in_time(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    if key == "?":
        return replace(state, has_help=True)
    if key == " ":
        return replace(state, is_paused=not state.is_paused) if state.at is None else state
    if key == "l":
        return replace(state, at=None, is_paused=False)
    steps = {"left": -STEP_SECONDS, "right": STEP_SECONDS, "[": -LEAP_SECONDS, "]": LEAP_SECONDS}
    if key in steps and around.shown_at:
        # There is nothing to the right of what is live.
        if state.is_live and steps[key] > 0:
            return state
        return replace(state, at=max((state.at or around.shown_at) + steps[key], 0), is_paused=False)
    return state


def _moved(state: ScreenState, key: str, around: Surroundings) -> ScreenState:
    height = max(around.height, 1)
    steps = {"up": -1, "down": 1, "pageup": -height, "pagedown": height}
    if key in steps:
        top = state.top + steps[key] if key.startswith("page") else state.top
        return replace(state, row=state.row + steps[key], top=max(top, 0))
    if key == "home":
        return replace(state, row=0, top=0)
    return replace(state, row=max(around.total - 1, 0)) if key == "end" else state
