"""Snapshots -> payloads: the bodies and headers that a Datadog Agent would post."""

from __future__ import annotations

import random

from procession import __version__
from procession.agent.payload import Payload
from procession.events import ProcessEvents
from procession.process import Snapshot
from procession.wire import MessageType, RequestId, SnapshotEncoder, encode_events, frame

EVENTS_PATH = "/api/v2/proclcycle"

MAX_PROCESSES = 1000
"""In one payload, as far as a megabyte goes. A Datadog Agent puts 100 there, and may be told to put 10,000: to post
costs about 1 ms of CPU, as much as to read 50 processes. With 1,000 instead of 100 a snapshot of 1,000 costs 22 µs a
process and not 35, and its payloads are a tenth smaller."""

NO_EVENTS = ProcessEvents("", ())


class PayloadMaker:
    """Numbers the snapshots of one run of an agent. For one thread."""

    def __init__(self, *, host: str, agent_pid: int, started_at: int, max_processes: int = MAX_PROCESSES) -> None:
        self._host = host
        self._agent_pid = agent_pid
        self._max_processes = max_processes
        self._group_id = random.getrandbits(31)
        self._encoder = SnapshotEncoder()
        self._taken_at = 0
        self._index = 0
        self._fixed = {
            "Content-Type": "application/x-protobuf",
            "User-Agent": f"procession-agent/{__version__}",
            "DD-Agent-Version": __version__,
            "X-Dd-Processagentversion": __version__,
            "X-Dd-Hostname": host,
            "X-Dd-ContainerCount": "0",
            "X-DD-Agent-Start-Time": str(started_at),
            "X-DD-Payload-Source": "process_agent",
            "X-DD-Processes-Enabled": "true",
            "X-DD-Service-Discovery-Enabled": "false",
        }

    def make(self, snapshot: Snapshot, events: ProcessEvents = NO_EVENTS) -> list[Payload]:
        """In order; none for a snapshot without processes. `events` are what happened before it."""
        # Two snapshots in one second are still two: their chunks are numbered on.
        if snapshot.taken_at != self._taken_at:
            self._taken_at, self._index = snapshot.taken_at, 0
        self._group_id = (self._group_id + 1) & 0xFFFFFFFF
        snapshot = Snapshot(
            host=snapshot.host,
            taken_at=snapshot.taken_at,
            sightings=snapshot.sightings,
            group_id=self._group_id,
        )
        payloads = [
            self._payload(body, snapshot.taken_at)
            for body in self._encoder.encode(snapshot, max_processes=self._max_processes)
        ]
        for begin in range(0, len(events.events), self._max_processes):
            some = ProcessEvents(events.host, events.events[begin : begin + self._max_processes])
            headers = self._fixed | {"X-DD-Agent-Timestamp": str(snapshot.taken_at)}
            payloads.append(Payload(encode_events(some), headers, EVENTS_PATH, is_answered=False))
        return payloads

    def _payload(self, body: bytes, taken_at: int) -> Payload:
        request_id = RequestId.of(self._host, self._agent_pid, taken_at, self._index)
        self._index += 1
        moving = {"X-DD-Agent-Timestamp": str(taken_at), "X-DD-Request-ID": str(request_id.pack())}
        return Payload(frame.encode(MessageType.PROCESSES, body), self._fixed | moving)
