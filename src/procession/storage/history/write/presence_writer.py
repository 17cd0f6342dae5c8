"""Writes `presence` out of `snapshots`, for many of them at once, where one process alone writes to the tables.

With each snapshot it would be a row for each sighting. Here it is one for each process, version and hour, once the hour
is over; or earlier, where so much waits that whoever asks would wait too long for it, or where a question reaches into
it.

Nothing but the snapshots has to be remembered: what was seen is in them, and to write it again changes nothing. A file
says from which moment on it may not be written, so that a server that was killed goes on there. What comes an hour late
or more does not wait: the engine writes it in the insert of the snapshot, so that nothing waits for longer than
snapshots are kept.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec

from procession.errors import Unavailable
from procession.packed import AnySnapshot
from procession.process import MAX_UINT32, MAX_UINT64, Snapshot
from procession.storage.history.engine.connection import ConnectionPool, rows_of
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.statements.presence import sightings_of_presence, write_presence
from procession.storage.history.tables.constants import HOUR_SECONDS
from procession.storage.history.write.start_times import Chunks
from procession.window import Window

LATE_SECONDS = HOUR_SECONDS
"""What is older when it comes is written at once, by the view `presence_from_snapshots`."""

MAX_SIGHTINGS = 3_000_000
"""So many may wait. It takes the engine half a second to write their presence."""

_PIECE_SIGHTINGS = 1_500_000
"""In one statement, which takes memory for each process."""

_GRACE_SECONDS = 300
"""After the end of an hour, for what comes late."""


class Unwritten(msgspec.Struct, frozen=True):
    """Of what there are snapshots whose presence may not be written."""

    since: int
    """The earliest moment of them."""
    until: int
    """The last."""
    received_since: int
    """When the first of them came."""
    sightings: int = 0

    def with_(self, other: Unwritten | None) -> Unwritten:
        if other is None:
            return self
        return Unwritten(
            min(self.since, other.since),
            max(self.until, other.until),
            min(self.received_since, other.received_since),
            self.sightings + other.sightings,
        )

    def after(self, written_before: int) -> Unwritten | None:
        """What is left of it."""
        if written_before > self.until:
            return None
        share = (self.until - written_before + 1) / (self.until - self.since + 1)
        return Unwritten(written_before, self.until, self.received_since, round(self.sightings * share))


def written_already(_: int) -> None:
    """Where presence is written with each snapshot."""


def nothing_waits() -> Window | None:
    """The same."""
    return None


class PresenceWriter:
    """For any number of threads."""

    def __init__(
        self,
        pool: ConnectionPool,
        note: Path,
        *,
        writing: Callable[[], AbstractContextManager[None]],
        now: Callable[[], int],
    ) -> None:
        """`note`: a file of the data folder that says what may not be written. `writing`: a block in which the tables
        may be written to."""
        self._pool = pool
        self._writing = writing
        self._now = now
        self._one_at_a_time = threading.Lock()
        self._changing = threading.Lock()
        self._note = note
        self._noted = _read(note)
        self._waiting = self._noted
        self._is_from_before = self._waiting is not None
        """Whether another process has left something, of which nobody knows how much it is."""
        self._under_way: Unwritten | None = None
        self._inserting: list[Unwritten] = []
        self.written_at = 0
        """When something was written last."""

    @contextmanager
    def inserting(self, chunks: Chunks, *, received_at: int) -> Iterator[None]:
        """In this block they are put into `snapshots`. Raises Unavailable where the disk does not take the note."""
        fresh = [one for _, one in chunks if one.taken_at + LATE_SECONDS > received_at]
        if not fresh:
            yield
            return
        moments = [one.taken_at for one in fresh]
        some = Unwritten(min(moments), max(moments), received_at, sum(_size(one) for one in fresh))
        try:
            with self._changing:
                self._inserting.append(some)
                self._take_note()
            yield
        finally:  # an insert that failed may have stored them
            with self._changing:
                self._inserting.remove(some)
                self._waiting = some.with_(self._waiting)

    def waiting(self) -> Window | None:
        """From the first to the last moment of what may not be written."""
        with self._changing:
            some = self._all_of_it()
        return None if some is None else Window(some.since, some.until)

    def write_until(self, until: int) -> None:
        """For a question that goes up to this moment. Raises Unavailable."""
        if any(one is not None and one.since <= until for one in (self._waiting, self._under_way)):
            self.write(until + 1)

    def write_if_due(self) -> bool:
        """Whether there was something to write. Raises Unavailable."""
        waiting, now = self._waiting, self._now()
        if waiting is None:
            return False
        if self._is_from_before or waiting.sightings >= MAX_SIGHTINGS:
            self.write()
            return True
        hour = max(now - _GRACE_SECONDS, 0) // HOUR_SECONDS
        if waiting.since // HOUR_SECONDS >= hour:
            return False
        self.write(hour * HOUR_SECONDS)
        return True

    def write(self, before: int = MAX_UINT32 + 1) -> None:
        """All of the moments before. Raises Unavailable."""
        # Whoever keeps writers out may want this itself meanwhile: so nobody has the lock while it waits for the gate.
        with self._writing(), self._one_at_a_time:
            with self._changing:
                some = self._waiting
                if some is None or some.since >= before:
                    return
                self._waiting, self._under_way = None, some
                left = some.after(before)
            try:
                self._write(some, before)
            except BaseException:
                left = some
                raise
            else:
                self._is_from_before = False
                self.written_at = self._now()
            finally:
                with self._changing:
                    self._under_way = None
                    if left is not None:
                        self._waiting = left.with_(self._waiting)
                    self._take_note(is_new=left is not some)

    def _write(self, some: Unwritten, before: int) -> None:
        with unavailable_on_failure(), self._pool.connection() as connection:
            sightings = some.sightings
            if self._is_from_before:
                (sightings,) = rows_of(connection)(sightings_of_presence(some.since, before, some.received_since))
            pieces = sightings // _PIECE_SIGHTINGS + 1
            bounds = [MAX_UINT64 * number // pieces for number in range(pieces + 1)]
            for number in range(pieces):
                first = bounds[number] + (number > 0)  # keys of hosts are hashes: as many in each
                connection.run(write_presence(some.since, before, some.received_since, first, bounds[number + 1]))

    def _all_of_it(self) -> Unwritten | None:
        found: Unwritten | None = None
        for one in (*self._inserting, self._waiting, self._under_way):
            found = found if one is None else one.with_(found)
        return found

    def _take_note(self, *, is_new: bool = False) -> None:
        """Of all that may not be written; `is_new`: where it is less than before, too."""
        all_of_it, noted = self._all_of_it(), self._noted
        if all_of_it is None:
            with contextlib.suppress(OSError):  # the next one is told to write what is there already
                self._note.unlink(missing_ok=True)
            self._noted = None
            return
        is_covered = (
            noted is not None and noted.since <= all_of_it.since and noted.received_since <= all_of_it.received_since
        )
        if is_new or not is_covered:
            try:
                _write(self._note, all_of_it)
            except OSError as error:
                if is_new and is_covered:
                    return
                raise Unavailable(f"The store cannot do this now: {error.strerror or error}") from error
            self._noted = all_of_it


def _read(path: Path) -> Unwritten | None:
    with contextlib.suppress(FileNotFoundError):
        try:
            noted = msgspec.json.decode(path.read_bytes(), type=Unwritten)
        except msgspec.MsgspecError:
            return Unwritten(0, MAX_UINT32, 0)
        return msgspec.structs.replace(noted, until=MAX_UINT32)  # what came later is not in it
    return None


def _write(path: Path, some: Unwritten) -> None:
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(msgspec.json.encode(some))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _size(snapshot: AnySnapshot) -> int:
    return len(snapshot.sightings) if isinstance(snapshot, Snapshot) else len(snapshot)
