"""Single values of the wire, brought to what they can be here."""

from __future__ import annotations

from collections.abc import Iterable

from procession.process import MAX_UINT32
from procession.wire.datadog.frame import FrameError

MAX_HOST_LENGTH = 255
MAX_PATH_LENGTH = 4096
"""Of Linux. What is longer was made up by a stranger, and is cut."""
MAX_NAME_LENGTH = 255
"""Of commands, users, groups and containers, likewise."""
MAX_TAG_LENGTH = 1000
"""Datadog's have 200 at most."""


def text(value: str | bytes) -> str:
    """Bytes are a text that is not UTF-8. NUL, which no argument can hold, would end it in somebody's C code."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.replace("\0", "\ufffd") if "\0" in value else value


def host_of(name: str | bytes) -> str:
    """Raises FrameError for what is no name of a host."""
    host = text(name).strip()
    if not 0 < len(host) <= MAX_HOST_LENGTH:
        raise FrameError(f"The message does not name its host in 1 to {MAX_HOST_LENGTH} characters")
    return host


def encodable(value: str) -> str:
    """Half of a surrogate pair, the trace of a byte that was no UTF-8, cannot travel as text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def normal_tags(values: Iterable[str | bytes]) -> tuple[str, ...]:
    """Lower-cased, sorted, unique."""
    return tuple(sorted({tag for value in values if (tag := text(value).strip().lower()[:MAX_TAG_LENGTH])}))


def clamped_uint32(value: int) -> int:
    return 0 if value < 0 else min(value, MAX_UINT32)


def owner_id(value: int) -> int | None:
    """A uid or gid. They have 32 bits, of which the wire makes a signed number; -1 is nobody's."""
    return None if value == -1 else value & MAX_UINT32


def signed_int32(value: int) -> int:
    """The int32 with the same bits."""
    value &= MAX_UINT32
    return value - 2**32 if value >= 2**31 else value
