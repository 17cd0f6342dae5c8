"""Snapshots -> columns of the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from procession.patterns import fold
from procession.process import ProcessDescription, Snapshot, generated_tags, host_key
from procession.storage.schema import BUCKET_SECONDS, DAY_SECONDS, NO_NICE, NUMBER_COLUMNS

STATES = ("", "R", "S", "D", "T", "Z", "X", "W", "I", "t")
"""Their places stand for them in `snap.state`; what is not here is stored as unknown."""

SEPARATOR = "\0"
"""Between the texts of `what.text`; none of them can hold it, so no search matches across two of them."""

STATE_NUMBERS = {state: number for number, state in enumerate(STATES)}
ARROW_TYPES = {"Float32": pa.float32(), "Int32": pa.int32(), "Int64": pa.int64()}
_encode = msgspec.msgpack.Encoder().encode


def version_of(description: ProcessDescription) -> int:
    """64 bits that stand for a description, the same on every server; not to be hit on purpose."""
    return int.from_bytes(hashlib.blake2b(_encode(description), digest_size=8).digest(), "big")


def tagset_of(tags: Sequence[str]) -> int:
    return int.from_bytes(hashlib.blake2b(_encode(tags), digest_size=8).digest(), "big")


def searchable(description: ProcessDescription) -> str:
    """What a text search looks at."""
    return SEPARATOR.join(
        fold(text).replace(SEPARATOR, "\ufffd") for text in (description.cmdline, description.exe, description.user)
    )


class KnownVersion(msgspec.Struct, frozen=True):
    """What was last written of a pid of a host."""

    start: int
    description: ProcessDescription
    version: int
    bucket: int


class Written:
    """What this process has already stored, so as not to store it again each time. Losing it only repeats rows."""

    def __init__(self) -> None:
        self.versions: dict[tuple[int, int], dict[int, KnownVersion]] = {}
        """(org, host key) -> pid -> what was written of it."""
        self.tagsets: set[tuple[int, int, int]] = set()
        """Org, tag set, day."""
        self.hosts: set[tuple[int, int, int]] = set()
        """Org, host key, day."""
        self._newest_bucket = 0

    def forget_before(self, bucket: int) -> None:
        """Drop what ended before the last hour but one, whenever an hour begins."""
        if bucket <= self._newest_bucket:
            return
        self._newest_bucket = bucket
        for place, known in list(self.versions.items()):
            self.versions[place] = {pid: entry for pid, entry in known.items() if entry.bucket >= bucket - 1}
            if not self.versions[place]:
                del self.versions[place]
        day = (bucket - 1) * BUCKET_SECONDS // DAY_SECONDS
        self.tagsets = {entry for entry in self.tagsets if entry[2] >= day}
        self.hosts = {entry for entry in self.hosts if entry[2] >= day}


class Group:
    """Chunks that are stored together, as columns. `what`, `tagsets` and `hosts` only get what is new."""

    def __init__(self, snapshots: Iterable[tuple[int, Snapshot]], written: Written, *, received_at: int) -> None:
        self._written = written
        self._snap: dict[str, list[Any]] = {
            name: [] for name in ("org", "at", "host", "request", "group_id", "group_size", "received_at")
        }
        self._offsets = [0]
        self._arrays: dict[str, list[Any]] = {name: [] for name in ("pid", "start", "version", "state")}
        self._numbers: list[list[Any]] = [[] for _ in NUMBER_COLUMNS]
        self._what: list[tuple[int, int, int, int, KnownVersion]] = []
        self._new_versions: list[tuple[tuple[int, int], int, KnownVersion]] = []
        self._newest_bucket = 0
        self._new_tagsets: dict[tuple[int, int, int], Sequence[str]] = {}
        self._new_hosts: dict[tuple[int, int, int], str] = {}
        for org_id, snapshot in snapshots:
            self._add(org_id, snapshot, received_at)

    def _add(self, org_id: int, snapshot: Snapshot, received_at: int) -> None:
        at, host = snapshot.taken_at, host_key(snapshot.host)
        bucket, day = at // BUCKET_SECONDS, at // DAY_SECONDS
        self._newest_bucket = max(self._newest_bucket, bucket)
        if (org_id, host, day) not in self._written.hosts:
            self._new_hosts[org_id, host, day] = snapshot.host
        known = self._written.versions.get((org_id, host), {})
        pids, starts, versions = self._arrays["pid"], self._arrays["start"], self._arrays["version"]
        for sighting in snapshot.sightings:
            description = sighting.description
            entry = known.get(sighting.pid)
            if entry is not None and entry.description == description:
                version = entry.version
            else:
                version = version_of(description)
            written = KnownVersion(sighting.started_at, description, version, bucket)
            if entry != written:
                self._note(org_id, host, day, sighting.pid, written)
            pids.append(sighting.pid)
            starts.append(sighting.started_at)
            versions.append(version)
            self._arrays["state"].append(STATE_NUMBERS.get(sighting.numbers.state, 0))
            for column, (name, _) in zip(self._numbers, NUMBER_COLUMNS, strict=True):
                value = getattr(sighting.numbers, name)
                column.append(-1 if value is None else value)
        self._offsets.append(len(pids))
        for name, value in (
            ("org", org_id),
            ("at", at),
            ("host", host),
            ("request", snapshot.request_id),
            ("group_id", snapshot.group_id),
            ("group_size", snapshot.group_size),
            ("received_at", received_at),
        ):
            self._snap[name].append(value)

    def _note(self, org: int, host: int, day: int, pid: int, entry: KnownVersion) -> None:
        tags = entry.description.tags
        tagset = tagset_of(tags)
        self._what.append((org, host, pid, tagset, entry))
        self._new_versions.append(((org, host), pid, entry))
        if (org, tagset, day) not in self._written.tagsets:
            self._new_tagsets[org, tagset, day] = tags

    def tables(self) -> list[tuple[str, pa.Table]]:
        """In the order in which they must be stored: a sighting never lacks its text, its tags or its host's name."""
        tables = [
            ("hosts", self._hosts_table()),
            ("tagsets", self._tagsets_table()),
            ("what", self._what_table()),
            ("snap", self._snap_table()),
        ]
        return [(name, table) for name, table in tables if len(table)]

    def remember(self) -> None:
        """To be called once all tables are stored."""
        for place, pid, entry in self._new_versions:
            self._written.versions.setdefault(place, {})[pid] = entry
        self._written.tagsets.update(self._new_tagsets)
        self._written.hosts.update(self._new_hosts)
        self._written.forget_before(self._newest_bucket)

    def _snap_table(self) -> pa.Table:
        offsets = pa.array(self._offsets, pa.int32())

        def arrays(values: list[Any], kind: pa.DataType) -> pa.ListArray:
            return pa.ListArray.from_arrays(offsets, pa.array(values, kind))

        kinds = {"org": pa.uint32(), "at": pa.uint32(), "host": pa.uint64(), "request": pa.uint64()}
        kinds |= {"group_id": pa.int32(), "group_size": pa.uint32(), "received_at": pa.uint32()}
        columns = {name: pa.array(values, kinds[name]) for name, values in self._snap.items()}
        for name, kind in (
            ("pid", pa.uint32()),
            ("start", pa.uint32()),
            ("version", pa.uint64()),
            ("state", pa.uint8()),
        ):
            columns[name] = arrays(self._arrays[name], kind)
        for values, (name, type_name) in zip(self._numbers, NUMBER_COLUMNS, strict=True):
            columns[name] = arrays(values, ARROW_TYPES[type_name])
        return pa.table(columns)

    def _what_table(self) -> pa.Table:
        rows = self._what
        entries = [row[4] for row in rows]
        texts = [entry.description for entry in entries]

        def absent(values: Iterable[int | None]) -> pa.Array:
            return pa.array([-1 if value is None else value for value in values], pa.int64())

        return pa.table(
            {
                "org": pa.array([row[0] for row in rows], pa.uint32()),
                "bucket": pa.array([entry.bucket for entry in entries], pa.uint32()),
                "start": pa.array([entry.start for entry in entries], pa.uint32()),
                "host": pa.array([row[1] for row in rows], pa.uint64()),
                "pid": pa.array([row[2] for row in rows], pa.uint32()),
                "version": pa.array([entry.version for entry in entries], pa.uint64()),
                **{
                    name: pa.array([getattr(text, name) for text in texts], pa.string())
                    for name in ("cmdline", "exe", "cwd", "root", "comm", "command", "user", "container_id")
                },
                "uid": absent(text.uid for text in texts),
                "gid": absent(text.gid for text in texts),
                "group_name": pa.array([text.group for text in texts], pa.string()),
                "ppid": pa.array([text.ppid for text in texts], pa.uint32()),
                "namespace_pid": absent(text.namespace_pid for text in texts),
                "nice": pa.array([NO_NICE if text.nice is None else text.nice for text in texts], pa.int8()),
                "is_zombie": pa.array([text.is_zombie for text in texts], pa.bool_()),
                "tagset": pa.array([row[3] for row in rows], pa.uint64()),
                "text": pa.array([searchable(text) for text in texts], pa.string()),
                "own_tags": pa.array(
                    [[fold(tag) for tag in generated_tags("", text)[1:]] for text in texts], pa.list_(pa.string())
                ),
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
