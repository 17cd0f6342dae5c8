"""Snapshots -> payloads: what a Datadog Agent would post, with two headers of our own, or columns."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from procession import __version__
from procession.agent.send.payload import Payload
from procession.containers.container import Container
from procession.lifecycle.events import ProcessEvents
from procession.process import Sighting, Snapshot
from procession.text.characters import encodable
from procession.wire.columns.as_datadog import as_datadog
from procession.wire.columns.encoder import ColumnsEncoder
from procession.wire.columns.offer import MEDIA_TYPE
from procession.wire.columns.offer import PATH as COLUMNS_PATH
from procession.wire.datadog import (
    ContainerInfo,
    FrameError,
    LiveEncoder,
    MessageType,
    RequestId,
    SnapshotEncoder,
    encode_containers,
    encode_events,
    frame,
)
from procession.wire.datadog.request_ids import MAX_CHUNKS

CONTAINERS_PATH = "/api/v1/container"
EVENTS_PATH = "/api/v2/proclcycle"
HOST_TAGS_PATH = "/intake/"

HOST_TAGS_SECONDS = 1800
"""Between two times that a server is told the tags of the host."""

BLIND_SECONDS = 60
"""The same, while that is all that there is to tell."""

MAX_PROCESSES = 1000
"""In one payload, as far as a megabyte goes. A Datadog Agent puts 100 there, and may be told to put 10,000: see
`docs/decisions/payload-size.md`."""

NO_EVENTS = ProcessEvents("", ())

_PARTIAL = {"X-Procession-Partial": "true"}
_LIVE = {"X-Procession-Live": "all"}
_PROTOBUF = "application/x-protobuf"

_SPARE_NUMBERS = 64
"""Of messages that are split because a megabyte is full."""


def a_run() -> int:
    """A number for a run of an agent, which no other run of its host has. Not its pid: in a container that is the same
    at each start, and two runs may share a second, when one was killed or the clock was set back."""
    return random.getrandbits(31)


class PayloadMaker:
    """Numbers what one run of an agent sends. For one thread."""

    def __init__(
        self,
        *,
        host: str,
        run: int,
        started_at: int,
        max_processes: int = MAX_PROCESSES,
        first_split_id: int | None = None,
        tags: Sequence[str] = (),
        containers: Callable[[str], ContainerInfo] | None = None,
        interval_seconds: float | None = None,
        cpus: int | None = None,
    ) -> None:
        """`interval_seconds`: how often a snapshot is to be taken; each says it, unless that is None. `run` is the
        number of this run of the agent: see `a_run`. `first_split_id` numbers the first snapshot [by chance, as agents
        do]. `tags` are those of the host, and `containers` says what is known of one by its id. `cpus`: how many CPUs
        the host has; each payload says it, unless that is None."""
        self._host = host
        self._run = run
        self._max_processes = max_processes
        self._split_id = random.getrandbits(31) if first_split_id is None else first_split_id
        self._tags = list(tags)
        self._tags_sent_at: int | None = None
        self._containers = containers
        self._interval_seconds = interval_seconds
        self._encoder = SnapshotEncoder(containers)
        self._live_encoder = LiveEncoder()
        self._columns = ColumnsEncoder(random.getrandbits(64), containers)
        self._has_made_frames = self._has_made_columns = False
        self._taken_at = 0
        self._index = 0
        self._in_columns: tuple[Snapshot, int, int] | None = None
        """The snapshot that was last made into columns, where its request ids begin, and its split id."""
        self._fixed = {
            "Content-Type": _PROTOBUF,
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
        if cpus is not None:
            self._fixed["X-Procession-CPUs"] = str(cpus)

    def make(
        self,
        snapshot: Snapshot,
        events: ProcessEvents = NO_EVENTS,
        *,
        every_seconds: int | None = None,
        says_none: bool = False,
    ) -> list[Payload]:
        """In order. `events` are what happened before it. `every_seconds` says that snapshots are taken less often than
        set. A snapshot without processes is sent only with `says_none`: it ends all that the host had."""
        if not self._has_made_columns:
            self._columns = ColumnsEncoder(random.getrandbits(64), self._containers)  # need not remember any more
        self._has_made_frames, self._has_made_columns = True, False
        next_index = 0
        if self._in_columns is not None and self._in_columns[0] is snapshot:
            # For another server, under the same ids.
            next_index, (_, self._index, split_id) = self._index, self._in_columns
        else:
            split_id = self._next_split_id(snapshot.taken_at)
        payloads = self._snapshot(
            self._encoder, snapshot, self._interval(every_seconds), split_id=split_id, says_none=says_none
        )
        self._index = max(self._index, next_index)
        return payloads + self._events(events, snapshot.taken_at)

    def make_columns(
        self, snapshot: Snapshot, events: ProcessEvents = NO_EVENTS, *, every_seconds: int | None = None
    ) -> list[Payload]:
        """The same for servers that take columns; before `make`, if both are wanted of one snapshot."""
        if not self._has_made_frames:
            self._encoder = SnapshotEncoder(self._containers)
        self._has_made_frames, self._has_made_columns = False, True
        split_id = self._next_split_id(snapshot.taken_at)
        self._in_columns = snapshot, self._index, split_id
        frames = self._columns.encode(msgspec.structs.replace(snapshot, split_id=split_id))
        headers = self._headers(snapshot.taken_at, {"Content-Type": MEDIA_TYPE, **self._interval(every_seconds)})
        # Numbers for the messages that it may become: see `in_datadogs_format`.
        self._index += len(snapshot.sightings) // self._max_processes + _SPARE_NUMBERS
        payload = Payload(frames.whole, headers, COLUMNS_PATH, changes=frames.changes)
        return [payload, *self._events(events, snapshot.taken_at)]

    def _events(self, events: ProcessEvents, taken_at: int) -> list[Payload]:
        payloads = []
        for begin in range(0, len(events.events), self._max_processes):
            some = ProcessEvents(events.host, events.events[begin : begin + self._max_processes])
            headers = self._fixed | {"X-DD-Agent-Timestamp": str(taken_at)}
            payloads.append(Payload(encode_events(some), headers, EVENTS_PATH, is_answered=False))
        return payloads

    def make_host_tags(self, taken_at: int, *, unreadable: int | None = None) -> list[Payload]:
        """Now and then, to go before a snapshot: the processes of it get the tags. Also where there are none, since
        there may have been some before. `unreadable` is how many processes there are where none can be read: then it
        goes instead of a snapshot, and says so."""
        seconds = HOST_TAGS_SECONDS if unreadable is None else BLIND_SECONDS
        if self._tags_sent_at is not None and 0 <= taken_at - self._tags_sent_at < seconds:
            return []
        self._tags_sent_at = taken_at
        document = {
            "internalHostname": encodable(self._host),
            "agentVersion": __version__,
            "os": "linux",
            "agent-flavor": "process_agent",
            "host-tags": {"system": list(map(encodable, self._tags))},
        }
        headers = self._fixed | {"Content-Type": "application/json", "X-DD-Agent-Timestamp": str(taken_at)}
        if unreadable is not None:
            headers["X-Procession-Unreadable"] = str(unreadable)
        return [Payload(msgspec.json.encode(document), headers, HOST_TAGS_PATH, is_answered=False)]

    def make_containers(self, found: Sequence[tuple[ContainerInfo, Container]], taken_at: int) -> list[Payload]:
        """What they are and use, behind the snapshot in which they were seen."""
        payloads = []
        for body, count in encode_containers(self._host, found, split_id=taken_at):
            headers = self._headers(taken_at, {"X-Dd-ContainerCount": str(count)})
            payloads.append(Payload(frame.encode(MessageType.CONTAINERS, body), headers, CONTAINERS_PATH))
        return payloads

    def make_farewell(self, now: int) -> Payload:
        """The machine is being shut down. A server that does not know the header takes it and keeps nothing of it."""
        headers = self._fixed | {
            "Content-Type": "application/json",
            "X-DD-Agent-Timestamp": str(now),
            "X-Procession-Leaving": "shutdown",
        }
        body = msgspec.json.encode({"internalHostname": encodable(self._host), "agentVersion": __version__})
        return Payload(body, headers, HOST_TAGS_PATH, is_answered=False, is_tried_once=True)

    def make_live(self, taken_at: int, new: Sequence[Sighting], everything: Sequence[Sighting]) -> list[Payload]:
        """What is new or has changed, whole, and then the numbers of every process. In this order, since a server has
        to know what it gets the numbers of."""
        snapshot = Snapshot(host=self._host, taken_at=taken_at, sightings=tuple(new))
        # An encoder of its own, since one forgets what is not in its newest snapshot.
        split_id = self._next_split_id(snapshot.taken_at)
        payloads = self._snapshot(SnapshotEncoder(self._containers), snapshot, _PARTIAL, split_id=split_id)
        bodies = self._live_encoder.encode(
            self._host, everything, split_id=self._next_split_id(taken_at), max_processes=self._max_processes
        )
        for body in bodies:
            payload = self._payload(MessageType.REAL_TIME, body, taken_at, _LIVE)
            payload.is_tried_once = True
            payloads.append(payload)
        return payloads

    def _snapshot(
        self,
        encoder: SnapshotEncoder,
        snapshot: Snapshot,
        more: dict[str, str],
        *,
        split_id: int,
        says_none: bool = False,
    ) -> list[Payload]:
        snapshot = Snapshot(
            host=snapshot.host,
            taken_at=snapshot.taken_at,
            sightings=snapshot.sightings,
            split_id=split_id,
        )
        bodies = encoder.encode(snapshot, max_processes=self._max_processes, says_none=says_none)
        return [
            self._payload(
                MessageType.PROCESSES, body, snapshot.taken_at, {"X-Dd-ContainerCount": str(containers), **more}
            )
            for body, containers in zip(bodies, encoder.container_counts, strict=True)
        ]

    def _next_split_id(self, taken_at: int) -> int:
        # Two snapshots of one second are still two: their chunks are numbered on. A clock that was set back comes to
        # seconds that have been, whose numbers were given: from there on it is as if another agent gave them.
        if taken_at < self._taken_at:
            self._run = a_run()
        if taken_at != self._taken_at:
            self._index = 0
            self._taken_at = taken_at
        self._split_id = (self._split_id + 1) & 0xFFFFFFFF
        return self._split_id

    def _payload(self, kind: MessageType, body: bytes, taken_at: int, more: dict[str, str]) -> Payload:
        return Payload(frame.encode(kind, body), self._headers(taken_at, more))

    def _headers(self, taken_at: int, more: dict[str, str]) -> dict[str, str]:
        request_id = RequestId.of(self._host, self._run, taken_at, self._index)
        self._index += 1
        moving = {"X-DD-Agent-Timestamp": str(taken_at), "X-DD-Request-ID": str(request_id.pack())}
        return self._fixed | moving | more

    def _interval(self, every_seconds: int | None) -> dict[str, str]:
        seconds = self._interval_seconds if every_seconds is None else every_seconds
        return {} if seconds is None else {"X-Procession-Interval": str(math.ceil(seconds))}


def in_datadogs_format(payload: Payload) -> list[Payload]:
    """A payload of columns as those that a server takes that knows none. Empty for what is damaged."""
    try:
        bodies = as_datadog(payload.body, max_processes=MAX_PROCESSES)
    except FrameError:
        return []
    first = RequestId.unpack(int(payload.headers["X-DD-Request-ID"]))
    return [
        Payload(
            frame.encode(MessageType.PROCESSES, body),
            payload.headers
            | {
                "Content-Type": _PROTOBUF,
                "X-DD-Request-ID": str(replace(first, index=(first.index + place) % MAX_CHUNKS).pack()),
            },
        )
        for place, body in enumerate(bodies)
    ]
