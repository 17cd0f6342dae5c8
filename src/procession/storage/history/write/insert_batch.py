"""Snapshots -> columns of the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from procession.packed import NUMBERS, AnySnapshot, PackedSnapshot, pack
from procession.process import ProcessDescription, generated_tags, host_key
from procession.search.pattern import fold
from procession.storage.history.tables.migrations import BUCKET_SECONDS, DAY_SECONDS, NO_NICE, NUMBER_COLUMNS
from procession.storage.history.write.dedup_cache import DedupCache, KnownVersion, joined, newest_moments, text_bucket

SEPARATOR = "\0"
"""Between the texts of `what.text`; none of them can hold it, so no search matches across two of them."""

_ROW = np.dtype([*((name, f"<{kind}") for name, kind in NUMBERS), ("state", "u1")])
_encode = msgspec.msgpack.Encoder().encode


def version_of(description: ProcessDescription) -> int:
    """64 bits that stand for a description, the same on every server; not to be hit on purpose."""
    return int.from_bytes(hashlib.blake2b(_encode(description), digest_size=8).digest(), "big")


def tagset_of(tags: Sequence[str]) -> int:
    return int.from_bytes(hashlib.blake2b(_encode(tags), digest_size=8).digest(), "big")


def kind_of(description: ProcessDescription) -> int:
    """64 bits that stand for what processes are counted by: they are of one kind if all of it is the same."""
    shared = (description.command, description.user, description.container_id, description.is_zombie, description.tags)
    return int.from_bytes(hashlib.blake2b(_encode(shared), digest_size=8).digest(), "big")


def searchable(description: ProcessDescription) -> str:
    """What a text search looks at."""
    return SEPARATOR.join(
        fold(text).replace(SEPARATOR, "\ufffd") for text in (description.cmdline, description.exe, description.user)
    )


def number_columns(rows: Iterable[bytes]) -> dict[str, pa.Array]:
    """`state` and NUMBER_COLUMNS, from packed numbers."""
    numbers = np.frombuffer(b"".join(rows), _ROW)
    return {name: pa.array(np.ascontiguousarray(numbers[name])) for name in ("state", *dict(NUMBER_COLUMNS))}


StartSaid = tuple[int, int, int, int]
"""Org, host key, pid and the start that the host says."""


class _Text(NamedTuple):
    """A row of `what`."""

    org: int
    bucket: int
    start: int
    host: int
    pid: int
    version: int
    tagset: int
    description: ProcessDescription


class Group:
    """Chunks that are stored together, as columns. `what`, `tagsets` and `hosts` only get what is new."""

    def __init__(
        self,
        snapshots: Iterable[tuple[int, AnySnapshot]],
        written: DedupCache,
        kept_starts: Mapping[StartSaid, int],
        *,
        received_at: int,
    ) -> None:
        """`kept_starts`: see `procession.storage.history.write.start_times`."""
        self._written = written
        self._kept_starts = kept_starts
        self._snap: dict[str, list[Any]] = {
            name: [] for name in ("org", "at", "host", "request", "group_id", "group_size", "received_at")
        }
        self._offsets = [0]
        self._arrays: dict[str, list[Any]] = {name: [] for name in ("pid", "start", "version", "kind")}
        self._numbers: list[bytes] = []
        self._what: list[_Text] = []
        self._new_versions: dict[tuple[int, int], dict[int, KnownVersion]] = {}
        self._moments: dict[tuple[int, int], tuple[int, int]] = {}
        self._newest_bucket = 0
        self._new_tagsets: dict[tuple[int, int, int], Sequence[str]] = {}
        self._new_kinds: dict[tuple[int, int, int], ProcessDescription] = {}
        self._new_hosts: dict[tuple[int, int, int], str] = {}
        for org_id, snapshot in snapshots:
            self._add(org_id, pack(snapshot), received_at)

    def _add(self, org_id: int, snapshot: PackedSnapshot, received_at: int) -> None:
        at, host = snapshot.taken_at, host_key(snapshot.host)
        place = org_id, host
        bucket, newest_bucket, day = at // BUCKET_SECONDS, text_bucket(host, at), at // DAY_SECONDS
        self._newest_bucket = max(self._newest_bucket, bucket)
        before = self._moments.get(place) or self._written.moments.get(place, (0, 0))
        self._moments[place] = newest_moments(before, at)
        if (*place, day) not in self._written.hosts:
            self._new_hosts[org_id, host, day] = snapshot.host
        known = self._written.versions.get(place, {})
        news = self._new_versions.setdefault(place, {})
        pids, starts, versions = self._arrays["pid"], self._arrays["start"], self._arrays["version"]
        kinds = self._arrays["kind"]
        for sighting in snapshot.sightings:
            pid, said, description = sighting.pid, sighting.started_at, sighting.description
            entry = news.get(pid) or known.get(pid)
            fingerprint = hash(description)
            if (
                entry is not None
                and entry.fingerprint == fingerprint
                and entry.start == said == entry.said
                and not entry.lacks(bucket, newest_bucket)
            ):
                version, kind, start = entry.version, entry.kind, said
            else:
                start = self._kept_start(org_id, host, pid, said, entry)
                same = entry if entry is not None and entry.fingerprint == fingerprint else None
                version = version_of(description) if same is None else same.version
                kind = kind_of(description) if same is None else same.kind
                if same is None or same.start != start:
                    since, until = bucket, bucket - 1
                else:
                    since, until = same.since, same.until
                for missing in range(bucket, newest_bucket + 1):
                    if not since <= missing <= until:
                        self._note_text(org_id, host, pid, start, version, missing, description)
                        self._note_kind(org_id, kind, missing, description)
                since, until = joined(since, until, bucket, newest_bucket)
                news[pid] = KnownVersion(
                    start, said, fingerprint, version, kind, since, until, 0 if start == said else at
                )
            pids.append(pid)
            starts.append(start)
            versions.append(version)
            kinds.append(kind)
        self._numbers += [sighting.numbers for sighting in snapshot.sightings]
        self._offsets.append(len(pids))
        for name, value in (
            ("org", org_id),
            ("at", at),
            ("host", host),
            ("request", snapshot.request_id),
            ("group_id", snapshot.split_id),
            ("group_size", snapshot.chunk_count),
            ("received_at", received_at),
        ):
            self._snap[name].append(value)

    def _kept_start(self, org_id: int, host: int, pid: int, said: int, entry: KnownVersion | None) -> int:
        kept = self._kept_starts.get((org_id, host, pid, said))
        if kept is not None:
            return kept
        return entry.start if entry is not None and entry.said == said else said

    def _note_text(
        self, org: int, host: int, pid: int, start: int, version: int, bucket: int, description: ProcessDescription
    ) -> None:
        tagset, day = tagset_of(description.tags), bucket * BUCKET_SECONDS // DAY_SECONDS
        self._what.append(_Text(org, bucket, start, host, pid, version, tagset, description))
        if (org, tagset, day) not in self._written.tagsets:
            self._new_tagsets[org, tagset, day] = description.tags

    def _note_kind(self, org: int, kind: int, bucket: int, description: ProcessDescription) -> None:
        entry = (org, kind, bucket * BUCKET_SECONDS // DAY_SECONDS)
        if entry not in self._written.kinds:
            self._new_kinds[entry] = description

    def tables(self) -> list[tuple[str, pa.Table]]:
        """In the order in which they must be stored: a sighting never lacks its text, its tags or its host's name."""
        tables = [
            ("hosts", self._hosts_table()),
            ("tagsets", self._tagsets_table()),
            ("kinds", self._kinds_table()),
            ("what", self._what_table()),
            ("snap", self._snap_table()),
        ]
        return [(name, table) for name, table in tables if len(table)]

    def remember(self) -> None:
        """To be called once all tables are stored."""
        with self._written.changing:
            for place, news in self._new_versions.items():
                self._written.versions.setdefault(place, {}).update(news)
            self._written.moments.update(self._moments)
            for place, (at, _) in self._moments.items():
                self._written.since.setdefault(place, at)
            self._written.tagsets.update(self._new_tagsets)
            self._written.kinds.update(self._new_kinds)
            self._written.hosts.update(self._new_hosts)
            self._written.forget_before(self._newest_bucket)

    def _snap_table(self) -> pa.Table:
        offsets = pa.array(self._offsets, pa.int32())

        def arrays(values: pa.Array) -> pa.ListArray:
            return pa.ListArray.from_arrays(offsets, values)

        kinds = {"org": pa.uint32(), "at": pa.uint32(), "host": pa.uint64(), "request": pa.uint64()}
        kinds |= {"group_id": pa.int32(), "group_size": pa.uint32(), "received_at": pa.uint32()}
        columns = {name: pa.array(values, kinds[name]) for name, values in self._snap.items()}
        for name, kind in (
            ("pid", pa.uint32()),
            ("start", pa.uint32()),
            ("version", pa.uint64()),
            ("kind", pa.uint64()),
        ):
            columns[name] = arrays(pa.array(self._arrays[name], kind))
        columns |= {name: arrays(values) for name, values in number_columns(self._numbers).items()}
        return pa.table(columns)

    def _what_table(self) -> pa.Table:
        rows = self._what
        texts = [row.description for row in rows]

        def absent(values: Iterable[int | None]) -> pa.Array:
            return pa.array([-1 if value is None else value for value in values], pa.int64())

        return pa.table(
            {
                "org": pa.array([row.org for row in rows], pa.uint32()),
                "bucket": pa.array([row.bucket for row in rows], pa.uint32()),
                "start": pa.array([row.start for row in rows], pa.uint32()),
                "host": pa.array([row.host for row in rows], pa.uint64()),
                "pid": pa.array([row.pid for row in rows], pa.uint32()),
                "version": pa.array([row.version for row in rows], pa.uint64()),
                **{
                    name: pa.array([getattr(text, name) for text in texts], pa.string())
                    for name in ("cmdline", "exe", "cwd", "root", "comm", "command", "user", "container_id")
                },
                "uid": absent(text.uid for text in texts),
                "gid": absent(text.gid for text in texts),
                "group_name": pa.array([text.group_name for text in texts], pa.string()),
                "ppid": pa.array([text.ppid for text in texts], pa.uint32()),
                "namespace_pid": absent(text.namespace_pid for text in texts),
                "nice": pa.array([NO_NICE if text.nice is None else text.nice for text in texts], pa.int8()),
                "is_zombie": pa.array([text.is_zombie for text in texts], pa.bool_()),
                "argument_words": pa.array([text.argument_words for text in texts], pa.list_(pa.uint32())),
                "tagset": pa.array([row.tagset for row in rows], pa.uint64()),
                "text": pa.array([searchable(text) for text in texts], pa.string()),
                "own_tags": _own_tags(texts),
            }
        )

    def _tagsets_table(self) -> pa.Table:
        return pa.table(
            {
                "org": pa.array([org for org, _, _ in self._new_tagsets], pa.uint32()),
                "tagset": pa.array([tagset for _, tagset, _ in self._new_tagsets], pa.uint64()),
                "day": pa.array([day for _, _, day in self._new_tagsets], pa.uint32()),
                "tags": pa.array([list(tags) for tags in self._new_tagsets.values()], pa.list_(pa.string())),
                "folded": pa.array(
                    [[fold(tag) for tag in tags] for tags in self._new_tagsets.values()], pa.list_(pa.string())
                ),
            }
        )

    def _kinds_table(self) -> pa.Table:
        texts = list(self._new_kinds.values())
        return pa.table(
            {
                "org": pa.array([org for org, _, _ in self._new_kinds], pa.uint32()),
                "kind": pa.array([kind for _, kind, _ in self._new_kinds], pa.uint64()),
                "day": pa.array([day for _, _, day in self._new_kinds], pa.uint32()),
                **{
                    name: pa.array([getattr(text, name) for text in texts], pa.string())
                    for name in ("command", "user", "container_id")
                },
                "is_zombie": pa.array([text.is_zombie for text in texts], pa.bool_()),
                "tagset": pa.array([tagset_of(text.tags) for text in texts], pa.uint64()),
                "own_tags": _own_tags(texts),
            }
        )

    def _hosts_table(self) -> pa.Table:
        names = list(self._new_hosts.values())
        return pa.table(
            {
                "org": pa.array([org for org, _, _ in self._new_hosts], pa.uint32()),
                "host": pa.array([host for _, host, _ in self._new_hosts], pa.uint64()),
                "day": pa.array([day for _, _, day in self._new_hosts], pa.uint32()),
                "name": pa.array(names, pa.string()),
                "folded": pa.array([fold(name) for name in names], pa.string()),
            }
        )


def _own_tags(texts: Iterable[ProcessDescription]) -> pa.Array:
    return pa.array([[fold(tag) for tag in generated_tags("", text)[1:]] for text in texts], pa.list_(pa.string()))
