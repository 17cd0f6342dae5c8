"""Snapshot -> messages of columns: what our own agent sends to a server that takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from procession.process import MAX_UINT32, ProcessDescription, Sighting, Snapshot
from procession.text.characters import encodable
from procession.wire.columns.facts import row_of
from procession.wire.columns.layout import MAX_NUMBER, Body, Fate, Head, encode
from procession.wire.columns.rows import checksum_of, difference, side_by_side
from procession.wire.datadog import ContainerInfo
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.containers import encode_container_alone
from procession.wire.datadog.messages.descriptions import encode_description
from procession.wire.datadog.scalars import signed_int32

ZSTD_LEVEL = 1
"""At 3 the frames are no smaller, and take half as long again."""


@dataclass(frozen=True, slots=True)
class ColumnFrames:
    """A snapshot in both ways."""

    run: int
    number: int
    whole: bytes
    changes: bytes | None
    """What has changed since the frame before, the one of number `follows`. None where there was none."""
    follows: int


class ColumnsEncoder:
    """Encodes snapshot after snapshot of one host. For one thread.

    An agent hands in the very same objects for processes that have not changed: these cost a look.
    """

    def __init__(self, run: int, containers: Callable[[str], ContainerInfo] | None = None) -> None:
        """`run` is a number of 64 bits that no other run of an agent has. `containers` says what is known of one by its
        id."""
        self._run = run
        self._number = 0
        self._processes: list[_Process] = []
        self._keys: tuple[list[int], list[int]] = ([], [])
        """Their pids and starts."""
        self._look_up = containers
        self._containers: dict[str, tuple[ContainerInfo, bytes]] = {}

    def encode(self, snapshot: Snapshot) -> ColumnFrames:
        if self._number == MAX_NUMBER:
            raise OverflowError("a run of an agent has no more frames than this")
        step = self._step_to(snapshot.sightings)
        processes = self._processes = step.processes
        if step.is_of_others:
            self._keys = _keys_of(processes)
        told = self._containers
        self._containers = self._containers_of(processes)
        items = [item for _, item in self._containers.values()]
        new_items = [item for one, (info, item) in self._containers.items() if told.get(one, (None,))[0] is not info]

        rows = [process.row for process in processes]
        follows, self._number = self._number, self._number + 1
        head = Head(self._run, self._number, 0, checksum_of(rows), signed_int32(snapshot.split_id))
        host = encodable(snapshot.host).encode()
        descriptions = [process.described for process in processes]
        whole = Body(host, b"", *self._keys, side_by_side(b"".join(rows)), descriptions, items)
        changes = Body(host, step.fates, *_keys_of(step.new), side_by_side(step.rows()), step.descriptions(), new_items)
        return ColumnFrames(
            self._run,
            self._number,
            encode(head, whole, level=ZSTD_LEVEL),
            encode(replace(head, follows=follows), changes, level=ZSTD_LEVEL) if follows else None,
            follows,
        )

    def _step_to(self, sightings: Sequence[Sighting]) -> _Step:
        """What became of the processes of the frame before, and what they are now."""
        objects = {id(sighting): sighting for sighting in sightings}
        unchanged = [objects.pop(process.object_id, None) for process in self._processes]
        changed = {sighting.pid << 32 | sighting.started_at: sighting for sighting in objects.values()}
        step = _Step(bytearray(len(unchanged)), self._processes.copy())
        for place, found in enumerate(unchanged):
            if found is None:
                before = self._processes[place]
                sighting = changed.pop(before.key, None)
                step.take(place, before, None if sighting is None else _Process(before.key, sighting, before))
        step.finish([_Process(key, sighting) for key, sighting in changed.items()])
        if step.new and len({one.key for one in step.processes}) < len(step.processes):
            # The last one counts where a pid and start come twice.
            return self._step_to(tuple({one.pid << 32 | one.started_at: one for one in sightings}.values()))
        return step

    def _containers_of(self, processes: list[_Process]) -> dict[str, tuple[ContainerInfo, bytes]]:
        """What is known of each that has processes, and how it is said."""
        if self._look_up is None:
            return {}
        found = {}
        for one in sorted({process.sighting.description.container_id for process in processes} - {""}):
            info, before = self._look_up(one), self._containers.get(one)
            is_known = before is not None and before[0] is info
            found[one] = before if before is not None and is_known else (info, encode_container_alone(info))
        return found


class _Step:
    """From one frame to the next."""

    def __init__(self, fates: bytearray, processes: list[_Process]) -> None:
        """Everybody stays as it is."""
        self.fates = bytes(fates)
        self.processes = processes
        self.new: list[_Process] = []
        self._fates = fates
        self._moved: list[tuple[_Process, _Process]] = []
        self._described: list[_Process] = []

    def take(self, place: int, before: _Process, now: _Process | None) -> None:
        """Of places in their order."""
        if now is None:
            self._fates[place] = Fate.ENDED
            return
        self.processes[place] = now
        if now.row != before.row:
            self._fates[place] = Fate.MOVED
            self._moved.append((before, now))
        if now.described is not before.described and now.described != before.described:
            self._fates[place] |= Fate.DESCRIBED
            self._described.append(now)

    def finish(self, new: list[_Process]) -> None:
        self.new = new
        self.fates = bytes(self._fates)
        if Fate.ENDED in self.fates:
            self.processes = [one for one, fate in zip(self.processes, self.fates, strict=True) if fate != Fate.ENDED]
        self.processes += new

    @property
    def is_of_others(self) -> bool:
        """Whether some have gone or come."""
        return bool(self.new) or Fate.ENDED in self.fates

    def rows(self) -> bytes:
        now, before = (b"".join([pair[which].row for pair in self._moved]) for which in (1, 0))
        return difference(now, before) + b"".join([one.row for one in self.new])

    def descriptions(self) -> list[bytes]:
        return [one.described for one in self._described + self.new]


class _Process:
    """A sighting, its numbers as a row, and its description as it travels."""

    __slots__ = ("described", "key", "object_id", "row", "sighting")

    def __init__(self, key: int, sighting: Sighting, before: _Process | None = None) -> None:
        self.key = key
        self.sighting = sighting
        self.object_id = id(sighting)
        """As good as the sighting itself, as long as that is held here."""
        description = sighting.description
        self.row: bytes = row_of(sighting.numbers, is_zombie=description.is_zombie)
        is_described = before is not None and before.sighting.description is description
        self.described: bytes = before.described if before is not None and is_described else _describe(description)


def _describe(description: ProcessDescription) -> bytes:
    process = pb.Process()
    encode_description(description, process)
    if description.nice is not None:
        process.cpu.nice = 20 - description.nice
    return process.SerializeToString()


def _keys_of(processes: list[_Process]) -> tuple[list[int], list[int]]:
    return [process.key >> 32 for process in processes], [process.key & MAX_UINT32 for process in processes]
