"""What is kept in the log: chunks of snapshots and exits, as bytes and back."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from procession.lifecycle.events import ProcessExits
from procession.packed import ABSENT, NO_STATE, NUMBERS, ROW, PackedSighting, PackedSnapshot
from procession.process import ProcessDescription
from procession.storage.live.columns import NUMBERS_ROW
from procession.storage.wal import Entry, Record

SNAPSHOT: Final = 1
EXITS: Final = 2
"""Kinds of records; other numbers are of a newer version."""

_LENGTH_BYTES = 4
_CODEC = pa.Codec("zstd", compression_level=1)
_NAMES = ProcessDescription.__struct_fields__
_values_of = msgspec.structs.astuple
_encode = msgspec.msgpack.Encoder().encode


class _Columns(msgspec.Struct, array_like=True):
    """A chunk: what each sighting has, column by column."""

    host: str
    taken_at: int
    request_id: int
    split_id: int
    chunk_count: int
    pids: list[int]
    starts: list[int]
    characters: list[int]
    numbers: bytes
    """The rows of all, end to end."""
    names: tuple[str, ...]
    """What the values of a description are."""
    descriptions: list[tuple[object, ...]]
    row: str = ""
    """Name and type of each number in a row, as `NUMBERS` has them, and of the state. Versions that did not say so had
    the rows of the first one that did."""


_ROW: Final = ",".join(f"{name}:{kind}" for name, kind in (*NUMBERS, ("state", "u1")))

_decode_columns = msgspec.msgpack.Decoder(_Columns).decode
_decode_exits = msgspec.msgpack.Decoder(ProcessExits).decode


def snapshot_entry(org_id: int, snapshot: PackedSnapshot, received_at: int) -> Entry:
    sightings = snapshot.sightings
    columns = _Columns(
        snapshot.host,
        snapshot.taken_at,
        snapshot.request_id,
        snapshot.split_id,
        snapshot.chunk_count,
        [one.pid for one in sightings],
        [one.started_at for one in sightings],
        [one.characters for one in sightings],
        b"".join([one.numbers for one in sightings]),
        _NAMES,
        [_values_of(one.description) for one in sightings],
        _ROW,
    )
    return Entry(org_id, SNAPSHOT, received_at, _compressed(_encode(columns)))


def exits_entry(org_id: int, exits: ProcessExits, received_at: int) -> Entry:
    return Entry(org_id, EXITS, received_at, _compressed(_encode(exits)))


def snapshot_in(record: Record) -> PackedSnapshot:
    """Numbers that a row does not have are not known; those that this version does not have are left out. Raises
    ValueError for what is no chunk."""
    columns = _decode_columns(_decompressed(record.payload))
    numbers = columns.numbers if columns.row in ("", _ROW) else _in_our_rows(columns.numbers, columns.row)
    if len(numbers) != len(columns.pids) * ROW.size:
        raise ValueError("its numbers are not those of its processes")
    descriptions: dict[tuple[object, ...], ProcessDescription] = {}
    sightings = []
    for index, (pid, start, characters, values) in enumerate(
        zip(columns.pids, columns.starts, columns.characters, columns.descriptions, strict=True)
    ):
        hashable = tuple(tuple(value) if isinstance(value, list) else value for value in values)
        description = descriptions.get(hashable)
        if description is None:
            fields = dict(zip(columns.names, hashable, strict=True))
            description = descriptions[hashable] = msgspec.convert(fields, ProcessDescription)
        own = numbers[index * ROW.size : (index + 1) * ROW.size]
        sightings.append(PackedSighting(pid, start, description, own, characters))
    return PackedSnapshot(
        host=columns.host,
        taken_at=columns.taken_at,
        sightings=tuple(sightings),
        request_id=columns.request_id,
        split_id=columns.split_id,
        chunk_count=columns.chunk_count,
    )


def _in_our_rows(numbers: bytes, row: str) -> bytes:
    """Of rows that another version wrote."""
    try:
        columns = [(name, f"<{kind}") for name, _, kind in (column.partition(":") for column in row.split(","))]
        theirs = np.frombuffer(numbers, np.dtype(columns))
    except (TypeError, SyntaxError) as error:
        raise ValueError(f"its numbers are called {row!r}: {error}") from error
    ours = np.full(len(theirs), np.array((*(ABSENT for _ in NUMBERS), NO_STATE), NUMBERS_ROW))
    for name in set(NUMBERS_ROW.names or ()).intersection(theirs.dtype.names or ()):
        ours[name] = theirs[name]
    return ours.tobytes()


def exits_in(record: Record) -> ProcessExits:
    """Raises ValueError for what is none."""
    return _decode_exits(_decompressed(record.payload))


def _compressed(data: bytes) -> bytes:
    compressed: bytes = _CODEC.compress(data, asbytes=True)
    return len(data).to_bytes(_LENGTH_BYTES, "little") + compressed


def _decompressed(payload: bytes) -> bytes:
    length = int.from_bytes(payload[:_LENGTH_BYTES], "little")
    try:
        data: bytes = _CODEC.decompress(payload[_LENGTH_BYTES:], decompressed_size=length, asbytes=True)
    except OSError as error:
        raise ValueError(str(error)) from error
    return data
