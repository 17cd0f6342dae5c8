"""A fleet in the present: its agents post to a server, each at its moments."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import PayloadMaker
from procession.lifecycle.events import ProcessEvents
from procession.simulate.connection import Connection, endpoint_of
from procession.simulate.fleet import Fleet
from procession.simulate.host import Host, Step
from procession.simulate.load_plan import LoadPlan, Progress

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0
_NEVER_TAKEN = frozenset((400, 403, 404, 405, 413))
"""Agents drop what is answered so."""


@dataclass(frozen=True, slots=True)
class _HostSnapshot:
    """What a host posts of one moment."""

    at: int
    sightings: int
    payloads: list[Payload]


async def post_part(plan: LoadPlan, progress: Progress, stop: asyncio.Event) -> None:
    """Post until the end of the plan, or soon after `stop`. What is under way then is still answered."""
    await run_load_workers(load_workers_of(plan, progress, stop))


def load_workers_of(plan: LoadPlan, progress: Progress, stop: asyncio.Event) -> list[LoadWorker]:
    count = min(plan.connections, len(range(plan.part, plan.shape.hosts, plan.parts)))
    reached = [plan.shape.begin_at] * count

    def reports(number: int) -> Callable[[int], None]:
        def report(at: int) -> None:
            reached[number] = at
            progress.simulated_at = min(reached)

        return report

    return [
        LoadWorker(
            plan,
            Fleet(plan.shape, part=plan.part + number * plan.parts, parts=count * plan.parts),
            progress,
            stop,
            reports(number),
        )
        for number in range(count)
    ]


async def run_load_workers(load_workers: Iterable[LoadWorker]) -> None:
    begun = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for worker in load_workers:
            tasks.create_task(worker.run(begun))


class LoadWorker:
    """A connection, and the agents that share it."""

    def __init__(
        self, plan: LoadPlan, fleet: Fleet, progress: Progress, stop: asyncio.Event, report: Callable[[int], None]
    ) -> None:
        self._plan = plan
        self._fleet = fleet
        self._progress = progress
        self._stop = stop
        self._report = report
        self._connection = Connection(endpoint_of(plan.url), {"DD-Api-Key": plan.api_key})
        self._makers: dict[str, PayloadMaker] = {}
        self._snapshots: Iterable[_HostSnapshot] = map(self._snapshot_of, self._steps())

    def prepare(self) -> None:
        """Make all payloads now, of a plan with an end: what it costs then is not in between."""
        self._snapshots = list(self._snapshots)

    async def run(self, begun: float) -> None:
        """`begun`: when, by the monotonic clock, the fleet began to live."""
        try:
            await self._say_tags()
            for snapshot in self._snapshots:
                if not await self._reach(snapshot.at, begun):
                    return
                for payload in snapshot.payloads:
                    await self._post(payload)
                self._progress.sightings += snapshot.sightings
                self._report(snapshot.at)
        finally:
            self._connection.close()

    def _snapshot_of(self, step: Step) -> _HostSnapshot:
        return _HostSnapshot(step.snapshot.taken_at, len(step.snapshot.sightings), self._payloads(step))

    def _steps(self) -> Iterator[Step]:
        interval, begin_at, until = (
            self._plan.shape.interval_seconds,
            self._plan.shape.begin_at,
            self._plan.until,
        )
        for turn in itertools.count(1):
            end = begin_at + turn * interval
            yield from self._fleet.steps(end if until is None else min(end, until))
            if until is not None and end >= until:
                return

    async def _reach(self, at: int, begun: float) -> bool:
        """Wait for a moment of the fleet. False: stopped before."""
        speed = self._plan.speed
        if speed is not None:
            seconds = begun + (at - self._plan.shape.begin_at) / speed - time.monotonic()
            if seconds > 0:
                await self._wait(seconds)
        return not self._stop.is_set()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass

    def _payloads(self, step: Step) -> list[Payload]:
        host = step.host
        maker = self._makers.get(step.snapshot.host)
        if maker is None:
            maker = self._makers[step.snapshot.host] = PayloadMaker(
                host=step.snapshot.host,
                run=host.agent_pid,
                started_at=host.booted_at,
                max_processes=self._plan.processes_per_payload,
                first_split_id=host.traits.index * 1_000_003 & 0x3FFFFFFF,
            )
        return maker.make(step.snapshot, ProcessEvents(step.snapshot.host, step.exits))

    async def _say_tags(self) -> None:
        """As the core agent of a host does; another one posts its processes."""
        for host in self._fleet.hosts:
            if not self._stop.is_set():
                await self._post(tags_payload(host))

    async def _post(self, payload: Payload) -> None:
        """Until it is taken, or will never be."""
        wait = _FIRST_WAIT
        request = self._connection.request(payload.path, payload.body, payload.headers)
        while True:
            try:
                status = await self._connection.send(request)
            except OSError:  # a timeout is one, too
                status = 0
            if 200 <= status < 300 or status in _NEVER_TAKEN:
                break
            self._progress.retries += 1
            await self._wait(wait)
            if self._stop.is_set():
                return
            wait = min(wait * 2, _LONGEST_WAIT)
        self._progress.payloads += 1
        self._progress.bytes += len(payload.body)
        self._progress.refused += status in _NEVER_TAKEN


def tags_payload(host: Host) -> Payload:
    """What a host says of its tags."""
    document = {"internalHostname": host.traits.name, "host-tags": {"system": list(host.traits.tags)}}
    return Payload(json.dumps(document).encode(), {"Content-Type": "application/json"}, "/intake/", is_answered=False)
