"""What is kept in the log: chunks of snapshots and exits, as bytes and back."""

from __future__ import annotations

import struct
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from procession.containers.container import ContainerSnapshot
from procession.lifecycle.events import ProcessExits
from procession.packed import ABSENT, NO_STATE, NUMBERS, ROW, Listing, PackedProcess, PackedSnapshot
from procession.process import ProcessDescription
from procession.storage.live.columns import NUMBERS_ROW
from procession.storage.wal import Entry, Record

WHOLE_SNAPSHOT: Final = 1
"""As it was written before processes and numbers were apart. Read, and not written."""
EXITS: Final = 2
SNAPSHOT: Final = 3
CONTAINERS: Final = 4
"""Kinds of records; other numbers are of a newer version."""

NEWEST_KIND: Final = CONTAINERS

_LENGTH_BYTES = 4
_LENGTHS = struct.Struct("<II")
_CODEC = pa.Codec("zstd", compression_level=1)
_NAMES = ProcessDescription.__struct_fields__
_ROW: Final = ",".join(f"{name}:{kind}" for name, kind in (*NUMBERS, ("state", "u1")))
_FIRST_ROW: Final = (
    "cpu_total_percent:f4,cpu_user_percent:f4,cpu_system_percent:f4,rss_bytes:i8,vms_bytes:i8,"
    "shared_bytes:i8,swap_bytes:i8,threads:i4,open_files:i4,read_bytes_per_second:f4,"
    "write_bytes_per_second:f4,read_operations_per_second:f4,write_operations_per_second:f4,"
    "voluntary_switches:i8,involuntary_switches:i8,state:u1"
)
"""Of those that did not say yet what is in a row."""
_values_of = msgspec.structs.astuple
_encode = msgspec.msgpack.Encoder().encode


class _Head(msgspec.Struct, array_like=True):
    """What a chunk has besides its processes."""

    host: str
    taken_at: int
    request_id: int
    split_id: int
    chunk_count: int
    row: str
    """Name and type of each number in a row, as `NUMBERS` has them, and of the state."""


class _Columns(msgspec.Struct, array_like=True):
    """What a chunk lists, column by column."""

    pids: list[int]
    starts: list[int]
    characters: list[int]
    names: tuple[str, ...]
    """What the values of a description are."""
    descriptions: list[tuple[object, ...]]


class _Whole(msgspec.Struct, array_like=True):
    """A WHOLE_SNAPSHOT."""

    host: str
    taken_at: int
    request_id: int
    split_id: int
    chunk_count: int
    pids: list[int]
    starts: list[int]
    characters: list[int]
    numbers: bytes
    names: tuple[str, ...]
    descriptions: list[tuple[object, ...]]
    row: str = ""
    """Versions that did not say so had `_FIRST_ROW`."""


Listings = dict[bytes, Listing]
"""Of records that were read before, by their bytes."""

_MOST_LISTINGS = 500

_MOST_CHARACTERS = 128 * 2**20
"""Of those that are remembered, in all: more than so many of hosts with 300 processes have."""

_PROCESS_CHARACTERS = 100
"""What a process without any texts counts for."""

_decode_head = msgspec.msgpack.Decoder(_Head).decode
_decode_columns = msgspec.msgpack.Decoder(_Columns).decode
_decode_whole = msgspec.msgpack.Decoder(_Whole).decode
_decode_exits = msgspec.msgpack.Decoder(ProcessExits).decode
_decode_containers = msgspec.msgpack.Decoder(ContainerSnapshot).decode


def snapshot_entry(org_id: int, snapshot: PackedSnapshot, received_at: int) -> Entry:
    """Head, listing and numbers, the first two with their length before them. The listing is mostly that of the
    snapshot before, and then its bytes are there already."""
    listing = snapshot.listing
    if listing.encoded is None:
        listing.encoded = _encoded(listing)
    head = _encode(
        _Head(snapshot.host, snapshot.taken_at, snapshot.request_id, snapshot.split_id, snapshot.chunk_count, _ROW)
    )
    lengths = _LENGTHS.pack(len(head), len(listing.encoded))
    payload = b"".join((lengths, head, listing.encoded, _compressed(snapshot.numbers)))
    return Entry(org_id, SNAPSHOT, received_at, payload)


