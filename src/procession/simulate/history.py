"""A fleet's past, written straight into a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from procession.process import Sighting, Snapshot
from procession.simulate.fleet import Fleet
from procession.simulate.host import Host
from procession.wire.datadog import RequestId

GROUP_SIGHTINGS = 100_000
"""How many sightings are stored at once: as many as a server under load does."""
CHUNK_PROCESSES = 100
"""How many processes a chunk has: as many as agents put into a payload."""

Add = Callable[[Sequence[tuple[int, Snapshot]]], None]


def write_history(
    add: Add, org_id: int, fleet: Fleet, until: int, *, report: Callable[[int, int], None] = lambda *_: None
) -> int:
    """Hand all snapshots before a moment to a store's `add`, and give the number of sightings.

    `report` is told of each group: how many sightings so far, and up to which moment.
    """
    group: list[tuple[int, Snapshot]] = []
    waiting = written = 0
    for step in fleet.steps(until):
        for chunk in chunks(step.host, step.snapshot):
            if waiting + len(chunk.sightings) > GROUP_SIGHTINGS:
                add(group)
                written += waiting
                group, waiting = [], 0
                report(written, step.snapshot.taken_at)
            group.append((org_id, chunk))
            waiting += len(chunk.sightings)
    if group:
        add(group)
        written += waiting
    report(written, until)
    return written


def chunks(host: Host, snapshot: Snapshot) -> Iterator[Snapshot]:
    """As they come out of the intake."""
    name, at, sightings = snapshot.host, snapshot.taken_at, snapshot.sightings
    parts: list[tuple[Sighting, ...]] = [
        sightings[begin : begin + CHUNK_PROCESSES] for begin in range(0, len(sightings), CHUNK_PROCESSES)
    ]
    for index, part in enumerate(parts):
        yield Snapshot(
            host=name,
            taken_at=at,
            sightings=part,
            request_id=RequestId.of(name, host.agent_pid, at, index).pack(),
            split_id=at & 0x7FFFFFFF,
            chunk_count=len(parts),
        )
