"""Rows of an insert as Arrow tables: one function for each table of `tables/migrations`."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from procession.lifecycle.events import ProcessExits
from procession.packed import PackedSnapshot, pack_numbers
from procession.process import ExitCost, LiveSnapshot, ProcessDescription, generated_tags, host_key
from procession.search.pattern import fold
from procession.storage.history.tables.columns import discovery_text, number_columns, searchable, searched_of
from procession.storage.history.tables.constants import NO_NICE, TRUTHS
from procession.storage.history.tables.hashes import Remembered, Tagged, tag_set_of, tagged_of


class TagSetRow(NamedTuple):
    org: int
    tag_set: int
    day: int


class LabelSetRow(NamedTuple):
    org: int
    label_set: int
    day: int


class HostRow(NamedTuple):
    org: int
    host: int
    day: int


class DescriptionRow(NamedTuple):
    org: int
    hour: int
    start: int
    host: int
    pid: int
    version: int
    tag_set: int
    description: ProcessDescription


class SnapshotColumns:
    """The rows of `snapshots`, column by column: arrays of all chunks follow each other, cut by offsets."""

    def __init__(self) -> None:
        self._pids = array("I")
        self._starts = array("I")
        self._versions = array("Q")
        self._label_sets = array("Q")
        self._numbers: list[bytes] = []
        self._offsets = [0]
        self._chunks: list[_ChunkRow] = []

    def add_processes(self, starts: array[int], versions: array[int], label_sets: array[int]) -> None:
        """What is kept of the processes of a chunk, to be ended by `end_chunk`."""
        self._starts.extend(starts)
        self._versions.extend(versions)
        self._label_sets.extend(label_sets)

    def end_chunk(self, org_id: int, host: int, snapshot: PackedSnapshot, received_at: int) -> None:
        self._pids.extend(snapshot.listing.pids)
        self._numbers.append(snapshot.numbers)
        self._offsets.append(len(self._pids))
        self._chunks.append(
            _ChunkRow(
                org_id,
                snapshot.taken_at,
                host,
                snapshot.request_id,
                snapshot.split_id,
                snapshot.chunk_count,
                received_at,
            )
        )

    def table(self) -> pa.Table:
        offsets = pa.array(self._offsets, pa.int32())
        arrays = {
            "pid": pa.array(np.frombuffer(self._pids, np.uint32)),
            "start": pa.array(np.frombuffer(self._starts, np.uint32)),
            "version": pa.array(np.frombuffer(self._versions, np.uint64)),
            "label_set": pa.array(np.frombuffer(self._label_sets, np.uint64)),
        } | number_columns(self._numbers)
        columns = {name: pa.array([getattr(row, name) for row in self._chunks], type_) for name, type_ in _CHUNK_TYPES}
        columns |= {name: pa.ListArray.from_arrays(offsets, values) for name, values in arrays.items()}
        return pa.table(columns)


class _ChunkRow(NamedTuple):
    org: int
    at: int
    host: int
    request: int
    split_id: int
    chunk_count: int
    received_at: int


_CHUNK_TYPES = (
    ("org", pa.uint32()),
    ("at", pa.uint32()),
    ("host", pa.uint64()),
    ("request", pa.uint64()),
    ("split_id", pa.int32()),
    ("chunk_count", pa.uint32()),
    ("received_at", pa.uint32()),
)


def descriptions(rows: Sequence[DescriptionRow]) -> pa.Table:
    texts = [row.description for row in rows]
    searched = Remembered(searchable)

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
            "discovery": pa.array([discovery_text(text.discovery) for text in texts], pa.string()),
            "text": pa.array([searched[searched_of(text)] for text in texts], pa.string()),
            "own_tags": _own_tags(texts),
        }
    )


def tag_sets(rows: Mapping[TagSetRow, Tagged]) -> pa.Table:
    tag_lists, discovered = [tags for tags, _ in rows.values()], [found for _, found in rows.values()]
    return pa.table(
        {
            "org": pa.array([row.org for row in rows], pa.uint32()),
            "tag_set": pa.array([row.tag_set for row in rows], pa.uint64()),
            "day": pa.array([row.day for row in rows], pa.uint32()),
            "tags": pa.array(tag_lists, pa.list_(pa.string())),
            "folded": pa.array([[fold(tag) for tag in tags] for tags in tag_lists], pa.list_(pa.string())),
            "discovered": pa.array(discovered, pa.list_(pa.string())),
        }
    )


def label_sets(rows: Mapping[LabelSetRow, ProcessDescription]) -> pa.Table:
    texts = list(rows.values())
    return pa.table(
        {
            "org": pa.array([row.org for row in rows], pa.uint32()),
            "label_set": pa.array([row.label_set for row in rows], pa.uint64()),
            "day": pa.array([row.day for row in rows], pa.uint32()),
            **{
                name: pa.array([getattr(text, name) for text in texts], pa.string())
                for name in ("command", "user", "container_id")
            },
            "is_zombie": pa.array([text.is_zombie for text in texts], pa.bool_()),
            "tag_set": pa.array([tag_set_of(tagged_of(text)) for text in texts], pa.uint64()),
            "own_tags": _own_tags(texts),
        }
    )


def hosts(rows: Mapping[HostRow, str]) -> pa.Table:
    names = list(rows.values())
    return pa.table(
        {
            "org": pa.array([row.org for row in rows], pa.uint32()),
            "host": pa.array([row.host for row in rows], pa.uint64()),
            "day": pa.array([row.day for row in rows], pa.uint32()),
            "name": pa.array(names, pa.string()),
            "folded": pa.array([fold(name) for name in names], pa.string()),
        }
    )


def live_numbers(chunks: Sequence[tuple[int, LiveSnapshot]], *, received_at: int) -> pa.Table:
    """Of (org id, chunk)."""
    snapshots = [snapshot for _, snapshot in chunks]
    columns = {
        "org": pa.array([org_id for org_id, _ in chunks], pa.uint32()),
        "at": pa.array([one.taken_at for one in snapshots], pa.uint32()),
        "host": pa.array([host_key(one.host) for one in snapshots], pa.uint64()),
        "request": pa.array([one.request_id for one in snapshots], pa.uint64()),
    }

    processes = [one for snapshot in snapshots for one in snapshot.processes]
    offsets = pa.array([0, *accumulate(len(snapshot.processes) for snapshot in snapshots)], pa.int32())
    arrays = {
        "pid": pa.array([one.pid for one in processes], pa.uint32()),
        "start": pa.array([one.started_at for one in processes], pa.uint32()),
    } | number_columns(pack_numbers(one.numbers) for one in processes)
    columns |= {name: pa.ListArray.from_arrays(offsets, values) for name, values in arrays.items()}
    columns["received_at"] = pa.array([received_at] * len(chunks), pa.uint32())
    return pa.table(columns)


def exits(reported: Sequence[tuple[int, ProcessExits]]) -> pa.Table:
    """Of (org id, exits of a host)."""
    rows = [(org_id, host_key(of_host.host), one) for org_id, of_host in reported for one in of_host.exits]
    return pa.table(
        {
            "org": pa.array([org_id for org_id, _, _ in rows], pa.uint32()),
            "host": pa.array([host for _, host, _ in rows], pa.uint64()),
            "pid": pa.array([one.pid for _, _, one in rows], pa.uint32()),
            "at": pa.array([one.at for _, _, one in rows], pa.uint32()),
            "executed_at": pa.array([one.executed_at or 0 for _, _, one in rows], pa.uint32()),
            "exit_code": pa.array([one.exit_code for _, _, one in rows], pa.int32()),
            "oom_killed": pa.array([TRUTHS[one.facts.oom_killed] for _, _, one in rows], pa.uint8()),
            "oom_cgroup": pa.array([one.facts.oom_cgroup for _, _, one in rows], pa.string()),
            **_costs([one.facts.cost or _UNKNOWN_COST for _, _, one in rows]),
        }
    )


_UNKNOWN_COST = ExitCost(is_final=False)


def _costs(costs: Sequence[ExitCost]) -> dict[str, pa.Array]:
    def numbers(name: str, kind: pa.DataType) -> pa.Array:
        values = (getattr(cost, name) for cost in costs)
        return pa.array([-1 if value is None else value for value in values], kind)

    return {
        **{name: numbers(name, pa.float64()) for name in ("cpu_user_seconds", "cpu_system_seconds")},
        **{name: numbers(name, pa.int64()) for name in ("peak_rss_bytes", "read_bytes", "written_bytes")},
        "is_cost_final": pa.array([cost.is_final for cost in costs], pa.bool_()),
    }


def _own_tags(texts: Iterable[ProcessDescription]) -> pa.Array:
    folded: dict[tuple[str, str, bool], list[str]] = {}
    found = []
    for text in texts:
        key = text.user, text.command, text.is_zombie
        tags = folded.get(key)
        if tags is None:
            tags = folded[key] = [fold(tag) for tag in generated_tags("", text)[1:]]
        found.append(tags)
    return pa.array(found, pa.list_(pa.string()))
