from __future__ import annotations

import json
import time

import pytest

from procession import __version__
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import a_sighting, a_snapshot


def test_status_says_version_hosts_and_processes(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    monkeypatch.setattr(time, "time", lambda: now)
    server.served.clock.now = now
    server.add(
        a_snapshot(a_sighting(pid=1), a_sighting(pid=2), host="web-1", taken_at=now - 5),
        a_snapshot(a_sighting(pid=1), host="web-2", taken_at=now - 5),
        a_snapshot(a_sighting(pid=1), host="web-3", taken_at=now - 600),
    )

    result = procession("status")
    as_json = json.loads(procession("status", "--json").out)

    assert result.lines == [
        f"Procession {__version__} at {server.url}: its store answers",
        "0 on disk, 0 free; sightings since 10m 0s ago, what ran since 10m 0s ago",
        "3 processes of 2 hosts in the last 60 s",
    ]
    assert as_json == {
        "url": server.url,
        "version": __version__,
        "hosts": 2,
        "processes": 3,
        "counted_all": True,
        "stored_bytes": 0,
        "free_bytes": 0,
        "oldest_sighting_at": now - 600,
        "oldest_seen_at": now - 600,
    }


def test_an_empty_store_has_seen_nothing(procession: Command, server: RunningServer) -> None:
    assert "sightings since never, what ran since never" in procession("status").out
