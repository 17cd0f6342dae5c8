"""What agents post: authenticate, read, decode, add, acknowledge.

Payloads are told apart by their type, never by their path. The answer is always a framed ResCollector, which also tells
the agent whether somebody watches its host. An agent drops a payload answered by 400, 403 or 413, and sends it again
after any other error, for ever; so what can never be stored gets one of those, and what is not safe on disk gets 503.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.config import ServerSettings
from procession.errors import PayloadTooLarge
from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.packed import PackedSnapshot
from procession.process import MAX_UINT32, MAX_UINT64, LiveSnapshot
from procession.scrubbing import Scrubber
from procession.server.access.key_cache import KeyCache
from procession.server.api.watch import WatchCache
from procession.server.intake.agents import Agents
from procession.server.intake.body import api_key_of, read_body
from procession.server.intake.decode_turns import DecodeTurns
from procession.server.intake.events import event_routes
from procession.server.intake.host_tags import HostTagCache
from procession.server.intake.hosts import host_routes
from procession.server.intake.ignored import rest_routes
from procession.server.intake.quota import SIGHTING_BYTES, MemoryQuota, Reservation, refusing_slowly
from procession.server.intake.refusal_log import RefusalLog
from procession.server.intake.timestamps import Timestamps
from procession.server.runtime.coalescer import Coalescer
from procession.server.runtime.disconnect import while_there
from procession.server.runtime.fair_pool import FairThreads, Threads
from procession.server.runtime.metrics import Counter, Sink
from procession.storage import DetailStore
from procession.whole_number import whole_number
from procession.wire.datadog import Answer, Limits, MessageType, SnapshotDecoder, decode_live, encode_answer, frame

FRAMED_PATHS = ("/api/v1/collector", "/api/v1/container", "/api/v1/discovery", "/api/v1/connections")

_INLINE_BYTES = 256 * 1024
"""What is larger, before or after it is decompressed, is decoded on a thread. The usual payload, of 100 to 500
processes, takes about as long as handing it over would."""

_NOT_KEPT = frozenset(
    (
        MessageType.CONTAINERS,
        MessageType.CONTAINERS_REAL_TIME,
        MessageType.DISCOVERY,
        MessageType.CONNECTIONS,
    )
)
"""Answered, so that the agent is content, but not read further than their header."""


TagsOf = Callable[[str], Iterable[str]]
"""From a host's name to its tags."""


