"""The short name of a program of Windows, where a command line is one text and paths come in many forms.

The executable is the truth where an agent sends it: Windows knows no `argv[0]` that says something else for a reason,
and people count `svchost.exe` and not its spellings. Where it is not known, the name is read off the command line,
which may come whole, as arguments, or parted at every blank.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# C:\..., C:/... and C:tool.exe; \\server\share and \\?\C:\; what the kernel has: \??\C:\, \SystemRoot\ and \Device\;
# %SystemRoot%\; and a program in quotes. Elsewhere a backslash is a character like any other.
_FORM = re.compile(
    r'"?(?:[a-z]:[\\/]|\\\\|\\\?\?\\|\\(?:systemroot|device|dosdevices|global\?\?)\\|%[^%\\/\s]+%[\\/])'
    r'|"[^"]{1,300}\.(?:exe|com|bat|cmd)"|[a-z]:[^\\/:\s]{1,300}\.(?:exe|com|bat|cmd)(?=\s|$)',
    re.IGNORECASE,
)

_EXTENSIONS = r"\.(?:exe|com|bat|cmd|ps1|psc1|vbs|vbe|js|jse|wsf|wsh|msc|scr|pif|cpl)"

# Without quotes, the program ends with its extension. What stands before it may have blanks, but holds no option and no
# further path: those begin another argument.
_PROGRAM = re.compile(
    rf"""(?:(?!\s(?:-\w|--|/|"|[a-z]:[\\/]|\\|%\w+%)).)*?{_EXTENSIONS}(?=["\s]|$)""", re.IGNORECASE | re.DOTALL
)

_IMAGES = (".exe", ".com", ".scr", ".pif")
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST = 33_000
"""A little more than a command line of Windows can have."""


def has_windows_form(path: str) -> bool:
    return _FORM.match(path) is not None


def windows_command_name(args: Sequence[str], exe: str) -> str:
    """Empty where neither says anything."""
    return windows_base_name(exe) or _name_in(args)


def _name_in(args: Sequence[str]) -> str:
    if not args:
        return ""
    first = args[0][:_LONGEST].strip()
    if len(args) > 1 and (any(map(str.isspace, first)) and not first.startswith('"')):
        return windows_base_name(_program(first) or first)  # one argument, blanks and all
    line = " ".join(args)[:_LONGEST].strip()
    if line.startswith('"'):
        inside, closing, _ = line[1:].partition('"')
        return windows_base_name(inside if closing else _program(inside) or inside)
    return windows_base_name(_program(line) or line.split(maxsplit=1)[0] if line else "")


def _program(line: str) -> str:
    match = _PROGRAM.match(line)
    if match is None:
        return ""
    program = match[0]
    if program[-4:].lower() in _IMAGES:
        return program
    # A script is run by something: in `wscript tidy.vbs`, what stands before the blank is the program.
    folder = max(program.rfind("\\"), program.rfind("/")) + 1
    return program[:folder] + program[folder:].split(maxsplit=1)[0]


def windows_base_name(path: str) -> str:
    """The name of the file at the end of a path, which may have either slash and quotes."""
    name = path.strip().strip('"').rstrip("\\/. ").replace("/", "\\").rpartition("\\")[2]
    drive = _DRIVE.match(name)  # C:tool.exe, in the folder that the drive is in
    return (name if drive is None else name[drive.end() :]).strip()
