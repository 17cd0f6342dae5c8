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


def signal_of(exit_code: int) -> str | None:
    """The name of the signal that killed a process, such as SIGKILL. None where it ended by itself.

    `exit_code` is as a shell has it: 128 and the signal.
    A program that exits with such a code by itself looks the same as one that was killed.
    """
    number = exit_code - 128
    if 1 <= number <= len(_NAMES):
        return f"SIG{_NAMES[number - 1]}"
    if _FIRST_REAL_TIME <= number <= _LAST:
        return "SIGRTMIN" if number == _FIRST_REAL_TIME else f"SIGRTMIN+{number - _FIRST_REAL_TIME}"
    return None
