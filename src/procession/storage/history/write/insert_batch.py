"""Chunks of snapshots -> the rows of one insert."""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from procession.packed import AnySnapshot, Listing, PackedProcess, PackedSnapshot, pack
from procession.process import MAX_UINT32, ProcessDescription, host_key
from procession.storage.history.tables.constants import DAY_SECONDS, HOUR_SECONDS
from procession.storage.history.tables.hashes import label_set_of, tag_set_of, version_of
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
        self._moments: dict[OrgHost, tuple[int, int]] = {}
        self._newest_hour = 0
        self._new_tag_sets: dict[TagSetRow, Sequence[str]] = {}
        self._new_label_sets: dict[LabelSetRow, ProcessDescription] = {}
        self._new_hosts: dict[HostRow, str] = {}
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
            for org_host, news in self._new_versions.items():
                cache.note_versions(org_host, news)
            for org_host, settled in self._new_settled.items():
                cache.note_settled(org_host, settled.values())
            cache.note_moments(self._moments)
            cache.tag_sets.update(self._new_tag_sets)
            cache.label_sets.update(self._new_label_sets)
            cache.hosts.update(self._new_hosts)
            cache.forget_before(self._newest_hour)

    def _add(self, org_id: int, snapshot: PackedSnapshot) -> None:
        at, host = snapshot.taken_at, host_key(snapshot.host)
        org_host = org_id, host
        hour, newest_hour = at // HOUR_SECONDS, description_hour(host, at)
        self._newest_hour = max(self._newest_hour, hour)
        before = self._moments.get(org_host) or self._cache.moments.get(org_host, (0, 0))
        self._moments[org_host] = newest_moments(before, at)
        host_row = HostRow(org_id, host, at // DAY_SECONDS)
        if host_row not in self._cache.hosts:
            self._new_hosts[host_row] = snapshot.host
        listing = snapshot.listing
        settled = self._settled(org_host, listing, hour, newest_hour)
        if settled is not None:
            self._snapshots.add_processes(listing.starts, settled.versions, settled.label_sets)
        else:
            self._add_processes(org_host, listing, at, newest_hour)
        self._snapshots.end_chunk(org_id, host, snapshot, self._received_at)

    def _settled(self, org_host: OrgHost, listing: Listing, hour: int, newest_hour: int) -> SettledListing | None:
        """What is written of a listing, if this says nothing new of it."""
        found = self._new_settled.get(org_host, {}).get(id(listing))
        if found is None or found.listing() is not listing:
            found = self._cache.settled(org_host, listing)
            news = self._new_versions.get(org_host)
            if news and not news.keys().isdisjoint(listing.pids):
                return None
        return None if found is None or hour < found.since or newest_hour > found.until else found

    def _add_processes(self, org_host: OrgHost, listing: Listing, at: int, newest_hour: int) -> None:
        hour = at // HOUR_SECONDS
        known = self._cache.versions.get(org_host, {})
        news = self._new_versions.setdefault(org_host, {})
        starts, versions, label_sets = array("I"), array("Q"), array("Q")
        since, until, is_settled = 0, MAX_UINT32, True
        noted = set[int]()
        for process in listing.processes:
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
            starts.append(entry.start)
            versions.append(entry.version)
            label_sets.append(entry.label_set)
            since, until = max(since, entry.since), min(until, entry.until)
        self._snapshots.add_processes(starts, versions, label_sets)
        settled = self._new_settled.setdefault(org_host, {})
        if noted:
            for number, one in list(settled.items()):
                if not noted.isdisjoint(one.pids):
                    del settled[number]
        if is_settled:
            settled[id(listing)] = SettledListing(
                weakref.ref(listing), since, until, listing.pids, versions, label_sets
            )

    def _note(
        self, org_host: OrgHost, at: int, newest_hour: int, process: PackedProcess, entry: KnownVersion | None
    ) -> KnownVersion:
        """What is written of a process whose description or start is not known to be stored for all of these hours."""
        pid, reported_start, description = process.pid, process.started_at, process.description
        fingerprint, hour = hash(description), at // HOUR_SECONDS
        start = self._kept_start(org_host, pid, reported_start, entry)
        same = entry if entry is not None and entry.fingerprint == fingerprint else None
        version = version_of(description) if same is None else same.version
        label_set = label_set_of(description) if same is None else same.label_set
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
        tag_set = tag_set_of(description.tags)
        self._descriptions.append(DescriptionRow(org, hour, start, host, pid, version, tag_set, description))
        tag_set_row = TagSetRow(org, tag_set, day)
        if tag_set_row not in self._cache.tag_sets:
            self._new_tag_sets[tag_set_row] = description.tags
        label_set_row = LabelSetRow(org, label_set, day)
        if label_set_row not in self._cache.label_sets:
            self._new_label_sets[label_set_row] = description
