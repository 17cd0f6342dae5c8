"""Live numbers of every process of a host -> sightings: what each process is, the store itself says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from procession.lifecycle.endings import starts_near
from procession.lifecycle.reported_events import snapshot_of_live
from procession.process import LiveSnapshot, ProcessDescription, ProcessKey, Snapshot, host_key
from procession.storage.history.engine.statement import Rows
from procession.storage.history.statements.descriptions import WholeDescription, descriptions_of
from procession.storage.history.statements.snapshots import seen_under_pids
from procession.window import Window

TagsOf = Callable[[int, Iterable[int]], dict[int, tuple[str, ...]]]
"""Org id and numbers of tag sets -> their tags."""

LOOK_BACK_SECONDS = (30, 3600)
"""How far, at first and then for what was not found. Agents send full snapshots every ten seconds, so that the first
hardly ever misses any."""

MAX_REMEMBERED_BYTES = 64 * 2**20
_OVERHEAD_BYTES = 1000


class _Seen(NamedTuple):
    """A newest sighting."""

    at: int
    version: int


class LiveSightings:
    """Remembers only what a version stands for, which is the same for ever. For many threads."""

    def __init__(self) -> None:
        self._descriptions: dict[tuple[int, int], ProcessDescription] = {}
        """By org and version."""
        self._bytes = 0

    def of(self, rows: Rows, tags_of: TagsOf, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        """One for each, in their order. Those of one org and moment are looked up at once."""
        by_moment: defaultdict[tuple[int, int], list[LiveSnapshot]] = defaultdict(list)
        for org_id, snapshot in live:
            by_moment[org_id, snapshot.taken_at].append(snapshot)
        found: dict[int, Snapshot] = {}
        for (org_id, at), snapshots in by_moment.items():
            seen = _seen(rows, org_id, at, snapshots)
            descriptions = self._describe(rows, tags_of, org_id, at, seen)
            for snapshot in snapshots:
                found[id(snapshot)] = _snapshot(snapshot, seen, descriptions)
        return tuple(found[id(snapshot)] for _, snapshot in live)

    def _describe(
        self, rows: Rows, tags_of: TagsOf, org_id: int, at: int, seen: dict[ProcessKey, _Seen]
    ) -> dict[int, ProcessDescription]:
        """By version."""
        held = self._descriptions
        versions = {one.version for one in seen.values()}
        found = {version: held[org_id, version] for version in versions if (org_id, version) in held}
        missing = versions - found.keys()
        if missing:
            keys = sorted(key for key, one in seen.items() if one.version in missing)
            window = Window(max(at - LOOK_BACK_SECONDS[-1], 0), at)
            statement = descriptions_of(org_id, window, keys, WholeDescription, is_shortened=False)
            stored = {row.version: row for row in rows(statement) if row.version in missing}
            tags = tags_of(org_id, {row.tag_set for row in stored.values()})
            fresh = {version: row.description(tags.get(row.tag_set, ())) for version, row in stored.items()}
            self._remember(org_id, fresh)
            found |= fresh
        return found

    def _remember(self, org_id: int, fresh: dict[int, ProcessDescription]) -> None:
        if self._bytes > MAX_REMEMBERED_BYTES:
            self._descriptions, self._bytes = {}, 0
        for version, description in fresh.items():
            self._descriptions[org_id, version] = description
            self._bytes += _OVERHEAD_BYTES + len(description.cmdline) + sum(map(len, description.tags))


def _seen(rows: Rows, org_id: int, at: int, snapshots: Iterable[LiveSnapshot]) -> dict[ProcessKey, _Seen]:
    """The newest sightings, at a moment or before, of whatever had these pids on these hosts."""
    missing = {
        ProcessKey(one.started_at, host_key(snapshot.host), one.pid)
        for snapshot in snapshots
        for one in snapshot.processes
    }
    seen: dict[ProcessKey, _Seen] = {}
    for seconds in LOOK_BACK_SECONDS:
        if not missing:
            break
        hosts, pids = {key.host_key for key in missing}, {key.pid for key in missing}
        for row in rows(seen_under_pids(org_id, max(at - seconds, 0), at, hosts, pids)):
            seen[row.key] = _Seen(row.at, row.version)
        missing = {key for key in missing if _find(seen, key) is None}
    return seen


def _find(seen: dict[ProcessKey, _Seen], key: ProcessKey) -> _Seen | None:
    """The process with this start, or about this start; of several the one seen last."""
    exact = seen.get(key)
    if exact is not None:
        return exact
    near = (seen.get(ProcessKey(start, key.host_key, key.pid)) for start in starts_near(key.started_at))
    return max((one for one in near if one is not None), default=None)


def _snapshot(
    live: LiveSnapshot, seen: dict[ProcessKey, _Seen], descriptions: dict[int, ProcessDescription]
) -> Snapshot:
    host = host_key(live.host)
    found = (_find(seen, ProcessKey(one.started_at, host, one.pid)) for one in live.processes)
    return snapshot_of_live(live, (None if one is None else descriptions.get(one.version) for one in found))
