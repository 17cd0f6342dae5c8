"""Command lines so long that they are read only once it is known which are wanted, and that they are not too many.

A command line may have megabytes, and a page thousands of processes: read as any other column, they take several times
as much memory as there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from procession.errors import InvalidRequest
from procession.process import ProcessKey
from procession.storage.history.statements.descriptions import LONG_MARK, DescriptionT, VersionKey

MOST_BYTES = 128 * 2**20
AT_ONCE_BYTES = 16 * 2**20


def with_long(
    rows: Mapping[VersionKey, DescriptionT],
    read: Callable[[Sequence[ProcessKey], Sequence[int]], Iterable[DescriptionT]],
) -> dict[VersionKey, DescriptionT]:
    """The rows, whole. `read` gives those of some processes in some versions. Raises InvalidRequest for too much."""
    sizes = {key: int(row.cmdline[len(LONG_MARK) :]) for key, row in rows.items() if row.cmdline.startswith(LONG_MARK)}
    if not sizes:
        return dict(rows)
    if sum(sizes.values()) > MOST_BYTES:
        raise InvalidRequest(
            f"The command lines of these processes have more than {MOST_BYTES // 2**20} MiB: ask for fewer processes at"
            " once, such as by page[limit]"
        )
    found = dict(rows)
    for keys in _some_at_once(sizes):
        found |= {row.version_key: row for row in read([key.key for key in keys], [key.version for key in keys])}
    return {key: found[key] for key in rows}


def _some_at_once(sizes: Mapping[VersionKey, int]) -> Iterator[list[VersionKey]]:
    some: list[VersionKey] = []
    size = 0
    for key, more in sizes.items():
        if some and size + more > AT_ONCE_BYTES:
            yield some
            some, size = [], 0
        some.append(key)
        size += more
    yield some
