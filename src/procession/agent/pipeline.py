"""Collect, scrub, and hand over to the senders: a snapshot, or what is live."""

from __future__ import annotations

from collections.abc import Sequence

from procession.agent.clock import Clock
from procession.agent.containers.watcher import ContainerWatcher
from procession.agent.describe.collector import Collector
from procession.agent.describe.live_numbers import LiveNumbers
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.short_lived import ShortLived
from procession.agent.send.destination import Destination
from procession.agent.send.payload_maker import PayloadMaker
from procession.agent.send.sender import Report
from procession.log_throttle import LogThrottle
from procession.process import Snapshot


class Pipeline:
    """Takes one look at the machine after another, and hands over what each server gets. For one thread."""

    def __init__(
        self,
        *,
        reader: ProcReader,
        short_lived: ShortLived | None,
        collector: Collector,
        maker: PayloadMaker,
        destinations: Sequence[Destination],
        report: Report,
        clock: Clock,
        containers: ContainerWatcher | None = None,
    ) -> None:
        self._reader = reader
        self._short_lived = short_lived
        self._collector = collector
        self._maker = maker
        self._destinations = destinations
        self._report = report
        self._throttle = LogThrottle(clock.monotonic)
        self._clock = clock
        self._containers = containers
        self._unseen = 0
        self._newest: Snapshot | None = None
        self._live: LiveNumbers | None = None
        self._watched: set[Destination] = set()

    def take_snapshot(self, *, every_seconds: int | None = None, spare_seconds: float | None = None) -> float:
        """All processes, for every server. `spare_seconds` of CPU may be spent on what can be left out [no limit];
        gives how much of them were."""
        taken_at, moment = int(self._clock.now()), self._clock.monotonic()
        readings = self._reader.read(spare_seconds=spare_seconds)
        ended = self._short_lived.drain([reading.pid for reading in readings]) if self._short_lived is not None else []
        events, gone = self._collector.conclude(ended, moment=moment)
        snapshot = self._collector.collect(readings, taken_at=taken_at, moment=moment, also=gone)
        blindness = self._reader.blindness
        if blindness and self._throttle.admits("blind"):
            self._report(f"{blindness}; nothing is sent of them")
        host_tags = self._maker.make_host_tags(taken_at, unreadable=self._reader.found if blindness else None)
        count = len(snapshot.sightings)
        columns = [one for one in self._destinations if 0 < count <= one.max_column_processes]
        others = [one for one in self._destinations if one not in columns]
        if columns:
            payloads = host_tags + self._maker.make_columns(snapshot, events, every_seconds=every_seconds)
            for destination in columns:
                destination.put(payloads)
        if others:
            # Where patterns leave out everybody, nobody is there; where nothing can be read, nothing is known.
            payloads = host_tags + self._maker.make(
                snapshot, events, every_seconds=every_seconds, says_none=not blindness
            )
            for destination in others:
                destination.put(payloads)
        self._send_containers(snapshot, moment)
        self._newest = snapshot
        if self._live is not None:
            self._live.was_told(snapshot)
        self._say_what_was_unseen()
        return self._reader.spare_spent

    def send_live_numbers(self, watched: set[Destination]) -> None:
        """Numbers, for the servers where somebody watches."""
        if self._newest is None:
            return
        if self._live is None or watched - self._watched:
            # One more server, which was not told what the others were.
            self._live = LiveNumbers(self._collector, self._newest)
        # Behind what still waits they would be old when they come. Whoever is left out is told anew.
        self._watched = {destination for destination in watched if not destination.is_behind}
        if not self._watched:
            return
        taken_at, moment = int(self._clock.now()), self._clock.monotonic()
        readings = self._reader.read(numbers_only=True)
        if self._reader.blindness:
            return  # nothing read is not nothing there, and a list without anybody would end them all
        payloads = self._maker.make_live(taken_at, *self._live.look(readings, taken_at=taken_at, moment=moment))
        for destination in self._watched:
            destination.put(payloads, is_live=True)

    def stop_live_numbers(self) -> None:
        """Nobody watches any more."""
        self._live = None
        self._watched = set()

    def _send_containers(self, snapshot: Snapshot, moment: float) -> None:
        if self._containers is None:
            return
        if found := self._containers.look(snapshot.sightings, moment=moment):
            payloads = self._maker.make_containers(found, snapshot.taken_at)
            for destination in self._destinations:
                destination.put(payloads)

    def _say_what_was_unseen(self) -> None:
        if self._short_lived is None or self._short_lived.unseen <= self._unseen:
            return
        self._unseen = self._short_lived.unseen
        if self._throttle.admits("unseen"):
            self._report(f"too many processes come and go to see each: {self._unseen} events left out so far")
