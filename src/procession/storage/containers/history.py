"""The table `containers`: a row for each container and minute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from procession.analysis import TimeSeries
from procession.analysis.all_cpus import CpusOfHosts, over_all_cpus
from procession.analysis.process_metrics import COUNT
from procession.containers.container import (
    COUNTS,
    FLOATS,
    NO_NUMBERS,
    NUMBERS,
    Container,
    ContainerNumbers,
    ContainerSnapshot,
    ContainerStats,
)
from procession.containers.history import ContainerHistory, GroupOf
from procession.containers.presence import REACH_SECONDS, FoundContainer, present
from procession.errors import InvalidRequest
from procession.process import MAX_UINT32
from procession.search.tag_filter import EVERYTHING, TagFilter
from procession.storage.containers.groups import ContainerMinutes, grouped_over_time
from procession.storage.history.engine.connection import ConnectionPool
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.engine.statement import Statement, encodable
from procession.text.characters import encodable as storable
from procession.window import Window

MAX_FOUND: Final = 100_000
"""Containers in one answer."""

MAX_DEFINITIONS: Final = 10_000
"""Of a container, among which it is looked for those with some tags."""

MAX_ROWS: Final = 1_000_000
"""Minutes of containers that an answer over time looks at."""

_ABSENT: Final = -1
_INSERTED_ROWS: Final = 20_000
_TYPES: Final = {
    "org": pa.uint32(),
    "minute": pa.uint32(),
    "host": pa.string(),
    "container": pa.string(),
    "at": pa.uint32(),
    "definition": pa.string(),
    **dict.fromkeys(FLOATS, pa.float32()),
    **dict.fromkeys(COUNTS, pa.int64()),
}
_COLUMNS: Final = ", ".join(NUMBERS)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Container).decode


class ClickHouseContainers:
    """A ContainerStore. Live numbers are not kept."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def add(self, snapshots: Sequence[tuple[int, ContainerSnapshot]]) -> None:
        newest: dict[tuple[int, int, str, str], tuple[int, Container]] = {}
        for org_id, snapshot in snapshots:
            for one in snapshot.containers:
                key = org_id, snapshot.taken_at // 60, snapshot.host, one.container_id
                if key not in newest or newest[key][0] <= snapshot.taken_at:
                    newest[key] = snapshot.taken_at, one
        rows = [_row(*key, *newest[key]) for key in sorted(newest)]
        for begin in range(0, len(rows), _INSERTED_ROWS):
            some = rows[begin : begin + _INSERTED_ROWS]
            columns = {
                name: pa.array([row[place] for row in some], kind) for place, (name, kind) in enumerate(_TYPES.items())
            }
            with unavailable_on_failure(), self._pool.connection() as connection:
                connection.insert_arrow("containers", pa.table(columns))

    def add_stats(self, stats: Sequence[tuple[int, ContainerStats]]) -> None:
        """They are of seconds, and the rows of minutes."""

    def present(self, org_id: int, at: int) -> tuple[FoundContainer, ...]:
        last = min(max(at, 0), MAX_UINT32) // 60
        rows = self._rows(
            f"SELECT host, at, definition, {_COLUMNS} FROM containers WHERE org = {{org:UInt32}}"
            " AND minute >= {first:UInt32} AND minute <= {last:UInt32} ORDER BY minute DESC, at DESC"
            f" LIMIT 1 BY host, container LIMIT {MAX_FOUND + 1}",
            {"org": org_id, "first": max(last - REACH_SECONDS // 60, 0), "last": last},
        )
        if len(rows) > MAX_FOUND:
            raise InvalidRequest(f"There are more than {MAX_FOUND} containers")
        return present(
            FoundContainer(host, seen_at, _container(definition, values)) for host, seen_at, definition, *values in rows
        )

    def history(
        self,
        org_id: int,
        host: str,
        container_id: str,
        window: Window,
        step_seconds: int,
        tags: TagFilter = EVERYTHING,
    ) -> ContainerHistory:
        told = (
            "org = {org:UInt32} AND minute >= {first:UInt32} AND minute <= {last:UInt32}"
            " AND host = {host:String} AND container = {container:String}"
        )
        parameters = {
            "org": org_id,
            "host": encodable(host),
            "container": encodable(container_id),
            "first": max(window.from_at, 0) // 60,
            "last": min(max(window.to_at, 0), MAX_UINT32) // 60,
            "step": max(step_seconds // 60, 1),
        }
        is_meant = ""
        if tags.conditions:
            is_meant = " WHERE has({meant:Array(UInt64)}, hash)"
            parameters["meant"] = self._definitions_with(tags, told, parameters)
        means = ", ".join(
            f"ifNull(avg(if({name} < 0, NULL, toFloat64({name}))), {_ABSENT}) AS mean_of_{name}" for name in NUMBERS
        )
        rows = self._rows(
            f"SELECT intDiv(minute, {{step:UInt32}}) * {{step:UInt32}} AS begin, {means} FROM ("
            f"SELECT minute, {_COLUMNS}, cityHash64(definition) AS hash FROM containers WHERE {told}"
            f" ORDER BY minute, at DESC LIMIT 1 BY minute){is_meant} GROUP BY begin ORDER BY begin",
            parameters,
        )
        columns = list(zip(*rows, strict=True)) if rows else [()] * (len(NUMBERS) + 1)
        return ContainerHistory(
            step_seconds=max(step_seconds // 60, 1) * 60,
            times=tuple(int(begin) * 60 for begin in columns[0]),
            numbers={
                name: tuple(None if value < 0 else float(value) for value in values)
                for name, values in zip(NUMBERS, columns[1:], strict=True)
            },
        )

    def _definitions_with(self, tags: TagFilter, told: str, parameters: dict[str, Any]) -> list[int]:
        """Their hashes."""
        rows = self._rows(
            "SELECT cityHash64(definition) AS hash, any(definition) FROM containers"
            f" WHERE {told} GROUP BY hash LIMIT {MAX_DEFINITIONS}",
            parameters,
        )
        return [hashed for hashed, definition in rows if tags.accepts(_decode(definition).tags)]

    def timeseries(
        self,
        org_id: int,
        times: Sequence[int],
        measures: Sequence[str],
        rank: str,
        limit: int,
        group_of: GroupOf,
        cpus: CpusOfHosts | None = None,
    ) -> TimeSeries:
        condition, parameters = _told_in(org_id, times)
        # Each shard gives what it has by itself: one count, and the definitions of its own hosts.
        rows = sum(count for (count,) in self._rows(f"SELECT count() FROM containers WHERE {condition}", parameters))
        if rows > MAX_ROWS:
            times = times[:: -(-rows // MAX_ROWS)]
            condition, parameters = _told_in(org_id, times)
        found_definitions = self._rows(
            "SELECT cityHash64(definition) AS hash, any(definition) FROM containers"
            f" WHERE {condition} GROUP BY hash LIMIT {MAX_FOUND + 1}",
            parameters,
        )
        known = sorted(dict(found_definitions).items())
        if len(known) > MAX_FOUND:
            raise InvalidRequest(f"There are more than {MAX_FOUND} containers in the window; ask for a shorter one")
        names = sorted({*measures, rank} - {COUNT})
        hosts = () if cpus is None else ("host",)
        statement = Statement(
            f"SELECT {', '.join(('minute', 'hash', *hosts, *names))} FROM ("
            f"SELECT {', '.join(('minute', 'at', 'host', 'container', *names))}, cityHash64(definition) AS hash"
            f" FROM containers WHERE {condition} ORDER BY at DESC LIMIT 1 BY minute, host, container)",
            parameters,
        )
        with unavailable_on_failure(), self._pool.connection() as connection:
            found = connection.run_arrow(statement)
        told = {name: found[name].to_numpy() for name in ("minute", "hash", *names)}
        if cpus is not None:
            told = _over_all_cpus(told, found["host"], cpus)
        hashes = np.array([one for one, _ in known], np.uint64)
        # What was told for the first time since the definitions were read is not known yet.
        is_known = np.isin(told["hash"], hashes)
        told = {name: values[is_known] for name, values in told.items()}
        minutes = ContainerMinutes(
            times,
            np.searchsorted(np.array([_minute_before(at) for at in times]), told["minute"]),
            np.searchsorted(hashes, told["hash"]),
            {name: told[name] for name in names},
        )
        groups = [group_of(_decode(definition)) for _, definition in known]
        return grouped_over_time(minutes, groups, measures, rank, limit)

    def _rows(self, text: str, parameters: dict[str, Any]) -> Sequence[Any]:
        with unavailable_on_failure(), self._pool.connection() as connection:
            rows: Sequence[Any] = connection.query(text, parameters).result_rows
            return rows


def _over_all_cpus(columns: dict[str, Any], hosts: Any, cpus: CpusOfHosts) -> dict[str, Any]:
    encoded = pc.dictionary_encode(pa.array(hosts.to_pylist(), pa.string()))
    counts = [cpus.get(name, 0) for name in encoded.dictionary.to_pylist()]
    return over_all_cpus(columns, encoded.indices.to_numpy(), counts)


def _minute_before(at: int) -> int:
    """The last that was over then."""
    return min(max(at // 60 - 1, 0), MAX_UINT32)


def _told_in(org_id: int, times: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """A condition: what was told in the minutes before these instants."""
    first, last = _minute_before(times[0]), _minute_before(times[-1])
    step = (last - first) // max(len(times) - 1, 1) or 1
    condition = (
        "org = {org:UInt32} AND minute >= {first:UInt32} AND minute <= {last:UInt32}"
        " AND modulo(minute - {first:UInt32}, {step:UInt32}) = 0"
    )
    return condition, {"org": org_id, "first": first, "last": last, "step": step}


def _row(org_id: int, minute: int, host: str, container_id: str, at: int, container: Container) -> tuple[Any, ...]:
    definition = _encode(msgspec.structs.replace(container, numbers=NO_NUMBERS)).decode()
    numbers = (_ABSENT if value is None else value for value in msgspec.structs.astuple(container.numbers))
    return (org_id, minute, storable(host), storable(container_id), at, definition, *numbers)


def _container(definition: str, values: Iterable[Any]) -> Container:
    numbers = {name: value for name, value in zip(NUMBERS, values, strict=True) if value >= 0}
    return msgspec.structs.replace(_decode(definition), numbers=ContainerNumbers(**numbers))
