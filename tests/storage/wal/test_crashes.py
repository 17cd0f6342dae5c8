"""Any appends, failures, crashes and power cuts: what was acknowledged is there, in order, and nothing else.

A crash is a photo of the disk before any operation of the log or in the middle of a write, from which the next log is
opened.
"""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from procession.errors import Unavailable
from procession.storage.wal import Entry, LogLimits, WriteAheadLog
from tests.storage.wal.forgetful_disk import ForgetfulDisk, Photo
from tests.support.torture import is_full

EXAMPLES = 2000 if is_full() else 100

LIMITS = LogLimits(segment_bytes=3000, total_bytes=2**30, group_bytes=2500, retry_seconds=0)
FAILING = ("create", "write", "write on", "sync", "rename", "sync_folder", "truncate", "remove")


@dataclass(frozen=True)
class Group:
    """Appended while the disk is busy, so written together."""

    sizes: tuple[int, ...]
    fill: int


@dataclass(frozen=True)
class Release:
    share: float


@dataclass(frozen=True)
class Round:
    steps: tuple[Group | Release, ...]
    crash_at: int
    """Which operation it is that the crash comes before."""
    is_power_cut: bool
    failures: frozenset[int]
    """Which operations fail."""
    written: int
    """Bytes that a write that fails has written."""


GROUPS = st.builds(Group, st.lists(st.integers(0, 1500), min_size=1, max_size=5).map(tuple), st.sampled_from((0, 7)))
ROUNDS = st.builds(
    Round,
    st.lists(st.one_of(GROUPS, GROUPS, GROUPS, st.builds(Release, st.floats(0, 1))), min_size=1, max_size=6).map(tuple),
    st.integers(1, 60),
    st.booleans(),
    st.one_of(st.just(frozenset[int]()), st.frozensets(st.integers(1, 40), max_size=3)),
    st.integers(0, 700),
)


@dataclass
class Kept:
    """What the log has to have."""

    records: dict[int, bytes] = field(default_factory=dict)
    """Sequence number -> payload."""
    released: int = 0

    def copy(self) -> Kept:
        return Kept(dict(self.records), self.released)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(ROUNDS, min_size=1, max_size=4), st.integers(0, 2**32))
def test_what_was_acknowledged_is_there_after_any_crash(rounds: list[Round], seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "0"
        folder.mkdir()
        disk, kept, sent = ForgetfulDisk(folder), Kept(), list[bytes]()
        for number, one in enumerate(rounds, 1):
            photo, kept = _run(one, folder, disk, kept, sent)
            folder = Path(place) / str(number)
            if one.is_power_cut:
                photo.after_power_cut(folder, chance)
                disk = ForgetfulDisk(folder)
            else:
                photo.after_kill(folder)
                disk = ForgetfulDisk(folder, photo)
            kept = _check(folder, disk, kept, sent)


def _run(one: Round, folder: Path, disk: ForgetfulDisk, kept: Kept, sent: list[bytes]) -> tuple[Photo, Kept]:
    """The disk at the moment of the crash, and what has to be there then."""
    found = list[tuple[Photo, Kept]]()
    is_open = threading.Event()
    is_open.set()
    log = WriteAheadLog(folder, LIMITS, disk=disk)
    disk.operations, disk.written_before_failing = 0, one.written

    def before(operation: str) -> None:
        is_open.wait()
        if disk.operations == one.crash_at:
            found.append((disk.photo(), kept.copy()))
        if disk.operations in one.failures and operation in FAILING:
            raise OSError("this disk fails")

    disk.before = before
    for step in one.steps:
        if isinstance(step, Group):
            with _closed(is_open):
                waiting = [_append(log, size, step.fill, kept, sent) for size in step.sizes]
            wait(waiting)
        elif log.last_sequence:
            # Before it is done: the crash may come in the middle of it.
            kept.released = max(kept.released, int(log.last_sequence * step.share))
            log.release(kept.released)
    log.close()
    return found[0] if found else (disk.photo(), kept.copy())


@contextmanager
def _closed(event: threading.Event) -> Iterator[None]:
    event.clear()
    try:
        yield
    finally:
        event.set()


def _append(log: WriteAheadLog, size: int, fill: int, kept: Kept, sent: list[bytes]) -> Future[int]:
    payload = len(sent).to_bytes(8, "big") + bytes([fill]) * size
    sent.append(payload)

    def keep(acknowledged: Future[int]) -> None:
        error = acknowledged.exception()
        if error is None:
            kept.records[acknowledged.result()] = payload
        else:
            assert isinstance(error, Unavailable)

    future = log.append(Entry(1, 1, len(sent), payload))
    future.add_done_callback(keep)
    return future


def _check(folder: Path, disk: ForgetfulDisk, kept: Kept, sent: list[bytes]) -> Kept:
    log = WriteAheadLog(folder, LIMITS, disk=disk)
    records = list(log.read())
    first, last = log.status().first_sequence, log.last_sequence
    log.close()

    assert [record.sequence for record in records] == list(range(first, last + 1))
    assert first <= kept.released + 1
    assert last >= max(kept.records, default=0)
    found = {record.sequence: record.payload for record in records}
    for sequence in range(first, last + 1):
        if sequence in kept.records:
            assert found[sequence] == kept.records[sequence]
    # In the order in which they were sent, and none twice.
    numbers = [int.from_bytes(record.payload[:8], "big") for record in records]
    assert numbers == sorted(set(numbers))
    assert all(record.payload == sent[number] for record, number in zip(records, numbers, strict=True))
    # What was read once is there from then on, acknowledged or not.
    return Kept(found, kept.released)
