"""Payloads of a kind that no agent of ours makes."""

from __future__ import annotations

import http.client
import time

from procession.process import Snapshot
from procession.wire.datadog import MessageType, SnapshotEncoder, frame
from tests.overload.servers import OrgKeys, Server
from tests.support.builders import a_sighting, a_snapshot

COLLECTOR = "/api/v1/collector"


def of_processes(host: str, pids: range, argument_bytes: int) -> Snapshot:
    """Each with another command line of this size."""
    now = int(time.time())
    return a_snapshot(
        *(a_sighting(pid, now - 100, cmdline=f"/usr/bin/job {pid} ".ljust(argument_bytes, "x")) for pid in pids),
        host=host,
        taken_at=now,
    )


def body_of(snapshot: Snapshot) -> bytes:
    """In one message, however large."""
    (body,) = SnapshotEncoder().encode(snapshot, max_processes=10**9, max_bytes=10**12)
    return frame.encode(MessageType.PROCESSES, body)


def post(server: Server, org: OrgKeys, body: bytes, *, seconds: float = 120) -> tuple[int, str]:
    """The status of the answer, and its text where it is a refusal."""
    connection = http.client.HTTPConnection(*server.address, timeout=seconds)
    try:
        connection.request("POST", COLLECTOR, body, {"DD-API-Key": org.api_key, "X-DD-Hostname": "large"})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return answer.status, "" if answer.status == 200 else text
    finally:
        connection.close()
