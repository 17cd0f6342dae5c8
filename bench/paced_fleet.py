"""Hosts that post at their own pace: each a snapshot each ten seconds, one host after the other, evenly spread.

`python -m bench.paced_fleet` plays them, in a process of its own. Their payloads are made before they are posted, since
the server shares its processors with whoever makes them.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import uvloop

from bench.fleets import DATADOG_PAYLOAD, environment
from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import PayloadMaker
from procession.lifecycle.events import ProcessEvents
from procession.simulate import Fleet, FleetShape
from procession.simulate.connection import Connection, endpoint_of
from procession.simulate.host import Host, Step
from procession.simulate.load_worker import tags_payload
from procession.wire.columns.offer import PATH as COLUMNS_PATH
from procession.wire.columns.offer import SEND_WHOLE

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0
_TRIED_AGAIN = frozenset((429, 500, 502, 503, 504))
_FIRST_SECONDS = 4e-5
"""To make the payload of a sighting that is the first of its process."""
_LATER_PART = 1 / 3
"""How long a later one takes, at most, as a part of what a first one does."""

MakePayloads = Callable[[Step], list[Payload]]


def _as_datadog(host: Host) -> MakePayloads:
    """Frames of Datadog's Agent, in its chunks."""
    maker = PayloadMaker(
        host=host.traits.name, run=host.agent_pid, started_at=host.booted_at, max_processes=DATADOG_PAYLOAD
    )
    return lambda step: maker.make(step.snapshot, ProcessEvents(step.snapshot.host, step.exits))


def _as_columns(host: Host) -> MakePayloads:
    """Columns, as our agent sends them to a server that takes them."""
    maker = PayloadMaker(host=host.traits.name, run=host.agent_pid, started_at=host.booted_at)
    return lambda step: maker.make_columns(step.snapshot, ProcessEvents(step.snapshot.host, step.exits))


FORMATS: Mapping[str, Callable[[Host], MakePayloads]] = {"datadog": _as_datadog, "columns": _as_columns}
"""What the agent of a host sends."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted in a stretch of time, and answered then or later."""

    sightings: int
    payloads: int
    p50: float
    p99: float
    """Of the answers to payloads with processes, in ms, until the payload was taken."""
    retries: int
    late_seconds: float
    """The most that a host was behind its pace."""
    cpu_seconds: float
    """Of the process that posted, from its first payload to its last."""


