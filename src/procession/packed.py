"""Sightings with their numbers as rows of bytes: what an intake makes of a payload and a store writes down.

To make columns of the numbers of sightings takes 1.4 µs each where they are objects, and 0.03 where they are rows.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable
from typing import Any, get_args, get_type_hints

import msgspec

from procession.discovery import characters_of_discovery
from procession.process import ProcessDescription, ProcessNumbers, Snapshot

NUMBERS: tuple[tuple[str, str], ...] = tuple(
    (name, get_args(hint)[0].__metadata__[0])
    for name, hint in get_type_hints(ProcessNumbers, include_extras=True).items()
    if name != "state"
)
"""Name and type of each field of `ProcessNumbers` except the state, in their order. A type is `f` or `i` and its number
of bytes. In a row the numbers lie end to end, little-endian, and after them the state as one byte."""

ABSENT = -1
"""Stands for a number that is not known; no known number is negative."""

_KNOWN_STATES = ("", "R", "S", "D", "T", "Z", "X", "W", "I", "t")

STATES = _KNOWN_STATES + tuple(
    letter if letter.isascii() and letter.isalpha() and letter not in _KNOWN_STATES else ""
    for letter in map(chr, range(len(_KNOWN_STATES), 256))
)
"""Their places stand for them in a row and in the store. Those that few kernels have are at the place of their letter;
what is no letter is stored as unknown."""

STATE_NUMBERS = {state: number for number, state in enumerate(STATES) if state}

NO_STATE = 0
"""Stands for what is not in STATE_NUMBERS."""

DEAD = "X"
"""The state of a process that had ended when it was seen: agents send those that came and went between two snapshots
with the next one."""

ROW = struct.Struct("<" + "".join({"f4": "f", "i4": "i", "i8": "q"}[kind] for _, kind in NUMBERS) + "B")
"""A row: what NUMBERS says, and the state."""

_values_of = msgspec.structs.astuple


class PackedProcess(msgspec.Struct, frozen=True, gc=False):
    """A process of a snapshot without its numbers. While it stays what it is, it may be the same object in each."""

    pid: int
    started_at: int
    description: ProcessDescription
    characters: int
    """About how many characters all its texts have."""

    @classmethod
    def of(cls, pid: int, started_at: int, description: ProcessDescription) -> PackedProcess:
        return cls(pid, started_at, description, characters_of(description))


class Listing:
    """The processes of a chunk, without their numbers.

    They are mostly the same from one snapshot to the next. Who decodes snapshots hands on the same listing then, so
    that what others make of it they make once.
    """

    __slots__ = ("__weakref__", "_characters", "_hashes", "_pids", "_starts", "encoded", "processes")

    def __init__(self, processes: tuple[PackedProcess, ...]) -> None:
        self.processes = processes
        self.encoded: bytes | None = None
        """As the log has it, once it was made."""
        self._pids: array[int] | None = None
        self._starts: array[int] | None = None
        self._hashes: array[int] | None = None
        self._characters: int | None = None

    def __len__(self) -> int:
        return len(self.processes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Listing) and self.processes == other.processes

    def __hash__(self) -> int:
        return hash(self.processes)

    @property
    def pids(self) -> array[int]:
        if self._pids is None:
            self._pids = array("I", [one.pid for one in self.processes])
        return self._pids

    @property
    def starts(self) -> array[int]:
        if self._starts is None:
            self._starts = array("I", [one.started_at for one in self.processes])
        return self._starts

    @property
    def hashes(self) -> array[int]:
        """Of the descriptions, as Python has them."""
        if self._hashes is None:
            self._hashes = array("q", [hash(one.description) for one in self.processes])
        return self._hashes

    @property
    def characters(self) -> int:
        """Of all texts, about."""
        if self._characters is None:
            self._characters = sum([one.characters for one in self.processes])
        return self._characters


class PackedSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A `Snapshot` with its numbers as rows."""

    host: str
    taken_at: int
    listing: Listing
    numbers: bytes
    """The rows of all, end to end."""
    request_id: int = 0
    split_id: int = 0
    chunk_count: int = 0
    cpus: int = 0
    """How many CPUs its host has, as its agent says along with it, 0 where it does not. It is kept with the host."""

    def __len__(self) -> int:
        return len(self.listing)

    def rows(self) -> list[bytes]:
        """The row of each process."""
        return [self.numbers[at : at + ROW.size] for at in range(0, len(self.numbers), ROW.size)]


AnySnapshot = Snapshot | PackedSnapshot


def pack_numbers(numbers: ProcessNumbers) -> bytes:
    *values, state = values_of(numbers)
    return ROW.pack(*values, STATE_NUMBERS.get(state, NO_STATE))


def values_of(numbers: ProcessNumbers) -> list[Any]:
    """As in a row, with the state as its letter."""
    values = list(_values_of(numbers))
    return [ABSENT if value is None else value for value in values] if None in values else values


def numbers_from(values: Iterable[float], state: int) -> ProcessNumbers:
    """From what a row, or the store, has of NUMBERS and of the state."""
    fields: dict[str, Any] = {
        name: None if value < 0 else value for (name, _), value in zip(NUMBERS, values, strict=True)
    }
    return ProcessNumbers(state=STATES[state] if state < len(STATES) else "", **fields)


def characters_of(text: ProcessDescription) -> int:
    total = len(text.cmdline) + len(text.exe) + len(text.cwd) + len(text.root) + len(text.comm) + len(text.command)
    total += 8 * len(text.argument_words) + characters_of_discovery(text.discovery)
    return total + len(text.user) + len(text.group_name) + len(text.container_id) + sum(map(len, text.tags))


def pack(snapshot: AnySnapshot) -> PackedSnapshot:
    if isinstance(snapshot, PackedSnapshot):
        return snapshot
    return PackedSnapshot(
        host=snapshot.host,
        taken_at=snapshot.taken_at,
        listing=Listing(
            tuple(PackedProcess.of(one.pid, one.started_at, one.description) for one in snapshot.sightings)
        ),
        numbers=b"".join([pack_numbers(one.numbers) for one in snapshot.sightings]),
        request_id=snapshot.request_id,
        split_id=snapshot.split_id,
        chunk_count=snapshot.chunk_count,
    )


def size_of(snapshot: AnySnapshot) -> int:
    """In processes."""
    return len(snapshot) if isinstance(snapshot, PackedSnapshot) else len(snapshot.sightings)
