"""When is a snapshot complete: the one place that knows.

An agent may split a snapshot into chunks, each of which says how many there are. The snapshot is complete once all of
them have arrived. Only a complete snapshot tells who has ended: its host has no other processes.
"""

from __future__ import annotations

from typing import Any, overload

NEVER_COMPLETE = 0
"""The chunk count of a chunk that is part of no complete snapshot: it tells of some processes, and ends none."""


@overload
def is_complete(arrived: int, chunk_count: int) -> bool: ...
@overload
def is_complete(arrived: Any, chunk_count: Any) -> Any: ...
def is_complete(arrived: Any, chunk_count: Any) -> Any:
    """Whether so many different chunks are all there are of a snapshot; of columns, row by row.

    `chunk_count` is the largest that any of them says.
    """
    return (chunk_count > NEVER_COMPLETE) & (arrived >= chunk_count)
