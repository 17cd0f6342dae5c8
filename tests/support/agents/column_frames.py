"""Messages of columns as a server reads them, and the same snapshots in Datadog's format."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from procession.packed import PackedProcess, PackedSnapshot
from procession.process import Snapshot
from procession.wire.columns import layout
from procession.wire.columns.decoder import ColumnsDecoder
from procession.wire.datadog import ContainerInfo, Limits, MessageType, SnapshotDecoder, SnapshotEncoder, frame
from tests.support.builders import NOON

MAX_BYTES = 2**24

Facts = dict[tuple[int, int], tuple[PackedProcess, bytes]]


def read(
    decoder: ColumnsDecoder,
    data: bytes,
    *,
    tags: Iterable[str] = (),
    org_id: int = 7,
    request_id: int = 0,
    taken_at: int = NOON,
) -> PackedSnapshot:
    """What a server makes of it."""
    head = layout.decode_head(data)
    body = layout.decode_body(data, MAX_BYTES)
    return decoder.decode(head, body, taken_at=taken_at, request_id=request_id, host_tags=lambda _: tags, org_id=org_id)


def facts_of(snapshot: PackedSnapshot) -> Facts:
    listed = zip(snapshot.listing.processes, snapshot.rows(), strict=True)
    found = {(one.pid, one.started_at): (one, row) for one, row in listed}
    assert len(found) == len(snapshot)
    return found


def datadog_facts(
    snapshot: Snapshot, *, tags: Iterable[str] = (), containers: Callable[[str], ContainerInfo] | None = None
) -> Facts:
    """What a server makes of the same snapshot in Datadog's format."""
    decoder = SnapshotDecoder(Limits())
    found: Facts = {}
    for body in SnapshotEncoder(containers).encode(snapshot, max_processes=10_000):
        framed = frame.decode(frame.encode(MessageType.PROCESSES, body))
        found |= facts_of(decoder.decode(framed, taken_at=NOON, host_tags=lambda _: tags))
    return found
