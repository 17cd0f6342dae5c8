"""Bodies of payloads -> what they tell of processes and containers: on the event loop where that is quick, else on a
thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from procession.containers.container import ContainerSnapshot, ContainerStats
from procession.errors import PayloadTooLarge
from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.packed import PackedSnapshot
from procession.process import LiveSnapshot
from procession.server.intake.decode_turns import DecodeTurns
from procession.server.intake.envelope import Envelope
from procession.server.intake.intake import Intake
from procession.server.intake.quota import SIGHTING_BYTES
from procession.wire.columns import layout
from procession.wire.columns.decoder import ColumnsDecoder
from procession.wire.datadog import (
    MessageType,
    SnapshotDecoder,
    decode_container_stats,
    decode_containers,
    decode_containers_of_processes,
    decode_live,
    frame,
)

INLINE_BYTES = 256 * 1024
"""What is larger, before or after it is decompressed, is decoded on a thread. The usual payload, of 100 to 500
processes, takes about as long as handing it over would."""

TagsOf = Callable[[str], Iterable[str]]
"""From a host's name to its tags."""

AnyPayload = PackedSnapshot | LiveSnapshot | ContainerSnapshot | ContainerStats


class DecodedPayload(NamedTuple):
    content: AnyPayload
    memory_bytes: int
    """About what it takes in memory."""
    may_be_columns: bool
    """Whether there is memory for columns of its host."""
    containers: ContainerSnapshot | None = None
    """Those that were sent along with processes."""

    @property
    def cpus(self) -> int:
        """How many CPUs the host has; 0 where the message does not say."""
        return self.content.cpus if isinstance(self.content, PackedSnapshot | ContainerSnapshot) else 0


class PayloadDecoder:
    def __init__(self, intake: Intake) -> None:
        self._threads = intake.decode_threads
        self._max_bytes = intake.settings.max_message_bytes
        self._limits = intake.limits
        self._decoder = SnapshotDecoder(self._limits, scrub=intake.scrub())
        self._columns = ColumnsDecoder(
            self._limits, scrub=intake.scrub(), state_bytes=intake.settings.max_columns_bytes
        )
        self._turns = DecodeTurns()

    async def decode(self, org_id: int, body: bytes, envelope: Envelope, tags_of: TagsOf) -> DecodedPayload:
        """Raises FrameError, and PayloadTooLarge beyond the limits."""

        def decode_within(max_bytes: int) -> DecodedPayload:
            framed = frame.decode(body, max_bytes=min(max_bytes, self._max_bytes))
            content = self._content_of(framed, org_id, envelope, envelope.request_id_of(body), tags_of)
            containers = self._containers_along(framed, envelope, tags_of)
            size = size_of(content) + (len(containers) if containers is not None else 0)
            memory_bytes = len(framed.body) + SIGHTING_BYTES * size
            return DecodedPayload(content, memory_bytes, self._columns.states.has_room, containers)

        return await self._run(org_id, body, decode_within)

    async def decode_columns(self, org_id: int, body: bytes, envelope: Envelope, tags_of: TagsOf) -> DecodedPayload:
        """The same for columns. Raises FrameBeforeUnknown, too."""

        def decode_within(max_bytes: int) -> DecodedPayload:
            head = layout.decode_head(body)
            content = layout.decode_body(body, min(max_bytes, self._max_bytes))
            snapshot = self._columns.decode(
                head,
                content,
                taken_at=envelope.taken_at,
                request_id=envelope.request_id_of(body),
                host_tags=tags_of,
                org_id=org_id,
            )
            memory_bytes = len(content) + SIGHTING_BYTES * len(snapshot)
            is_remembered = self._columns.remembers(org_id, snapshot.host, head.run)
            return DecodedPayload(_ending_none_if_partial(snapshot, envelope), memory_bytes, is_remembered)

        return await self._run(org_id, body, decode_within)

    async def _run(self, org_id: int, body: bytes, decode_within: Callable[[int], DecodedPayload]) -> DecodedPayload:
        if len(body) <= INLINE_BYTES:
            await self._turns.wait(org_id)
            with contextlib.suppress(PayloadTooLarge):
                return decode_within(INLINE_BYTES)
        return await self._threads.run(org_id, lambda: decode_within(self._max_bytes))

    def _content_of(
        self, framed: frame.Frame, org_id: int, envelope: Envelope, request_id: int, tags_of: TagsOf
    ) -> AnyPayload:
        taken_at = envelope.taken_at
        if framed.type is MessageType.REAL_TIME:
            return decode_live(framed, taken_at=taken_at, request_id=request_id, limits=self._limits)
        if framed.type is MessageType.CONTAINERS:
            return decode_containers(framed, taken_at=taken_at, host_tags=tags_of, limits=self._limits)
        if framed.type is MessageType.CONTAINERS_REAL_TIME:
            return decode_container_stats(framed, taken_at=taken_at, limits=self._limits)
        snapshot = self._decoder.decode(
            framed, taken_at=taken_at, request_id=request_id, host_tags=tags_of, org_id=org_id
        )
        return _ending_none_if_partial(snapshot, envelope)

    def _containers_along(self, framed: frame.Frame, envelope: Envelope, tags_of: TagsOf) -> ContainerSnapshot | None:
        if framed.type is not MessageType.PROCESSES or not envelope.may_have_containers:
            return None
        found = decode_containers_of_processes(
            framed, taken_at=envelope.taken_at, host_tags=tags_of, limits=self._limits
        )
        return found if found.containers else None


def _ending_none_if_partial(snapshot: PackedSnapshot, envelope: Envelope) -> PackedSnapshot:
    if envelope.is_partial or not envelope.is_live:
        return msgspec.structs.replace(snapshot, chunk_count=NEVER_COMPLETE)
    return snapshot


def size_of(payload: AnyPayload) -> int:
    """In processes or containers."""
    return len(payload.processes if isinstance(payload, LiveSnapshot) else payload)
