"""The short name that people know a process by: what its `command:` tag says.

It is the base name of what was started, `argv[0]`, and not of the file that it turned out to be: `sh` and not `dash` or
`busybox`, `python3` and not `python3.11`, `java` and not what a link three steps on is called. That is what people
typed, what `ps` shows, and what an agent without root sees too, which may not look where `/proc/<pid>/exe` points: the
name of a process does not change with the rights of the agent. A script goes by its interpreter, as in Datadog's API;
what it runs is in the command line, where `search` finds it.

The executable's own name, and last the kernel's (`comm`, cut to 15 bytes), stand in where `argv[0]` tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_LENGTH = 255
"""As long as a file's name can be."""

_COMM_LENGTH = 15
_DELETED = " (deleted)"

# A process that renamed itself puts its name before a colon: "nginx: worker process", "postgres: 15/main: walwriter".
_TITLE = re.compile(r"([^\s:]+):(?:\s|$)")

# "C:\..." and "\\server\...". Elsewhere a backslash is a character like any other.
_WINDOWS_PATH = re.compile(r'"?(?:[A-Za-z]:\\|\\\\)')

# Windows keeps the whole command line in one text. Where it has no quotes, the program ends with its extension.
_WINDOWS_PROGRAM = re.compile(r".*?\.(?:exe|com|bat|cmd|ps1|vbs|js|msc|scr)(?=\s|$)", re.IGNORECASE | re.DOTALL)


def command_name(args: Sequence[str], exe: str, comm: str) -> str:
    """Never empty unless nothing at all is known. A kernel thread goes by what the kernel calls it."""
    exe = exe.removesuffix(_DELETED)
    first = args[0] if args else ""
    name = _base_name(exe) if first == "/proc/self/exe" else _name_of(first.strip(), exe, comm)
    return (name or _base_name(exe) or comm)[:_MAX_LENGTH]


def _name_of(first: str, exe: str, comm: str) -> str:
    if _WINDOWS_PATH.match(first):
        return _windows_name(first)
    if title := _TITLE.match(first):
        first = title[1]
    elif any(map(str.isspace, first)):
        return _name_before_blank(first, exe, comm)
    # A login shell is started with a dash before its name.
    name = _base_name(first).removeprefix("-")
    return "" if name.startswith("-") else name


def _windows_name(first: str) -> str:
    if first.startswith('"'):
        program = first[1:].partition('"')[0]
    elif match := _WINDOWS_PROGRAM.match(first):
        program = match[0]
    else:
        program = first.split()[0]
    return _base_name(program)


def _name_before_blank(first: str, exe: str, comm: str) -> str:
    """Either the path has a blank in it, or a process joined its arguments when it renamed itself."""
    if exe and first.startswith(exe):
        return _base_name(exe)
    whole = _base_name(first)
    if comm and whole.encode("utf-8", "replace")[:_COMM_LENGTH] == comm.encode("utf-8", "replace"):
        return whole
    return _base_name(first.split()[0]).removeprefix("-")


def _base_name(path: str) -> str:
    if _WINDOWS_PATH.match(path):
        return path.strip('"').rstrip("\\/").replace("/", "\\").rpartition("\\")[2]
    return path.rstrip("/").rpartition("/")[2]
