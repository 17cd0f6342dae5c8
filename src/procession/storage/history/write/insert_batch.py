"""Chunks of snapshots -> the rows of one insert."""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pyarrow as pa

from procession.packed import AnySnapshot, Listing, PackedProcess, PackedSnapshot, pack
from procession.process import MAX_UINT32, ProcessDescription, host_key
from procession.storage.history.tables.constants import DAY_SECONDS, HOUR_SECONDS
from procession.storage.history.tables.hashes import (
    LabelSet,
    Remembered,
    Tagged,
    label_set_of,
    labels_of,
    tag_set_of,
    tagged_of,
    version_of,
)
from procession.storage.history.write import insert_tables
from procession.storage.history.write.dedup_cache import (
    DedupCache,
    KnownVersion,
    OrgHost,
    SettledListing,
    description_hour,
    joined,
    newest_moments,
)
from procession.storage.history.write.insert_tables import (
    DescriptionRow,
    HostRow,
    LabelSetRow,
    SnapshotColumns,
    TagSetRow,
)
from procession.storage.history.write.start_times import ReportedStart


@dataclass(frozen=True)
class _NewestChunks:
    """Of the newest snapshot of a host, those that are stored together."""

    taken_at: int
    split_id: int
    chunk_count: int
    listings: dict[int, Listing] = field(default_factory=dict)
    """By their request ids."""

    @property
    def are_all(self) -> bool:
        return len(self.listings) == self.chunk_count

    def __len__(self) -> int:
        """In processes."""
        return sum(map(len, self.listings.values()))

    def pids(self) -> set[int]:
        return set(chain.from_iterable(one.pids for one in self.listings.values()))


