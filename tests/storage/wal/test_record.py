from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.storage.wal.record import (
    HEADER_BYTES,
    MAX_KIND,
    MAX_ORG_ID,
    Entry,
    Record,
    header_of,
    parse_header,
)

ENTRIES = st.builds(
    Entry,
    st.integers(0, MAX_ORG_ID),
    st.integers(0, MAX_KIND),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=200),
)
SALTS = st.integers(0, 2**32 - 1)


@given(ENTRIES, st.integers(1, 2**64 - 1), st.integers(0, 2**32 - 1), SALTS)
def test_a_record_is_read_as_it_was_written(entry: Entry, sequence: int, group_at: int, salt: int) -> None:
    header = parse_header(header_of(entry, sequence, group_at=group_at, salt=salt), salt=salt)

    assert header is not None
    assert header.fits(entry.payload)
    assert header.group_at == group_at
    assert header.with_payload(entry.payload) == Record(
        sequence, entry.org_id, entry.kind, entry.received_at, entry.payload
    )


def test_every_flipped_bit_of_a_header_is_noticed() -> None:
    data = header_of(Entry(7, 1, 1_700_000_000, b"payload"), 5, group_at=40, salt=9)

    for bit in range(8 * HEADER_BYTES):
        assert parse_header(flipped(data, bit), salt=9) is None, bit


def test_every_flipped_bit_of_a_payload_is_noticed() -> None:
    payload = b"a few bytes of a frame"
    header = parse_header(header_of(Entry(7, 1, 0, payload), 5, group_at=40, salt=9), salt=9)

    assert header is not None
    assert not any(header.fits(flipped(payload, bit)) for bit in range(8 * len(payload)))
    assert not header.fits(payload[:-1])
    assert not header.fits(payload + b"\0")


@given(ENTRIES, SALTS, SALTS)
def test_what_looks_like_a_record_of_another_segment_is_none(entry: Entry, salt: int, other: int) -> None:
    data = header_of(entry, 1, group_at=40, salt=salt)

    assert (parse_header(data, salt=other) is not None) == (salt == other)


def test_a_header_is_all_there_or_none() -> None:
    data = header_of(Entry(7, 1, 0, b""), 5, group_at=40, salt=9)

    assert all(parse_header(data[:size], salt=9) is None for size in range(HEADER_BYTES))
    assert parse_header(data + b"\0", salt=9) is None


@pytest.mark.parametrize(
    ("org_id", "kind", "received_at"), [(-1, 1, 0), (MAX_ORG_ID + 1, 1, 0), (1, -1, 0), (1, 256, 0), (1, 1, 2**63)]
)
def test_what_fits_into_no_header_is_refused(org_id: int, kind: int, received_at: int) -> None:
    with pytest.raises(ValueError, match="no record has"):
        Entry(org_id, kind, received_at, b"")


def flipped(data: bytes, bit: int) -> bytes:
    found = bytearray(data)
    found[bit // 8] ^= 1 << bit % 8
    return bytes(found)
