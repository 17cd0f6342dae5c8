"""What the intake asks about processes that were seen before the live table reaches: the history knows these, and the
live table what was told of their hosts since."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.lifecycle.events import ProcessExits
from procession.process import LiveSnapshot, Snapshot
from procession.storage import DetailStore
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.live.intake.live_sightings import parted, sightings_of
from procession.storage.live.intake.orphan_exits import is_sure_of, known_exits, reported
from procession.storage.live.table import LiveTable


class JoinedIntake:
    """For any number of threads."""

    def __init__(self, live: LiveTable, history: DetailStore, queue: FlushQueue) -> None:
        self._live = live
        self._history = history
        self._queue = queue

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...] | None:
        """As `DetailStore.sightings_of`. None where the history has to answer alone, with all that waits."""
        known: list[Snapshot] = []
        unseen: list[tuple[int, LiveSnapshot]] = []
        for org_id, chunk in live:
            waits_since = self._queue.since(org_id)
            with self._live.reading(org_id) as table:
                parts = None if waits_since is None or waits_since < table.since else parted(table, chunk)
                found = None if parts is None else sightings_of(table, parts[0])
            if parts is None or found is None:
                return None
            known.append(found)
            unseen.append((org_id, parts[1]))
        old = self._history.sightings_of(unseen)
        return tuple(_whole(chunk, *some) for (_, chunk), *some in zip(live, known, old, strict=True))

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...] | None:
        """As `DetailStore.unknown_exits`. None where the history has to answer alone, with all that waits."""
        cuts = {org_id: self._queue.since(org_id) for org_id, _ in exits}
        if set(cuts.values()) == {None}:
            return None
        past = self._history.unknown_exits(exits)
        at_once, found = reported(exits), []
        for (org_id, of_host), unknown in zip(exits, past, strict=True):
            cut, orphans = cuts[org_id], set(unknown.exits)
            with self._live.reading(org_id) as table:
                known = known_exits(table, org_id, of_host, at_once)
                left = [one for place, one in enumerate(of_host.exits) if place not in known]
                sure = ProcessExits(of_host.host, tuple(one for one in left if one not in orphans))
                if cut is not None and (cut < table.since or not is_sure_of(table, sure, cut)):
                    return None
            found.append(ProcessExits(of_host.host, tuple(one for one in left if one in orphans)))
        return tuple(found)


def _whole(live: LiveSnapshot, *parts: Snapshot) -> Snapshot:
    """A chunk of which each part has some of the processes."""
    found = {(one.pid, one.started_at): one for part in parts for one in part.sightings}
    keys = dict.fromkeys((one.pid, one.started_at) for one in live.processes)
    are_all_known = all(part.chunk_count != NEVER_COMPLETE for part in parts)
    return msgspec.structs.replace(
        parts[0],
        sightings=tuple(found[key] for key in keys if key in found),
        chunk_count=live.chunk_count if are_all_known else NEVER_COMPLETE,
    )
