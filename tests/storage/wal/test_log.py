from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from procession.errors import UsageError
from procession.storage.wal import ORG_REMOVED, DamagedLog, Entry, LogLimits, Record, WriteAheadLog
from procession.storage.wal.segment import FORMAT_VERSION, segments_in
from tests.storage.wal.building import an_entry, append, opened, payloads_in, payloads_of
from tests.storage.wal.forgetful_disk import ForgetfulDisk, failing


def test_what_was_appended_is_read_after_a_start(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        assert log.append(Entry(7, 3, 1_700_000_000, b"\0payload")).result(60) == 1
        assert log.append(Entry(8, 4, 1_700_000_001, b"")).result(60) == 2

    with opened(tmp_path / "log") as log:
        assert list(log.read()) == [
            Record(1, 7, 3, 1_700_000_000, b"\0payload"),
            Record(2, 8, 4, 1_700_000_001, b""),
        ]
        assert append(log, b"third") == [3]
    assert payloads_in(tmp_path / "log") == [b"\0payload", b"", b"third"]


def test_only_its_owner_may_look_into_a_log(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        append(log, b"first")

    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700
    assert segments_in(tmp_path / "log")[0].stat().st_mode & 0o777 == 0o600


def test_segments_follow_each_other_and_are_read_as_one(tmp_path: Path) -> None:
    payloads = [b"%d" % number * 500 for number in range(30)]
    with opened(tmp_path) as log:
        append(log, *payloads)

        assert log.status().segments > 3
        assert payloads_of(log) == payloads
        assert log.status().size_bytes == sum(path.stat().st_size for path in segments_in(tmp_path))
        assert all(path.stat().st_size <= 4000 for path in segments_in(tmp_path))
    assert payloads_in(tmp_path) == payloads


def test_reading_begins_after_any_record(tmp_path: Path) -> None:
    payloads = [b"%d" % number * 500 for number in range(30)]
    with opened(tmp_path) as log:
        append(log, *payloads)

        assert all(payloads_of(log, after) == payloads[after:] for after in range(32))


def test_reading_ends_with_what_was_safe_when_it_began(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"first", b"second")
        found = log.read()
        first = next(found)
        append(log, b"third")

        assert [first.payload, *(record.payload for record in found)] == [b"first", b"second"]


def test_release_removes_segments_of_which_everything_was_taken(tmp_path: Path) -> None:
    payloads = [b"%d" % number * 500 for number in range(30)]
    with opened(tmp_path) as log:
        append(log, *payloads)
        second = log.status().first_sequence, int(segments_in(tmp_path)[1].stem)

        assert log.release(second[1] - 2) == 0
        assert log.release(second[1] - 1) == 1
        assert log.status().first_sequence == second[1]
        assert payloads_of(log) == payloads[second[1] - 1 :]
        log.release(30)
        assert (log.status().segments, log.last_sequence) == (1, 30)
        assert log.status().size_bytes == segments_in(tmp_path)[0].stat().st_size
        assert append(log, b"next") == [31]


def test_numbers_go_on_after_everything_was_released_and_the_log_opened_again(tmp_path: Path) -> None:
    for begin in range(0, 6, 2):
        with opened(tmp_path) as log:
            assert append(log, b"x" * 3000, b"y" * 3000) == [begin + 1, begin + 2]
            log.release(begin + 2)


def test_a_segment_that_cannot_be_removed_is_removed_by_the_next_release(tmp_path: Path) -> None:
    disk = ForgetfulDisk(tmp_path)
    with opened(tmp_path, disk=disk) as log:
        append(log, *(b"x" * 3000 for _ in range(4)))
        disk.before = failing("remove")

        assert log.release(4) == 0
        assert log.status().segments == 4
        assert log.release(4) == 3
        assert log.status().released_segments == 3


def test_segments_go_one_after_the_other_so_that_a_power_cut_leaves_no_gap(tmp_path: Path) -> None:
    disk = ForgetfulDisk(tmp_path)
    with opened(tmp_path, disk=disk) as log:
        append(log, *(b"x" * 3000 for _ in range(6)))
        unsafe = list[int]()

        def look(operation: str) -> None:
            photo = disk.photo()
            unsafe.append(len(photo.safe_names.keys() - photo.names.keys()))

        disk.before = look
        assert log.release(6) == 5

    assert max(unsafe) == 1


def test_what_an_org_left_is_not_read_once_the_org_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"of one", org_id=1)
        append(log, b"of two", org_id=2)
        append(log, b"of one, too", org_id=1)

        log.remove_org(1, now=lambda: 1_700_000_000.9)

        expected = [(2, 2, 1, b"of two"), (4, 1, ORG_REMOVED, b"")]
        assert [(one.sequence, one.org_id, one.kind, one.payload) for one in log.read()] == expected
        append(log, b"of two, later", org_id=2)
    with opened(tmp_path) as log:
        expected.append((5, 2, 1, b"of two, later"))
        assert [(one.sequence, one.org_id, one.kind, one.payload) for one in log.read()] == expected


def test_what_an_org_left_is_removed_from_the_disk_by_the_next_release(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"secret of the org")
        log.remove_org(1)

        log.release(log.last_sequence)

        assert not any(b"secret of the org" in path.read_bytes() for path in tmp_path.iterdir())
        assert append(log, b"next", org_id=2) == [3]
    assert payloads_in(tmp_path) == [b"next"]


def test_an_org_is_removed_though_the_next_segment_cannot_begin(tmp_path: Path) -> None:
    disk = ForgetfulDisk(tmp_path)
    with opened(tmp_path, disk=disk) as log:
        append(log, b"of one")
        disk.before = failing("create")

        log.remove_org(1)

        assert append(log, b"of two", org_id=2) == [3]
        assert payloads_of(log) == [b"", b"of two"]


def test_a_tombstone_is_not_appended_as_a_record(tmp_path: Path) -> None:
    with opened(tmp_path) as log, pytest.raises(ValueError, match="remove_org"):
        log.append(an_entry(kind=ORG_REMOVED))


def test_a_log_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"first", b"x" * 5000)
    newer = segments_in(tmp_path)[-1]
    prefix = struct.pack("<8sI", b"PROCWAL\n", FORMAT_VERSION + 1)
    newer.write_bytes(prefix + struct.pack("<I", zlib.crc32(prefix)) + newer.read_bytes()[16:])
    (tmp_path / f"{9:020d}.new").write_bytes(b"of that version")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(UsageError, match="newer Procession") as error:
        WriteAheadLog(tmp_path)

    assert str(tmp_path) in str(error.value)
    assert not isinstance(error.value, DamagedLog)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_damaged_log_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"first", b"second")
    (path,) = segments_in(tmp_path)
    data = path.read_bytes().replace(b"first", b"forst")
    path.write_bytes(data)

    with pytest.raises(DamagedLog) as error:
        WriteAheadLog(tmp_path)

    assert error.value.path == path
    assert path.read_bytes() == data


