from __future__ import annotations

import pytest

from procession.errors import PayloadTooLarge
from procession.wire.datadog import FrameError
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.parsing import MAX_OTHER_FIELDS, parse, split


def test_a_message_splits_into_one_field_and_the_rest() -> None:
    message = pb.CollectorProc(
        hostName="h",
        processes=[pb.Process(pid=1), pb.Process(pid=2)],
        containers=[pb.Container(id="c")],
        groupId=-7,
        hintMask=0,
    )

    rest, parts = split(message.SerializeToString(), 3, {3: 2, 10: 1})

    assert [parse(pb.Process, part).pid for part in parts] == [1, 2]
    del message.processes[:]
    assert parse(pb.CollectorProc, rest) == message


def test_fields_of_every_kind_are_passed_over() -> None:
    body = b"\x09" + bytes(8) + b"\x15" + bytes(4) + b"\x1a\x01x" + b"\x20\xff\x01"

    rest, parts = split(body, 3, {3: 1})

    assert [bytes(part) for part in parts] == [b"x"]
    assert rest == body.replace(b"\x1a\x01x", b"")


@pytest.mark.parametrize("body", [b"\x1a", b"\x1a\x05abc", b"\x09\0", b"\x0b\x0c", b"\xff" * 11, b"\x08"])
def test_what_is_damaged_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        split(body, 3, {3: 10})


def test_a_field_may_come_only_so_often() -> None:
    split(b"\x1a\x00" * 3, 3, {3: 3})
    with pytest.raises(PayloadTooLarge):
        split(b"\x1a\x00" * 4, 3, {3: 3})


def test_all_other_fields_may_come_only_so_often() -> None:
    split(b"\x08\x00" * MAX_OTHER_FIELDS, 3, {3: 3})
    with pytest.raises(PayloadTooLarge):
        split(b"\x08\x00" * 10_000_000, 3, {3: 3})
