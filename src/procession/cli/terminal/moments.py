"""Moments as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import click

from procession.text.whole_number import whole_number

_AGO = re.compile(r"(?:now)?-([0-9]{1,9})([smhd])")
_MOST_DIGITS = 11
"""Enough up to the year 5138; a longer number counts something smaller than seconds."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_moment(text: str, now: int) -> int:
    """Unix seconds of `1700000000`, `2023-11-14T22:13` (UTC unless it says otherwise), `-15m`, `now-15m` or `now`.

    Raises ValueError.
    """
    text = text.strip()
    if text == "now":
        return now
    if len(text) <= _MOST_DIGITS and (seconds := whole_number(text, least=0)) is not None:
        return seconds
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _SECONDS[ago[2]]
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def show_moment(moment: int) -> str:
    """As the tables show it, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


class Moment(click.ParamType[int]):
    """Relative to the moment at which the command runs."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        import time

        from procession.search.hints import moment_hint  # takes as long as all else of a command

        text = str(value)
        number = whole_number(text, 0, 10**20)
        if number is not None and (hint := moment_hint("a time", number)):
            self.fail(hint, param, ctx)
        try:
            return parse_moment(text, int(time.time()))
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is neither Unix seconds, nor like 2023-11-14T22:13 (UTC), nor like -15m (s, m, h, d)",
                param,
                ctx,
            )


class Duration(click.ParamType[int]):
    """`30m`, `2h`, `7d`; gives seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([1-9]\d{0,5})([mhd])", value)
        if match is None:
            self.fail(f"{value!r} is not like 30m, 2h or 7d", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]
