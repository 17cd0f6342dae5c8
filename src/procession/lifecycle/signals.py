"""Signals, by Linux's numbers: whatever system the server runs on, the exit codes come from there."""

from __future__ import annotations

# fmt: off
_NAMES = (
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
    "WINCH", "IO", "PWR", "SYS",
)
# fmt: on
_FIRST_REAL_TIME, _LAST = 34, 64


def signal_number(exit_code: int) -> int | None:
    """The number of the signal that `signal_of` names."""
    number = exit_code - 128
    return number if 1 <= number <= len(_NAMES) or _FIRST_REAL_TIME <= number <= _LAST else None


def signal_named(name: str) -> int | None:
    """The number of a signal, by its name with or without SIG, in any case."""
    short = name.upper().removeprefix("SIG")
    if short in _NAMES:
        return _NAMES.index(short) + 1
    first, plus, more = short.partition("+")
    if first == "RTMIN" and (not plus or (more.isascii() and more.isdigit() and len(more) <= 2)):
        number = _FIRST_REAL_TIME + int(more or 0)
        return number if number <= _LAST else None
    return None


def signal_of(exit_code: int) -> str | None:
    """The name of the signal that killed a process, such as SIGKILL. None where it ended by itself.

    `exit_code` is as a shell has it: 128 and the signal.
    A program that exits with such a code by itself looks the same as one that was killed.
    """
    number = signal_number(exit_code)
    if number is None:
        return None
    if number <= len(_NAMES):
        return f"SIG{_NAMES[number - 1]}"
    return "SIGRTMIN" if number == _FIRST_REAL_TIME else f"SIGRTMIN+{number - _FIRST_REAL_TIME}"
