"""Where a crash has torn the end, it is cut; all else that is not as it was written is said, with its place."""

from __future__ import annotations

import itertools
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.errors import UsageError
from procession.storage.wal import DamagedLog, Record
from procession.storage.wal.reader import Scan, SegmentReader
from procession.storage.wal.record import HEADER_BYTES, ORG_REMOVED, VERSION
from procession.storage.wal.segment import SEGMENT_HEADER_BYTES
from tests.storage.wal.building import a_segment, payloads_in

GROUPS = ((b"one", b"second"), (b"3" * 400,), (b"fourth" * 20, b"", b"last" * 140))
PAYLOADS = list(itertools.chain(*GROUPS))
ENDS = list(itertools.accumulate((HEADER_BYTES + len(payload) for payload in PAYLOADS), initial=SEGMENT_HEADER_BYTES))
"""Of the header, and of each record."""
LAST_GROUP_AT = ENDS[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return a_segment(tmp_path, GROUPS).path


def scan(path: Path) -> Scan:
    with SegmentReader(path) as reader:
        return reader.scan(None, ORG_REMOVED)


def records(path: Path) -> Iterator[Record]:
    with SegmentReader(path) as reader:
        yield from reader.records(reader.size)


def test_records_come_in_order(path: Path) -> None:
    found = list(records(path))

    assert [record.payload for record in found] == PAYLOADS
    assert [record.sequence for record in found] == [1, 2, 3, 4, 5, 6]
    assert scan(path).extent.end == path.stat().st_size == ENDS[-1]
    assert scan(path).last_group_at == LAST_GROUP_AT


def test_wherever_the_end_is_cut_off_the_whole_records_before_are_left(path: Path) -> None:
    data = path.read_bytes()

    for size in range(len(data) - 1, SEGMENT_HEADER_BYTES - 1, -1):
        path.write_bytes(data[:size])
        extent = scan(path).extent
        assert extent.end == max(end for end in ENDS if end <= size), size
        assert extent.next_sequence == 1 + ENDS.index(extent.end), size


def test_without_its_header_a_segment_is_damaged(path: Path) -> None:
    data = path.read_bytes()

    for size in range(SEGMENT_HEADER_BYTES):
        path.write_bytes(data[:size])
        with pytest.raises(DamagedLog) as error:
            scan(path)
        assert (error.value.path, error.value.offset) == (path, 0)


def test_a_flipped_bit_in_any_byte_is_damage_at_the_place_of_its_record(path: Path) -> None:
    data = path.read_bytes()

    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(DamagedLog) as error:
            scan(path)
        assert error.value.path == path
        assert error.value.offset == max((end for end in ENDS if end <= place), default=0), place


def test_damage_names_file_and_offset_and_what_to_do(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[ENDS[1] + HEADER_BYTES] ^= 1
    path.write_bytes(data)

    with pytest.raises(UsageError, match="is damaged") as error:
        list(records(path))

    assert f"{path} at byte {ENDS[1]}: the payload of record 2 is not what was written" in str(error.value)
    assert "bring back a copy of the data folder" in str(error.value)


def test_what_comes_before_damage_is_read(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[ENDS[2]] ^= 1
    path.write_bytes(data)
    found = records(path)

    assert [next(found).payload, next(found).payload] == PAYLOADS[:2]
    with pytest.raises(DamagedLog):
        next(found)


def sectors_of(begin: int, end: int) -> range:
    return range(begin // 512, -(-end // 512))


@pytest.mark.parametrize("sector", sectors_of(LAST_GROUP_AT, ENDS[-1]))
def test_a_sector_of_the_last_group_that_never_reached_the_disk_is_a_torn_end(path: Path, sector: int) -> None:
    data = bytearray(path.read_bytes())
    begin, end = max(512 * sector, LAST_GROUP_AT), min(512 * (sector + 1), len(data))
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)

    # All before the record that the sector begins in, or the one that ends there.
    assert scan(path).extent.end == max(one for one in ENDS if one <= begin)


@pytest.mark.parametrize("sector", sectors_of(SEGMENT_HEADER_BYTES, LAST_GROUP_AT)[:-1])
def test_a_sector_of_an_earlier_group_that_is_zeros_is_damage(path: Path, sector: int) -> None:
    data = bytearray(path.read_bytes())
    begin = max(512 * sector, SEGMENT_HEADER_BYTES)
    data[begin : 512 * (sector + 1)] = bytes(512 * (sector + 1) - begin)
    path.write_bytes(data)

    with pytest.raises(DamagedLog):
        scan(path)


@pytest.mark.parametrize("count", [1, 43, 44, 600, 5000])
def test_zeros_that_a_crash_left_at_the_end_are_cut(path: Path, count: int) -> None:
    path.write_bytes(path.read_bytes() + bytes(count))

    assert scan(path).extent.end == ENDS[-1]


def test_anything_else_at_the_end_is_damage_once_it_is_as_long_as_a_header(path: Path) -> None:
    data = path.read_bytes()

    path.write_bytes(data + b"x" * (HEADER_BYTES - 1))
    assert scan(path).extent.end == ENDS[-1]
    path.write_bytes(data + b"x" * HEADER_BYTES)
    with pytest.raises(DamagedLog) as error:
        scan(path)
    assert error.value.offset == ENDS[-1]


def test_a_torn_record_may_hold_a_record_of_another_log(tmp_path: Path) -> None:
    """Its payload is what somebody posted: bytes that look as if a later group had been written."""
    (tmp_path / "other").mkdir()
    other = a_segment(tmp_path / "other", ((b"",), (b"later",))).path.read_bytes()[SEGMENT_HEADER_BYTES:]
    path = a_segment(tmp_path, ((b"first",), (b"x" * 100 + other + b"y" * 100,))).path
    data = path.read_bytes()

    path.write_bytes(data[:-50])

    assert scan(path).extent.next_sequence == 2


def test_a_segment_after_which_another_begins_has_no_torn_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])

    with SegmentReader(path) as reader, pytest.raises(DamagedLog):
        reader.scan(ENDS[-1], ORG_REMOVED)


def test_what_stands_behind_the_known_end_of_a_segment_does_not_count(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"what was refused, and is longer than a header of a record")

    with SegmentReader(path) as reader:
        assert reader.scan(ENDS[-1], ORG_REMOVED).extent.end == ENDS[-1]


def test_a_record_that_stands_where_another_should_is_damage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: ENDS[0]] + data[ENDS[1] :])

    with pytest.raises(DamagedLog, match="record 2 stands where 1 should"):
        scan(path)


def test_a_record_of_a_newer_version_is_refused(path: Path) -> None:
    data = bytearray(path.read_bytes())
    salt = struct.unpack_from("<I", data, SEGMENT_HEADER_BYTES - 8)[0]
    data[ENDS[0] + 3] = VERSION + 1
    struct.pack_into("<I", data, ENDS[0] + 40, zlib.crc32(data[ENDS[0] : ENDS[0] + 40], salt))
    path.write_bytes(data)

    with pytest.raises(UsageError, match="newer Procession") as error:
        scan(path)

    assert str(path.parent) in str(error.value)


def test_a_segment_under_another_name_is_damaged(path: Path) -> None:
    other = path.rename(path.with_name(f"{7:020d}.segment"))

    with pytest.raises(DamagedLog):
        scan(other)


def test_a_whole_log_reads_as_its_segments(tmp_path: Path) -> None:
    first = a_segment(tmp_path, GROUPS)
    a_segment(tmp_path, ((b"seventh",),), previous=first)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tmp_path.glob("*.segment"):
        shutil.copy(path, copy)

    assert payloads_in(copy) == [*PAYLOADS, b"seventh"]
