"""Whole numbers as people and programs write them: in query strings, headers and flags."""

from __future__ import annotations

import re

from procession.errors import InvalidParameter

_SIGNED = re.compile(r"-?[0-9]{1,19}")
"""ASCII digits only: `int` also takes digits of other scripts, blanks and underscores. As many as 64 bits may have."""

_UNSIGNED = re.compile(r"[0-9]{1,20}")


def whole_number(text: str, least: int = -(2**63), most: int = 2**63 - 1) -> int | None:
    """The number that a text is, or None if it is not a whole number from `least` to `most`. Never raises.

    If `least` is below 0, a minus and up to 19 digits are read, leading zeros included; otherwise up to 20 digits.
    """
    if not (_SIGNED if least < 0 else _UNSIGNED).fullmatch(text):
        return None
    number = int(text)
    return number if least <= number <= most else None


def number_parameter(name: str, text: str, *, least: int, most: int) -> int:
    """The number that a query parameter is; `-0` is 0. Raises InvalidParameter if it is not a whole number from `least`
    to `most`."""
    number = whole_number(text)
    if number is None or not least <= number <= most:
        raise InvalidParameter(name, f"it is not a whole number from {least} to {most}")
    return number


def moment_parameter(name: str, text: str) -> int:
    """The Unix seconds that a query parameter is, of any time: `Window` has the bounds. Raises InvalidParameter if it
    is not a whole number."""
    moment = whole_number(text)
    if moment is None:
        raise InvalidParameter(name, "it is not a whole number of Unix seconds")
    return moment
