"""Snapshots -> columns of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from procession.packed import AnySnapshot, PackedSnapshot, pack
from procession.process import ProcessDescription, generated_tags, host_key
from procession.search.pattern import fold
from procession.storage.history.tables.columns import number_columns, searchable
from procession.storage.history.tables.constants import DAY_SECONDS, HOUR_SECONDS, NO_NICE
from procession.storage.history.tables.hashes import label_set_of, tag_set_of, version_of
from procession.storage.history.write.dedup_cache import DedupCache, KnownVersion, joined, newest_moments, text_hour

StartSaid = tuple[int, int, int, int]
"""Org, host key, pid and the start that the host says."""


class _Text(NamedTuple):
    """A row of `descriptions`."""

    org: int
    hour: int
    start: int
    host: int
    pid: int
    version: int
    tag_set: int
    description: ProcessDescription


class Group:
    """Chunks that are stored together, as columns. `descriptions`, `tag_sets` and `hosts` only get what is new."""

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
        self._snapshots: dict[str, list[Any]] = {
            name: [] for name in ("org", "at", "host", "request", "split_id", "chunk_count", "received_at")
        }
        self._offsets = [0]
        self._arrays: dict[str, list[Any]] = {name: [] for name in ("pid", "start", "version", "label_set")}
        self._numbers: list[bytes] = []
        self._descriptions: list[_Text] = []
        self._new_versions: dict[tuple[int, int], dict[int, KnownVersion]] = {}
        self._moments: dict[tuple[int, int], tuple[int, int]] = {}
        self._newest_hour = 0
        self._new_tag_sets: dict[tuple[int, int, int], Sequence[str]] = {}
        self._new_label_sets: dict[tuple[int, int, int], ProcessDescription] = {}
        self._new_hosts: dict[tuple[int, int, int], str] = {}
        for org_id, snapshot in snapshots:
            self._add(org_id, pack(snapshot), received_at)

    def _add(self, org_id: int, snapshot: PackedSnapshot, received_at: int) -> None:
        at, host = snapshot.taken_at, host_key(snapshot.host)
        place = org_id, host
        hour, newest_hour, day = at // HOUR_SECONDS, text_hour(host, at), at // DAY_SECONDS
        self._newest_hour = max(self._newest_hour, hour)
        before = self._moments.get(place) or self._written.moments.get(place, (0, 0))
        self._moments[place] = newest_moments(before, at)
        if (*place, day) not in self._written.hosts:
            self._new_hosts[org_id, host, day] = snapshot.host
        known = self._written.versions.get(place, {})
        news = self._new_versions.setdefault(place, {})
        pids, starts, versions = self._arrays["pid"], self._arrays["start"], self._arrays["version"]
        label_sets = self._arrays["label_set"]
        for sighting in snapshot.sightings:
            pid, said, description = sighting.pid, sighting.started_at, sighting.description
            entry = news.get(pid) or known.get(pid)
            fingerprint = hash(description)
            if (
                entry is not None
                and entry.fingerprint == fingerprint
                and entry.start == said == entry.said
                and not entry.lacks(hour, newest_hour)
            ):
                version, label_set, start = entry.version, entry.label_set, said
            else:
                start = self._kept_start(org_id, host, pid, said, entry)
                same = entry if entry is not None and entry.fingerprint == fingerprint else None
                version = version_of(description) if same is None else same.version
                label_set = label_set_of(description) if same is None else same.label_set
                if same is None or same.start != start:
                    since, until = hour, hour - 1
                else:
                    since, until = same.since, same.until
                for missing in range(hour, newest_hour + 1):
                    if not since <= missing <= until:
                        self._note_text(org_id, host, pid, start, version, missing, description)
                        self._note_label_set(org_id, label_set, missing, description)
                since, until = joined(since, until, hour, newest_hour)
                news[pid] = KnownVersion(
                    start, said, fingerprint, version, label_set, since, until, 0 if start == said else at
                )
            pids.append(pid)
            starts.append(start)
            versions.append(version)
            label_sets.append(label_set)
        self._numbers += [sighting.numbers for sighting in snapshot.sightings]
        self._offsets.append(len(pids))
        for name, value in (
            ("org", org_id),
            ("at", at),
            ("host", host),
            ("request", snapshot.request_id),
            ("split_id", snapshot.split_id),
            ("chunk_count", snapshot.chunk_count),
            ("received_at", received_at),
        ):
            self._snapshots[name].append(value)

    def _kept_start(self, org_id: int, host: int, pid: int, said: int, entry: KnownVersion | None) -> int:
        kept = self._kept_starts.get((org_id, host, pid, said))
        if kept is not None:
            return kept
        return entry.start if entry is not None and entry.said == said else said

    def _note_text(
        self, org: int, host: int, pid: int, start: int, version: int, hour: int, description: ProcessDescription
    ) -> None:
        tag_set, day = tag_set_of(description.tags), hour * HOUR_SECONDS // DAY_SECONDS
        self._descriptions.append(_Text(org, hour, start, host, pid, version, tag_set, description))
        if (org, tag_set, day) not in self._written.tag_sets:
            self._new_tag_sets[org, tag_set, day] = description.tags

    def _note_label_set(self, org: int, label_set: int, hour: int, description: ProcessDescription) -> None:
        entry = (org, label_set, hour * HOUR_SECONDS // DAY_SECONDS)
        if entry not in self._written.label_sets:
            self._new_label_sets[entry] = description

    def tables(self) -> list[tuple[str, pa.Table]]:
        """In the order in which they must be stored: a sighting never lacks its text, its tags or its host's name."""
        tables = [
            ("hosts", self._hosts_table()),
            ("tag_sets", self._tag_sets_table()),
            ("label_sets", self._label_sets_table()),
            ("descriptions", self._descriptions_table()),
            ("snapshots", self._snapshots_table()),
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
            self._written.tag_sets.update(self._new_tag_sets)
            self._written.label_sets.update(self._new_label_sets)
            self._written.hosts.update(self._new_hosts)
            self._written.forget_before(self._newest_hour)

    def _snapshots_table(self) -> pa.Table:
        offsets = pa.array(self._offsets, pa.int32())

        def arrays(values: pa.Array) -> pa.ListArray:
            return pa.ListArray.from_arrays(offsets, values)

        types = {"org": pa.uint32(), "at": pa.uint32(), "host": pa.uint64(), "request": pa.uint64()}
        types |= {"split_id": pa.int32(), "chunk_count": pa.uint32(), "received_at": pa.uint32()}
        columns = {name: pa.array(values, types[name]) for name, values in self._snapshots.items()}
        for name, type_ in (
            ("pid", pa.uint32()),
            ("start", pa.uint32()),
            ("version", pa.uint64()),
            ("label_set", pa.uint64()),
        ):
            columns[name] = arrays(pa.array(self._arrays[name], type_))
        columns |= {name: arrays(values) for name, values in number_columns(self._numbers).items()}
        return pa.table(columns)

    def _descriptions_table(self) -> pa.Table:
        rows = self._descriptions
        texts = [row.description for row in rows]

        def absent(values: Iterable[int | None]) -> pa.Array:
            return pa.array([-1 if value is None else value for value in values], pa.int64())

        return pa.table(
            {
                "org": pa.array([row.org for row in rows], pa.uint32()),
                "hour": pa.array([row.hour for row in rows], pa.uint32()),
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
                "tag_set": pa.array([row.tag_set for row in rows], pa.uint64()),
                "text": pa.array([searchable(text) for text in texts], pa.string()),
                "own_tags": _own_tags(texts),
            }
        )

    def _tag_sets_table(self) -> pa.Table:
        return pa.table(
            {
                "org": pa.array([org for org, _, _ in self._new_tag_sets], pa.uint32()),
                "tag_set": pa.array([tag_set for _, tag_set, _ in self._new_tag_sets], pa.uint64()),
                "day": pa.array([day for _, _, day in self._new_tag_sets], pa.uint32()),
                "tags": pa.array([list(tags) for tags in self._new_tag_sets.values()], pa.list_(pa.string())),
                "folded": pa.array(
                    [[fold(tag) for tag in tags] for tags in self._new_tag_sets.values()], pa.list_(pa.string())
                ),
            }
        )

    def _label_sets_table(self) -> pa.Table:
        texts = list(self._new_label_sets.values())
        return pa.table(
            {
                "org": pa.array([org for org, _, _ in self._new_label_sets], pa.uint32()),
                "label_set": pa.array([label_set for _, label_set, _ in self._new_label_sets], pa.uint64()),
                "day": pa.array([day for _, _, day in self._new_label_sets], pa.uint32()),
                **{
                    name: pa.array([getattr(text, name) for text in texts], pa.string())
                    for name in ("command", "user", "container_id")
                },
                "is_zombie": pa.array([text.is_zombie for text in texts], pa.bool_()),
                "tag_set": pa.array([tag_set_of(text.tags) for text in texts], pa.uint64()),
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
