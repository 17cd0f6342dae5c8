"""Bytes and broken Unicode -> text that can be stored and sent."""

from __future__ import annotations


def text(value: str | bytes) -> str:
    """The text, with U+FFFD for NUL and, in bytes, for what is not UTF-8. Never raises.

    No argument of a process can hold NUL, and it would end the text wherever C code reads it.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.replace("\0", "\ufffd") if "\0" in value else value


def encodable(value: str) -> str:
    """The text, with U+FFFD for halves of surrogate pairs, which cannot be encoded. Never raises.

    Python puts such a half where it reads a byte that is not UTF-8.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value
