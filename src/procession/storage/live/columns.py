"""Arrays of one length that grow together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procession.packed import NUMBERS

Array = NDArray[Any]

NUMBERS_ROW = np.dtype([*((name, f"<{kind}") for name, kind in NUMBERS), ("state", "u1")])
"""A row of numbers as `procession.packed` packs it."""

_KEY = np.dtype([("start", ">u4"), ("host", ">u8"), ("pid", ">u4")])

KEY = np.dtype("S16")
"""A process key as 16 bytes, whose order is that of `ProcessKey`."""

PACKED = np.dtype(f"V{NUMBERS_ROW.itemsize}")
"""The same as bytes, which are copied ten times as fast."""

NO_NUMBER = -1
"""Stands for a number that is not known, or for a place that there is not."""


@dataclass(slots=True)
class Columns:
    """Grows by doubling. What a place beyond the last one in use holds means nothing."""

    def held_bytes(self, count: int) -> int:
        """Of so many places in use. What is beyond them was never touched, and takes no memory yet."""
        return count * sum(int(getattr(self, field.name).dtype.itemsize) for field in fields(self))

    def reserve(self, length: int) -> None:
        for field in fields(self):
            array = getattr(self, field.name)
            if len(array) < length:
                larger = np.zeros(max(length, len(array) + len(array) // 2, 64), array.dtype)
                larger[: len(array)] = array
                setattr(self, field.name, larger)

    def keep(self, places: Array) -> None:
        """Only what is at these places, in their order."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[places])


@dataclass(slots=True)
class Versions(Columns):
    """What a process was, and when: at every one of its host's snapshots from `first` to `last`, both within."""

    first: Array
    last: Array
    text: Array
    labels: Array
    ppid: Array
    namespace_pid: Array
    older: Array
    """The place of another version of the process, -1 where there is none. Not always in the order of time."""

    @classmethod
    def empty(cls) -> Versions:
        return cls(*(np.zeros(0, kind) for kind in ("u4", "u4", "i4", "i4", "u4", "i8", "i4")))


@dataclass(slots=True)
class HostMoments(Columns):
    """One for each host: when it told of its processes last, when its last complete snapshot was taken, and when the
    last of what it reported ended; 0 for never."""

    told: Array
    complete: Array
    ended: Array

    @classmethod
    def empty(cls) -> HostMoments:
        return cls(*(np.zeros(0, "u4") for _ in range(3)))


@dataclass(slots=True)
class Rows(Versions):
    """One for each process, with its newest version."""

    key: Array
    host: Array
    hash: Array
    """Of the description as Python has it, to tell quickly that it is the same."""
    since: Array
    """The first sighting of all."""
    is_shared: Array
    """Whether its host had another process under the pid."""
    state: Array
    cpu_total_percent: Array
    rss_bytes: Array
    """These three of the numbers also apart: they are what is asked for most."""
    numbers: Array
    """At the newest sighting, packed."""

    def set_numbers(self, rows: Array, packed: Array) -> None:
        self.numbers[rows] = packed
        told = packed.view(NUMBERS_ROW)
        for name in APART:
            getattr(self, name)[rows] = told[name]

    @classmethod
    def empty(cls) -> Rows:
        versions = Versions.empty()
        more = (np.zeros(0, kind) for kind in (KEY, "i4", "i8", "u4", bool, "u1", "f4", "i8", PACKED))
        return cls(*(getattr(versions, field.name) for field in fields(Versions)), *more)


APART = ("state", "cpu_total_percent", "rss_bytes")
"""Numbers that rows also have in columns of their own."""


def keys_of(start: Array, host: int | Array, pid: Array) -> Array:
    """16 bytes for each process."""
    parts = np.empty(len(start), _KEY)
    parts["start"], parts["host"], parts["pid"] = start, host, pid
    return parts.view(KEY)


def starts_of(keys: Array) -> Array:
    found: Array = keys.view(_KEY)["start"].astype("u4")
    return found


def pids_of(keys: Array) -> Array:
    found: Array = keys.view(_KEY)["pid"].astype("u4")
    return found


def identities_of(hosts: Array, keys: Array) -> Array:
    """Host key, start and pid of each process, to be compared with those that somebody else has."""
    found = np.empty(len(keys), [(name, "u8") for name in ("host", "start", "pid")])
    found["host"], found["start"], found["pid"] = hosts, starts_of(keys), pids_of(keys)
    return found