def _encoded(listing: Listing) -> bytes:
    processes = listing.processes
    columns = _Columns(
        listing.pids.tolist(),
        listing.starts.tolist(),
        [one.characters for one in processes],
        _NAMES,
        [_values_of(one.description) for one in processes],
    )
    return _compressed(_encode(columns))


def exits_entry(org_id: int, exits: ProcessExits, received_at: int) -> Entry:
    return Entry(org_id, EXITS, received_at, _compressed(_encode(exits)))


def containers_entry(org_id: int, snapshot: ContainerSnapshot, received_at: int) -> Entry:
    return Entry(org_id, CONTAINERS, received_at, _compressed(_encode(snapshot)))


def snapshot_in(record: Record, listings: Listings | None = None) -> PackedSnapshot:
    """Of a SNAPSHOT or WHOLE_SNAPSHOT. Numbers that a row does not have are not known; those that this version does not
    have are left out. `listings` remembers what many records have in common. Raises ValueError for what is no chunk."""
    if record.kind == WHOLE_SNAPSHOT:
        whole = _decode_whole(_decompressed(record.payload))
        head = _Head(whole.host, whole.taken_at, whole.request_id, whole.split_id, whole.chunk_count, whole.row)
        listing = _listing_of(_Columns(whole.pids, whole.starts, whole.characters, whole.names, whole.descriptions))
        return _snapshot_of(head, listing, whole.numbers)
    payload = record.payload
    if len(payload) < _LENGTHS.size:
        raise ValueError("it is too short")
    head_bytes, listing_bytes = _LENGTHS.unpack_from(payload)
    listing_at = _LENGTHS.size + head_bytes
    numbers_at = listing_at + listing_bytes
    head = _decode_head(payload[_LENGTHS.size : listing_at])
    listing = _listing_in(payload[listing_at:numbers_at], {} if listings is None else listings)
    return _snapshot_of(head, listing, _decompressed(payload[numbers_at:]))


def _snapshot_of(head: _Head, listing: Listing, numbers: bytes) -> PackedSnapshot:
    row = head.row or _FIRST_ROW
    if row != _ROW:
        numbers = _in_our_rows(numbers, row)
    if len(numbers) != len(listing) * ROW.size:
        raise ValueError("its numbers are not those of its processes")
    return PackedSnapshot(
        host=head.host,
        taken_at=head.taken_at,
        listing=listing,
        numbers=numbers,
        request_id=head.request_id,
        split_id=head.split_id,
        chunk_count=head.chunk_count,
    )


def _listing_in(data: bytes, listings: Listings) -> Listing:
    found = listings.get(data)
    if found is None:
        found = _listing_of(_decode_columns(_decompressed(data)))
        if len(listings) >= _MOST_LISTINGS or sum(map(_size_of, listings.values()), _size_of(found)) > _MOST_CHARACTERS:
            listings.clear()
        listings[data] = found
    return found


def _size_of(listing: Listing) -> int:
    return listing.characters + _PROCESS_CHARACTERS * len(listing)


def _listing_of(columns: _Columns) -> Listing:
    descriptions: dict[tuple[object, ...], ProcessDescription] = {}
    processes = []
    for pid, start, characters, values in zip(
        columns.pids, columns.starts, columns.characters, columns.descriptions, strict=True
    ):
        hashable = tuple([_hashable(value) if isinstance(value, list) else value for value in values])
        description = descriptions.get(hashable)
        if description is None:
            fields = dict(zip(columns.names, hashable, strict=True))
            description = descriptions[hashable] = msgspec.convert(fields, ProcessDescription)
        processes.append(PackedProcess(pid, start, description, characters))
    return Listing(tuple(processes))


def _hashable(values: list[object]) -> tuple[object, ...]:
    return tuple([_hashable(value) if isinstance(value, list) else value for value in values])


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


def containers_in(record: Record) -> ContainerSnapshot:
    """Raises ValueError for what is none."""
    return _decode_containers(_decompressed(record.payload))


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