class InsertBatch:
    """Chunks that are stored together. `descriptions`, `tag_sets`, `label_sets` and `hosts` only get what is new."""

    def __init__(
        self,
        snapshots: Iterable[tuple[int, AnySnapshot]],
        cache: DedupCache,
        kept_starts: Mapping[ReportedStart, int],
        *,
        received_at: int,
    ) -> None:
        """`kept_starts`: see `procession.storage.history.write.start_times`."""
        self._cache = cache
        self._kept_starts = kept_starts
        self._received_at = received_at
        self._snapshots = SnapshotColumns()
        self._descriptions: list[DescriptionRow] = []
        self._new_versions: dict[OrgHost, dict[int, KnownVersion]] = {}
        self._new_settled: dict[OrgHost, dict[int, SettledListing]] = {}
        self._newest: dict[OrgHost, SettledListing | None] = {}
        """None where that which the cache has is not settled any more."""
        self._moments: dict[OrgHost, tuple[int, int]] = {}
        self._newest_hour = 0
        self._newest_chunks: dict[OrgHost, _NewestChunks] = {}
        self._remembered_hosts: set[OrgHost] = set()
        """Those that the cache knows: what is new is added to that."""
        self._new_tag_sets: dict[TagSetRow, Tagged] = {}
        self._new_label_sets: dict[LabelSetRow, ProcessDescription] = {}
        self._new_hosts: dict[HostRow, str] = {}
        self._tag_sets = Remembered[Tagged, int](tag_set_of)
        self._label_sets = Remembered[LabelSet, int](label_set_of)
        for org_id, snapshot in snapshots:
            self._add(org_id, pack(snapshot))

    def tables(self) -> list[tuple[str, pa.Table]]:
        """In the order in which they must be stored: a sighting never lacks its description, its tags or its host's
        name."""
        tables = [
            ("hosts", insert_tables.hosts(self._new_hosts)),
            ("tag_sets", insert_tables.tag_sets(self._new_tag_sets)),
            ("label_sets", insert_tables.label_sets(self._new_label_sets)),
            ("descriptions", insert_tables.descriptions(self._descriptions)),
            ("snapshots", self._snapshots.table()),
        ]
        return [(name, table) for name, table in tables if len(table)]

    def remember(self) -> None:
        """To be called once all tables are stored."""
        cache = self._cache
        with cache.changing:
            self._leave_out(self._remembered_hosts - cache.moments.keys())
            for org_host, news in self._new_versions.items():
                cache.note_versions(org_host, news)
            for org_host, settled in self._new_settled.items():
                cache.note_settled(org_host, settled.values())
            for org_host, newest in self._newest.items():
                if newest is not None:
                    cache.note_newest(org_host, newest)
            cache.note_moments(self._moments)
            cache.tag_sets.update(self._new_tag_sets)
            cache.label_sets.update(self._new_label_sets)
            cache.hosts.update(self._new_hosts)
            cache.forget_before(self._newest_hour)
            for org_host, chunks in self._newest_chunks.items():
                if chunks.are_all and cache.has_many_ended(org_host, chunks.taken_at, len(chunks)):
                    cache.forget_ended(org_host, chunks.pids())
            cache.keep_to_bound()

    def _leave_out(self, forgotten: Collection[OrgHost]) -> None:
        """What is new of hosts of which the cache has lost the rest meanwhile."""
        by_host: tuple[dict[OrgHost, Any], ...] = (
            self._new_versions, self._new_settled, self._newest, self._moments, self._newest_chunks
        )  # fmt: skip
        for one in forgotten:
            for place in by_host:
                place.pop(one, None)

    def _add(self, org_id: int, snapshot: PackedSnapshot) -> None:
        at, host = snapshot.taken_at, host_key(snapshot.host)
        org_host = org_id, host
        hour, newest_hour = at // HOUR_SECONDS, description_hour(host, at)
        self._newest_hour = max(self._newest_hour, hour)
        if org_host in self._cache.moments:
            self._remembered_hosts.add(org_host)
        before = self._moments.get(org_host) or self._cache.moments.get(org_host, (0, 0))
        self._moments[org_host] = newest_moments(before, at)
        host_row = HostRow(org_id, host, at // DAY_SECONDS)
        if host_row not in self._cache.hosts:
            self._new_hosts[host_row] = snapshot.host
        self._note_chunk(org_host, snapshot)
        listing = snapshot.listing
        settled = self._settled(org_host, listing, hour, newest_hour)
        if settled is not None:
            self._snapshots.add_processes(listing.starts, settled.versions, settled.label_sets)
        else:
            self._add_processes(org_host, listing, at, newest_hour, is_all=snapshot.chunk_count == 1)
        self._snapshots.end_chunk(org_id, host, snapshot, self._received_at)

    def _note_chunk(self, org_host: OrgHost, snapshot: PackedSnapshot) -> None:
        at, newest = snapshot.taken_at, self._newest_chunks.get(org_host)
        if newest is None or at > newest.taken_at:
            newest = self._newest_chunks[org_host] = _NewestChunks(at, snapshot.split_id, snapshot.chunk_count)
        if (at, snapshot.split_id) == (newest.taken_at, newest.split_id):
            newest.listings[snapshot.request_id] = snapshot.listing

    def _settled(self, org_host: OrgHost, listing: Listing, hour: int, newest_hour: int) -> SettledListing | None:
        """What is written of a listing, if this says nothing new of it."""
        found = self._new_settled.get(org_host, {}).get(id(listing))
        if found is None or found.listing() is not listing:
            found = self._cache.settled(org_host, listing)
            news = self._new_versions.get(org_host)
            if news and not news.keys().isdisjoint(listing.pids):
                return None
        return None if found is None or hour < found.since or newest_hour > found.until else found

    def _add_processes(self, org_host: OrgHost, listing: Listing, at: int, newest_hour: int, *, is_all: bool) -> None:
        """`is_all`: whether these are all processes of the host."""
        hour = at // HOUR_SECONDS
        known = self._cache.versions.get(org_host, {})
        news = self._new_versions.setdefault(org_host, {})
        starts = array("I", listing.starts)
        others, versions, label_sets, since, until = self._same_as_before(org_host, listing, hour, newest_hour, is_all)
        is_settled = True
        noted = set[int]()
        for place in others:
            process = listing.processes[place]
            pid = process.pid
            entry = news.get(pid) or known.get(pid)
            if (
                entry is None
                or entry.fingerprint != hash(process.description)
                or not entry.start == process.started_at == entry.reported_start
                or entry.lacks(hour, newest_hour)
            ):
                is_settled &= pid not in noted  # else two of its processes have one pid
                entry = news[pid] = self._note(org_host, at, newest_hour, process, entry)
                noted.add(pid)
                is_settled &= entry.start == entry.reported_start
            starts[place], versions[place], label_sets[place] = entry.start, entry.version, entry.label_set
            since, until = max(since, entry.since), min(until, entry.until)
        self._snapshots.add_processes(starts, versions, label_sets)
        self._forget_settled(org_host, noted)
        if is_settled:
            settled = SettledListing(
                weakref.ref(listing), since, until, listing.pids, listing.starts, listing.hashes, versions, label_sets
            )
            self._new_settled.setdefault(org_host, {})[id(listing)] = settled
            if is_all and len(listing):
                self._newest[org_host] = settled

    def _same_as_before(
        self, org_host: OrgHost, listing: Listing, hour: int, newest_hour: int, is_all: bool
    ) -> tuple[Sequence[int], array[int], array[int], int, int]:
        """Which places of a listing have to be looked at one by one; versions and label sets of the others, which are
        as in the last snapshot; and the hours that have all of their descriptions."""
        newest = self._newest[org_host] if org_host in self._newest else self._cache.newest_settled(org_host)
        if not is_all or newest is None or hour < newest.since or newest_hour > newest.until:
            nothing = array("Q", bytes(8 * len(listing)))
            return range(len(listing)), nothing, nothing[:], 0, MAX_UINT32
        return *newest.found_in(listing), newest.since, newest.until

    def _forget_settled(self, org_host: OrgHost, noted: set[int]) -> None:
        """Those of which something else was written now."""
        if not noted:
            return
        settled = self._new_settled.get(org_host, {})
        for number, one in list(settled.items()):
            if not noted.isdisjoint(one.pids):
                del settled[number]
        newest = self._newest.get(org_host) or self._cache.newest_settled(org_host)
        if newest is not None and not noted.isdisjoint(newest.pids):
            self._newest[org_host] = None

    def _note(
        self, org_host: OrgHost, at: int, newest_hour: int, process: PackedProcess, entry: KnownVersion | None
    ) -> KnownVersion:
        """What is written of a process whose description or start is not known to be stored for all of these hours."""
        pid, reported_start, description = process.pid, process.started_at, process.description
        fingerprint, hour = hash(description), at // HOUR_SECONDS
        start = self._kept_start(org_host, pid, reported_start, entry)
        same = entry if entry is not None and entry.fingerprint == fingerprint else None
        version = version_of(description) if same is None else same.version
        label_set = self._label_sets[labels_of(description)] if same is None else same.label_set
        if same is None or same.start != start:
            since, until = hour, hour - 1
        else:
            since, until = same.since, same.until
        for missing in range(hour, newest_hour + 1):
            if not since <= missing <= until:
                self._note_description(org_host, pid, start, version, label_set, missing, description)
        since, until = joined(since, until, hour, newest_hour)
        return KnownVersion(
            start=start,
            reported_start=reported_start,
            fingerprint=fingerprint,
            version=version,
            label_set=label_set,
            since=since,
            until=until,
            seen_at=0 if start == reported_start else at,
        )

    def _kept_start(self, org_host: OrgHost, pid: int, reported_start: int, entry: KnownVersion | None) -> int:
        kept = self._kept_starts.get((*org_host, pid, reported_start))
        if kept is not None:
            return kept
        return entry.start if entry is not None and entry.reported_start == reported_start else reported_start

    def _note_description(
        self,
        org_host: OrgHost,
        pid: int,
        start: int,
        version: int,
        label_set: int,
        hour: int,
        description: ProcessDescription,
    ) -> None:
        org, host = org_host
        day = hour * HOUR_SECONDS // DAY_SECONDS
        tagged = tagged_of(description)
        tag_set = self._tag_sets[tagged]
        self._descriptions.append(DescriptionRow(org, hour, start, host, pid, version, tag_set, description))
        tag_set_row = TagSetRow(org, tag_set, day)
        if tag_set_row not in self._cache.tag_sets:
            self._new_tag_sets[tag_set_row] = tagged
        label_set_row = LabelSetRow(org, label_set, day)
        if label_set_row not in self._cache.label_sets:
            self._new_label_sets[label_set_row] = description