def intake_routes(
    *,
    sink: Sink,
    store: DetailStore,
    store_threads: Threads,
    keys: KeyCache,
    settings: ServerSettings,
    now: Callable[[], int],
    threads: FairThreads,
    room: MemoryQuota,
    dropped: Counter,
    host_tags: HostTagCache,
    watch: WatchCache,
    agents: Agents,
) -> list[Route]:
    """`sink` takes the snapshots, `store` all else, on one of `store_threads`. `dropped` counts sightings that were
    acknowledged but not stored, by reason; `watch` tells whether somebody watches a host live."""
    limits = Limits(
        processes=settings.max_message_processes,
        process_bytes=settings.max_process_bytes,
        tags=settings.max_process_tags,
    )
    decoder = SnapshotDecoder(
        limits,
        scrub=Scrubber().scrub if settings.scrub_again else None,
    )
    refusal_log = RefusalLog()
    turns = DecodeTurns()
    moments = Timestamps(now)

    def keep_live(live: Sequence[tuple[int, LiveSnapshot]]) -> Sequence[None]:
        store.add_live(live)
        return [None] * len(live)

    # Of a whole fleet that is watched, each host posts every two seconds.
    sightings_of = Coalescer(store.sightings_of, store_threads)
    add_live = Coalescer(keep_live, store_threads)

    async def take_payload(request: Request) -> Response:
        org_id = await org_of(request)
        envelope = Envelope.of(request.headers, lambda host, said_at: moments.of(org_id, host, said_at))
        with room.place(org_id) as place:
            with refusal_log.refusals_of(request):
                taking = take(
                    request, org_id, await read_body(request, settings.max_body_bytes, place), envelope, place
                )
            # An agent that has waited too long sends it again, so that without this the queue would fill with copies.
            host = await while_there(request.receive, taking)
        answer = encode_answer(Answer(await watch.active_clients(org_id, host)))
        return Response(answer, media_type="application/x-protobuf")

    async def take(request: Request, org_id: int, body: bytes, envelope: Envelope, place: Reservation) -> str:
        """Gives the host."""
        with refusal_log.refusals_of(request):
            body_bytes = len(body)
            place.hold_to_decode(body_bytes)
            snapshot, size = await decode(org_id, body, envelope, await host_tags.of_org(org_id))
            if snapshot is None:
                return envelope.host
            del body
            place.hold_decoded(body_bytes, size)
        await keep(org_id, snapshot, envelope)
        return snapshot.host

    async def org_of(request: Request) -> int:
        with refusal_log.refusals_of(request):
            org_id = await keys.org_of_api_key(api_key_of(request))
            agents.posted(org_id, request.headers)
        return org_id

    async def keep(org_id: int, snapshot: PackedSnapshot | LiveSnapshot, envelope: Envelope) -> None:
        reason = why_not(snapshot, envelope)
        if reason is not None:
            dropped.add(_size(snapshot), reason)
        elif isinstance(snapshot, PackedSnapshot):
            await sink.add(org_id, snapshot)
        elif envelope.lists_all:
            sightings = await sightings_of.of((org_id, snapshot))
            unknown = len(snapshot.processes) - len(sightings.sightings)
            if unknown:
                dropped.add(unknown, "unknown")
            await sink.add(org_id, sightings)
        else:
            await add_live.of((org_id, snapshot))

    def why_not(snapshot: PackedSnapshot | LiveSnapshot, envelope: Envelope) -> str | None:
        """The reason for not keeping it."""
        if snapshot.taken_at < now() - settings.retention_hours * 3600:
            return "too old"
        if not (envelope.is_live or settings.discovered_processes):
            return "discovered"
        return None

    async def decode(
        org_id: int, body: bytes, envelope: Envelope, tags_of: TagsOf
    ) -> tuple[PackedSnapshot | LiveSnapshot | None, int]:
        """What it says, and about how many bytes that takes."""
        if frame.message_type(body) in _NOT_KEPT:
            return None, 0

        def decode_within(max_bytes: int) -> tuple[PackedSnapshot | LiveSnapshot, int]:
            framed = frame.decode(body, max_bytes=min(max_bytes, settings.max_message_bytes))
            snapshot = snapshot_of(framed)
            return snapshot, len(framed.body) + SIGHTING_BYTES * _size(snapshot)

        def snapshot_of(framed: frame.Frame) -> PackedSnapshot | LiveSnapshot:
            taken_at, request_id = envelope.taken_at, envelope.request_id_of(body)
            if framed.type is MessageType.REAL_TIME:
                return decode_live(framed, taken_at=taken_at, request_id=request_id, limits=limits)
            snapshot = decoder.decode(
                framed, taken_at=taken_at, request_id=request_id, host_tags=tags_of, org_id=org_id
            )
            if envelope.is_partial or not envelope.is_live:
                return msgspec.structs.replace(snapshot, chunk_count=NEVER_COMPLETE)
            return snapshot

        if len(body) <= _INLINE_BYTES:
            await turns.wait(org_id)
            with contextlib.suppress(PayloadTooLarge):
                return decode_within(_INLINE_BYTES)
        return await threads.run(org_id, lambda: decode_within(settings.max_message_bytes))

    return [
        *(Route(path, refusing_slowly(take_payload), methods=["POST"]) for path in FRAMED_PATHS),
        *host_routes(
            keys=keys,
            book=host_tags,
            settings=settings,
            threads=threads,
            room=room,
            refusal_log=refusal_log,
            agents=agents,
        ),
        *event_routes(
            sink=sink,
            store=store,
            store_threads=store_threads,
            keys=keys,
            host_tags=host_tags,
            settings=settings,
            limits=limits,
            now=now,
            threads=threads,
            room=room,
            dropped=dropped,
            refusal_log=refusal_log,
        ),
        *rest_routes(keys=keys, refusal_log=refusal_log),
    ]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers say about a payload."""

    host: str
    taken_at: int
    request_id: int | None
    is_partial: bool
    """Only some processes of the host, such as new ones: it says nothing of those that it lacks. An agent of ours says
    so in a header that others do not have."""
    lists_all: bool
    """Real-time numbers are of every process of the host, and so are a snapshot. Also from an agent of ours."""
    is_live: bool
    """False where an agent that is not to collect processes sends those it knows from discovering services. They are
    some of the host's, and one of them may be missing because it is no longer taken for a service."""

    @classmethod
    def of(cls, headers: Headers, moment_of: Callable[[str, int | None], int]) -> Envelope:
        """`moment_of` takes the host and what the agent says."""
        host = headers.get("x-dd-hostname", "")
        taken_at = moment_of(host, whole_number(headers.get("x-dd-agent-timestamp", ""), 0, MAX_UINT32))
        request_id = whole_number(headers.get("x-dd-request-id", ""), 0, MAX_UINT64)
        is_partial = headers.get("x-procession-partial", "").lower() == "true"
        lists_all = headers.get("x-procession-live", "").lower() == "all"
        is_live = headers.get("x-dd-processes-enabled", "").lower() != "false"
        return cls(host, taken_at, request_id, is_partial, lists_all, is_live)

    def request_id_of(self, body: bytes) -> int:
        """The agent's, or one made from the payload, which also stays the same when it is sent again."""
        if self.request_id is not None:
            return self.request_id
        return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big")


def _size(snapshot: PackedSnapshot | LiveSnapshot) -> int:
    return len(snapshot.sightings if isinstance(snapshot, PackedSnapshot) else snapshot.processes)
