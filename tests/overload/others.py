"""Those who do nothing out of the ordinary: how long do they wait, before, during and after?"""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from procession.agent.send.payload_maker import PayloadMaker
from procession.process import ProcessNumbers
from tests.overload.servers import OrgKeys, Server
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import eventually

PROCESSES = 100
POSTERS, POST_SECONDS = 5, 0.5
ASKERS, ASK_SECONDS = 2, 0.2
PATIENCE_SECONDS = 30.0

Kind = Literal["post", "ask"]


@dataclass(frozen=True)
class Sample:
    kind: Kind
    begun_at: float
    seconds: float
    status: int
    """0 where there was no answer."""

    @property
    def is_good(self) -> bool:
        return self.status == 200


@dataclass(frozen=True)
class Samples:
    all: tuple[Sample, ...]

    def of(self, kind: Kind) -> Samples:
        return Samples(tuple(sample for sample in self.all if sample.kind == kind))

    def quantile(self, share: float) -> float:
        """Seconds. What was not answered as asked for counts with the time it took; see `failed`."""
        seconds = sorted(sample.seconds for sample in self.all)
        assert seconds, "nothing was measured"
        return seconds[min(len(seconds) - 1, int(share * len(seconds)))]

    @property
    def failed(self) -> list[int]:
        return [sample.status for sample in self.all if not sample.is_good]

    def __str__(self) -> str:
        def shown(kind: Kind) -> str:
            some = self.of(kind)
            if not some.all:
                return f"{kind} none"
            p50, p99 = some.quantile(0.5) * 1000, some.quantile(0.99) * 1000
            return f"{kind} {p50:.0f} / {p99:.0f} ms of {len(some.all)}, {len(some.failed)} failed"

        return f"{shown('post')}; {shown('ask')}"


class Others:
    """A few agents and readers of one org, at a steady pace: whoever waits for an answer asks the next time later."""

    def __init__(self, server: Server, org: OrgKeys) -> None:
        self._server = server
        self._org = org
        self._samples: list[Sample] = []
        self._under_way: set[float] = set()
        """When they began."""
        self._stop = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._post, args=(n,), daemon=True) for n in range(POSTERS)),
            *(threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(ASKERS)),
        ]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE_SECONDS)
            assert not thread.is_alive()

    def within(self, seconds: float) -> Samples:
        """What begins in so many seconds from now, once all of it is answered."""
        begun_at = time.monotonic()
        self._stop.wait(seconds)
        ended_at = time.monotonic()
        eventually(
            lambda: all(at >= ended_at for at in list(self._under_way)), seconds=PATIENCE_SECONDS, what="every answer"
        )
        return Samples(tuple(sample for sample in list(self._samples) if begun_at <= sample.begun_at < ended_at))

    def _post(self, number: int) -> None:
        host, started_at = f"modest-{number}", int(time.time()) - 1000
        maker = PayloadMaker(host=host, run=1, started_at=started_at, max_processes=PROCESSES)
        for turn in self._turns(POST_SECONDS, number / POSTERS):
            numbers = ProcessNumbers(cpu_total_percent=1.5 + turn, rss_bytes=2**20 + turn, threads=4, state="S")
            sightings = [
                a_sighting(pid, started_at, numbers, cmdline=f"/usr/bin/program --number {pid} --of {host}")
                for pid in range(1, PROCESSES + 1)
            ]
            (payload,) = maker.make(a_snapshot(*sightings, host=host, taken_at=int(time.time())))
            headers = {**payload.headers, "DD-Api-Key": self._org.api_key}
            self._time("post", lambda one: one.request("POST", payload.path, payload.body, headers))  # noqa: B023

    def _ask(self, number: int) -> None:
        path = "/api/v2/processes?page%5Blimit%5D=100"
        for _ in self._turns(ASK_SECONDS, number / ASKERS):
            self._time("ask", lambda one: one.request("GET", path, headers=self._org.reader))

    def _turns(self, every_seconds: float, offset: float) -> Iterator[int]:
        due = time.monotonic() + offset * every_seconds
        for turn in itertools.count():
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            yield turn
            due = max(due + every_seconds, time.monotonic())

    def _time(self, kind: Kind, ask: Callable[[http.client.HTTPConnection], None]) -> None:
        # A connection of its own each time: who comes anew must get in, too.
        connection = http.client.HTTPConnection(*self._server.address, timeout=PATIENCE_SECONDS)
        begun_at, status = time.monotonic(), 0
        self._under_way.add(begun_at)
        try:
            ask(connection)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        self._samples.append(Sample(kind, begun_at, time.monotonic() - begun_at, status))
        self._under_way.discard(begun_at)


@contextmanager
def others_of(server: Server, org: OrgKeys) -> Iterator[Others]:
    others = Others(server, org)
    others.begin()
    try:
        yield others
    finally:
        others.end()
