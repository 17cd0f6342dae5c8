from __future__ import annotations

from pathlib import Path

import pytest

from procession.errors import UsageError
from procession.storage.wal import DamagedLog
from procession.storage.wal.record import header_of
from procession.storage.wal.recovery import Recovered, recover
from procession.storage.wal.segment import Extent, Segment, segments_in
from tests.storage.wal.building import a_segment, an_entry
from tests.storage.wal.forgetful_disk import ForgetfulDisk, Photo, failing


def recovered(folder: Path) -> Recovered:
    return recover(folder, ForgetfulDisk(folder))


def two_segments(folder: Path) -> tuple[Extent, Extent]:
    first = a_segment(folder, ((b"one",), (b"two",)))
    return first, a_segment(folder, ((b"three",),), previous=first)


def test_segments_follow_each_other(tmp_path: Path) -> None:
    extents = two_segments(tmp_path)

    assert recovered(tmp_path) == Recovered(extents, {})
    assert [(extent.first_sequence, extent.next_sequence) for extent in extents] == [(1, 3), (3, 4)]


def test_an_empty_folder_has_nothing(tmp_path: Path) -> None:
    assert recovered(tmp_path) == Recovered((), {})


def test_a_segment_that_is_missing_in_the_middle_is_damage(tmp_path: Path) -> None:
    _, second = two_segments(tmp_path)
    third = a_segment(tmp_path, ((b"four",),), previous=second)
    second.path.unlink()

    with pytest.raises(DamagedLog, match="the segment from record 3 on is missing") as error:
        recovered(tmp_path)

    assert error.value.path == third.path


def test_records_missing_at_the_end_of_an_earlier_segment_are_damage(tmp_path: Path) -> None:
    first, _ = two_segments(tmp_path)
    first.path.write_bytes(first.path.read_bytes()[:-5])

    with pytest.raises(DamagedLog) as error:
        recovered(tmp_path)

    assert error.value.path == first.path


def test_what_a_crash_left_unfinished_is_removed(tmp_path: Path) -> None:
    two_segments(tmp_path)
    (tmp_path / f"{9:020d}.new").write_bytes(b"half")

    recovered(tmp_path)

    assert len(list(tmp_path.iterdir())) == 2


def test_the_last_group_is_written_again_since_nobody_knows_whether_it_was_synced(tmp_path: Path) -> None:
    disk = ForgetfulDisk(tmp_path)
    a_segment_on(disk, tmp_path)
    after = ForgetfulDisk(tmp_path, disk.photo())
    assert after.photo() != all_safe(after)

    recover(tmp_path, after)

    assert after.photo() == all_safe(after)


def test_a_last_group_that_the_disk_does_not_take_is_said_and_nothing_changes(tmp_path: Path) -> None:
    two_segments(tmp_path)
    before = [path.read_bytes() for path in segments_in(tmp_path)]
    disk = ForgetfulDisk(tmp_path)
    disk.before = failing("sync")

    with pytest.raises(UsageError, match=r"cannot open the write-ahead log: .*: input/output error"):
        recover(tmp_path, disk)

    assert [path.read_bytes() for path in segments_in(tmp_path)] == before


def a_segment_on(disk: ForgetfulDisk, folder: Path) -> None:
    """Whose last group was written and whose sync failed."""
    segment = Segment.begin(disk, folder, first_sequence=1, previous=None)
    entry = an_entry(b"x" * 3000)
    disk.before = failing("sync")
    with pytest.raises(OSError, match="Input/output"):
        segment.append(header_of(entry, 1, group_at=segment.end, salt=segment.salt) + entry.payload)
    segment.close()


def all_safe(disk: ForgetfulDisk) -> Photo:
    names = {path: (content, content) for path, (content, _) in disk.photo().names.items()}
    return Photo(names, names)
