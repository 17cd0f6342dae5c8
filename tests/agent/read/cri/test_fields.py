from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.agent.read.cri.fields import Damaged, FieldReader
from tests.support.agents.cri_server import field


def test_fields_are_read_in_their_order_by_number() -> None:
    data = field(1, 300) + field(18, "text") + b"\x19" + b"8" * 8 + b"\x25" + b"4" * 4 + field(1, -1)

    assert list(FieldReader().fields(data)) == [
        (1, 300),
        (18, b"text"),
        (3, b"8" * 8),
        (4, b"4" * 4),
        (1, 2**64 - 1),
    ]
    assert list(FieldReader().messages(data, 18)) == [b"text"]
    assert list(FieldReader().messages(data, 1)) == []


@pytest.mark.parametrize("data", [b"\x08", b"\x0a\x05abc", b"\x09abc", b"\x0b", b"\x80" * 20, b"\x08" + b"\xff" * 10])
def test_what_is_not_whole_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        list(FieldReader().fields(data))


def test_an_answer_has_no_more_fields_than_anybody_would_send() -> None:
    reader = FieldReader(3)
    assert len(list(reader.fields(b"\x08\x01" * 2))) == 2

    with pytest.raises(Damaged):
        list(reader.fields(b"\x08\x01" * 2))


@given(st.binary())
def test_whatever_comes_is_read_or_damaged(data: bytes) -> None:
    with contextlib.suppress(Damaged):
        assert all(isinstance(number, int) for number, _ in FieldReader().fields(data))
