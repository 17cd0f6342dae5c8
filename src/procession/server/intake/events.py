"""`POST /api/v2/proclcycle`: how processes begin and end, between two snapshots and exactly."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.config import ServerSettings
from procession.lifecycle.events import ProcessEvents, ProcessExec, ProcessExit, ProcessExits
from procession.process import ProcessNumbers, Sighting, Snapshot
from procession.scrubbing import Scrubber
from procession.server.access.key_cache import KeyCache
from procession.server.http.responses import json_response
from procession.server.intake.body import api_key_of, read_body
from procession.server.intake.host_tags import HostTagCache
from procession.server.intake.quota import SIGHTING_BYTES, MemoryQuota, refusing_slowly
from procession.server.intake.refusal_log import RefusalLog
from procession.server.intake.timestamps import MAX_SKEW_SECONDS
from procession.server.runtime.coalescer import Coalescer
from procession.server.runtime.fair_pool import FairThreads, Threads
from procession.server.runtime.metrics import Counter, Sink
from procession.storage import DetailStore
from procession.wire.datadog import Limits, decode_events

PATH = "/api/v2/proclcycle"

BUSY_SHARE = 0.2
"""Of the time, for each of the two questions that ends raise in the store: what a few cost there, hundreds do."""

_DEAD = ProcessNumbers(state="X")


def event_routes(
    *,
    sink: Sink,
    store: DetailStore,
    store_threads: Threads,
    keys: KeyCache,
    host_tags: HostTagCache,
    settings: ServerSettings,
    limits: Limits,
    now: Callable[[], int],
    threads: FairThreads,
    room: MemoryQuota,
    dropped: Counter,
    refusal_log: RefusalLog,
) -> list[Route]:
    scrub = Scrubber().scrub if settings.scrub_again else None

    def keep_exits(exits: Sequence[tuple[int, ProcessExits]]) -> Sequence[None]:
        store.add_exits(exits)
        return [None] * len(exits)

    unknown_exits = Coalescer(store.unknown_exits, store_threads, busy_share=BUSY_SHARE)
    add_exits = Coalescer(keep_exits, store_threads, busy_share=BUSY_SHARE)

    async def take_events(request: Request) -> Response:
        org_id = await org_of(request)
        with room.place(org_id) as place:
            with refusal_log.refusals_of(request):
                body = await read_body(request, min(settings.max_body_bytes, settings.max_message_bytes), place)
                tags_of = await host_tags.of_org(org_id)
                events = await threads.run(
                    org_id, lambda: decode_events(body, host_tags=tags_of, scrub=scrub, limits=limits)
                )
                place.hold(2 * len(body) + SIGHTING_BYTES * len(events.events))
            await keep(org_id, events, body)
        return json_response({"status": "ok"}, 202)

    async def org_of(request: Request) -> int:
        with refusal_log.refusals_of(request):
            return await keys.org_of_api_key(api_key_of(request))

    async def keep(org_id: int, events: ProcessEvents, body: bytes) -> None:
        kept = [
            event for event in events.events if event.at == 0 or event.at >= now() - settings.retention_hours * 3600
        ]
        if len(kept) < len(events.events):
            dropped.add(len(events.events) - len(kept), "too old")
        events = ProcessEvents(events.host, tuple(kept))
        # A process is known before its end is.
        await asyncio.gather(*(sink.add(org_id, snapshot) for snapshot in snapshots_of(events, body, now())))
        exits = ProcessExits(events.host, tuple(exits_of(events, now())))
        if exits.exits:
            lost = await unknown_exits.of((org_id, exits))
            await asyncio.gather(*(sink.add(org_id, snapshot) for snapshot in last_words_of(lost, body)))
            await add_exits.of((org_id, exits))

    return [Route(PATH, refusing_slowly(take_events), methods=["POST"])]


def snapshots_of(events: ProcessEvents, body: bytes, now: int) -> list[Snapshot]:
    """Each exec is a sighting; those of one second are a snapshot that ends nothing, since it is of some processes."""
    by_moment: defaultdict[int, dict[tuple[int, int], Sighting]] = defaultdict(dict)
    for event in events.events:
        if isinstance(event, ProcessExec):
            at = _moment(event.at, now)
            started_at = min(event.forked_at or at, at)
            # The last one counts where a process became several programs within a second.
            by_moment[at][event.pid, started_at] = Sighting(event.pid, started_at, event.description)
    return _snapshots(events.host, by_moment, b"exec" + body)


def last_words_of(exits: ProcessExits, body: bytes) -> list[Snapshot]:
    """Of processes that are known by their exit alone: each was seen when it ended, as what the agent says it was."""
    by_moment: defaultdict[int, dict[tuple[int, int], Sighting]] = defaultdict(dict)
    for one in exits.exits:
        started_at = min(one.executed_at or one.at, one.at)
        by_moment[one.at][one.pid, started_at] = Sighting(one.pid, started_at, one.description, _DEAD)
    return _snapshots(exits.host, by_moment, b"exit" + body)


def _snapshots(host: str, by_moment: Mapping[int, Mapping[tuple[int, int], Sighting]], name: bytes) -> list[Snapshot]:
    """Named so that the same payload, sent again, gives the same."""
    request_id = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
    return [
        Snapshot(host=host, taken_at=at, sightings=tuple(sightings.values()), request_id=request_id)
        for at, sightings in by_moment.items()
    ]


def exits_of(events: ProcessEvents, now: int) -> list[ProcessExit]:
    return [
        ProcessExit(
            pid=event.pid,
            at=_moment(event.at, now),
            executed_at=event.executed_at,
            exit_code=event.exit_code,
            description=event.description,
        )
        for event in _exits(events.events)
    ]


def _exits(events: Iterable[ProcessExec | ProcessExit]) -> Iterable[ProcessExit]:
    return (event for event in events if isinstance(event, ProcessExit))


def _moment(at: int, now: int) -> int:
    return now if at == 0 or at > now + MAX_SKEW_SECONDS else at
