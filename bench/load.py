"""A fleet whose payloads are all made before the first is posted: the server is not to share its processors with their
making. `python -m bench.load` plays it, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from bench.fleets import OUR_PAYLOAD, environment
from bench.served import Server
from procession.simulate import FleetShape, LoadPlan, Progress
from procession.simulate.load_worker import load_workers_of, run_load_workers


@dataclass(frozen=True, slots=True)
class Load:
    """What is played."""

    shape: FleetShape
    seconds: int
    """Of the fleet's life."""
    processes_per_payload: int = OUR_PAYLOAD
    speed: float | None = None
    """As in `LoadPlan`; None: as fast as the server takes it."""


class LoadProcess:
    """A fleet that is ready to post."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def go(self) -> None:
        self._tell("go")

    def said(self) -> dict[str, float]:
        """What it posted, once it is through: sightings, refused payloads, seconds."""
        said: dict[str, float] = json.loads(self._hear())
        return said

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def prepare(self, server: Server, load: Load) -> None:
        self._tell(json.dumps({"url": server.url} | asdict(load)))
        if self._hear() != "ready\n":
            raise RuntimeError("the fleet could not be made")


@contextmanager
def load_process(server: Server, load: Load) -> Iterator[LoadProcess]:
    """One that is ready, and ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        env=environment() | {"DD_API_KEY": server.api_key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            found = LoadProcess(process)
            found.prepare(server, load)
            yield found
        finally:
            process.terminate()


def _plan(wanted: dict[str, Any]) -> LoadPlan:
    shape = FleetShape(**wanted["shape"])
    return LoadPlan(
        shape=shape,
        until=shape.begin_at + wanted["seconds"],
        speed=wanted["speed"],
        url=wanted["url"],
        api_key=os.environ["DD_API_KEY"],
        connections=shape.hosts,
        processes_per_payload=wanted["processes_per_payload"],
    )


async def _play() -> None:
    progress = Progress()
    load_workers = load_workers_of(_plan(json.loads(sys.stdin.readline())), progress, asyncio.Event())
    for worker in load_workers:
        worker.prepare()
    print("ready", flush=True)
    sys.stdin.readline()
    begin = time.monotonic()
    await run_load_workers(load_workers)
    said = {"sightings": progress.sightings, "refused": progress.refused, "seconds": time.monotonic() - begin}
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(_play())
