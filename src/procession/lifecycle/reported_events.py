"""What agents report between two snapshots -> sightings and exits, as the store keeps them.

The store has to know a process before it can keep its end. So an exec counts as a sighting of the process, and an
orphan exit as a sighting of a process that was dead then, with the description that the agent sent. Live numbers of all
processes of a host count as sightings of those whose descriptions are known.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from procession.clock_skew import is_ahead
from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.lifecycle.events import ProcessEvents, ProcessExec, ProcessExit, ProcessExits
from procession.process import LiveNumbers, LiveSnapshot, ProcessDescription, ProcessNumbers, Sighting, Snapshot

_DEAD = ProcessNumbers(state="X")

_Sightings = Mapping[int, Mapping[tuple[int, int], Sighting]]
"""By moment, and by pid and start."""


def dated(events: ProcessEvents, now: int) -> ProcessEvents:
    """The events, with `now` as the moment of each that has none, or one of a clock that is ahead."""
    return ProcessEvents(
        events.host,
        tuple(
            event if _is_believed(event.at, now) else msgspec.structs.replace(event, at=now) for event in events.events
        ),
    )


def since(events: ProcessEvents, oldest: int) -> ProcessEvents:
    """The events of `oldest` or later."""
    return ProcessEvents(events.host, tuple(event for event in events.events if event.at >= oldest))


def snapshots_of_execs(events: ProcessEvents, payload: bytes) -> list[Snapshot]:
    """A partial snapshot for each second that has execs.

    `payload` is the bytes that the events were read from. Their hash numbers the snapshots, so that a payload that is
    sent again gives the same ones.
    """
    sightings: defaultdict[int, dict[tuple[int, int], Sighting]] = defaultdict(dict)
    for event in events.events:
        if isinstance(event, ProcessExec):
            started_at = min(event.forked_at or event.at, event.at)
            # The last one counts where a process became several programs within a second.
            sightings[event.at][event.pid, started_at] = Sighting(event.pid, started_at, event.description)
    return _snapshots(events.host, sightings, b"exec" + payload)


def exits_in(events: ProcessEvents) -> ProcessExits:
    """The exits among the events."""
    return ProcessExits(events.host, tuple(event for event in events.events if isinstance(event, ProcessExit)))


def snapshots_of_orphans(orphans: ProcessExits, payload: bytes) -> list[Snapshot]:
    """A partial snapshot for each second that has orphan exits, with their processes as dead.

    `payload` is as for `snapshots_of_execs`.
    """
    sightings: defaultdict[int, dict[tuple[int, int], Sighting]] = defaultdict(dict)
    for orphan in orphans.exits:
        started_at = min(orphan.executed_at or orphan.at, orphan.at)
        sightings[orphan.at][orphan.pid, started_at] = Sighting(orphan.pid, started_at, orphan.description, _DEAD)
    return _snapshots(orphans.host, sightings, b"exit" + payload)


def snapshot_of_live(live: LiveSnapshot, descriptions: Iterable[ProcessDescription | None]) -> Snapshot:
    """`descriptions`: what each of the processes is, None where that is not known."""
    sightings: dict[tuple[int, int], Sighting] = {}
    are_known = True
    for one, description in zip(live.processes, descriptions, strict=True):
        if description is None:
            are_known = False
        else:
            sightings[one.pid, one.started_at] = _live_sighting(one, description)
    return Snapshot(
        host=live.host,
        taken_at=live.taken_at,
        sightings=tuple(sightings.values()),
        request_id=live.request_id,
        split_id=live.split_id,
        # It must not end the process that is not known.
        chunk_count=live.chunk_count if are_known else NEVER_COMPLETE,
    )


def _live_sighting(live: LiveNumbers, description: ProcessDescription) -> Sighting:
    is_zombie = live.numbers.state == "Z" if live.numbers.state else description.is_zombie
    if is_zombie != description.is_zombie:
        description = msgspec.structs.replace(description, is_zombie=is_zombie)
    # With the start that the host says: which one it is kept under is decided where it is stored, as for all others.
    return Sighting(live.pid, live.started_at, description, live.numbers)


def _is_believed(reported_at: int, now: int) -> bool:
    return reported_at != 0 and not is_ahead(reported_at, now)


def _snapshots(host: str, sightings: _Sightings, name: bytes) -> list[Snapshot]:
    request_id = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
    return [
        Snapshot(host=host, taken_at=at, sightings=tuple(of_moment.values()), request_id=request_id)
        for at, of_moment in sightings.items()
    ]
