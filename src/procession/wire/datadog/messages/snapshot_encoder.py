"""Snapshot -> CollectorProc: what our own agent sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from procession.process import ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.text.characters import encodable
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.containers import ContainerInfo, encode_container
from procession.wire.datadog.messages.descriptions import encode_description
from procession.wire.datadog.messages.numbers import encode_numbers, encode_state
from procession.wire.datadog.scalars import signed_int32

CHUNK_PROCESSES = 100
CHUNK_BYTES = 1_000_000

_PROCESS_TAG = pb.CollectorProc.PROCESSES_FIELD_NUMBER << 3 | 2


class SnapshotEncoder:
    """Encodes snapshot after snapshot of one host. For one thread.

    Most processes do nothing from one snapshot to the next, and an agent hands in the very same objects for them. Their
    bytes are remembered, of which a message is just a row: 10 µs a process to encode, 0.3 to look up.
    """

    def __init__(self, containers: Callable[[str], ContainerInfo] | None = None) -> None:
        """`containers` says what is known of one by its id; a message says it of all that it has processes of."""
        self.container_counts: list[int] = []
        """How many are in each message of the last call."""
        self._known: dict[int, _Known] = {}
        """By pid. Where two share one, as when it was given again at once, only the last is known."""
        self._look_up = containers
        self._containers: dict[str, tuple[ContainerInfo, bytes]] = {}

    def encode(
        self,
        snapshot: Snapshot,
        *,
        max_processes: int = CHUNK_PROCESSES,
        max_bytes: int = CHUNK_BYTES,
        says_none: bool = False,
    ) -> list[bytes]:
        """The bodies of the messages that carry it, in their order. If it has no process: none, or with `says_none` one
        that says so.

        Each says how many there are, so that its own `chunk_count` does not count.
        """
        chunks = list(_chunks(self._processes(snapshot.sightings), max_processes, max_bytes))
        if not chunks and says_none:
            chunks = [[]]
        head = pb.CollectorProc(
            hostName=encodable(snapshot.host), groupId=signed_int32(snapshot.split_id), groupSize=len(chunks)
        ).SerializeToString()
        containers = self._containers_of(chunks)
        self.container_counts = list(map(len, containers))
        return [
            b"".join((head, *[process.item for process in chunk], *around))
            for chunk, around in zip(chunks, containers, strict=True)
        ]

    def _containers_of(self, chunks: Iterable[list[_Known]]) -> list[list[bytes]]:
        """The encoded containers of each chunk, as items of the list in its message."""
        used: dict[str, tuple[ContainerInfo, bytes]] = {}
        found: list[list[bytes]] = []
        if self._look_up is None:
            return [[] for _ in chunks]
        for chunk in chunks:
            ids = sorted({process.container_id for process in chunk} - {""})
            used |= {one: self._container(one, self._look_up) for one in ids if one not in used}
            found.append([used[one][1] for one in ids])
        self._containers = used
        return found

    def _container(self, container_id: str, look_up: Callable[[str], ContainerInfo]) -> tuple[ContainerInfo, bytes]:
        info, before = look_up(container_id), self._containers.get(container_id)
        return before if before is not None and before[0] is info else (info, encode_container(info))

    def _processes(self, sightings: Iterable[Sighting]) -> list[_Known]:
        known: dict[int, _Known] = {}
        processes = []
        find = self._known.get
        for sighting in sightings:
            pid = sighting.pid
            process = find(pid)
            if process is None or process.sighting is not sighting:
                process = _Known(sighting, process)
            known[pid] = process
            processes.append(process)
        self._known = known  # those that have gone are forgotten
        return processes


class _Known:
    """A sighting, and its bytes as an item of the message's list. One part of them hardly ever changes."""

    __slots__ = ("container_id", "description", "item", "sighting")

    def __init__(self, sighting: Sighting, before: _Known | None) -> None:
        self.sighting = sighting
        self.container_id = sighting.description.container_id
        if before is not None and before.describes(sighting):
            self.description: bytes = before.description
        else:
            self.description = _describe(sighting.pid, sighting.started_at, sighting.description)
        # Two messages in a row are one that has the fields of both.
        numbers = _count(sighting.numbers, sighting.description)
        size = len(self.description) + len(numbers)
        self.item = b"".join((bytes((_PROCESS_TAG, *_varint(size))), self.description, numbers))

    def describes(self, sighting: Sighting) -> bool:
        before = self.sighting
        return before.description is sighting.description and before.started_at == sighting.started_at


def _chunks(processes: list[_Known], max_processes: int, max_bytes: int) -> Iterator[list[_Known]]:
    chunk: list[_Known] = []
    room = max_bytes
    for process in processes:
        size = len(process.item)
        if chunk and (len(chunk) == max_processes or size > room):
            yield chunk
            chunk, room = [], max_bytes
        chunk.append(process)
        room -= size
    if chunk:
        yield chunk


def _describe(pid: int, started_at: int, description: ProcessDescription) -> bytes:
    process = pb.Process(pid=signed_int32(pid), createTime=started_at * 1000)
    encode_description(description, process)
    return process.SerializeToString()


def _count(numbers: ProcessNumbers, description: ProcessDescription) -> bytes:
    process = pb.Process()
    encode_numbers(numbers, process, description.nice)
    process.state, process.stateLetter = encode_state("Z" if description.is_zombie else numbers.state)
    return process.SerializeToString()


def _varint(number: int) -> Iterator[int]:
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number
