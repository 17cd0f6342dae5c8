"""What a fleet is made from."""

from __future__ import annotations

from dataclasses import dataclass

from procession.simulate.programs import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetShape:
    """The same shape is the same fleet, down to the last number."""

    hosts: int = 100
    processes: int = 300
    """On each host."""
    begin_at: int
    """The first second."""
    seed: int = 1
    churn: float = 0.5
    """How many processes come and go in an hour, for each that runs."""
    deploy_hours: float = 12.0
    """How often there is a new version of a service; 0: never."""
    interval_seconds: int = 10
    with_host_tags: bool = True
    """Whether each process carries the tags of its host; agents tell those apart from the processes."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What sets a host apart from the others."""

    index: int
    name: str
    role: Role
    env: str
    region: str
    tags: tuple[str, ...]