class FleetProcess:
    """Plays a fleet, by and by."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin_making(self, snapshots: int) -> None:
        """So many of each host, that follow those made before."""
        self._tell({"make": snapshots})

    def made(self) -> float:
        """When the first host is to post the first of them."""
        return float(self._hear()["begin_at"])

    def begin_posting(self, *, measured_from: float = 0.0, until: float = 0.0) -> None:
        """Each at its moment, those before `until`; without it, all of them, however long it takes."""
        self._tell({"post": {"measured_from": measured_from, "until": until or sys.float_info.max}})

    def posted(self) -> Posted:
        return Posted(**self._hear())

    def _tell(self, command: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the fleet has failed; what it said stands above")
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def fleet_process(url: str, api_key: str, shape: FleetShape, wire_format: str = "datadog") -> Iterator[FleetProcess]:
    """One that lives as long as the block. It lives from now on, whenever the shape begins."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.paced_fleet"],
        env=environment() | {"DD_API_KEY": api_key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            found = FleetProcess(process)
            found._tell({"url": url, "shape": asdict(shape), "format": wire_format})
            yield found
        finally:
            process.terminate()


@dataclass(slots=True)
class _Tally:
    measured_from: float
    until: float
    sightings: float = 0.0
    answer_seconds: list[float] = field(default_factory=list)
    retries: int = 0
    late_seconds: float = 0.0

    def counts(self, at: float) -> bool:
        return self.measured_from <= at < self.until


@dataclass(frozen=True, slots=True)
class _Request:
    whole: bytes
    changes: bytes | None
    """What is posted instead to a server that has taken the columns before."""
    has_sightings: bool


@dataclass(frozen=True, slots=True)
class _HostSnapshot:
    """What a host posts at one moment, in order."""

    at: float
    sightings: int
    """Of all requests that have some, which are about the same size."""
    requests: list[_Request]


class _PacedHost:
    """One host, with its connection."""

    def __init__(self, host: Host, offset: float, connection: Connection, make: MakePayloads) -> None:
        """`offset`: when it posts, in seconds after the first host."""
        self._host = host
        self._offset = offset
        self._connection = connection
        self._make = make
        self._is_known = False
        self._lacks_columns = True
        self._due = deque[_HostSnapshot]()

    def make(self, begin_at: int, snapshots: int) -> int:
        """Gives how many sightings are in them."""
        self._host.next_at = begin_at + int(self._offset)
        part = self._offset % 1
        for _ in range(snapshots):
            step = self._host.step()
            payloads = self._make(step)
            if not self._is_known:
                payloads.insert(0, tags_payload(self._host))
                self._is_known = True
            requests = [self._request(payload) for payload in payloads]
            self._due.append(_HostSnapshot(step.snapshot.taken_at + part, len(step.snapshot.sightings), requests))
        return sum(snapshot.sightings for snapshot in self._due)

    def _request(self, payload: Payload) -> _Request:
        def of(body: bytes) -> bytes:
            return self._connection.request(payload.path, body, payload.headers)

        changes = None if payload.changes is None else of(payload.changes)
        return _Request(of(payload.body), changes, payload.is_answered or payload.path == COLUMNS_PATH)

    async def post(self, tally: _Tally, shift: float) -> None:
        """All that is due, `shift` seconds after its moment."""
        while self._due:
            at = self._due[0].at + shift
            if max(at, time.time()) >= tally.until:
                return
            snapshot = self._due.popleft()
            await asyncio.sleep(max(0.0, at - time.time()))
            if tally.counts(at):
                tally.late_seconds = max(tally.late_seconds, time.time() - at)
            share = snapshot.sightings / sum(request.has_sightings for request in snapshot.requests)
            for request in snapshot.requests:
                begin = time.time()
                await self._post(request, tally)
                if request.has_sightings and tally.counts(begin):
                    tally.answer_seconds.append(time.time() - begin)
                    tally.sightings += share

    async def _post(self, request: _Request, tally: _Tally) -> None:
        """Until it is taken."""
        wait = _FIRST_WAIT
        body = request.whole if request.changes is None or self._lacks_columns else request.changes
        while True:
            try:
                status = await self._connection.send(body)
            except OSError:  # a timeout is one, too
                status = 503
            if 200 <= status < 300:
                self._lacks_columns = False
                return
            if status == SEND_WHOLE and body is not request.whole:
                body = request.whole
                continue
            if status not in _TRIED_AGAIN:
                raise RuntimeError(f"the server answers {status} to a payload")
            tally.retries += 1
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def close(self) -> None:
        self._connection.close()


class PacedFleet:
    """All hosts; they begin to live now. For one event loop."""

    def __init__(self, url: str, api_key: str, shape: FleetShape, wire_format: str) -> None:
        endpoint = endpoint_of(url)
        self._hosts = [
            _PacedHost(
                host,
                host.traits.index * shape.interval_seconds / shape.hosts,
                Connection(endpoint, {"DD-Api-Key": api_key}),
                FORMATS[wire_format](host),
            )
            for host in Fleet(replace(shape, begin_at=int(time.time()))).hosts
        ]
        self._is_new = True
        self._shift = 0.0
        self._to_make = shape.hosts * shape.processes
        self._seconds_to_make = _FIRST_SECONDS

    def make(self, snapshots: int) -> float:
        """So many of each host; gives when the first is due, which is as soon as all are made."""
        begun = time.time()
        begin_at = math.ceil(begun + 0.5 + self._to_make * snapshots * self._seconds_to_make)
        gc.disable()  # nothing made is garbage
        sightings = sum(host.make(begin_at, snapshots) for host in self._hosts)
        gc.enable()
        gc.freeze()
        if self._is_new:
            self._is_new = False
            self._seconds_to_make = (time.time() - begun) / sightings * _LATER_PART
        # Where others keep the processors busy it takes longer: then agents say late what they saw.
        self._shift = max(0.0, time.time() + 0.1 - begin_at)
        return begin_at + self._shift

    async def post(self, measured_from: float, until: float) -> Posted:
        tally = _Tally(measured_from, until)
        cpu = time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for host in self._hosts:
                tasks.create_task(host.post(tally, self._shift))
        waits = np.array(tally.answer_seconds or [math.nan]) * 1000
        return Posted(
            sightings=round(tally.sightings),
            payloads=len(tally.answer_seconds),
            p50=float(np.percentile(waits, 50)),
            p99=float(np.percentile(waits, 99)),
            retries=tally.retries,
            late_seconds=tally.late_seconds,
            cpu_seconds=time.process_time() - cpu,
        )

    def close(self) -> None:
        for host in self._hosts:
            host.close()


async def _play() -> None:
    loop = asyncio.get_running_loop()
    wanted = json.loads(sys.stdin.readline())
    fleet = PacedFleet(wanted["url"], os.environ["DD_API_KEY"], FleetShape(**wanted["shape"]), wanted["format"])
    # Read in a thread, so that a connection that the server closes is noticed meanwhile.
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        if "make" in command:
            said: dict[str, Any] = {"begin_at": fleet.make(command["make"])}
        else:
            said = asdict(await fleet.post(**command["post"]))
        print(json.dumps(said), flush=True)
    fleet.close()


if __name__ == "__main__":
    # A connection for each host: the soft limit is often 1024 files.
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    uvloop.run(_play())
