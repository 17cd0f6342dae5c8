"""Single values of the wire, brought to what they can be here."""

from __future__ import annotations

from procession.accounts.hosts import MAX_HOST_LENGTH, host_name
from procession.process import MAX_UINT32
from procession.text.characters import text
from procession.wire.datadog.frame import FrameError

MAX_PATH_LENGTH = 4096
"""As long as a path may be on Linux. Longer ones were made up, and are cut."""
MAX_NAME_LENGTH = 255
"""For names of commands, users, groups and containers; longer ones are cut as well."""


def host_of(name: str | bytes) -> str:
    """Raises FrameError for what is no name of a host."""
    host = host_name(text(name))
    if host is None:
        raise FrameError(f"The message does not name its host in 1 to {MAX_HOST_LENGTH} characters")
    return host


def clamped_uint32(value: int) -> int:
    return 0 if value < 0 else min(value, MAX_UINT32)


def owner_id(value: int) -> int | None:
    """A uid or gid. They have 32 bits, of which the wire makes a signed number; -1 is nobody's."""
    return None if value == -1 else value & MAX_UINT32


def signed_int32(value: int) -> int:
    """The int32 with the same bits."""
    value &= MAX_UINT32
    return value - 2**32 if value >= 2**31 else value
