"""Real disks that are full, fail to sync, or lose power. Needs root."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from procession.errors import Unavailable
from procession.storage.wal import LogLimits, WriteAheadLog
from procession.storage.wal.segment import segments_in
from tests.faults.machines.disks import Disk
from tests.storage.wal.building import an_entry, append, opened, payloads_in, payloads_of
from tests.support.small_disk import fill
from tests.support.torture import is_full, record

LIMITS = LogLimits(segment_bytes=2**20, retry_seconds=0)
CUTS = 50 if is_full() else 3
CHUNK = bytes(range(256)) * 256


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class SmallDisk:
    """In memory, and larger when there is to be room again."""

    def __init__(self, place: Path, *, megabytes: int) -> None:
        place.mkdir()
        self.place = place
        _do("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "procession-test", str(place))

    def grow(self, *, megabytes: int) -> None:
        _do("mount", "-o", f"remount,size={megabytes}m", str(self.place))

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.place)], capture_output=True)


class DiskWithoutStore:
    """A file system that promises space which its disk turns out not to have: a write is taken, and its sync fails."""

    def __init__(self, folder: Path) -> None:
        self._below = SmallDisk(folder / "below", megabytes=8)
        self.below = self._below.place
        """Whatever lies here beside the disk takes space that it has promised."""
        image = self.below / "disk.img"
        with image.open("wb") as file:
            file.truncate(64 * 2**20)
        # Without a journal, which would end with the first error.
        _do("mkfs.ext4", "-q", "-b", "4096", "-O", "^has_journal", "-E", "nodiscard,lazy_itable_init=0", str(image))
        self.place = folder / "disk"
        self.place.mkdir()
        self._image = image
        self.mount()

    def mount(self) -> None:
        _do("mount", "-o", "loop,errors=continue", str(self._image), str(self.place))
        # A loop device takes a request of which its file had space for a part as done: so each is one page.
        device = _do("findmnt", "--noheadings", "--output", "SOURCE", str(self.place)).strip().rpartition("/")[2]
        Path(f"/sys/block/{device}/queue/max_sectors_kb").write_text("4")

    def grow(self) -> None:
        self._below.grow(megabytes=64)

    def unmount(self) -> None:
        _do("umount", str(self.place))

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.place)], capture_output=True)
        self._below.close()


def _do(*command: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip(f"there is no {command[0]}")
    if result.returncode:
        pytest.skip(f"cannot make a disk here: {result.stderr.strip()}")
    return result.stdout


def append_until_refused(log: WriteAheadLog, payload: bytes, *, most: int = 1000) -> tuple[list[bytes], str]:
    """What was acknowledged, and why the next was not."""
    kept = list[bytes]()
    for number in range(most):
        one = number.to_bytes(4, "big") + payload
        try:
            append(log, one)
        except Unavailable as error:
            return kept, str(error)
        kept.append(one)
    raise AssertionError("nothing was refused")


def test_a_full_disk_refuses_and_takes_again_by_itself_once_there_is_room(tmp_path: Path, ending: ExitStack) -> None:
    disk = SmallDisk(tmp_path / "disk", megabytes=3)
    ending.callback(disk.close)
    folder = disk.place / "log"
    with opened(folder, LIMITS) as log:
        kept, reason = append_until_refused(log, CHUNK)
        assert "no space left on device" in reason
        with pytest.raises(Unavailable):
            append(log, CHUNK)
        assert payloads_of(log) == kept

        disk.grow(megabytes=8)
        kept += [b"again" + CHUNK, b"and again"]
        append(log, *kept[-2:])

        assert payloads_of(log) == kept
        assert log.status().failure == ""
    assert payloads_in(folder) == kept
    record("full disk under a log", times=1, lost=0, answered=f"503 “{reason}”")


def test_a_full_disk_takes_again_once_the_store_has_released_something(tmp_path: Path, ending: ExitStack) -> None:
    disk = SmallDisk(tmp_path / "disk", megabytes=3)
    ending.callback(disk.close)
    with opened(disk.place / "log", LIMITS) as log:
        kept, _ = append_until_refused(log, CHUNK)

        assert log.release(len(kept)) > 0

        append(log, b"again")
        assert payloads_of(log)[-1] == b"again"


def test_a_disk_without_any_space_takes_again_once_the_store_has_released_the_newest_segment(
    tmp_path: Path, ending: ExitStack
) -> None:
    disk = SmallDisk(tmp_path / "disk", megabytes=3)
    ending.callback(disk.close)
    folder = disk.place / "log"
    with opened(folder, LogLimits(retry_seconds=0)) as log:
        append(log, CHUNK, CHUNK)
        assert not log.release_newest(2), "more may be written to it"
        fill(disk.place)
        kept, _ = append_until_refused(log, CHUNK)
        taken = 2 + len(kept)
        assert log.is_out_of_space
        assert log.release(taken) == 0
        assert not log.release_newest(taken - 1), "something in it was not taken"

        assert log.release_newest(taken)

        assert segments_in(folder) == []
        assert (log.status().size_bytes, log.status().first_sequence, log.last_sequence) == (0, taken + 1, taken)
        assert append(log, CHUNK) == [taken + 1]
        assert not log.is_out_of_space
    with opened(folder, taken=taken) as log:
        assert [record.sequence for record in log.read()] == [taken + 1]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_file_that_may_grow_no_more_is_followed_by_another(tmp_path: Path) -> None:
    folder, kept, reasons = tmp_path / "log", list[bytes](), set[str]()
    with opened(folder, LIMITS) as log:
        with files_of_at_most(300_000):
            for number in range(20):
                try:
                    append(log, b"%d" % number + CHUNK)
                except Unavailable as error:
                    reasons.add(str(error))
                else:
                    kept.append(b"%d" % number + CHUNK)
        assert log.status().failures == 4
        assert reasons == {"The write-ahead log cannot be written: file too large"}
        assert payloads_of(log) == kept
    assert len(kept) == 16
    assert len(segments_in(folder)) == 4
    assert payloads_in(folder) == kept


def test_a_sync_that_fails_refuses_what_it_was_to_cover_and_nothing_is_kept_by_memory_alone(
    tmp_path: Path, ending: ExitStack
) -> None:
    disk = DiskWithoutStore(tmp_path)
    ending.callback(disk.close)
    folder = disk.place / "log"
    with opened(folder, LIMITS) as log:
        kept, reason = append_until_refused(log, CHUNK)
        assert log.status().failures == 1

        disk.grow()
        for number in range(20):
            kept.append(b"after %d" % number + CHUNK)
            append(log, kept[-1])
        assert payloads_of(log) == kept
    disk.unmount()
    disk.mount()

    # From the disk, since nothing of it is in memory now.
    assert payloads_in(folder) == kept
    record("sync of a log that fails", times=1, lost=0, answered=f"503 “{reason}”")


def test_what_was_acknowledged_outlives_power_cuts(tmp_path: Path, ending: ExitStack) -> None:
    try:
        disk = Disk(tmp_path, megabytes=64)
    except OSError as error:
        pytest.skip(f"cannot make a disk here: {error}")
    ending.callback(disk.close)
    folder, chance, kept = disk.place / "log", random.Random(3), dict[int, bytes]()

    for cut in range(CUTS):
        with opened(folder, LIMITS) as log, ThreadPoolExecutor(4) as threads:
            enough = log.last_sequence + chance.randrange(1, 200)
            posting = [
                threads.submit(_append_until_the_end, log, b"%d %d " % (cut, thread), kept) for thread in range(4)
            ]
            while log.last_sequence < enough:
                log.append(an_entry(b"one more")).result(60)
            # A sync under way at that moment may say that it succeeded: without power nobody would have heard it.
            told = dict(kept)
            disk.cut_power()
            assert all(one.exception(60) is None for one in posting)
        disk.unmount()
        disk.mount()
        with opened(folder, LIMITS) as log:
            found = {one.sequence: one.payload for one in log.read()}
            assert list(found) == list(range(log.status().first_sequence, log.last_sequence + 1))
            assert log.last_sequence >= max(told, default=0)
            assert all(found[sequence] == payload for sequence, payload in told.items() if sequence in found)
            released = log.last_sequence - 300
            assert log.status().first_sequence <= max(1, released + 1)
            log.release(released)
            kept = {sequence: payload for sequence, payload in found.items() if sequence > released}
    record("power cut under a log", times=CUTS, lost=0, answered="")


def _append_until_the_end(log: WriteAheadLog, name: bytes, kept: dict[int, bytes]) -> None:
    chance = random.Random(name)
    number = 0
    while True:
        payload = name + b"%d " % number + chance.randbytes(chance.randrange(9000))
        number += 1
        try:
            kept[log.append(an_entry(payload)).result(60)] = payload
        except Unavailable:
            return
