"""A log, a live table and a history as one store."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Protocol

from procession.containers.container import ContainerSnapshot
from procession.errors import Unavailable
from procession.inventory import FrozenStore, Inventory
from procession.lifecycle.events import ProcessExits
from procession.packed import AnySnapshot, PackedSnapshot, pack
from procession.paging import Page
from procession.process import MAX_UINT32, Ending, LiveSnapshot, ProcessDetail, ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.storage import (
    ChangeStore,
    ContainerStore,
    ErasureStore,
    HostStore,
    KeyStore,
    MonitorStore,
    NotAllStored,
    NotificationSettingsStore,
    OutboxStore,
    ReadStore,
    RollupStore,
    SessionStore,
    UserStore,
    ViewStore,
)
from procession.storage.containers.joined import EmbeddedContainers
from procession.storage.containers.table import ContainerTable
from procession.storage.embedded.analysis import EmbeddedAnalysis, PastAnalysis
from procession.storage.embedded.answer_counts import AnswerCounts
from procession.storage.embedded.checkpoints import Checkpoints
from procession.storage.embedded.erasure import EmbeddedErasure
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.embedded.flusher import FORCED_SECONDS, PIECE_WEIGHT, FlushCounts, Flusher, FlushTarget
from procession.storage.embedded.joins.joined_endings import JoinedEndings
from procession.storage.embedded.joins.joined_intake import JoinedIntake
from procession.storage.embedded.joins.joined_pages import JoinedPages
from procession.storage.embedded.log_records import containers_entry, exits_entry, snapshot_entry
from procession.storage.embedded.log_space import LogSpace
from procession.storage.embedded.progress import FlushProgress
from procession.storage.embedded.recovery import replay
from procession.storage.embedded.remembered_accounts import (
    RememberedAtHand,
    RememberedHosts,
    RememberedKeys,
    RememberedMonitors,
    RememberedNotificationSettings,
    RememberedOutbox,
)
from procession.storage.live.table import REACH_SECONDS
from procession.storage.wal import Entry, LogStatus, WriteAheadLog
from procession.window import Window

FLUSH_SECONDS = 60.0
"""So long what was acknowledged waits at most for its flush, unless so much waits that it is worth one, or a question
needs it. The engine takes 40 ms for a flush, however little is in it."""

_FIRST_FLUSH_SECONDS = 1.0

MAX_QUEUE_WEIGHT = 400_000
MAX_QUEUE_CHARACTERS = 512 * 2**20

_TICK_SECONDS = 60.0
_MORE_REACH_SECONDS = 900
"""The live table keeps so much more than an hour, for questions about an hour that ended a moment ago."""

_RETRY_SECONDS = 1.0
_PRESENCE_SECONDS = 5.0
"""So often it is looked at whether presence is to be written."""
_PRESENCE_RETRY_SECONDS = 60.0

_log = logging.getLogger(__name__)

_Logged = PackedSnapshot | ProcessExits | ContainerSnapshot

End = Callable[[Exception | None], None]
"""Told once, of what went wrong, if anything."""


class History(ReadStore, FlushTarget, Protocol):
    """The store that keeps all."""

    @property
    def keys(self) -> KeyStore: ...

    @property
    def hosts(self) -> HostStore: ...

    @property
    def containers(self) -> ContainerStore: ...

    @property
    def sessions(self) -> SessionStore: ...

    @property
    def users(self) -> UserStore: ...

    @property
    def views(self) -> ViewStore: ...

    @property
    def monitors(self) -> MonitorStore: ...

    @property
    def changes(self) -> ChangeStore: ...

    @property
    def notification_settings(self) -> NotificationSettingsStore: ...

    @property
    def outbox(self) -> OutboxStore: ...

    @property
    def analysis(self) -> PastAnalysis: ...

    @property
    def rollup(self) -> RollupStore: ...

    @property
    def erasure(self) -> ErasureStore: ...

    @property
    def presence_waits_since(self) -> int | None: ...

    def write_presence(self) -> None: ...

    def write_presence_if_due(self) -> None: ...

    def close(self) -> None: ...


class FreezableTables(Protocol):
    """Those of the history."""

    def shut(self) -> AbstractContextManager[None]:
        """Nobody writes to them but the thread that is in the block."""

    def freeze(self) -> FrozenStore:
        """As they are. Raises Unavailable."""

    def release(self, name: str) -> None: ...


class EmbeddedStore:
    """A ReadStore, and its parts: whoever keeps one contract is handed one of these.

    All calls block, and may come from any number of threads at once.
    """

    def __init__(
        self,
        history: History,
        log: WriteAheadLog,
        checkpoints: Checkpoints,
        progress: FlushProgress,
        *,
        tables: FreezableTables,
        now: Callable[[], int],
        forced_seconds: float = FORCED_SECONDS,
    ) -> None:
        """`checkpoints`: of a live table that has everything that is in the history. What is in the log only is read
        here. `forced_seconds`: questions cause no more than one flush in so many. Raises UsageError where that is not
        possible."""
        self._history = history
        self._wal = log
        self._checkpoints = checkpoints
        self._progress = progress
        self._tables = tables
        self._now = now
        self.live_table = checkpoints.table
        self._queue = FlushQueue(max_weight=MAX_QUEUE_WEIGHT, max_characters=MAX_QUEUE_CHARACTERS)
        self._space = LogSpace(log, checkpoints, progress)
        self._flusher = Flusher(self._queue, history, self._note_flushed, forced_seconds=forced_seconds)
        self._container_table = ContainerTable()
        replay(log, checkpoints, self._queue, self._container_table, flushed=progress.flushed)
        self.answers = AnswerCounts()
        self.erasure = EmbeddedErasure(
            history.erasure, log, self._flusher, checkpoints, release=self._space.release, on_erased=self._forget_org
        )
        self._joined_pages = JoinedPages(self.live_table, history.find, self._waits_since)
        self._joined_intake = JoinedIntake(self.live_table, history, self._queue)
        self._joined_endings = JoinedEndings(self.live_table, history, self._queue.since)
        self.keys = RememberedKeys(history.keys)
        self.hosts = RememberedHosts(history.hosts)
        self.accounts_at_hand = RememberedAtHand(self.keys, self.hosts)
        self.containers = self._containers_of(history)
        self.sessions = history.sessions
        self.users = history.users
        self.views = history.views
        self.monitors = RememberedMonitors(history.monitors)
        self.changes = history.changes
        self.notification_settings = RememberedNotificationSettings(history.notification_settings)
        self.outbox = RememberedOutbox(history.outbox, now)
        self.analysis = EmbeddedAnalysis(
            self.live_table,
            history.analysis,
            self._queue,
            self._flusher.flush_what_concerns,
            self.answers,
            (self.find, self.details),
            presence_waits_since=lambda: history.presence_waits_since,
        )
        self.rollup = FlushedRollup(history.rollup, self._flusher.flush)
        self._threads = [
            threading.Thread(target=self._run, name="flush", daemon=True),
            threading.Thread(target=self._write_presence, name="presence", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _containers_of(self, history: History) -> EmbeddedContainers:
        flush = self._flusher.flush_what_concerns
        return EmbeddedContainers(self._container_table, history.containers, self._append_containers, flush, self._now)

    # What is written

    def append(self, org_id: int, snapshot: AnySnapshot) -> Future[None]:
        """Done once the chunk is safe on disk and readers see it; fails as Unavailable where the disk did not take it.
        Raises Unavailable where too much waits."""
        seen = _Seen()
        self.append_then(org_id, snapshot, seen.end)
        return seen

    def append_then(self, org_id: int, snapshot: AnySnapshot, end: End) -> None:
        """The same for who wants to be told, on another thread: of the error, or None."""
        self._check(org_id)
        packed = pack(snapshot)
        self._append(org_id, packed, snapshot_entry(org_id, packed, self._now()), end)

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        waiting: list[Future[None]] = []
        for org_id, snapshot in snapshots:
            try:
                waiting.append(self.append(org_id, snapshot))
            except Unavailable as refusal:
                refused: Future[None] = Future()
                refused.set_exception(refusal)
                waiting.append(refused)
        failed = {index: why for index, one in enumerate(waiting) if (why := one.exception()) is not None}
        for why in failed.values():
            raise NotAllStored(why, frozenset(failed)) if isinstance(why, Unavailable) else why

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        for org_id, _ in exits:
            self._check(org_id)
        waiting: list[Future[None]] = []
        for org_id, of_host in exits:
            if of_host.exits:
                waiting.append(seen := _Seen())
                self.append_exits_then(org_id, of_host, seen.end)
        for one in waiting:
            one.result()

    def append_exits_then(self, org_id: int, exits: ProcessExits, end: End) -> None:
        """As `append_then`."""
        self._check(org_id)
        self._append(org_id, exits, exits_entry(org_id, exits, self._now()), end)

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        live = [one for one in live if not self.erasure.has_begun(one[0])]
        for org_id, of_host in live:
            self._queue.put_live(org_id, of_host)
        self.live_table.add_live(live)

    def _append_containers(self, org_id: int, snapshot: ContainerSnapshot) -> Future[None]:
        self._check(org_id)
        seen = _Seen()
        self._append(org_id, snapshot, containers_entry(org_id, snapshot, self._now()), seen.end)
        return seen

    def _check(self, org_id: int) -> None:
        """Raises Unavailable where nothing can be taken of an org."""
        self.erasure.refuse(org_id)
        self._queue.check_space()

    def _append(self, org_id: int, content: _Logged, entry: Entry, end: End) -> None:
        def take(sequence: int, error: Exception | None) -> None:
            if error is None:
                try:
                    self._take(sequence, org_id, content)
                except Exception as failure:  # whoever waits must be told
                    error = failure
            if error is not None and self._wal.is_out_of_space:
                self._queue.hurry()
            end(error)

        self._wal.append_then(entry, take)

    def _take(self, sequence: int, org_id: int, content: _Logged) -> None:
        """On the thread that writes the log, in the order of the sequence numbers."""
        self.erasure.refuse(org_id)
        # First into the queue: who joins live table and history finds there whatever the live table has.
        self._queue.put(sequence, org_id, content)
        if isinstance(content, PackedSnapshot):
            self.live_table.apply([(org_id, content)], self._now(), self._queue.since(org_id))
        elif isinstance(content, ContainerSnapshot):
            self._container_table.put(org_id, content)
        else:
            self.live_table.add_exits([(org_id, content)])
        self._checkpoints.applied = sequence

    # What is asked

    def find(self, query: ProcessQuery) -> Page:
        found = self.live_table.find(query)
        if found is not None:
            return self.answers.live(found)
        joined = self._joined_pages.find(query)
        if joined is not None:
            return self.answers.joined(joined)
        self._flusher.flush_what_concerns(query.org_id, query.window)
        self.answers.history()
        return self._history.find(query)

    def details(self, org_id: int, window: Window, processes: Sequence[ProcessSummary]) -> tuple[ProcessDetail, ...]:
        found = self.live_table.details(org_id, window, processes)
        if found is not None:
            return self.answers.live(found)
        joined = self._joined_endings.details(org_id, window, processes)
        if joined is not None:
            return self.answers.joined(joined)
        self._flusher.flush_what_concerns(org_id, Window(0, window.to_at))
        self.answers.history()
        return self._history.details(org_id, window, processes)

    def endings(self, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...]:
        found = self.live_table.endings(org_id, until, seen)
        if found is not None:
            return self.answers.live(found)
        joined = self._joined_endings.endings(org_id, until, seen)
        if joined is not None:
            return self.answers.joined(joined)
        self._flusher.flush_what_concerns(org_id, Window(0, until))
        self.answers.history()
        return self._history.endings(org_id, until, seen)

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        found = self.live_table.sightings_of(live)
        if all(one is not None for one in found):
            return self.answers.live(tuple(one for one in found if one is not None))
        left = [chunk for chunk, one in zip(live, found, strict=True) if one is None]
        past = iter(self._past_sightings(left))
        return tuple(next(past) if one is None else one for one in found)

    def _waits_since(self, org_id: int) -> int | None:
        """The earliest moment that anything tells of which the history does not have yet. Where it has all of it, but
        would have to write presence for a question about now, any that is later."""
        waits_since = self._queue.since(org_id)
        if waits_since is None and self._history.presence_waits_since is not None:
            return MAX_UINT32
        return waits_since

    def _past_sightings(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        joined = self._joined_intake.sightings_of(live)
        if joined is not None:
            return self.answers.joined(joined)
        for org_id, of_host in live:
            self._flusher.flush_what_concerns(org_id, Window(0, of_host.taken_at))
        self.answers.history()
        return self._history.sightings_of(live)

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
        found = self.live_table.unknown_exits(exits)
        if all(one is not None for one in found):
            return self.answers.live(tuple(one for one in found if one is not None))
        joined = self._joined_intake.unknown_exits(exits)
        if joined is not None:
            return self.answers.joined(joined)
        for org_id, of_host in exits:
            # What was seen within an hour after an exit counts as well.
            until = max((one.at for one in of_host.exits), default=0) + REACH_SECONDS
            self._flusher.flush_what_concerns(org_id, Window(0, until))
        self.answers.history()
        return self._history.unknown_exits(exits)

    def unknown_exits_at_once(self, org_id: int, exits: ProcessExits) -> ProcessExits | None:
        """The same of one host, for who must not wait. None where one has to."""
        found = self.live_table.unknown_exits_at_once(org_id, exits)
        return None if found is None else self.answers.live(found)

    def inventory(self) -> Inventory:
        return self._history.inventory()

    # How it is kept

    def flush(self) -> None:
        """All that was acknowledged is in the history then. Raises Unavailable where that does not take it."""
        self._flusher.flush()

    def freeze(self) -> FrozenStore:
        """See `BackupStore`."""
        self.erasure.erase_all(self.keys)  # a backup would bring back what was removed
        with self.erasure.standing_still(), self._flusher.flushed(self._tables.shut):
            self._history.write_presence()
            return self._tables.freeze()

    def release(self, name: str) -> None:
        self._tables.release(name)

    def flush_to(self, target: FlushTarget) -> None:
        """Let flushes go through this, which hands them on to the history."""
        self._flusher.target = target

    @property
    def history(self) -> History:
        """What is flushed. Asked by itself, it does not know what is in the log alone."""
        return self._history

    # For metrics

    def log_status(self) -> LogStatus:
        return self._wal.status()

    @property
    def unflushed_weight(self) -> int:
        """Of what is not in the history yet, in sightings."""
        return self._queue.weight

    @property
    def live_seconds(self) -> int:
        """How far back the live table of all orgs reaches at least; of a new store, as far as it will keep."""
        return min(max(0, self._now() - self.live_table.since), REACH_SECONDS + _MORE_REACH_SECONDS)

    @property
    def flushes(self) -> FlushCounts:
        return self._flusher.counts

    def close(self) -> None:
        """What was acknowledged is moved into the history, as far as that takes it; the rest stays in the log."""
        self._queue.close()
        for thread in self._threads:
            thread.join()
        self._wal.close()
        try:
            self._flusher.flush()
            self._checkpoints.write()
            self._space.release()
        except (Unavailable, OSError) as error:
            fields = {"event": "flush-at-stop-failed", "reason": str(error)}
            _log.warning("what was acknowledged stays in the log until the next start: %(reason)s", fields)
        finally:
            self._history.close()

    def _run(self) -> None:
        ticked_at = time.monotonic()
        while self._queue.wait(self._flush_seconds(), PIECE_WEIGHT, longest=_TICK_SECONDS):
            if not self._flusher.flush_in_background():
                self._queue.wait_until_closed(_RETRY_SECONDS)
            if time.monotonic() - ticked_at >= _TICK_SECONDS:
                ticked_at = time.monotonic()
                self.live_table.expire(self._now() - REACH_SECONDS - _MORE_REACH_SECONDS)
            self._space.release_if_due()
            if self._wal.is_out_of_space:
                self._queue.wait_until_closed(_RETRY_SECONDS)

    def _write_presence(self) -> None:
        """Apart from flushes, which must not wait for it."""
        seconds = 0.0  # at once what a server left that was killed
        while not self._queue.wait_until_closed(seconds):
            seconds = _PRESENCE_SECONDS
            try:
                self._history.write_presence_if_due()
            except Exception as error:  # the thread has to go on
                seconds = _PRESENCE_RETRY_SECONDS
                fields = {"event": "presence-failed", "reason": str(error) or type(error).__name__}
                _log.warning("the store does not take when processes were there: %(reason)s", fields)

    def _flush_seconds(self) -> float:
        """The first one comes soon: who has just installed the server looks whether anything is stored."""
        return FLUSH_SECONDS if self._flusher.counts.count else _FIRST_FLUSH_SECONDS

    def _note_flushed(self, sequence: int) -> None:
        try:
            self._progress.note(sequence)
        except OSError as error:
            fields = {"event": "progress-failed", "reason": str(error)}
            _log.warning("cannot note how much of the log is stored: %(reason)s", fields)
        self._space.release()

    def _forget_org(self, org_id: int) -> None:
        self.notification_settings.forget_org(org_id)
        self.containers.forget_org(org_id)
        for remembered in (self.keys, self.hosts, self.monitors, self.outbox):
            remembered.forget()


class _Seen(Future[None]):
    """Done once something is safe on disk and seen."""

    def __init__(self) -> None:
        super().__init__()
        self.set_running_or_notify_cancel()  # nobody can take back what is in the log

    def end(self, error: Exception | None) -> None:
        if error is None:
            self.set_result(None)
        else:
            self.set_exception(error)


class FlushedRollup:
    """A RollupStore."""

    def __init__(self, history: RollupStore, flush: Callable[[], None]) -> None:
        self._history = history
        self._flush = flush

    def roll_up(self, orgs: Sequence[int]) -> int:
        self._flush()
        return self._history.roll_up(orgs)
