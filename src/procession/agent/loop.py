"""Collect, scrub, send, wait."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from procession.agent.client import IntakeClient
from procession.agent.collector import Collector
from procession.agent.outbox import Outbox
from procession.agent.parts import allow_open_files, api_key_of, host_of, listen_for_short_lived, scrub_of
from procession.agent.payloads import PayloadMaker
from procession.agent.reader import ProcReader
from procession.agent.sender import Notices, Report, Sender
from procession.agent.short_lived import ShortLived
from procession.agent.spool import Spool
from procession.config import AgentSettings


def run_agent(settings: AgentSettings, *, stop: threading.Event, report: Report) -> None:
    """Watch the processes of this machine until `stop` is set, and be gone within a second then.

    `report` takes lines for a person, from any thread. Raises UsageError for settings that cannot work.
    """
    host = host_of(settings)
    client = IntakeClient(settings.url)
    api_key = api_key_of(settings)
    scrub = scrub_of(settings, report)
    allow_open_files()
    with contextlib.ExitStack() as ending:
        reader = ending.enter_context(
            contextlib.closing(ProcReader(settings.proc_root, kernel_threads=settings.kernel_threads))
        )
        spool = Spool(Path(settings.spool_dir)) if settings.spool_dir else None
        if spool is not None:
            ending.callback(spool.close)
        outbox = Outbox(settings.queue_bytes, spool)
        short_lived = listen_for_short_lived(reader, report) if settings.short_lived else None
        if short_lived is not None:
            ending.callback(short_lived.stop)
        sender = Sender(client, outbox, api_key=api_key, report=report, stop=stop)
        ending.callback(_send_in_thread(sender, outbox, client))
        rounds = _Rounds(
            reader=reader,
            short_lived=short_lived,
            collector=Collector(
                host=host,
                boot_time=reader.boot_time,
                ticks_per_second=reader.ticks_per_second,
                page_bytes=reader.page_bytes,
                scrub=scrub,
            ),
            maker=PayloadMaker(
                host=host,
                agent_pid=os.getpid(),
                started_at=int(time.time()),
                max_processes=settings.processes_per_payload,
            ),
            outbox=outbox,
            notices=Notices(report),
        )
        ticks = _Ticks(settings.interval_seconds)
        while sender.failure is None:
            rounds.go()
            if stop.wait(ticks.seconds_to_next()):
                break
    if sender.failure is not None:
        raise sender.failure


@dataclass(slots=True)
class _Rounds:
    """Collect, scrub, and hand over to the sender, again and again."""

    reader: ProcReader
    short_lived: ShortLived | None
    collector: Collector
    maker: PayloadMaker
    outbox: Outbox
    notices: Notices
    unseen: int = 0

    def go(self) -> None:
        taken_at, moment = int(time.time()), time.monotonic()
        readings = self.reader.read()
        ended = self.short_lived.drain([reading.pid for reading in readings]) if self.short_lived is not None else []
        events, gone = self.collector.conclude(ended, moment=moment)
        snapshot = self.collector.collect(readings, taken_at=taken_at, moment=moment, also=gone)
        dropped = self.outbox.dropped
        try:
            self.outbox.put(self.maker.make(snapshot, events))
        except OSError as error:
            self.notices.say("disk", f"cannot write to the spool: {error.strerror}; keeping snapshots in memory")
        if self.outbox.dropped > dropped:
            self.notices.say(
                "full", f"too much waits: dropped the oldest of it, {self.outbox.dropped} snapshots so far"
            )
        if self.short_lived is not None and self.short_lived.unseen > self.unseen:
            self.unseen = self.short_lived.unseen
            self.notices.say(
                "unseen", f"too many processes come and go to see each: {self.unseen} events left out so far"
            )


def _send_in_thread(sender: Sender, outbox: Outbox, client: IntakeClient) -> Callable[[], None]:
    """Begin, and say how to end it."""
    # A daemon, since a name server that does not answer cannot be interrupted.
    thread = threading.Thread(target=sender.run, name="sender", daemon=True)
    thread.start()

    def end() -> None:
        outbox.close()
        thread.join(0.4)  # what is being sent may still arrive
        client.abort()
        thread.join(0.3)

    return end


class _Ticks:
    """Moments at equal distances from now on. Those that were missed are left out."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval = interval_seconds
        self._begin = time.monotonic()
        self._count = 0

    def seconds_to_next(self) -> float:
        passed = time.monotonic() - self._begin
        self._count = max(self._count, int(passed / self._interval)) + 1
        return self._begin + self._count * self._interval - time.monotonic()
