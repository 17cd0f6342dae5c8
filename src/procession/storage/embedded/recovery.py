"""What a start reads out of the log."""

from __future__ import annotations

from procession.errors import UsageError
from procession.storage.containers.table import ContainerTable
from procession.storage.embedded.checkpoints import Checkpoints
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.embedded.log_records import (
    CONTAINERS,
    EXITS,
    SNAPSHOT,
    WHOLE_SNAPSHOT,
    Listings,
    containers_in,
    exits_in,
    snapshot_in,
)
from procession.storage.wal import ORG_REMOVED, Record, WriteAheadLog


def replay(
    log: WriteAheadLog, checkpoints: Checkpoints, queue: FlushQueue, containers: ContainerTable, *, flushed: int
) -> None:
    """Put what came after the checkpoint into its table, what there is of containers into theirs, and what is not in
    the history into the queue. What is there already changes nothing. Raises UsageError for a record that this version
    does not know."""
    listings: Listings = {}
    for record in log.read(min(checkpoints.position, flushed)):
        if record.kind == ORG_REMOVED:
            containers.forget_org(record.org_id)
        if record.kind == CONTAINERS:
            _take_containers(record, queue, containers, flushed)
        elif record.kind != ORG_REMOVED:
            _take(record, checkpoints, queue, flushed, listings)
        elif record.sequence > checkpoints.position:
            checkpoints.table.forget_org(record.org_id)
        checkpoints.applied = max(checkpoints.applied, record.sequence)


def _take_containers(record: Record, queue: FlushQueue, containers: ContainerTable, flushed: int) -> None:
    try:
        snapshot = containers_in(record)
    except ValueError as error:
        raise UsageError(f"record {record.sequence} of the log cannot be read by this version: {error}") from error
    if record.sequence > flushed:
        queue.put(record.sequence, record.org_id, snapshot)
    containers.put(record.org_id, snapshot)


def _take(record: Record, checkpoints: Checkpoints, queue: FlushQueue, flushed: int, listings: Listings) -> None:
    is_new_to_table = record.sequence > checkpoints.position
    try:
        if record.kind in (SNAPSHOT, WHOLE_SNAPSHOT):
            snapshot = snapshot_in(record, listings)
            if record.sequence > flushed:
                queue.put(record.sequence, record.org_id, snapshot)
            if is_new_to_table:
                checkpoints.table.apply([(record.org_id, snapshot)], needed_since=queue.since(record.org_id))
            return
        if record.kind == EXITS:
            exits = exits_in(record)
            if is_new_to_table:
                checkpoints.table.add_exits([(record.org_id, exits)])
            if record.sequence > flushed:
                queue.put(record.sequence, record.org_id, exits)
            return
    except ValueError as error:
        raise UsageError(f"record {record.sequence} of the log cannot be read by this version: {error}") from error
    raise UsageError(f"record {record.sequence} of the log is of kind {record.kind}, which a newer version writes")
