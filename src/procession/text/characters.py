"""Bytes and halves of characters -> text that can be stored and sent."""

from __future__ import annotations


def text(value: str | bytes) -> str:
    """Bytes are a text that is not UTF-8. NUL, which no argument can hold, would end it in somebody's C code."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.replace("\0", "\ufffd") if "\0" in value else value


def encodable(value: str) -> str:
    """Half of a surrogate pair, the trace of a byte that was no UTF-8, cannot travel as text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value
