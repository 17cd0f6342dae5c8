from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from procession.process import MAX_UINT64
from procession.wire.datadog import RequestId

MOMENT = int(datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC).timestamp())


def test_a_request_id_is_the_one_that_an_agent_makes() -> None:
    first = RequestId.of("web-1", 1234, MOMENT, 0)
    second = RequestId.of("web-1", 1234, MOMENT, 1)

    assert first == RequestId(1_203_200, 0xEE9502F, 0)
    assert (first.pack(), second.pack()) == (5291733660969189376, 5291733660969189377)


def test_a_request_id_fits_at_the_end_of_the_longest_month() -> None:
    last = RequestId.of("web-1", 1, int(datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()), 2**14 - 1)

    assert RequestId.unpack(last.pack()) == last
    assert last.pack() <= MAX_UINT64


@given(st.integers(0, MAX_UINT64))
def test_a_request_id_packs_to_the_number_it_came_from(number: int) -> None:
    assert RequestId.unpack(number).pack() == number


def test_the_chunks_of_a_snapshot_differ_in_their_index_alone() -> None:
    ids = [RequestId.unpack(RequestId.of("h", 1, MOMENT, index).pack()) for index in range(3)]

    assert [each.index for each in ids] == [0, 1, 2]
    assert len({(each.second_of_month, each.sender) for each in ids}) == 1
