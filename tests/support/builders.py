"""Values for tests that default what the test is not about."""

from __future__ import annotations

from typing import Any

from procession.process import ProcessDescription, ProcessNumbers, Sighting, Snapshot

NOON = 1_700_000_000
"""A moment for tests: 2023-11-14 22:13:20 UTC."""


def a_description(**fields: Any) -> ProcessDescription:
    defaults: dict[str, Any] = {
        "cmdline": "/usr/sbin/nginx -g daemon off;",
        "exe": "/usr/sbin/nginx",
        "comm": "nginx",
        "command": "nginx",
        "user": "www-data",
        "ppid": 1,
    }
    return ProcessDescription(**(defaults | fields))


def a_sighting(
    pid: int = 7, started_at: int = NOON - 100, numbers: ProcessNumbers | None = None, **fields: Any
) -> Sighting:
    return Sighting(pid, started_at, a_description(**fields), numbers or ProcessNumbers())


def a_snapshot(*sightings: Sighting, host: str = "web-1", taken_at: int = NOON, **fields: Any) -> Snapshot:
    return Snapshot(host=host, taken_at=taken_at, sightings=sightings, **fields)
