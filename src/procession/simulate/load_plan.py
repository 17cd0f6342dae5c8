"""Which part of a fleet posts where and how fast, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, fields

from procession.simulate.history import CHUNK_PROCESSES
from procession.simulate.shape import FleetShape


@dataclass(slots=True)
class Progress:
    """What was sent so far."""

    sightings: int = 0
    payloads: int = 0
    bytes: int = 0
    retries: int = 0
    """Payloads sent again, since the server was behind or away."""
    refused: int = 0
    """Payloads that the server never wants to see again."""
    simulated_at: int = 0
    """The moment that all hosts have reached."""

    def add(self, other: Progress) -> None:
        """All but the moment."""
        for one in fields(self)[:-1]:
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """Which part of a fleet posts where, and how fast."""

    shape: FleetShape
    until: int | None
    """None: until it is stopped."""
    speed: float | None
    """How many seconds of the fleet pass in one; None: as fast as the server takes it."""
    url: str
    api_key: str
    connections: int
    """Hosts share them where they are more."""
    processes_per_payload: int = CHUNK_PROCESSES
    part: int = 0
    parts: int = 1
