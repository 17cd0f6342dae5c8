from __future__ import annotations

import errno
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.storage.wal.disk import Disk
from procession.storage.wal.reader import SegmentReader
from procession.storage.wal.record import Record
from procession.storage.wal.segment import (
    SEGMENT_HEADER_BYTES,
    NewerFormat,
    Segment,
    SegmentHeader,
    segments_in,
    unfinished_in,
)
from tests.storage.wal.forgetful_disk import ForgetfulDisk, failing

GOLDEN = bytes.fromhex(
    "50524f4357414c0a01000000a8aadbd805000000000000000100000000000000c8000000000000000df00d0c075011d6f057"
    "520101000000030000000500000000000000070000003000000000f1536500000000f1866c7ae07c00ee6f6e65f057520102"
    "000000000000000600000000000000080000003000000001f153650000000000000000b19ee104"
)
"""A segment as the first version wrote it."""


@given(st.integers(1, 2**63), st.integers(0, 2**63), st.integers(0, 2**32), st.integers(0, 2**32 - 1))
def test_a_header_is_read_as_it_was_written(first: int, previous: int, end: int, salt: int) -> None:
    header = SegmentHeader(first, previous, end, salt)

    assert SegmentHeader.parse(header.encode()) == header
    assert len(header.encode()) == SEGMENT_HEADER_BYTES


def test_every_flipped_bit_of_a_header_is_noticed_and_none_is_taken_for_a_newer_version() -> None:
    data = SegmentHeader(5, 1, 200, 9).encode()

    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        assert SegmentHeader.parse(bytes(changed)) is None, bit


def test_half_a_header_is_none() -> None:
    data = SegmentHeader(5, 1, 200, 9).encode()

    assert all(SegmentHeader.parse(data[:size]) is None for size in range(len(data)))


def test_a_newer_version_is_told_by_its_first_bytes_alone() -> None:
    prefix = struct.pack("<8sI", b"PROCWAL\n", 2)

    with pytest.raises(NewerFormat) as error:
        SegmentHeader.parse(prefix + struct.pack("<I", zlib.crc32(prefix)) + b"whatever that version has here")

    assert error.value.version == 2


def test_a_segment_of_the_first_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / f"{5:020d}.segment"
    path.write_bytes(GOLDEN)

    with SegmentReader(path) as reader:
        assert reader.header == SegmentHeader(5, 1, 200, 0x0C0DF00D)
        assert list(reader.records(len(GOLDEN))) == [
            Record(5, 7, 1, 1_700_000_000, b"one"),
            Record(6, 8, 2, 1_700_000_001, b""),
        ]


def test_a_new_segment_is_safe_under_its_name_before_anything_is_written_to_it(tmp_path: Path) -> None:
    disk = ForgetfulDisk(tmp_path)

    segment = Segment.begin(disk, tmp_path, first_sequence=5, previous=None)

    photo = disk.photo()
    assert photo.safe_names == photo.names
    ((content, safe),) = photo.safe_names.values()
    assert content == safe
    assert segments_in(tmp_path) == [segment.path]
    segment.close()


@pytest.mark.parametrize("operation", ["create", "write", "sync", "rename"])
def test_a_segment_that_cannot_begin_leaves_nothing(tmp_path: Path, operation: str) -> None:
    disk = ForgetfulDisk(tmp_path)
    disk.before = failing(operation, number=errno.ENOSPC)

    with pytest.raises(OSError, match="No space left"):
        Segment.begin(disk, tmp_path, first_sequence=5, previous=None)

    assert list(tmp_path.iterdir()) == []


def test_what_was_not_synced_is_cut_off_where_a_segment_is_abandoned(tmp_path: Path) -> None:
    disk = ForgetfulDisk(tmp_path)
    segment = Segment.begin(disk, tmp_path, first_sequence=1, previous=None)
    segment.append(b"synced")
    disk.before = failing("sync")

    with pytest.raises(OSError, match="Input/output"):
        segment.append(b"written")
    segment.abandon()

    assert segment.path.read_bytes().endswith(b"synced")
    assert segment.end == segment.path.stat().st_size


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    segment = Segment.begin(Disk(), tmp_path, first_sequence=12, previous=None)
    segment.close()
    for name in ("notes.txt", "12.segment", f"{'x' * 20}.segment", f"{7:020d}.segment.bak", f"{8:020d}.new"):
        (tmp_path / name).touch()

    assert segments_in(tmp_path) == [segment.path]
    assert unfinished_in(tmp_path) == [tmp_path / f"{8:020d}.new"]
