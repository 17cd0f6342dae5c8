from __future__ import annotations

import json
import time

from procession import __version__
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import a_sighting, a_snapshot


def test_status_says_version_hosts_and_processes(procession: Command, server: RunningServer) -> None:
    now = int(time.time())
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
        "3 processes of 2 hosts in the last 60 s",
    ]
    assert as_json == {
        "url": server.url,
        "version": __version__,
        "hosts": 2,
        "processes": 3,
        "counted_all": True,
    }
