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
class View:
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
    """Of the process that is looked at closely."""
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


def press(view: View, key: str, around: Surroundings) -> View:
    """The view after a key."""
    if view.prompt is not None:
        return _typed(view, view.prompt, key)
    if view.has_help:
        return replace(view, has_help=False)
    if view.process_id is not None:
        return _in_details(view, key, around)
    if key in ("q", "escape"):
        return replace(view, is_over=True)
    if key == "/":
        return replace(view, prompt=view.filters.search)
    if key == "enter":
        return replace(view, process_id=around.chosen_id, detail_top=0)
    if key in _SORT_OF_KEY:
        name = _SORT_OF_KEY[key]
        return replace(view, sort=name, is_reversed=name == view.sort and not view.is_reversed, row=0, top=0)
    return _moved(_in_time(view, key, around), key, around)


def fitted(view: View, around: Surroundings) -> View:
    """With the chosen row among those that there are, and on the screen."""
    height = max(around.height, 1)
    row = min(max(view.row, 0), max(around.total - 1, 0))
    top = min(max(view.top, row - height + 1, 0), row)
    top = max(min(top, around.total - height), 0)
    detail_top = min(max(view.detail_top, 0), max(around.detail_length - height, 0))
    return replace(view, row=row, top=top, detail_top=detail_top)


def _typed(view: View, text: str, key: str) -> View:
    if key == "enter":
        return replace(view, prompt=None, filters=replace(view.filters, search=text.strip()), row=0, top=0)
    if key == "escape":
        return replace(view, prompt=None)
    if key == "backspace":
        return replace(view, prompt=text[:-1])
    if key == "\x15":
        return replace(view, prompt="")
    if key == "\x17":
        return replace(view, prompt=" ".join(text.split()[:-1]))
    return replace(view, prompt=text + key) if len(key) == 1 and key.isprintable() else view


def _in_details(view: View, key: str, around: Surroundings) -> View:
    if key in ("q", "escape", "enter"):
        return replace(view, process_id=None)
    height = max(around.height, 1)
    steps = {"up": -1, "down": 1, "pageup": -height, "pagedown": height, "home": -(10**9), "end": 10**9}
    if key in steps:
        return replace(view, detail_top=view.detail_top + steps[key])
    return _in_time(view, key, around)


def _in_time(view: View, key: str, around: Surroundings) -> View:
    if key == "?":
        return replace(view, has_help=True)
    if key == " ":
        return replace(view, is_paused=not view.is_paused) if view.at is None else view
    if key == "l":
        return replace(view, at=None, is_paused=False)
    steps = {"left": -STEP_SECONDS, "right": STEP_SECONDS, "[": -LEAP_SECONDS, "]": LEAP_SECONDS}
    if key in steps and around.shown_at:
        # There is nothing to the right of what is live.
        if view.is_live and steps[key] > 0:
            return view
        return replace(view, at=max((view.at or around.shown_at) + steps[key], 0), is_paused=False)
    return view


def _moved(view: View, key: str, around: Surroundings) -> View:
    height = max(around.height, 1)
    steps = {"up": -1, "down": 1, "pageup": -height, "pagedown": height}
    if key in steps:
        top = view.top + steps[key] if key.startswith("page") else view.top
        return replace(view, row=view.row + steps[key], top=max(top, 0))
    if key == "home":
        return replace(view, row=0, top=0)
    return replace(view, row=max(around.total - 1, 0)) if key == "end" else view