def test_damage_that_comes_later_is_said_by_who_reads(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"first", b"second")
        (path,) = segments_in(tmp_path)
        path.write_bytes(path.read_bytes().replace(b"second", b"sucond"))

        found = log.read()
        assert next(found).payload == b"first"
        with pytest.raises(DamagedLog):
            next(found)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").touch()

    with pytest.raises(UsageError, match="cannot open the write-ahead log"):
        WriteAheadLog(tmp_path / "log")


def test_numbers_go_on_where_the_store_is_though_the_log_is_gone(tmp_path: Path) -> None:
    with opened(tmp_path, taken=41) as log:
        assert log.last_sequence == 41
        assert (log.status().first_sequence, log.status().segments) == (42, 0)
        assert append(log, b"next") == [42]
    with opened(tmp_path, taken=41) as log:
        assert payloads_of(log, after=41) == [b"next"]


def test_an_older_log_than_the_store_is_not_gone_on_with(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, *(b"x" * 3000 for _ in range(3)))

    with opened(tmp_path, taken=41) as log:
        assert list(log.read()) == []
        assert append(log, b"next") == [42]
    assert payloads_in(tmp_path) == [b"next"]


def test_a_log_is_gone_on_with_where_the_store_has_taken_all_of_it(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"first", b"second")

    with opened(tmp_path, taken=2) as log:
        assert append(log, b"third") == [3]
        assert payloads_of(log) == [b"first", b"second", b"third"]


@pytest.mark.parametrize(
    "limits",
    [{"segment_bytes": 0}, {"segment_bytes": 2**32}, {"segment_bytes": 100, "total_bytes": 199}, {"group_bytes": 0}],
)
def test_limits_that_no_log_can_keep_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="_bytes"):
        LogLimits(**limits)


def test_what_is_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        append(log, b"first", b"second")
        found = log.status()

    assert (found.segments, found.first_sequence, found.last_sequence, found.appended, found.syncs) == (1, 1, 2, 2, 2)
    assert (found.waiting_bytes, found.refused, found.failures, found.released_segments) == (0, 0, 0, 0)
