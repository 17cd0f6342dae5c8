"""Decoded payloads -> the store, or the count of what is not kept."""

from __future__ import annotations

from collections.abc import Sequence

from procession.packed import PackedSnapshot
from procession.process import LiveSnapshot
from procession.server.intake.envelope import Envelope
from procession.server.intake.intake import Intake
from procession.server.intake.payload_decoder import AnyPayload, size_of
from procession.server.runtime.coalescer import Coalescer


class PayloadKeeper:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        # Of a whole fleet that is watched, each host posts every two seconds.
        self._sightings_of = Coalescer(intake.store.sightings_of, intake.store_threads)
        self._add_live = Coalescer(self._add_live_numbers, intake.store_threads)

    async def keep(self, org_id: int, payload: AnyPayload, envelope: Envelope) -> None:
        """Returns once it is safe on disk, or counted as dropped. Live numbers need not be safe."""
        reason = self._reason_to_drop(payload, envelope)
        if reason is not None:
            self._intake.dropped.add(size_of(payload), reason)
        elif isinstance(payload, PackedSnapshot):
            await self._intake.sink.add(org_id, payload)
        elif envelope.lists_all:
            await self._keep_as_snapshot(org_id, payload)
        else:
            await self._add_live.call((org_id, payload))

    async def _keep_as_snapshot(self, org_id: int, live: LiveSnapshot) -> None:
        snapshot = await self._sightings_of.call((org_id, live))
        unknown = len(live.processes) - len(snapshot.sightings)
        if unknown:
            self._intake.dropped.add(unknown, "unknown")
        await self._intake.sink.add(org_id, snapshot)

    def _reason_to_drop(self, payload: AnyPayload, envelope: Envelope) -> str | None:
        if payload.taken_at < self._intake.oldest_kept():
            return "too old"
        if not (envelope.is_live or self._intake.settings.discovered_processes):
            return "discovered"
        return None

    def _add_live_numbers(self, live: Sequence[tuple[int, LiveSnapshot]]) -> Sequence[None]:
        self._intake.store.add_live(live)
        return [None] * len(live)
