"""The short name that people know a process by: what its `command:` tag says.

It is the base name of what was started, `argv[0]`, and not of the file that it turned out to be: `sh` and not `dash` or
`busybox`, `python3` and not `python3.11`, `java` and not what a link three steps on is called. That is what people
typed, what `ps` shows, and what an agent without root sees too, which may not look where `/proc/<pid>/exe` points: the
name of a process does not change with the rights of the agent. A script goes by its interpreter, as in Datadog's API;
what it runs is in the command line, where `search` finds it.

The executable's own name, and last the kernel's (`comm`, cut to 15 bytes), stand in where `argv[0]` tells nothing. They
also say where a name with blanks ends: an agent may have parted arguments at blanks, and a process may have joined its
own. Programs of Windows have rules of their own: see `windows_commands`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from procession.command_line.windows_program_name import has_windows_form, windows_base_name, windows_command_name

_MAX_LENGTH = 255
"""As long as a file's name can be."""

_COMM_BYTES = 15
_DELETED = " (deleted)"
_MEMORY_FILE = "/memfd:"

_LONGEST = 5000
"""Characters looked at of a line with blanks: a path has at most 4096."""
_MOST_BLANKS = 100
"""Places looked at where a name may end."""

# A process that renamed itself puts its name before a colon: "nginx: worker process", "[celeryd: host:MainProcess]".
_TITLE = re.compile(r"[\[(]?([^\s:\[(][^\s:]*):(?:\s|$)")

# Executed by what is open, not by a path: what the file is called, the executable says.
_DESCRIPTOR = re.compile(r"/(?:proc/(?:self|thread-self|\d+)/(?:exe|fd/\d+)|dev/fd/\d+)")

# As a thread of the kernel is listed.
_BRACKETED = re.compile(r"\[([^\[\]:]+(?::[^\s\[\]]+)?)\]")

# Begins what can be no more of the name: an option, or another path.
_NEXT_ARGUMENT = re.compile(r"\s(?:--?\w|/)")

_LOGIN_AS_ROOT = "su"
"""`su -` starts a shell as "-su", whichever it is."""


def command_name(args: Sequence[str], exe: str, comm: str, *, is_windows: bool = False) -> str:
    """Never empty unless nothing at all is known. A kernel thread goes by what the kernel calls it."""
    exe = exe.strip().removesuffix(_DELETED)
    first = args[0].strip() if args else ""
    if is_windows or _is_of_windows(first, exe):
        # The program that Wine runs is no file of Linux.
        is_loader = not is_windows and exe.startswith("/")
        return (windows_command_name(args, "" if is_loader else exe) or comm)[:_MAX_LENGTH]
    file_name = _file_name(exe)
    name = _name_of(first.removesuffix(_DELETED), args, exe, file_name, comm)
    return (name or file_name or comm)[:_MAX_LENGTH]


def _is_of_windows(first: str, exe: str) -> bool:
    if not exe.startswith("/"):
        return has_windows_form(exe) or has_windows_form(first)
    # Under Wine, the file is its loader. One of Linux that is called so is just that.
    return has_windows_form(first) and _base_name(first) != _base_name(exe)


def _name_of(first: str, args: Sequence[str], exe: str, file_name: str, comm: str) -> str:
    if not first or _DESCRIPTOR.fullmatch(first):
        return ""
    if bracketed := _BRACKETED.fullmatch(first):
        return file_name or bracketed[1]
    has_blank = any(map(str.isspace, first))
    if has_blank or any(map(str.isspace, exe)) or any(map(str.isspace, comm)):
        line = first if has_blank else " ".join(args[:_MOST_BLANKS])
        if name := _name_with_blanks(line[:_LONGEST], exe, file_name, comm):
            return name
    if title := _TITLE.match(first):
        return _base_name(title[1])
    if has_blank:
        # With more arguments behind it, it was not joined by the process, but has blanks of its own.
        is_whole = len(args) > 1 and _NEXT_ARGUMENT.search(first) is None
        first = first.partition(": ")[0] if is_whole else first.split(maxsplit=1)[0]
    return _without_dash(_base_name(first), file_name, comm)


def _without_dash(name: str, file_name: str, comm: str) -> str:
    """A login shell is started with a dash before its name. Anything else with one is an option."""
    if not name.startswith("-"):
        return "" if name in (".", "..") else name
    name = name[1:]
    is_shell = (
        name in (_LOGIN_AS_ROOT, file_name, comm.removeprefix("-")) or not (file_name or comm) or _is_cut(name, comm)
    )
    return "" if name.startswith("-") or not is_shell else name


def _name_with_blanks(line: str, exe: str, file_name: str, comm: str) -> str:
    """The program at the beginning of a line with blanks, as far as the executable or the kernel's name says where it
    ends; else nothing."""
    if exe and line.startswith(exe) and _ends_at(line, len(exe)):
        return file_name
    if exe.startswith(f"{line} "):  # cut at its first blank, where arguments are not to be sent
        return file_name
    if not any(map(str.isspace, file_name + comm + line)):
        return ""
    bases = list(_bases(line))
    if file_name in bases:
        return file_name
    if comm in bases:
        return comm
    # Where what is left of it has a blank, the name has some, and maybe more.
    has_blank = any(map(str.isspace, comm))
    return next((base for base in (reversed(bases) if has_blank else bases) if _is_cut(base, comm)), "")


def _bases(line: str) -> Iterator[str]:
    """Base names of what the program may be: of the line up to each of its blanks and up to its end, but no further
    than to an option or another path. Shortest first."""
    following = _NEXT_ARGUMENT.search(line)
    program = line if following is None else line[: following.start()]
    start = 0
    for blank in _blanks(program):
        start = max(start, program.rfind("/", start, blank) + 1)
        yield program[start:blank].removesuffix(":")
    yield _base_name(program).removesuffix(":")


def _blanks(text: str) -> Iterator[int]:
    for count, match in enumerate(re.finditer(r"\s", text)):
        if count == _MOST_BLANKS:
            return
        yield match.start()


def _ends_at(line: str, position: int) -> bool:
    return position == len(line) or line[position].isspace() or line[position] == ":"


def _is_cut(name: str, comm: str) -> bool:
    """Whether the kernel's name is the beginning of this one, cut, maybe within a character."""
    if len(comm.encode("utf-8", "replace")) < _COMM_BYTES:
        return False
    return name.startswith(comm.rstrip("\ufffd") or comm)


def _file_name(exe: str) -> str:
    if exe.startswith(_MEMORY_FILE):
        return exe[1:].partition("/")[0].rstrip(":")
    return windows_base_name(exe) if has_windows_form(exe) else _base_name(exe)


def _base_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
