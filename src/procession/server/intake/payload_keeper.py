"""Decoded payloads -> the store, or the count of what is not kept."""

from __future__ import annotations

from collections.abc import Sequence

from procession.containers.container import ContainerSnapshot, ContainerStats
from procession.packed import PackedSnapshot
from procession.process import LiveSnapshot
from procession.server.intake.envelope import Envelope
from procession.server.intake.intake import Intake
from procession.server.intake.payload_decoder import AnyPayload, DecodedPayload, size_of
from procession.server.runtime.coalescer import Coalescer


class PayloadKeeper:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        # Of a whole fleet that is watched, each host posts every two seconds.
        self._sightings_of = Coalescer(intake.store.sightings_of, intake.store_threads)
        self._add_live = Coalescer(self._add_live_numbers, intake.store_threads)
        self._add_containers = Coalescer(self._add_snapshots_of_containers, intake.store_threads)
        self._add_stats = Coalescer(self._add_stats_of_containers, intake.store_threads)

    async def keep(self, org_id: int, decoded: DecodedPayload, envelope: Envelope) -> None:
        """Returns once it is safe on disk, or counted as dropped. Live numbers need not be safe."""
        if decoded.containers is not None:
            await self._keep_containers(org_id, decoded.containers)
        await self._keep(org_id, decoded.content, envelope)

    async def _keep_containers(self, org_id: int, content: ContainerSnapshot | ContainerStats) -> None:
        if content.taken_at < self._intake.oldest_kept():
            return
        if isinstance(content, ContainerSnapshot):
            await self._add_containers.call((org_id, content))
        else:
            await self._add_stats.call((org_id, content))

    async def _keep(self, org_id: int, payload: AnyPayload, envelope: Envelope) -> None:
        if isinstance(payload, ContainerSnapshot | ContainerStats):
            await self._keep_containers(org_id, payload)
            return
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

    def _add_snapshots_of_containers(self, some: Sequence[tuple[int, ContainerSnapshot]]) -> Sequence[None]:
        self._intake.containers.add(some)
        return [None] * len(some)

    def _add_stats_of_containers(self, some: Sequence[tuple[int, ContainerStats]]) -> Sequence[None]:
        self._intake.containers.add_stats(some)
        return [None] * len(some)
