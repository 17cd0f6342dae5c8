"""What agents report between two snapshots -> sightings and exits, as the store keeps them.

The store is to know a process before its end. An exec is a sighting of a process. An orphan exit is one, too: nobody
saw the process before, so it was seen when it ended, as what the agent says it was.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping

import msgspec

from procession.clock_skew import is_ahead
from procession.lifecycle.events import ProcessEvents, ProcessExec, ProcessExit, ProcessExits
from procession.process import ProcessNumbers, Sighting, Snapshot

_DEAD = ProcessNumbers(state="X")

_Sightings = Mapping[int, Mapping[tuple[int, int], Sighting]]
"""By moment, and by pid and start."""


def dated(events: ProcessEvents, now: int) -> ProcessEvents:
    """With `now` for events without a moment, and for those of a clock that is ahead."""
    return ProcessEvents(
        events.host,
        tuple(
            event if _is_believed(event.at, now) else msgspec.structs.replace(event, at=now) for event in events.events
        ),
    )


def since(events: ProcessEvents, oldest: int) -> ProcessEvents:
    """Those of this moment or later."""
    return ProcessEvents(events.host, tuple(event for event in events.events if event.at >= oldest))


def snapshots_of_execs(events: ProcessEvents, payload: bytes) -> list[Snapshot]:
    """One for each second. They tell of some processes only, so they end none. `payload`: what all of it was read from.
    The same payload, sent again, gives the same snapshots."""
    sightings: defaultdict[int, dict[tuple[int, int], Sighting]] = defaultdict(dict)
    for event in events.events:
        if isinstance(event, ProcessExec):
            started_at = min(event.forked_at or event.at, event.at)
            # The last one counts where a process became several programs within a second.
            sightings[event.at][event.pid, started_at] = Sighting(event.pid, started_at, event.description)
    return _snapshots(events.host, sightings, b"exec" + payload)


def exits_in(events: ProcessEvents) -> ProcessExits:
    return ProcessExits(events.host, tuple(event for event in events.events if isinstance(event, ProcessExit)))


def snapshots_of_orphans(orphans: ProcessExits, payload: bytes) -> list[Snapshot]:
    """The last moment of processes that nobody saw. `payload` as for `snapshots_of_execs`."""
    sightings: defaultdict[int, dict[tuple[int, int], Sighting]] = defaultdict(dict)
    for orphan in orphans.exits:
        started_at = min(orphan.executed_at or orphan.at, orphan.at)
        sightings[orphan.at][orphan.pid, started_at] = Sighting(orphan.pid, started_at, orphan.description, _DEAD)
    return _snapshots(orphans.host, sightings, b"exit" + payload)


def _is_believed(reported_at: int, now: int) -> bool:
    return reported_at != 0 and not is_ahead(reported_at, now)


def _snapshots(host: str, sightings: _Sightings, name: bytes) -> list[Snapshot]:
    request_id = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
    return [
        Snapshot(host=host, taken_at=at, sightings=tuple(of_moment.values()), request_id=request_id)
        for at, of_moment in sightings.items()
    ]
