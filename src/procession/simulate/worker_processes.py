"""Agents in several processes, so that to play a fleet takes no longer than to serve it."""

from __future__ import annotations

import asyncio
import dataclasses
import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

from procession.errors import UsageError
from procession.simulate.connection import Connection, endpoint_of
from procession.simulate.load_plan import LoadPlan, Progress
from procession.simulate.load_worker import post_part

_FIELDS = [field.name for field in dataclasses.fields(Progress)]
_REPORT_SECONDS = 0.2


def check_server(url: str, api_key: str) -> None:
    """Raises UsageError where nobody answers, or not to this key."""

    async def ask() -> int:
        connection = Connection(endpoint_of(url), {"DD-Api-Key": api_key})
        try:
            return await connection.send(connection.request("/api/v1/validate", b"", {}, method="GET"))
        finally:
            connection.close()

    try:
        status = asyncio.run(ask())
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error) or "no answer in time"
        raise UsageError(f"cannot reach {url}: {reason[:1].lower()}{reason[1:]}") from None
    if status == 403:
        raise UsageError(f"{url} refuses the API key")
    if status != 200:
        raise UsageError(f"{url} answers {status} where Procession would answer 200")


def post_fleet(plan: LoadPlan, *, workers: int, report: Callable[[Progress], None]) -> Progress:
    """Post a fleet from several processes, and give what was sent. `report` is called a few times a second.

    KeyboardInterrupt stops them, each after what it has under way, and is not raised. Raises UsageError.
    """
    check_server(plan.url, plan.api_key)
    # Forked, so that what was imported is there, and before there are threads.
    processes = multiprocessing.get_context("fork")
    workers = max(1, min(workers, plan.shape.hosts))
    counters = processes.Array("q", workers * len(_FIELDS), lock=False)
    # Closed when this process ends, however it ends; then they end.
    reading, writing = os.pipe()
    children = [
        processes.Process(
            target=_work,
            args=(dataclasses.replace(plan, part=number, parts=workers), counters, number, reading, writing),
        )
        for number in range(workers)
    ]
    for child in children:
        child.start()
    os.close(reading)
    is_stopping = False
    try:
        while any(child.is_alive() for child in children):
            try:
                report(_total(counters, workers))
                for child in children:
                    child.join(_REPORT_SECONDS / workers)
            except KeyboardInterrupt:
                if is_stopping:
                    raise
                is_stopping = True
                os.close(writing)
    finally:
        if not is_stopping:
            os.close(writing)
        for child in children:
            child.join()
    total = _total(counters, workers)
    report(total)
    if any(child.exitcode for child in children):
        raise UsageError("a process of the simulation has failed; what it said stands above")
    return total


def _total(counters: Any, workers: int) -> Progress:
    total = Progress()
    parts = [Progress(*counters[number * len(_FIELDS) : (number + 1) * len(_FIELDS)]) for number in range(workers)]
    for part in parts:
        total.add(part)
    total.simulated_at = min(part.simulated_at for part in parts)
    return total


def _work(plan: LoadPlan, counters: Any, number: int, reading: int, writing: int) -> None:
    import uvloop

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process tells the others
    os.close(writing)

    async def work() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(reading)
            stop.set()

        loop.add_reader(reading, end)
        progress = Progress(simulated_at=plan.shape.begin_at)

        def publish() -> None:
            counters[number * len(_FIELDS) : (number + 1) * len(_FIELDS)] = [
                getattr(progress, name) for name in _FIELDS
            ]

        async def publish_often() -> None:
            while True:
                publish()
                await asyncio.sleep(_REPORT_SECONDS / 2)

        publishing = asyncio.create_task(publish_often())
        try:
            await post_part(plan, progress, stop)
        finally:
            publishing.cancel()
            publish()

    uvloop.run(work())
