"""What a program is written in: by its name where an interpreter runs, else by the notes in its file.

The file may be on a disk that does not answer, and so nobody waits for it: see `Lookups`.
"""

from __future__ import annotations

import os
import re
import struct

from procession.agent.read.lookups import Lookups

_INTERPRETERS = re.compile(
    r"""(?P<python>(?:python|pypy)[0-9.]*[a-z]?)
      | (?P<java>javaw?|jsvc)
      | (?P<node>node|nodejs)
      | (?P<ruby>ruby[0-9.]*|jruby)
      | (?P<php>php(?:-?(?:fpm|cgi))?[0-9.]*)
      | (?P<dotnet>dotnet)""",
    re.VERBOSE,
)

_MOST_HEADERS = 100
_NOTES = 4
_MOST_NOTE_BYTES = 16 * 1024
_NAME_OF_GO = b"Go\0\0"
_BUILD_ID_OF_GO = 4

_NEVER = float("inf")
"""A file stays what it is."""


def interpreted_language(exe: str, comm: str) -> str:
    """By the name of the program, or the kernel's name of the process where that is not to be read; else empty."""
    name = exe.removesuffix(" (deleted)").rpartition("/")[2] or comm
    found = _INTERPRETERS.fullmatch(name)
    return "" if found is None or found.lastgroup is None else found.lastgroup


def compiled_language(path: str) -> str:
    """`go` for a program that its linker has noted its build in, else empty."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return "go" if _has_note_of_go(fd) else ""
    except (OSError, struct.error):
        return ""
    finally:
        os.close(fd)


def _has_note_of_go(fd: int) -> bool:
    head = os.pread(fd, 64, 0)
    if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return False
    order, is_wide = "<>"[head[5] - 1], head[4] == 2
    at = struct.unpack_from(order + ("Q" if is_wide else "I"), head, 32 if is_wide else 28)[0]
    size, count = struct.unpack_from(order + "HH", head, 54 if is_wide else 42)
    least = 56 if is_wide else 32
    if not least <= size <= 1024:
        return False
    headers = os.pread(fd, size * min(count, _MOST_HEADERS), at)
    for begin in range(0, len(headers) - least + 1, size):
        if struct.unpack_from(order + "I", headers, begin)[0] == _NOTES:
            fields = ("Q", 8, 32) if is_wide else ("I", 4, 16)
            offset, length = (struct.unpack_from(order + fields[0], headers, begin + place)[0] for place in fields[1:])
            if _is_of_go(os.pread(fd, min(length, _MOST_NOTE_BYTES), offset), order):
                return True
    return False


def _is_of_go(notes: bytes, order: str) -> bool:
    begin = 0
    while begin + 12 <= len(notes):
        name_size, text_size, kind = struct.unpack_from(order + "III", notes, begin)
        name = begin + 12
        if kind == _BUILD_ID_OF_GO and notes[name : name + name_size] == _NAME_OF_GO:
            return True
        begin = name + (name_size + 3) // 4 * 4 + (text_size + 3) // 4 * 4
    return False


class CompiledLanguages:
    """Of processes, by pid and start."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._lookups = Lookups(self._ask, keep_seconds=_NEVER, wait_seconds=0.0)

    def _ask(self, number: int) -> str:
        return compiled_language(f"{self._root}/{number >> 32}/exe")

    def ask(self, numbers: list[int], moment: float) -> None:
        """`numbers`: as `number_of` has them."""
        self._lookups.expect(numbers, moment)

    def get(self, number: int) -> str:
        """Empty where it is none that is known, or not yet."""
        return self._lookups.get(number)


def number_of(pid: int, start_ticks: int) -> int:
    return pid << 32 | start_ticks & 0xFFFFFFFF
