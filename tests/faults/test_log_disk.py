"""A disk that is full or fails under the write-ahead log alone, while that of the tables is well."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from procession.storage.wal.disk import Disk
from tests.faults.machines.failing_disk import SYNCS, WRITES, FailingDisk
from tests.faults.machines.hosts import API_KEY
from tests.faults.machines.servers import Server
from tests.storage.wal.test_real_disks import DiskWithoutStore
from tests.support.agents.posters import Poster
from tests.support.running import eventually
from tests.support.small_disk import fill, small_disk
from tests.support.torture import is_full, record

CHUNK = 100


@dataclass(frozen=True)
class LogDisk:
    """Where a server has its log."""

    place: Path
    break_down: Callable[[], object]
    """From now on it takes nothing, or soon nothing."""
    mend: Callable[[], object]
    forget: Callable[[], object]
    """What only memory has, as a power cut does; nobody uses the disk then."""
    heals_by_itself: bool = False
    """Without being mended: once the store has taken what is in the log."""
    rounds: int = 50 if is_full() else 1


def a_full_disk(folder: Path, ending: ExitStack) -> LogDisk:
    place = ending.enter_context(small_disk(folder / "disk", megabytes=16))
    return LogDisk(
        place,
        break_down=lambda: fill(place),
        mend=lambda: os.truncate(place / "filler", 0),
        forget=lambda: None,  # it is memory
        heals_by_itself=True,
        rounds=50 if is_full() else 2,
    )


def a_disk_without_store(folder: Path, ending: ExitStack) -> LogDisk:
    """A write is taken, and its sync fails."""
    disk = DiskWithoutStore(folder)
    ending.callback(disk.close)

    def forget() -> None:
        disk.unmount()
        disk.mount()

    return LogDisk(
        disk.place,
        break_down=lambda: fill(disk.below),
        mend=lambda: os.truncate(disk.below / "filler", 0),
        forget=forget,
        rounds=5 if is_full() else 1,  # space that a file once had is not given back
    )


def a_disk_that_fails_to(what: str, folder: Path, ending: ExitStack) -> LogDisk:
    try:
        disk = FailingDisk(folder)
    except OSError as error:
        pytest.skip(f"cannot make a disk here: {error}")
    ending.callback(disk.close)
    return LogDisk(
        disk.place,
        break_down=lambda: setattr(disk, "failing", what),
        mend=lambda: setattr(disk, "failing", ""),
        forget=disk.cut_power,
    )


DISKS: dict[str, Callable[[Path, ExitStack], LogDisk]] = {
    "full": a_full_disk,
    "failing": a_disk_without_store,
    "failing to write": partial(a_disk_that_fails_to, WRITES),
    "failing to sync": partial(a_disk_that_fails_to, SYNCS),
}


@dataclass(frozen=True)
class Agent:
    """Of which it is known what was acknowledged to it."""

    poster: Poster
    server: Server

    def posts(self, status: int) -> Callable[[], bool]:
        """Until that is the answer."""
        connection = http.client.HTTPConnection(*self.server.address, timeout=30)

        def post() -> bool:
            with closing(connection):
                return self.poster.post(connection) == status

        return post

    def lost(self) -> set[int]:
        """Of what was acknowledged; and nothing is there that was not sent, nor twice."""
        found = self.server.times_listed()
        assert set(found.values()) <= {1}
        pids = {pid for _, pid in found}
        assert pids <= _pids_of(self.poster.sent)
        return _pids_of(self.poster.acknowledged) - pids


def _pids_of(chunks: list[int]) -> set[int]:
    return {pid for number in chunks for pid in range(number * CHUNK, (number + 1) * CHUNK)}


@pytest.mark.parametrize("kind", DISKS)
def test_a_bad_disk_under_the_log_alone_refuses_agents_and_heals_by_itself(
    tmp_path: Path, ending: ExitStack, kind: str
) -> None:
    disk = DISKS[kind](tmp_path, ending)
    (tmp_path / "data").mkdir(mode=0o700)
    (disk.place / "log").mkdir(mode=0o700)
    Disk().sync_folder(disk.place)
    (tmp_path / "data" / "wal").symlink_to(disk.place / "log")
    server = Server(tmp_path / "data")
    ending.callback(server.close)
    agent = Agent(Poster(API_KEY, "web-1", chunk=CHUNK), server)

    server.start()
    for number in range(disk.rounds):
        eventually(agent.posts(200), what="a start")
        disk.break_down()
        eventually(agent.posts(503), what="a refusal", seconds=60)
        said = agent.poster.answer
        assert "The write-ahead log cannot be written: " in said
        assert agent.lost() == set()
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        if disk.heals_by_itself and number % 10 == 0:
            eventually(agent.posts(200), what="room that the store has made", seconds=60)
            assert agent.lost() == set()
        disk.mend()
        eventually(agent.posts(200), what="recovery", seconds=60)
        assert agent.lost() == set()
        if number % 10 == 9 or number == disk.rounds - 1:
            # What was acknowledged is on the disk of the log, or in the tables.
            server.kill()
            disk.forget()
            server.start()
            assert agent.lost() == set()
    server.stop()

    assert len(set(agent.poster.sent) - set(agent.poster.acknowledged)) >= disk.rounds
    assert not any("Traceback" in line for line in server.output)
    record(
        f"disk under the log alone: {kind}", times=disk.rounds, lost=0,
        answered=f"agents: 503 “{said}”; queries 200; 200 again by itself",
    )  # fmt: skip


def test_a_sync_after_one_that_failed_writes_nothing_of_what_that_one_should_have(
    tmp_path: Path, ending: ExitStack
) -> None:
    """The disk of the tests above is as bad as a real one."""
    try:
        disk = FailingDisk(tmp_path)
    except OSError as error:
        pytest.skip(f"cannot make a disk here: {error}")
    ending.callback(disk.close)
    path, page = disk.place / "file", 4096
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    folder = os.open(disk.place, os.O_RDONLY | os.O_DIRECTORY)
    ending.callback(os.close, folder)
    os.pwrite(file, b"a" * page, 0)
    os.fsync(file)
    os.fsync(folder)

    os.pwrite(file, b"b" * page, page)
    disk.failing = SYNCS
    with pytest.raises(OSError, match="Input/output error"):
        os.fdatasync(file)
    disk.failing = WRITES
    with pytest.raises(OSError, match="Input/output error"):
        os.pwrite(file, b"c" * page, 2 * page)
    disk.failing = ""
    os.pwrite(file, b"d" * page, 3 * page)
    os.fdatasync(file)
    remembered = path.read_bytes()
    os.close(file)
    disk.cut_power()

    assert remembered == b"a" * page + b"b" * page + b"c" * (page // 2) + bytes(page // 2) + b"d" * page
    assert path.read_bytes() == b"a" * page + bytes(page) + b"c" * (page // 2) + bytes(page // 2) + b"d" * page
    assert disk.failed == 2
