"""Packed snapshots as `Snapshot`s, so that a test can compare them."""

from __future__ import annotations

import struct

from procession.packed import NUMBERS, AnySnapshot, numbers_from
from procession.process import ProcessNumbers, Sighting, Snapshot

_ROW = struct.Struct("<" + "".join({"f4": "f", "i4": "i", "i8": "q"}[dtype] for _, dtype in NUMBERS) + "B")


def unpack(snapshot: AnySnapshot) -> Snapshot:
    if isinstance(snapshot, Snapshot):
        return snapshot
    return Snapshot(
        host=snapshot.host,
        taken_at=snapshot.taken_at,
        sightings=tuple(
            Sighting(one.pid, one.started_at, one.description, unpack_numbers(row))
            for one, row in zip(snapshot.listing.processes, snapshot.rows(), strict=True)
        ),
        request_id=snapshot.request_id,
        split_id=snapshot.split_id,
        chunk_count=snapshot.chunk_count,
    )


def unpack_numbers(row: bytes) -> ProcessNumbers:
    *values, state = _ROW.unpack(row)
    return numbers_from(values, state)
