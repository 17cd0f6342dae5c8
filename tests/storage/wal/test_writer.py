"""Many threads append, one writes: what is answered when, and what a disk that fails does to it."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from procession.errors import Unavailable
from procession.storage.wal import Entry, LogLimits, WriteAheadLog
from procession.storage.wal.segment import segments_in
from tests.storage.wal.building import SMALL, an_entry, append, opened, payloads_in, payloads_of
from tests.storage.wal.forgetful_disk import ForgetfulDisk, failing


class Gate:
    """Holds the disk before an operation until it is opened."""

    def __init__(self, disk: ForgetfulDisk, operation: str) -> None:
        self.reached, self._is_open = threading.Event(), threading.Event()
        self._operation, self._then = operation, disk.before
        disk.before = self._hold

    def open(self) -> None:
        self._is_open.set()

    def _hold(self, operation: str) -> None:
        if operation == self._operation:
            self.reached.set()
            assert self._is_open.wait(60)
        self._then(operation)


@contextmanager
def held(disk: ForgetfulDisk, operation: str) -> Iterator[Gate]:
    gate = Gate(disk, operation)
    try:
        yield gate
    finally:
        gate.open()


@pytest.fixture
def disk(tmp_path: Path) -> ForgetfulDisk:
    return ForgetfulDisk(tmp_path)


def test_a_record_is_acknowledged_after_its_sync_and_not_before(tmp_path: Path, disk: ForgetfulDisk) -> None:
    with opened(tmp_path, disk=disk) as log:
        append(log, b"first")
        with held(disk, "sync") as gate:
            waiting = log.append(an_entry(b"second"))
            assert gate.reached.wait(60)

            assert not waiting.done()
            assert log.last_sequence == 1
            assert payloads_of(log) == [b"first"]
        assert waiting.result(60) == 2
        assert payloads_of(log) == [b"first", b"second"]


def test_a_new_segment_is_safe_under_its_name_before_a_record_in_it_is_acknowledged(
    tmp_path: Path, disk: ForgetfulDisk
) -> None:
    with opened(tmp_path, disk=disk) as log, held(disk, "sync_folder") as gate:
        waiting = log.append(an_entry())
        assert gate.reached.wait(60)

        assert not waiting.done()
        gate.open()
        assert waiting.result(60) == 1
        assert disk.photo().safe_names.keys() == {tmp_path / f"{1:020d}.segment"}


def test_what_comes_during_a_sync_shares_the_next_one(tmp_path: Path, disk: ForgetfulDisk) -> None:
    with opened(tmp_path, disk=disk) as log:
        append(log, b"first")
        before = log.status().syncs
        with held(disk, "sync") as gate:
            waiting = [log.append(an_entry(b"0"))]
            assert gate.reached.wait(60)
            waiting += [log.append(an_entry(b"%d" % number)) for number in range(1, 20)]
        assert [one.result(60) for one in waiting] == list(range(2, 22))

        assert log.status().syncs == before + 2


def test_a_group_has_no_more_bytes_than_it_may(tmp_path: Path, disk: ForgetfulDisk) -> None:
    limits = LogLimits(group_bytes=3 * an_entry().size)
    with opened(tmp_path, limits, disk=disk) as log:
        with held(disk, "sync") as gate:
            waiting = [log.append(an_entry())]
            assert gate.reached.wait(60)
            waiting += [log.append(an_entry()) for _ in range(7)]
        assert [one.result(60) for one in waiting] == list(range(1, 9))

        assert log.status().syncs == 1 + 3


def test_a_record_larger_than_a_group_and_a_segment_goes_alone(tmp_path: Path) -> None:
    large = b"x" * 10_000
    limits = LogLimits(segment_bytes=4000, total_bytes=2**20, group_bytes=100, waiting_bytes=1000)
    with opened(tmp_path, limits) as log:
        append(log, b"first", large, b"last")

        assert payloads_of(log) == [b"first", large, b"last"]
        assert log.status().segments == 3


def test_with_a_gather_time_records_wait_for_others(tmp_path: Path) -> None:
    with opened(tmp_path, LogLimits(gather_seconds=3600)) as log:
        waiting = [log.append(an_entry()) for _ in range(10)]
    # The end is no reason to wait longer.
    assert [one.result(0) for one in waiting] == list(range(1, 11))
    assert log.status().syncs == 1


def test_a_full_group_does_not_wait_for_others(tmp_path: Path) -> None:
    limits = LogLimits(gather_seconds=3600, group_bytes=3 * an_entry().size)
    with opened(tmp_path, limits) as log:
        waiting = [log.append(an_entry()) for _ in range(3)]

        assert [one.result(60) for one in waiting] == [1, 2, 3]


def test_a_gather_time_ends(tmp_path: Path) -> None:
    with opened(tmp_path, LogLimits(gather_seconds=0.01)) as log:
        assert [one.result(60) for one in [log.append(an_entry()) for _ in range(3)]] == [1, 2, 3]


def test_many_threads_get_the_numbers_under_which_their_records_are(tmp_path: Path) -> None:
    def post(log: WriteAheadLog, thread: int) -> list[tuple[int, bytes]]:
        payloads = [b"%d/%d" % (thread, number) for number in range(50)]
        return list(zip(append(log, *payloads), payloads, strict=True))

    with opened(tmp_path) as log, ThreadPoolExecutor(8) as threads:
        found = dict(pair for pairs in threads.map(lambda thread: post(log, thread), range(8)) for pair in pairs)

        assert {record.sequence: record.payload for record in log.read()} == found
        assert sorted(found) == list(range(1, 401))


def test_answers_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    told = list[int]()
    with opened(tmp_path, LogLimits(gather_seconds=0.01)) as log:
        for _ in range(100):
            log.append(an_entry()).add_done_callback(lambda one: told.append(one.result()))

    assert told == list(range(1, 101))


def test_who_gives_up_waiting_has_nothing_written(tmp_path: Path, disk: ForgetfulDisk) -> None:
    with opened(tmp_path, disk=disk) as log:
        with held(disk, "sync") as gate:
            first = log.append(an_entry(b"first"))
            assert gate.reached.wait(60)
            second, third = log.append(an_entry(b"second")), log.append(an_entry(b"third"))
            assert second.cancel()
            assert not first.cancel()  # it is being written
        assert (first.result(60), third.result(60)) == (1, 2)
        with pytest.raises(CancelledError):
            second.result()

        assert payloads_of(log) == [b"first", b"third"]
        assert log.status().waiting_bytes == 0


def test_no_more_waits_in_memory_than_may(tmp_path: Path, disk: ForgetfulDisk) -> None:
    limits = LogLimits(waiting_bytes=100_000)
    with opened(tmp_path, limits, disk=disk) as log:
        waiting = list[Future[int]]()
        with held(disk, "sync") as gate:
            waiting.append(log.append(an_entry(b"x" * 10_000)))
            assert gate.reached.wait(60)
            waiting += [log.append(an_entry(b"x" * 10_000)) for _ in range(7)]
            with pytest.raises(Unavailable, match="does not get to write"):
                log.append(an_entry(b"x" * 10_000))
            assert 80_000 < log.status().waiting_bytes <= 100_000
            # Small records take memory, too.
            waiting += [log.append(an_entry(b"")) for _ in range(2)]
            with pytest.raises(Unavailable):
                log.append(an_entry(b""))
        assert [one.result(60) for one in waiting] == list(range(1, len(waiting) + 1))

        append(log, b"there is space again")
        assert log.status().refused == 2


def test_a_log_that_the_store_does_not_empty_refuses_until_it_does(tmp_path: Path) -> None:
    with opened(tmp_path, LogLimits(segment_bytes=1000, total_bytes=5000)) as log:
        append(log, *(b"x" * 400 for _ in range(10)))
        with pytest.raises(Unavailable, match="is full"):
            append(log, b"x" * 400)
        assert log.status().size_bytes <= 5000

        assert log.release(10) > 0
        append(log, b"x" * 400)


@pytest.mark.parametrize("operation", ["write", "write on", "sync"])
def test_what_a_failing_disk_did_not_take_is_refused_and_the_next_goes_to_a_new_segment(
    tmp_path: Path, disk: ForgetfulDisk, operation: str
) -> None:
    disk.written_before_failing = 30
    with opened(tmp_path, disk=disk) as log:
        append(log, b"first", b"second")
        disk.before = failing(operation)

        with pytest.raises(Unavailable, match="cannot be written: input/output error"):
            append(log, b"refused")
        assert log.status().failure == "input/output error"
        assert append(log, b"third") == [3]

        assert payloads_of(log) == [b"first", b"second", b"third"]
        assert (log.status().failures, log.status().refused, log.status().failure) == (1, 1, "")
    assert len(segments_in(tmp_path)) == 2
    assert payloads_in(tmp_path) == [b"first", b"second", b"third"]


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_a_failed_segment_that_cannot_be_cut_back_does_not_bring_back_what_was_refused(
    tmp_path: Path, disk: ForgetfulDisk, operation: str
) -> None:
    disk.written_before_failing = 30
    with opened(tmp_path, disk=disk) as log:
        append(log, b"first")
        fail = failing(operation)
        no_truncate = failing("truncate")
        disk.before = both(fail, no_truncate)
        with pytest.raises(Unavailable):
            append(log, b"refused, and as long as a record with its header")
        append(log, b"second")

    assert payloads_in(tmp_path) == [b"first", b"second"]


def both(*functions: Callable[[str], None]) -> Callable[[str], None]:
    def call(operation: str) -> None:
        for function in functions:
            function(operation)

    return call


def test_nothing_is_written_or_synced_again_in_a_file_that_failed(tmp_path: Path, disk: ForgetfulDisk) -> None:
    with opened(tmp_path, disk=disk) as log:
        append(log, b"first")
        (path,) = segments_in(tmp_path)
        disk.before = failing("sync")
        with pytest.raises(Unavailable):
            append(log, b"refused")
        content = path.read_bytes()

        append(log, b"second", b"third")

        assert path.read_bytes() == content


@pytest.mark.parametrize("operation", ["create", "write", "sync", "rename", "sync_folder"])
def test_a_segment_that_cannot_begin_is_begun_again_for_the_next(
    tmp_path: Path, disk: ForgetfulDisk, operation: str
) -> None:
    with opened(tmp_path, disk=disk) as log:
        disk.before = failing(operation, number=errno.ENOSPC, times=2)
        for _ in range(2):
            with pytest.raises(Unavailable, match="no space left on device"):
                append(log, b"refused")
        assert append(log, b"first", b"second") == [1, 2]

    assert payloads_in(tmp_path) == [b"first", b"second"]
    assert len(segments_in(tmp_path)) == 1


def test_a_disk_that_fails_is_left_alone_for_a_moment(tmp_path: Path, disk: ForgetfulDisk) -> None:
    limits = LogLimits(retry_seconds=3600)
    with opened(tmp_path, limits, disk=disk) as log:
        disk.before = failing("create", number=errno.ENOSPC)
        with pytest.raises(Unavailable, match="no space left on device"):
            append(log, b"refused")
        operations = disk.operations

        with pytest.raises(Unavailable, match="no space left on device"):
            append(log, b"refused as well")

        assert disk.operations == operations


def test_a_mistake_of_ours_is_told_to_whoever_waits_and_the_log_goes_on(tmp_path: Path, disk: ForgetfulDisk) -> None:
    def stumble(operation: str) -> None:
        if operation == "sync":
            disk.before = failing()
            raise RuntimeError("a mistake")

    with opened(tmp_path, disk=disk) as log:
        append(log, b"first")
        disk.before = stumble

        with pytest.raises(RuntimeError, match="a mistake"):
            append(log, b"refused")

        assert append(log, b"second") == [2]
    assert payloads_in(tmp_path) == [b"first", b"second"]


def test_after_its_end_a_log_takes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"first")

    with pytest.raises(Unavailable, match="stopping"):
        log.append(Entry(1, 1, 0, b""))


def test_a_log_that_ends_has_written_what_waited(tmp_path: Path, disk: ForgetfulDisk) -> None:
    with opened(tmp_path, SMALL, disk=disk) as log, held(disk, "sync") as gate:
        waiting = [log.append(an_entry(b"first"))]
        assert gate.reached.wait(60)
        waiting += [log.append(an_entry(b"second")), log.append(an_entry(b"third"))]

    assert [one.result(0) for one in waiting] == [1, 2, 3]


def test_who_wants_to_be_told_hears_what_became_of_each_record(tmp_path: Path, disk: ForgetfulDisk) -> None:
    told: list[tuple[int, str]] = []

    def end(sequence: int, error: Exception | None) -> None:
        told.append((sequence, type(error).__name__ if error else ""))
        if sequence == 1:
            raise ValueError("that is nothing to the log")

    with opened(tmp_path, disk=disk) as log:
        log.append_then(an_entry(b"first"), end)
        append(log, b"second")
        disk.before = failing("sync")
        log.append_then(an_entry(b"refused"), end)
        with pytest.raises(ValueError, match="remove_org"):
            log.append_then(Entry(1, 0, 0, b""), end)
    with pytest.raises(Unavailable):
        log.append_then(an_entry(b"too late"), end)

    assert told == [(1, ""), (0, "Unavailable")]
    assert payloads_in(tmp_path) == [b"first", b"second"]
