"""Texts from outside, made safe to print: the name of a process must not control the terminal of its reader."""

from __future__ import annotations

import re

# Control characters, line and paragraph separators, marks that turn the direction of writing, and lone surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def visible(text: str) -> str:
    """The text with everything that would act on a terminal, and not show, written out: `\\x1b`, `\\u202e`."""
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
