"""Whole numbers as people and programs write them: in query strings, headers and flags."""

from __future__ import annotations

import re

from procession.errors import InvalidParameter

_SIGNED = re.compile(r"-?[0-9]{1,19}")
"""ASCII alone, where `int` would also take other scripts, blanks and underscores; and no more than 64 bits have."""

_UNSIGNED = re.compile(r"[0-9]{1,20}")


def whole_number(text: str, least: int = -(2**63), most: int = 2**63 - 1) -> int | None:
    """None for what is not a whole number from `least` to `most`: those of 64 bits, where nothing else is said.

    Where negative numbers are in bounds, a minus is read, and up to 19 digits, zeros in front included; else up to 20.
    """
    if not (_SIGNED if least < 0 else _UNSIGNED).fullmatch(text):
        return None
    number = int(text)
    return number if least <= number <= most else None


def number_parameter(name: str, text: str, *, least: int, most: int) -> int:
    """The value of a query parameter, read with a sign: `-0` is 0. Raises InvalidParameter outside of the bounds."""
    number = whole_number(text)
    if number is None or not least <= number <= most:
        raise InvalidParameter(name, f"it is not a whole number from {least} to {most}")
    return number


def moment_parameter(name: str, text: str) -> int:
    """The Unix seconds of a query parameter; of what time they may be, `Window` says. Raises InvalidParameter."""
    moment = whole_number(text)
    if moment is None:
        raise InvalidParameter(name, "it is not a whole number of Unix seconds")
    return moment
