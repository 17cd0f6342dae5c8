"""What is shown of a command: its line without secrets, where its arguments end, and the short name of the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import intern
from typing import NamedTuple

from procession.command_line.arguments import line_of, words_of
from procession.command_line.program_name import command_name
from procession.text.characters import text
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.cache_budget import CacheBudget
from procession.wire.datadog.scalars import MAX_NAME_LENGTH, MAX_PATH_LENGTH

Scrub = Callable[[Sequence[str]], Sequence[str]]
"""Arguments -> arguments without secrets."""

_MOST_BYTES = 16 * 2**20
_OVERHEAD_BYTES = 800
"""About what an entry takes, without its texts."""

_Key = tuple[tuple[str | bytes, ...], str | bytes, str | bytes, str | bytes, str | bytes, bool, bool]


class ShownCommand(NamedTuple):
    """As in `ProcessDescription`."""

    cmdline: str
    argument_words: tuple[int, ...]
    exe: str
    cwd: str
    root: str
    comm: str
    command: str


class CommandReader:
    """Remembers what it has shown: five of six processes of a fleet run what another one runs, and to hide secrets
    costs more than all else that is made of a process. Threads may share it: at worst, two read the same."""

    def __init__(self, scrub: Scrub | None = None, *, cache_bytes: int = _MOST_BYTES) -> None:
        self._scrub = scrub
        self._budget = CacheBudget(cache_bytes, self._forget)
        self._shown: dict[_Key, ShownCommand] = {}

    @property
    def held_bytes(self) -> int:
        """About what it takes."""
        return self._budget.used_bytes

    def _forget(self) -> None:
        self._shown = {}

    def read(self, command: pb.Command, *, is_windows: bool) -> ShownCommand:
        key = (
            tuple(command.args),
            command.exe,
            command.comm,
            command.cwd,
            command.root,
            command.argsAreWhole,
            is_windows,
        )
        found = self._shown.get(key)
        if found is None:
            found = self._read(command, is_windows)
            if self._budget.admits(_OVERHEAD_BYTES + 3 * _size_of(key)):
                self._shown[key] = found
        return found

    def _read(self, command: pb.Command, is_windows: bool) -> ShownCommand:
        arguments = [text(argument) for argument in command.args]
        shown = arguments if self._scrub is None else self._scrub(arguments)
        exe, comm = text(command.exe)[:MAX_PATH_LENGTH], text(command.comm)[:MAX_NAME_LENGTH]
        name = command_name(arguments, exe, comm, is_windows=is_windows)[:MAX_NAME_LENGTH]
        # All but the command line is the same on many hosts, and kept in memory once.
        return ShownCommand(
            cmdline=line_of(shown) if command.argsAreWhole else " ".join(shown),
            argument_words=words_of(shown) if command.argsAreWhole else (),
            exe=intern(exe),
            cwd=intern(text(command.cwd)[:MAX_PATH_LENGTH]),
            root=intern(text(command.root)[:MAX_PATH_LENGTH]),
            comm=intern(comm),
            command=intern(name),
        )


def _size_of(key: _Key) -> int:
    arguments, exe, comm, cwd, root, _, _ = key
    # An argument is an object of its own, however short it is.
    return sum(map(len, arguments)) + 20 * len(arguments) + len(exe) + len(comm) + len(cwd) + len(root)
