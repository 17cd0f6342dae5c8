"""Colours for what a text means: 256 of them, 16, or none."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import Enum, auto

_NO_STYLES = ("", "dumb", "unknown")


class ColorDepth(Enum):
    """How many colours a terminal shows. `NO_STYLES` has not even bold."""

    NO_STYLES = 0
    NONE = 1
    SIXTEEN = 16
    MANY = 256


class Style(Enum):
    """What a text means."""

    PLAIN = auto()
    STRONG = auto()
    TITLE = auto()
    FAINT = auto()
    GOOD = auto()
    WARNING = auto()
    BAD = auto()
    PROGRAM = auto()
    BRANCH = auto()
    HOST = auto()
    USER = auto()
    LOW = auto()
    MEDIUM = auto()
    HIGH = auto()
    KEY = auto()
    HEAD = auto()
    SORTED_HEAD = auto()
    CHOSEN = auto()


_LOOKS = {
    Style.PLAIN: ("", "", ""),
    Style.STRONG: ("1", "1", "1"),
    Style.TITLE: ("1", "1;36", "1;36"),
    Style.FAINT: ("2", "90", "38;5;244"),
    Style.GOOD: ("1", "1;32", "1;32"),
    Style.WARNING: ("1", "1;33", "1;33"),
    Style.BAD: ("1", "1;31", "1;31"),
    Style.PROGRAM: ("1", "1;36", "1;38;5;80"),
    Style.BRANCH: ("2", "36", "38;5;66"),
    Style.HOST: ("", "34", "38;5;75"),
    Style.USER: ("", "35", "38;5;176"),
    Style.LOW: ("", "32", "38;5;114"),
    Style.MEDIUM: ("", "33", "38;5;221"),
    Style.HIGH: ("1", "31", "38;5;203"),
    Style.KEY: ("7", "30;46", "38;5;16;48;5;80"),
    Style.HEAD: ("7", "30;42", "38;5;16;48;5;114"),
    Style.SORTED_HEAD: ("1;7", "30;46", "38;5;16;48;5;80"),
    Style.CHOSEN: ("7", "30;46", "38;5;16;48;5;80"),
}
"""How each looks without colours, with 16 and with 256: parameters of SGR."""


def color_depth(environment: Mapping[str, str], *, is_terminal: bool) -> ColorDepth:
    """`NO_COLOR`, if it is not empty, turns colours off; bold stays."""
    terminal = environment.get("TERM", "")
    if not is_terminal or terminal in _NO_STYLES:
        return ColorDepth.NO_STYLES
    if environment.get("NO_COLOR"):
        return ColorDepth.NONE
    has_many = "256color" in terminal or environment.get("COLORTERM") in ("truecolor", "24bit")
    return ColorDepth.MANY if has_many else ColorDepth.SIXTEEN


def depth_of_output() -> ColorDepth:
    return color_depth(os.environ, is_terminal=sys.stdout.isatty())


def painted(text: str, style: Style, depth: ColorDepth) -> str:
    """The text, which must be harmless already, between its style and the end of it."""
    if depth is ColorDepth.NO_STYLES or not text:
        return text
    without_colors, sixteen, many = _LOOKS[style]
    sgr = {ColorDepth.NONE: without_colors, ColorDepth.SIXTEEN: sixteen, ColorDepth.MANY: many}[depth]
    return f"\x1b[{sgr}m{text}\x1b[0m" if sgr else text


def style_of_percent(percent: float | None) -> Style:
    """Of one core."""
    if percent is None or percent < 0.05:
        return Style.FAINT
    return Style.LOW if percent < 50 else Style.MEDIUM if percent < 90 else Style.HIGH


def style_of_bytes(count: float | None) -> Style:
    """By its order of magnitude, so that gigabytes are seen among megabytes."""
    if count is None or count < 2**20:
        return Style.FAINT
    return Style.PLAIN if count < 2**30 else Style.MEDIUM if count < 2**34 else Style.HIGH
