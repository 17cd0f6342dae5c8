"""What a start has read of large libraries, given back.

The embedded engine is a library of half a gigabyte, of which a start touches a third, once. Its pages hold nothing that
is not in its file: those that are needed again are read from there, mostly out of the memory that the system has for
files, which takes a millisecond in all.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from pathlib import Path

LARGE_BYTES = 32 * 2**20
"""What is smaller is left as it is."""

_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)")
"""Of a mapping: its bounds, its rights, and the inode of its file, 0 where it has none. What is said of it follows."""

_SMAPS = Path("/proc/self/smaps")
_MADV_DONTNEED = 4


def give_back() -> None:
    """For Linux; elsewhere it does nothing. May be called while others run what is in these libraries."""
    if not sys.platform.startswith("linux"):
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    try:
        mappings = _SMAPS.read_text(errors="replace")
    except OSError:
        return
    for begin, end in _large_unchanged(mappings):
        madvise(begin, end - begin, _MADV_DONTNEED)


def _large_unchanged(mappings: str) -> Iterator[tuple[int, int]]:
    """Where such mappings begin and end. In one that was changed, as by the loader, there is what no file has."""
    begin = end = changed = 0
    for line in mappings.splitlines():
        if found := _HEAD.match(line):
            is_meant = found[3] in ("r-xp", "r--p") and found[4] != "0"
            begin, end = (int(found[1], 16), int(found[2], 16)) if is_meant else (0, 0)
            changed = 0
        elif line.startswith(("Anonymous:", "Swap:")):
            changed += int(line.split()[1])
        elif line.startswith("VmFlags:") and not changed and end - begin >= LARGE_BYTES:
            yield begin, end
