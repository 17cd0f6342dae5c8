"""Whole numbers as people and programs write them: in query strings, headers and flags."""

from __future__ import annotations

import re

from procession.errors import InvalidParameter

_DIGITS = re.compile(r"-?[0-9]{1,20}")
"""ASCII alone, where `int` would also take other scripts, blanks and underscores; and no more than 64 bits have."""


def whole_number(text: str, least: int = -(2**63), most: int = 2**63 - 1) -> int | None:
    """None for what is not a whole number from `least` to `most`: those of 64 bits, where nothing else is said.

    A minus is read where negative numbers are in bounds.
    """
    if not _DIGITS.fullmatch(text) or (text[0] == "-" and least >= 0):
        return None
    number = int(text)
    return number if least <= number <= most else None


def number_parameter(name: str, text: str, *, least: int, most: int) -> int:
    """The value of a query parameter. Raises InvalidParameter outside of the bounds."""
    number = whole_number(text, least, most)
    if number is None:
        raise InvalidParameter(name, f"it is not a whole number from {least} to {most}")
    return number


def moment_parameter(name: str, text: str) -> int:
    """The Unix seconds of a query parameter; of what time they may be, `Window` says. Raises InvalidParameter."""
    moment = whole_number(text)
    if moment is None:
        raise InvalidParameter(name, "it is not a whole number of Unix seconds")
    return moment
