"""Command lines so long that they are read only once it is known which are wanted, and that they are not too many.

A command line may have megabytes, and a page thousands of processes: read as any other column, they take several times
as much memory as there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from procession.errors import InvalidRequest
from procession.process import ProcessKey

LONG_BYTES = 8192
MOST_BYTES = 128 * 2**20
AT_ONCE_BYTES = 16 * 2**20

MANY_WORDS = 200
"""Numbers of `argument_words` that count as a long text: made up, or a list of files with blanks in their names."""

_CMDLINE = 4
"""Its place in a row that begins with `start, host, pid, version`."""
_MARK = "\0\0\0"
"""Before the size, which stands for a text that is long. No text begins so: none holds NUL."""

VersionKey = tuple[int, int, int, int]
"""Start, host key, pid and version."""


def without_long(columns: str) -> str:
    """The same columns, with its size in place of a command line that is long, or has many words counted."""
    is_long, size = f"length(cmdline) > {LONG_BYTES}", "length(cmdline)"
    if "argument_words" in columns:
        is_long = f"({is_long} OR length(argument_words) > {MANY_WORDS})"
        size += " + 8 * length(argument_words)"
        columns = columns.replace("argument_words", f"if({is_long}, [], argument_words)", 1)
    short = f"if({is_long}, concat('\\0\\0\\0', toString({size})), cmdline)"
    return columns.replace("cmdline", short, 1)


def with_long(
    rows: Mapping[VersionKey, Any], read: Callable[[Sequence[ProcessKey], Sequence[int]], Iterable[Any]]
) -> dict[VersionKey, Any]:
    """The rows, whole. `read` gives those of some processes in some versions. Raises InvalidRequest for too much."""
    sizes = {key: int(row[_CMDLINE][len(_MARK) :]) for key, row in rows.items() if row[_CMDLINE].startswith(_MARK)}
    if not sizes:
        return dict(rows)
    if sum(sizes.values()) > MOST_BYTES:
        raise InvalidRequest(
            f"The command lines of these processes have more than {MOST_BYTES // 2**20} MiB: ask for fewer processes at"
            " once, such as by page[limit]"
        )
    found = dict(rows)
    for keys in _some_at_once(sizes):
        processes, versions = [ProcessKey(*key[:3]) for key in keys], [key[3] for key in keys]
        found |= {tuple(row[:4]): row for row in read(processes, versions)}
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
