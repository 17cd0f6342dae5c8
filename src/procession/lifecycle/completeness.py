"""When is a snapshot complete? Only this module decides.

An agent may split a snapshot into chunks, each of which says how many there are. The snapshot is complete once all of
them have arrived. Only a complete snapshot says which processes have ended: those of its host that are not in it.
"""

from __future__ import annotations

from typing import Any, overload

NEVER_COMPLETE = 0
"""The chunk count of a partial snapshot: however much of it arrives, it does not say that any process ended."""


@overload
def is_complete(arrived: int, chunk_count: int) -> bool: ...
@overload
def is_complete(arrived: Any, chunk_count: Any) -> Any: ...
def is_complete(arrived: Any, chunk_count: Any) -> Any:
    """Whether all chunks of a snapshot have arrived: for two ints a bool, for two NumPy columns a column of bools.

    `arrived` is how many different chunks there are, `chunk_count` the largest count that any of them says.
    """
    return (chunk_count > NEVER_COMPLETE) & (arrived >= chunk_count)
