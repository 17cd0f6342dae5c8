"""`POST /api/v2/proclcycle`: how processes begin and end, between two snapshots and exactly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.lifecycle.events import ProcessEvents, ProcessExits
from procession.lifecycle.reported_events import dated, exits_in, since, snapshots_of_execs, snapshots_of_orphans
from procession.process import Snapshot
from procession.server.http.responses import json_response
from procession.server.intake.body import read_body
from procession.server.intake.intake import Intake
from procession.server.intake.quota import SIGHTING_BYTES, Reservation, refusing_slowly
from procession.server.runtime.coalescer import Coalescer
from procession.server.runtime.direct_posts import direct
from procession.wire.datadog import decode_events
from procession.wire.datadog.messages.commands import CommandReader

PATH = "/api/v2/proclcycle"

INLINE_BYTES = 4096
"""What is larger is decoded on a thread. A few exits, as most posts have, take less time than handing them over."""

BUSY_SHARE = 0.2
"""The share of the time for which each of the two questions about exits may keep the store busy. A question costs the
same for a few exits as for hundreds."""


class EventHandler:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._limits = intake.limits
        self._commands = CommandReader(intake.scrub())
        store, threads = intake.store, intake.store_threads
        self._unknown_exits = Coalescer(store.unknown_exits, threads, busy_share=BUSY_SHARE)
        self._add_exits = Coalescer(self._add_exits_to_store, threads, busy_share=BUSY_SHARE)

    @property
    def routes(self) -> list[Route]:
        return [Route(PATH, direct(refusing_slowly(self.take_events)), methods=["POST"])]

    async def take_events(self, request: Request) -> Response:
        org_id = await self._intake.org_of(request)
        settings = self._intake.settings
        with self._intake.quota.reserve(org_id) as reservation:
            with self._intake.refusal_log.refusals_of(request):
                body = await read_body(request, min(settings.max_body_bytes, settings.max_message_bytes), reservation)
                events = await self._decode(org_id, body, reservation)
            await self._keep(org_id, events, body)
        return json_response({"status": "ok"}, 202)

    async def _decode(self, org_id: int, body: bytes, reservation: Reservation) -> ProcessEvents:
        tags_of = await self._intake.host_tags.of_org(org_id)

        def decode() -> ProcessEvents:
            return decode_events(body, host_tags=tags_of, commands=self._commands, limits=self._limits)

        is_short = len(body) <= INLINE_BYTES
        events = decode() if is_short else await self._intake.decode_threads.run(org_id, decode)
        reservation.hold(2 * len(body) + SIGHTING_BYTES * len(events.events))
        return dated(events, self._intake.now())

    async def _keep(self, org_id: int, events: ProcessEvents, body: bytes) -> None:
        kept = since(events, self._intake.oldest_kept())
        too_old = len(events.events) - len(kept.events)
        if too_old:
            self._intake.dropped.add(too_old, "too old")
        # A process is known before its end is.
        await self._add_snapshots(org_id, snapshots_of_execs(kept, body))
        exits = exits_in(kept)
        if exits.exits:
            at_once = self._intake.exits
            orphans = None if at_once is None else at_once.unknown_at_once(org_id, exits)
            if orphans is None:
                orphans = await self._unknown_exits.call((org_id, exits))
            await self._add_snapshots(org_id, snapshots_of_orphans(orphans, body))
            if at_once is not None:
                await at_once.add_exits(org_id, exits)
            else:
                await self._add_exits.call((org_id, exits))

    async def _add_snapshots(self, org_id: int, snapshots: Sequence[Snapshot]) -> None:
        if snapshots:
            await asyncio.gather(*(self._intake.sink.add(org_id, snapshot) for snapshot in snapshots))

    def _add_exits_to_store(self, exits: Sequence[tuple[int, ProcessExits]]) -> Sequence[None]:
        self._intake.store.add_exits(exits)
        return [None] * len(exits)
