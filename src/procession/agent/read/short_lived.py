"""Processes that come and go between two snapshots.

Root hears of them from the process connector; since Linux 6.6 others do too. A thread listens. What a process is has to
be read while it lives: right after its exec, or, for one that only forked, a few milliseconds after that. One that was
quicker is described by its parent, if it still ran the same program; of others no more is known than when they were.

What is reported is the exit of a first thread, which need not be the end: others may go on, or one of them may have
run a new program, which ends all others. So the agent looks whether the process has ended. If other threads go on, it
has the connector report each of their exits, up to the last one, which has the exit status of the process.
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import os
import select
import threading
import time
from collections import deque
from collections.abc import Iterable

import msgspec

from procession.agent.read.connector import EXEC, EXIT, FORK, MAX_WATCHED, ProcConnector, ProcEvent, monotonic_offset
from procession.agent.read.exits.ended import Ended, shell_code
from procession.agent.read.exits.facts_reader import ExitFactsReader
from procession.agent.read.proc_reader import Life, ProcReader
from procession.agent.read.process_reading import NO_FACTS, ProcessReading
from procession.agent.read.procfs import Stat

MAX_EVENTS = 10_000
"""Taken between two snapshots, at about 50 µs each. A storm of forks beyond that is left to the kernel to throw away
and to count."""

MAX_LOOKS = 3_000
"""Processes of which files are read between two snapshots."""

LOOK_AFTER = 0.005
"""Seconds that a forked process is given to exec."""

ASK_AFTER = 0.005
"""Seconds that a process whose first thread has exited is given to exit altogether: nearly always its other threads are
on their way, and with the same status. To watch them costs as much as two events."""

_ASK_AGAIN_AFTER = 10.0
"""In case that the exit of the last thread was not heard of."""

_DEAD = "X"
_MANY_BIRTHS = 1000
_FORGET_AFTER = 60 * 1_000_000_000


class _Birth:
    """Its moments are nanoseconds since the boot by the clock that goes on while the machine sleeps: as the kernel
    counts the start of processes."""

    __slots__ = ("executed", "forked", "ppid", "reading")

    def __init__(self, ppid: int, forked: int) -> None:
        self.ppid = ppid
        self.forked = forked
        self.executed: int | None = None
        self.reading: ProcessReading | None = None


class ShortLived:
    """Keeps what began and what ended since the last snapshot."""

    def __init__(
        self,
        connector: ProcConnector,
        reader: ProcReader,
        *,
        max_events: int = MAX_EVENTS,
        max_looks: int = MAX_LOOKS,
        facts: ExitFactsReader | None = None,
    ) -> None:
        """`max_events` and `max_looks` are between two snapshots. `facts`: what else is known of exits [nothing]."""
        self._connector = connector
        self._reader = reader
        self._facts = facts or ExitFactsReader()
        self._monotonic_offset = monotonic_offset()
        self._nanoseconds_per_tick = 1_000_000_000 // reader.ticks_per_second
        self._lock = threading.Lock()
        self._births: dict[int, _Birth] = {}
        self._to_look_at: deque[tuple[float, int]] = deque()
        self._without_leader: dict[int, ProcEvent] = {}
        """With the exit of their first threads. Those that are about to be gone altogether are among them."""
        self._watched: set[int] = set()
        self._to_ask: list[tuple[float, int]] = []
        """A heap of those without leader, each with when it is to be asked whether it goes on."""
        self._ended: list[Ended] = []
        self._max_events = max_events
        self._max_looks = max_looks
        self._events = self._looks = 0
        self._unseen = self._lost = 0
        self._resume = threading.Event()
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="connector", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        os.write(self._stop_write, b"x")
        self._resume.set()
        self._thread.join(1)
        self._connector.close()
        self._facts.close()
        os.close(self._stop_read)
        os.close(self._stop_write)

    def drain(self, alive: Iterable[int]) -> list[Ended]:
        """What has ended since the last call. `alive` are the pids of the snapshot that was just taken: those are not
        short-lived."""
        with self._lock:
            ended, self._ended = self._ended, []
            for pid in self._births.keys() & set(alive) if self._births else ():
                del self._births[pid]
            if len(self._births) > _MANY_BIRTHS:  # their ends were lost
                oldest = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - _FORGET_AFTER
                self._births = {pid: birth for pid, birth in self._births.items() if birth.forked > oldest}
            self._events = self._looks = 0
        self._resume.set()
        # Of an exit that was heard of the kernel has told the rest by now.
        return self._facts.added_to(ended)

    @property
    def unseen(self) -> int:
        """What was left out so far, because too much happened at once: events, and processes for want of a look."""
        with contextlib.suppress(OSError):
            self._lost = max(self._lost, self._connector.lost())
        return self._lost + self._unseen

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # a right that not everybody has
            # Of this thread alone: on a busy machine a process is gone before it is our turn.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)
        poll = select.poll()
        poll.register(self._connector.fileno(), select.POLLIN)
        poll.register(self._stop_read, select.POLLIN)
        while True:
            ready = poll.poll(self._milliseconds_to_wait())
            if any(fd == self._stop_read for fd, _ in ready):
                return
            if ready:
                self._take_next()
            self._look_at_due()
            self._ask_due()
            if self._events >= self._max_events:
                self._resume.clear()
                if self._events >= self._max_events:  # no snapshot in between
                    self._resume.wait()

    def _milliseconds_to_wait(self) -> float | None:
        """For the next event, at most; None for as long as it takes. Nobody is woken for what is done already, which
        most of it is: a process runs its program before it is looked at for want of one."""
        to_look_at, to_ask = self._to_look_at, self._to_ask
        while to_look_at and ((birth := self._births.get(to_look_at[0][1])) is None or birth.reading is not None):
            to_look_at.popleft()
        while to_ask and to_ask[0][1] not in self._without_leader:
            heapq.heappop(to_ask)
        if not to_look_at and not to_ask:
            return None
        due = min(waiting[0][0] for waiting in (to_look_at, to_ask) if waiting)
        return max(0.0, due - time.monotonic()) * 1000

    def _take_next(self) -> None:
        # One for each time that the kernel says that there is one: to hear that there is none costs an exception.
        try:
            event = self._connector.receive()
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            return
        if event is not None:
            self._take(event)

    def _take(self, event: ProcEvent) -> None:
        self._events += 1
        pid, at = event.pid, self._since_boot(event)
        if event.kind == FORK:
            if pid in self._without_leader:
                self._forget_threads(pid)
            with self._lock:
                self._births[pid] = _Birth(event.number, at)
            self._to_look_at.append((time.monotonic() + LOOK_AFTER, pid))
        elif event.kind == EXEC:
            if pid in self._without_leader:
                self._forget_threads(pid)
            birth = self._births.get(pid)
            if birth is not None:
                birth.executed = at
                birth.reading = self._look(pid) or birth.reading
        elif event.kind == EXIT and not self._reader.is_over(pid):
            self._without_leader[pid] = event
            heapq.heappush(self._to_ask, (time.monotonic() + ASK_AFTER, pid))
        elif event.kind == EXIT:
            self._take_end(event, at)
        elif pid in self._without_leader and self._reader.is_over(pid):
            self._forget_threads(pid)
            self._take_end(event, at)

    def _take_end(self, event: ProcEvent, at: int) -> None:
        pid = event.pid
        with self._lock:
            birth = self._births.pop(pid, None)
        if birth is None:
            if self._reader.known(pid) is not None:
                self._end(event, at, None, None)
            return
        reading = birth.reading or self._look(pid) or self._infer(pid, birth)
        self._unseen += birth.reading is None and self._looks >= self._max_looks
        # One that was looked at while it went had no parent any more, as far as the kernel says.
        stat = msgspec.structs.replace(reading.stat, state=_DEAD, ppid=reading.stat.ppid or birth.ppid)
        self._end(event, at, birth, msgspec.structs.replace(reading, stat=stat))

    def _ask_due(self) -> None:
        while self._to_ask and self._to_ask[0][0] <= time.monotonic():
            _, pid = heapq.heappop(self._to_ask)
            if pid in self._without_leader:
                self._ask(pid)

    def _ask(self, pid: int) -> None:
        """Whether a process goes on without its first thread."""
        life = self._reader.life_of(pid)
        if life is Life.WITHOUT_LEADER and pid not in self._watched and len(self._watched) < MAX_WATCHED:
            self._watched.add(pid)
            self._connector.watch_threads(self._watched)
            life = self._reader.life_of(pid)  # the last one may have exited before anybody watched
        if life is Life.WITHOUT_LEADER:
            heapq.heappush(self._to_ask, (time.monotonic() + _ASK_AGAIN_AFTER, pid))
            return
        event = self._without_leader[pid]
        self._forget_threads(pid)
        if life is Life.OVER:
            self._take_end(event, self._since_boot(event))

    def _forget_threads(self, pid: int) -> None:
        del self._without_leader[pid]
        if pid in self._watched:
            self._watched.remove(pid)
            self._connector.watch_threads(self._watched)

    def _since_boot(self, event: ProcEvent) -> int:
        asleep = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
        return event.nanoseconds + self._monotonic_offset + asleep

    def _end(self, event: ProcEvent, at: int, birth: _Birth | None, reading: ProcessReading | None) -> None:
        offset = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        ended = Ended(
            pid=event.pid,
            exit_code=shell_code(event.number),
            ended_at=at / 1e9 + offset,
            forked_at=None if birth is None else birth.forked / 1e9 + offset,
            executed_at=None if birth is None or birth.executed is None else birth.executed / 1e9 + offset,
            reading=reading,
        )
        with self._lock:
            self._ended.append(ended)

    def _look(self, pid: int) -> ProcessReading | None:
        if self._looks >= self._max_looks:
            return None
        self._looks += 1
        return self._reader.look_at(pid)

    def _look_at_due(self) -> None:
        now = time.monotonic()
        while self._to_look_at and self._to_look_at[0][0] <= now:
            _, pid = self._to_look_at.popleft()
            birth = self._births.get(pid)
            if birth is not None and birth.reading is None:
                birth.reading = self._look(pid)

    def _infer(self, pid: int, birth: _Birth) -> ProcessReading:
        """The reading of a process that had ended before it could be read: what its parent and the connector tell."""
        parent = None
        if birth.executed is None:
            same = self._births.get(birth.ppid)
            parent = self._reader.known(birth.ppid) if same is None else same.reading
        stat, facts = (_NO_STAT, NO_FACTS) if parent is None else (parent.stat, parent.facts)
        return ProcessReading(
            pid=pid,
            boot_time=self._reader.boot_now(),
            stat=msgspec.structs.replace(stat, ppid=birth.ppid, start_ticks=birth.forked // self._nanoseconds_per_tick),
            facts=msgspec.structs.replace(facts, namespace_pid=None),
        )


_NO_STAT = Stat(
    comm="",
    state="",
    ppid=0,
    flags=0,
    user_ticks=0,
    system_ticks=0,
    nice=0,
    threads=1,
    start_ticks=0,
    vms_bytes=0,
    rss_pages=0,
    image=b"",
)
