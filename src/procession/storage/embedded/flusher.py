"""Moves what was acknowledged into the history: in large blocks, in the background, or when a question needs it."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from procession.containers.container import ContainerSnapshot
from procession.errors import Unavailable
from procession.lifecycle.events import ProcessExits
from procession.log_throttle import LogThrottle
from procession.packed import AnySnapshot, PackedSnapshot
from procession.process import LiveSnapshot
from procession.storage.embedded.flush_queue import FlushPiece, FlushQueue
from procession.window import Window

PIECE_WEIGHT = 150_000
"""In sightings. A piece costs some 80 ms besides what it costs for each of them; a larger one makes answers wait for
longer."""

PIECE_CHARACTERS = 32 * 2**20

FORCED_SECONDS = 10.0
"""Questions cause no more than one flush in so many seconds."""

_TRIES = 3
"""So often a piece is tried as a whole, before its chunks are tried one by one."""

_log = logging.getLogger(__name__)

ContentT = TypeVar("ContentT", PackedSnapshot, ProcessExits, LiveSnapshot, ContainerSnapshot)


class FlushTarget(Protocol):
    """The history, as far as it is written to."""

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None: ...

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None: ...

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None: ...

    def add_containers(self, snapshots: Sequence[tuple[int, ContainerSnapshot]]) -> None: ...


@dataclass(slots=True)
class FlushCounts:
    """Since the store was opened."""

    count: int = 0
    forced_count: int = 0
    """Those that a question waited for."""


class Flusher:
    """For any number of threads; one flush at a time."""

    def __init__(
        self,
        queue: FlushQueue,
        target: FlushTarget,
        on_flushed: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
        forced_seconds: float = FORCED_SECONDS,
    ) -> None:
        """`on_flushed` is told up to which sequence number of the log everything is in the history, and synced.
        `forced_seconds`: questions cause no more than one flush in so many."""
        self._queue = queue
        self.target = target
        self._on_flushed = on_flushed
        self._clock = clock
        self._forced_seconds = forced_seconds
        self._may_force_at = -math.inf
        """When a question may cause the next flush."""
        self._flushing = threading.Lock()
        self._done = 0
        """Up to which sequence number everything is in the history."""
        self._failures = 0
        """Of the first piece, one after the other."""
        self._throttle = LogThrottle(time.monotonic)
        self.counts = FlushCounts()

    def flush_what_concerns(self, org_id: int, window: Window) -> None:
        """Before the history is asked about an org in a window: what was acknowledged before this call is in it then.

        A question so soon after the last one that caused a flush waits for the next flush, or causes it in time. Raises
        Unavailable where the history does not take what was acknowledged: an answer without it would be wrong.
        """
        put_count = self._queue.put_count
        while self._queue.concerns(org_id, window, put_count):
            seconds = self._may_force_at - self._clock()
            if seconds <= 0:
                self._force(org_id, window, put_count)
            elif self._failures:
                raise Unavailable("The store does not take what it has acknowledged; try again")
            else:
                self._queue.wait_for_flush(seconds)

    def _force(self, org_id: int, window: Window, put_count: int) -> None:
        with self._flushing:
            # Else another thread's flush has done it, or it has just failed.
            if self._queue.concerns(org_id, window, put_count) and self._may_force_at <= self._clock():
                self._may_force_at = self._clock() + self._forced_seconds
                self.counts.forced_count += 1
                self._flush()

    def flush(self) -> None:
        """All that was acknowledged before. Raises Unavailable where the history does not take it; it stays then."""
        with self._flushing:
            self._flush()

    @contextmanager
    def flushed(self, shut: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """All that was acknowledged is in the history, at a moment since which nothing else was written to it, and
        nothing is until the end of the block. Raises Unavailable.

        `shut`: keeps all other threads from writing.
        """
        with self._flushing:
            self._flush()  # most of it, while others still write
            with shut():
                self._flush()
                yield

    def flush_before(self, sequence: int) -> None:
        """All that was acknowledged before a record that is not flushed itself. Raises Unavailable."""
        with self._flushing:
            self._flush()
            self._note(sequence)

    def flush_in_background(self) -> bool:
        """The same for who has nobody to tell: a failure is logged. Whether it worked."""
        try:
            self.flush()
        except Exception as error:  # the thread that calls this has to go on
            if self._throttle.admits("flush-failed"):
                fields = {"event": "flush-failed", "reason": str(error) or type(error).__name__}
                _log.warning(
                    "what was acknowledged is in the log, but the store does not take it: %(reason)s",
                    fields,
                    exc_info=not isinstance(error, Unavailable),
                )
            return False
        return True

    def _flush(self) -> None:
        until = self._queue.last_sequence
        done = 0
        try:
            while (piece := self._queue.first(PIECE_WEIGHT, PIECE_CHARACTERS, until=until)).items:
                self._store(piece)
                self._queue.drop(piece.items)
                done = piece.items[-1].sequence
        finally:
            if done:
                self.counts.count += 1
                self._note(done)

    def _note(self, sequence: int) -> None:
        if sequence > self._done:
            self._done = sequence
            self._on_flushed(sequence)

    def _store(self, piece: FlushPiece) -> None:
        try:
            # Exits before snapshots: a pid may have gone to another process in between, and a start that is near would
            # be taken for that of the process before.
            self._add(self.target.add_exits, piece.exits)
            self._add(self.target.add_live, piece.live)
            self._add(self.target.add, piece.snapshots)
            self._add(self.target.add_containers, piece.containers)
        except Exception:
            self._failures += 1
            raise
        self._failures = 0

    def _add(self, add: Callable[[Sequence[tuple[int, ContentT]]], None], some: Sequence[tuple[int, ContentT]]) -> None:
        if not some:
            return
        try:
            add(some)
        except Unavailable:
            if self._failures < _TRIES:
                raise
            self._add_one_by_one(add, some)
        except Exception:
            _log.exception("cannot flush %d items at once", len(some))
            self._add_one_by_one(add, some)

    def _add_one_by_one(
        self, add: Callable[[Sequence[tuple[int, ContentT]]], None], some: Sequence[tuple[int, ContentT]]
    ) -> None:
        """Something in one of them cannot be stored, for ever perhaps: the others must not wait for it."""
        failed: list[tuple[int, str, Exception]] = []
        for org_id, content in some:
            try:
                add([(org_id, content)])
            except Exception as error:
                failed.append((org_id, content.host, error))
                if len(failed) == len(some) or len(failed) > _TRIES:
                    # Not one of them: the store itself.
                    raise Unavailable(f"The store does not take what it has acknowledged: {error}") from error
        for org_id, host, why in failed:
            fields = {"event": "chunk-lost", "org_id": org_id, "host": host, "reason": str(why)}
            _log.error("a chunk of %(host)s cannot be stored, and is given up: %(reason)s", fields)
