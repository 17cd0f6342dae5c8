"""Numbers of a process, in a snapshot and live."""

from __future__ import annotations

import pytest

from procession.process import ProcessNumbers
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.numbers import decode_numbers, encode_numbers, encode_state


@pytest.mark.parametrize(
    ("written", "read"), [(pb.Process, pb.ReadProcess), (pb.ProcessStat, pb.ReadProcessStat)], ids=["snapshot", "live"]
)
def test_every_number_travels(
    written: type[pb.Process | pb.ProcessStat], read: type[pb.ReadProcess | pb.ReadProcessStat]
) -> None:
    names = [name for name in ProcessNumbers.__struct_fields__ if name != "state"]
    numbers = ProcessNumbers(**{name: index for index, name in enumerate(names, start=1)}, state="S")
    state, _ = encode_state(numbers.state)

    message = written()
    encode_numbers(numbers, message)

    assert decode_numbers(read.FromString(message.SerializeToString()), state) == numbers
