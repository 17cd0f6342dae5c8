"""Sightings -> CollectorRealTime: what our own agent sends while somebody watches."""

from __future__ import annotations

from collections.abc import Iterable

from procession.process import LiveNumbers, Sighting
from procession.text.characters import encodable
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.real_time import encode_stat
from procession.wire.datadog.messages.snapshot_encoder import CHUNK_PROCESSES
from procession.wire.datadog.scalars import signed_int32


class LiveEncoder:
    """Encodes the numbers of one host every two seconds. For one thread.

    Like the SnapshotEncoder it remembers the bytes of those that have done nothing: they are the very same objects.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Sighting, bytes]] = {}

    def encode(
        self, host: str, sightings: Iterable[Sighting], *, split_id: int, max_processes: int = CHUNK_PROCESSES
    ) -> list[bytes]:
        """The bodies of the messages that carry them, in their order; none if there are no processes."""
        known: dict[tuple[int, int], tuple[Sighting, bytes]] = {}
        for sighting in sightings:
            identity = (sighting.pid, sighting.started_at)
            before = self._known.get(identity)
            if before is None or before[0] is not sighting:
                stat = encode_stat(LiveNumbers(sighting.pid, sighting.started_at, sighting.numbers))
                # Two messages in a row are one that has the items of both.
                before = (sighting, pb.CollectorRealTime(stats=[stat]).SerializeToString())
            known[identity] = before
        self._known = known
        stats = [stat for _, stat in known.values()]
        chunks = [stats[begin : begin + max_processes] for begin in range(0, len(stats), max_processes)]
        head = pb.CollectorRealTime(
            hostName=encodable(host), groupId=signed_int32(split_id), groupSize=len(chunks)
        ).SerializeToString()
        return [head + b"".join(chunk) for chunk in chunks]
