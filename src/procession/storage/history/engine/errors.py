"""What the engine refuses or cannot do, in words for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from procession.errors import Unavailable


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]


_IN_WORDS = (
    ("Read-only file system", "its disk is read-only"),
    ("No space left on device", "its disk is full"),
    ("NOT_ENOUGH_SPACE", "its disk is full"),
    ("MEMORY_LIMIT_EXCEEDED", "it takes more memory than there is for it; ask for less at once, or try again"),
)
_DAMAGE = re.compile(
    r"\b(CHECKSUM_DOESNT_MATCH|CORRUPTED_DATA|CANNOT_DECOMPRESS|UNKNOWN_CODEC|TOO_LARGE_SIZE_COMPRESSED"
    r"|CANNOT_READ_ALL_DATA|ATTEMPT_TO_READ_AFTER_EOF)\b|Input/output error"
)
_PART = re.compile(r"while reading from part \S*?([^/\s]+)/ in table \w+\.(\w+)")


def in_words(error: Exception) -> str:
    """Why, for a person who may not know the engine."""
    text = str(error)
    if _DAMAGE.search(text) and (part := _PART.search(text)):
        return f"part {part[1]} of {part[2]} is damaged; see docs/operating.md, the store is damaged"
    return next((words for part, words in _IN_WORDS if part in text), first_line(error))


@contextmanager
def unavailable_on_failure() -> Iterator[None]:
    """What the engine refuses or cannot do becomes Unavailable: the client may try again."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        yield
    except (ClickHouseError, OSError, MemoryError) as error:
        raise Unavailable(f"The store cannot do this now: {in_words(error)}") from error
