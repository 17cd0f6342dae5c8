"""When the live table is written, and which file is believed after a start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from procession.clock_skew import MAX_SKEW_SECONDS
from procession.storage.embedded.checkpoints import Checkpoints
from tests.support.builders import a_sighting, a_snapshot
from tests.support.small_disk import fill, small_disk

AT = 1_700_000_000
MANY_BYTES = 10**9


def opened(path: Path, *, first: int, last: int, is_empty: bool = False) -> Checkpoints:
    return Checkpoints.open(path, first_sequence=first, last_sequence=last, live_bytes=2**30, is_empty=is_empty, now=AT)


def written(path: Path, position: int) -> None:
    first = opened(path, first=1, last=0, is_empty=True)
    first.applied = position
    first.write()


def test_a_store_that_never_had_anything_lacks_nothing(tmp_path: Path) -> None:
    found = opened(tmp_path / "live", first=1, last=0, is_empty=True)

    assert (found.table.since, found.position) == (0, 0)


def test_a_file_is_believed_where_the_log_goes_on_from_it(tmp_path: Path) -> None:
    written(tmp_path / "live", 50)

    for first, last in ((1, 50), (51, 50), (51, 90), (20, 60)):
        found = opened(tmp_path / "live", first=first, last=last)
        assert (found.table.since, found.position) == (0, 50)


def test_without_what_came_since_the_file_a_table_begins_empty(tmp_path: Path) -> None:
    written(tmp_path / "live", 50)

    found = opened(tmp_path / "live", first=52, last=90)

    assert (found.table.since, found.position) == (AT + MAX_SKEW_SECONDS + 1, 51)


def test_a_file_that_is_ahead_of_the_log_is_not_believed(tmp_path: Path) -> None:
    """As where the folder of the log was lost: its numbers would be used a second time."""
    written(tmp_path / "live", 50)

    found = opened(tmp_path / "live", first=41, last=40)

    assert (found.table.since, found.position) == (AT + MAX_SKEW_SECONDS + 1, 40)


def test_a_log_that_grows_is_a_reason_to_write_and_one_that_stays_large_is_none(tmp_path: Path) -> None:
    checkpoints = opened(tmp_path / "live", first=1, last=0, is_empty=True)
    written = []
    for last, log_bytes in enumerate((1000, MANY_BYTES, MANY_BYTES + 1, 2 * MANY_BYTES, 1000, MANY_BYTES), 1):
        checkpoints.applied = last
        written.append(checkpoints.write_if_due(last, log_bytes))

    assert written == [False, True, False, True, False, True]
    assert checkpoints.position == 6
    assert not checkpoints.write_if_due(6, 9 * MANY_BYTES)


def add(checkpoints: Checkpoints, count: int) -> None:
    running = [a_sighting(pid, cmdline=f"{pid} {os.urandom(40).hex()}") for pid in range(1, count + 1)]
    checkpoints.table.apply([(1, a_snapshot(*running))])
    checkpoints.applied += 1


def test_a_disk_with_space_for_one_keeps_the_one_before_until_the_log_wants_its_space(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=2) as disk:
        path = disk / "live"
        checkpoints = opened(path, first=1, last=0, is_empty=True)
        add(checkpoints, 500)
        checkpoints.write()
        fill(disk)
        before = path.read_bytes()
        checkpoints.applied += 1

        with pytest.raises(OSError, match="No space left"):
            checkpoints.write()
        assert (checkpoints.position, path.read_bytes()) == (1, before)
        assert {one.name for one in disk.iterdir()} == {"live", "filler"}

        assert not checkpoints.write_if_due(2, 0)
        assert checkpoints.write_if_due(2, 0, is_wanted=True)
        assert checkpoints.position == opened(path, first=3, last=2).position == 2


def test_a_disk_without_space_for_one_has_none_and_the_log_need_not_wait_for_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=2) as disk:
        path = disk / "live"
        checkpoints = opened(path, first=1, last=0, is_empty=True)
        add(checkpoints, 10)
        checkpoints.write()
        filler = fill(disk)
        add(checkpoints, 1000)

        with pytest.raises(OSError, match="No space left"):
            checkpoints.write_if_due(2, 0, is_wanted=True)
        assert (checkpoints.position, list(disk.iterdir())) == (2, [filler])

        fill(disk)
        begun = opened(path, first=2, last=2)
        assert (begun.table.since, begun.position, path.exists()) == (AT + MAX_SKEW_SECONDS + 1, 1, False)

        filler.unlink()
        add(checkpoints, 10)
        assert checkpoints.write_if_due(3, 0), "as soon as there is space"
        assert opened(path, first=4, last=3).position == 3
