"""Snapshots -> columns of the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa

from procession.patterns import fold
from procession.process import ProcessDescription, Snapshot, generated_tags, host_key
from procession.storage.schema import BUCKET_SECONDS, DAY_SECONDS, NUMBER_COLUMNS

STATES = ("", "R", "S", "D", "T", "Z", "X", "W", "I", "t")
"""Their places stand for them in `snap.state`; what is not here is stored as unknown."""

SEPARATOR = "\0"
"""Between the texts of `what.text`; none of them can hold it, so no search matches across two of them."""

_STATE_NUMBERS = {state: number for number, state in enumerate(STATES)}
_ARROW_TYPES = {"Float32": pa.float32(), "Int32": pa.int32(), "Int64": pa.int64()}
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


@dataclass(slots=True)
class Written:
    """What this process has already stored, so as not to store it again each time. Losing it only repeats rows."""

    versions: dict[tuple[int, int], dict[int, tuple[int, ProcessDescription, int, int]]] = field(default_factory=dict)
    """(org, host key) -> pid -> start, description, its version, the newest bucket it was written in."""
    tagsets: set[tuple[int, int, int]] = field(default_factory=set)
    hosts: set[tuple[int, int, int]] = field(default_factory=set)


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
        self._what: list[tuple[int, int, int, int, int, int, ProcessDescription, int]] = []
        self._new_versions: list[tuple[tuple[int, int], int, tuple[int, ProcessDescription, int, int]]] = []
        self._new_tagsets: dict[tuple[int, int, int], Sequence[str]] = {}
        self._new_hosts: dict[tuple[int, int, int], str] = {}
        for org_id, snapshot in snapshots:
            self._add(org_id, snapshot, received_at)

    def _add(self, org_id: int, snapshot: Snapshot, received_at: int) -> None:
        at, host = snapshot.taken_at, host_key(snapshot.host)
        bucket, day = at // BUCKET_SECONDS, at // DAY_SECONDS
        if (org_id, host, day) not in self._written.hosts:
            self._new_hosts[org_id, host, day] = snapshot.host
        known = self._written.versions.get((org_id, host), {})
        pids, starts, versions = self._arrays["pid"], self._arrays["start"], self._arrays["version"]
        for sighting in snapshot.sightings:
            description = sighting.description
            entry = known.get(sighting.pid)
            if entry is not None and (entry[1] is description or entry[1] == description):
                version = entry[2]
            else:
                version = version_of(description)
            if entry is None or entry[0] != sighting.started_at or entry[2] != version or entry[3] != bucket:
                self._note(org_id, host, bucket, day, sighting.pid, sighting.started_at, version, description)
            pids.append(sighting.pid)
            starts.append(sighting.started_at)
            versions.append(version)
            self._arrays["state"].append(_STATE_NUMBERS.get(sighting.numbers.state, 0))
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

    def _note(
        self, org: int, host: int, bucket: int, day: int, pid: int, start: int, version: int, text: ProcessDescription
    ) -> None:
        tagset = tagset_of(text.tags)
        self._what.append((org, bucket, start, host, pid, version, text, tagset))
        self._new_versions.append(((org, host), pid, (start, text, version, bucket)))
        if (org, tagset, day) not in self._written.tagsets:
            self._new_tagsets[org, tagset, day] = text.tags

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
            columns[name] = arrays(values, _ARROW_TYPES[type_name])
        return pa.table(columns)

    def _what_table(self) -> pa.Table:
        rows = self._what
        texts = [row[6] for row in rows]

        def absent(values: Iterable[int | None]) -> pa.Array:
            return pa.array([-1 if value is None else value for value in values], pa.int64())

        return pa.table(
            {
                "org": pa.array([row[0] for row in rows], pa.uint32()),
                "bucket": pa.array([row[1] for row in rows], pa.uint32()),
                "start": pa.array([row[2] for row in rows], pa.uint32()),
                "host": pa.array([row[3] for row in rows], pa.uint64()),
                "pid": pa.array([row[4] for row in rows], pa.uint32()),
                "version": pa.array([row[5] for row in rows], pa.uint64()),
                **{
                    name: pa.array([getattr(text, name) for text in texts], pa.string())
                    for name in ("cmdline", "exe", "cwd", "comm", "command", "user", "container_id")
                },
                "uid": absent(text.uid for text in texts),
                "gid": absent(text.gid for text in texts),
                "ppid": pa.array([text.ppid for text in texts], pa.uint32()),
                "namespace_pid": absent(text.namespace_pid for text in texts),
                "is_zombie": pa.array([text.is_zombie for text in texts], pa.bool_()),
                "tagset": pa.array([row[7] for row in rows], pa.uint64()),
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
