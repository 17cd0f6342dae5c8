"""Whatever comes is a snapshot within the limits, or refused; and nobody fills more memory than is set."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from procession.errors import PayloadTooLarge
from procession.packed import NUMBERS, Listing
from procession.process import MAX_UINT32, ProcessNumbers
from procession.wire.columns import layout
from procession.wire.columns.decoder import ColumnsDecoder, FrameBeforeUnknown
from procession.wire.columns.encoder import ColumnsEncoder
from procession.wire.columns.host_states import IDLE_SECONDS, HostState, HostStates, StateKey
from procession.wire.columns.layout import Body, BodyLimits, Head
from procession.wire.columns.rows import ROW_BYTES, checksum_of
from procession.wire.datadog import ContainerInfo, FrameError, Limits
from tests.support.agents.column_frames import MAX_BYTES, read
from tests.support.builders import a_sighting, a_snapshot
from tests.support.stores.unpacked import unpack

REFUSALS = (FrameError, PayloadTooLarge, FrameBeforeUnknown)
LIMITS = BodyLimits(10_000, 10_000, 2**22)


def a_whole() -> bytes:
    return ColumnsEncoder(1).encode(a_snapshot(a_sighting(1), a_sighting(2))).whole


def parts_of(data: bytes) -> tuple[Head, Body]:
    return layout.decode_head(data), layout.parse_body(layout.decode_body(data, MAX_BYTES), LIMITS)


def changed(data: bytes, change: Callable[[Body], Body]) -> bytes:
    head, body = parts_of(data)
    return layout.encode(head, change(body), level=None)


def test_the_layout_is_the_one_of_this_version() -> None:
    """With another row, or another head, `VERSION` is another one."""
    assert layout.VERSION == 3
    assert [kind for _, kind in NUMBERS] == [
        *["f4"] * 3,
        *["i8"] * 4,
        *["i4"] * 2,
        *["f4"] * 4,
        *["i8"] * 2,
        *["f4"] * 2,
        "i4",
        *["f4"] * 2,
    ]
    assert ROW_BYTES == 105
    assert a_whole()[:8] == b"PCOL" + bytes((3, 4, 105, 0))


def test_damaged_messages_are_refused_or_whole_snapshots() -> None:
    chance = random.Random(7)
    encoder = ColumnsEncoder(1)
    first = encoder.encode(a_snapshot(*map(a_sighting, range(1, 9))))
    then = encoder.encode(a_snapshot(*map(a_sighting, range(3, 12))))
    server = ColumnsDecoder(Limits(processes=50))
    taken = 0
    for turn in range(3000):
        head, body = parts_of(first.whole if turn % 2 else then.changes or b"")
        plain = bytearray(layout.encode(head, body, level=None))
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(plain))
            match chance.randrange(4):
                case 0:
                    plain[at] ^= 1 << chance.randrange(8)
                case 1:
                    plain[at] = chance.choice((0, 1, 4, 0x7F, 0x80, 0xFF))
                case 2:
                    del plain[at : at + chance.randrange(1, 9)]
                case _:
                    plain[at:at] = chance.randbytes(chance.randrange(1, 9))
        read(server, first.whole)
        try:
            found = unpack(read(server, bytes(plain)))
        except REFUSALS:
            continue
        taken += 1
        assert len({(one.pid, one.started_at) for one in found.sightings}) == len(found.sightings) <= 50
        for one in found.sightings:
            assert 0 <= one.pid <= MAX_UINT32
            assert "\0" not in one.description.cmdline + one.description.user
            for name in ProcessNumbers.__struct_fields__:
                number = getattr(one.numbers, name)
                assert number is None or name == "state" or 0 <= number < float("inf")
    assert 0 < taken < 2000


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.5, -0.0001, 3])
def test_numbers_that_no_process_can_have_are_refused(number: float) -> None:
    snapshot = a_snapshot(a_sighting(numbers=ProcessNumbers(cpu_total_percent=1.0)))
    head, body = parts_of(ColumnsEncoder(1).encode(snapshot).whole)
    row = struct.pack("<f", number) + body.rows[4:]
    data = layout.encode(replace(head, checksum=checksum_of([row])), replace(body, rows=row), level=None)

    if number == 3:
        assert unpack(read(ColumnsDecoder(Limits()), data)).sightings[0].numbers.cpu_total_percent == 3
    else:
        with pytest.raises(FrameError, match="no process can have"):
            read(ColumnsDecoder(Limits()), data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: replace(body, host=b""), "name its host"),
        (lambda body: replace(body, host=b"x" * 256), "name its host"),
        (lambda body: replace(body, starts=(0, 0), pids=(1, 1)), "twice"),
        (lambda body: replace(body, descriptions=body.descriptions[:1]), "describe"),
        (lambda body: replace(body, fates=b"\5"), "cannot become"),
        (lambda body: replace(body, fates=b"\0"), "follows none"),
        (lambda body: replace(body, descriptions=(b"\xff", b"")), "damaged"),
        (lambda body: replace(body, containers=(b"\xff",)), "damaged"),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(change: Callable[[Body], Body], reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        read(ColumnsDecoder(Limits()), changed(a_whole(), change))


def test_the_checksum_of_a_whole_frame_counts() -> None:
    head, body = parts_of(a_whole())

    with pytest.raises(FrameError, match="checksum"):
        read(ColumnsDecoder(Limits()), layout.encode(replace(head, checksum=head.checksum ^ 1), body, level=None))


@pytest.mark.parametrize(
    ("place", "value"), [(0, b"Q"), (4, b"\1"), (5, b"\1"), (6, b"\x56"), (16, bytes(4)), (20, b"\xff\xff\xff\xff")]
)
def test_a_head_of_something_else_is_refused(place: int, value: bytes) -> None:
    data = bytearray(a_whole())
    data[place : place + len(value)] = value

    with pytest.raises(FrameError):
        read(ColumnsDecoder(Limits()), bytes(data))


@pytest.mark.parametrize("length", [0, 3, 31, 32, 40])
def test_a_message_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(FrameError):
        read(ColumnsDecoder(Limits()), a_whole()[:length])


@pytest.mark.parametrize(
    "limits", [Limits(processes=1), Limits(process_bytes=10), Limits(tags=1), Limits(containers=0)]
)
def test_what_is_too_much_is_refused(limits: Limits) -> None:
    snapshot = a_snapshot(
        a_sighting(1, tags=("a", "b"), container_id="c0ffee"), a_sighting(2, tags=(), container_id="c0ffee")
    )
    whole = ColumnsEncoder(1, lambda one: ContainerInfo(container_id=one)).encode(snapshot).whole

    with pytest.raises(PayloadTooLarge):
        read(ColumnsDecoder(limits), whole)


def test_a_few_bytes_that_claim_to_be_millions_are_refused_before_they_are_made() -> None:
    head = layout.decode_head(a_whole())
    body = struct.pack("<5I", 5, 0, 2**32 - 1, 2**32 - 1, 2**32 - 1) + b"web-1"

    with pytest.raises(PayloadTooLarge):
        ColumnsDecoder(Limits()).decode(head, body, taken_at=0)
    with pytest.raises(PayloadTooLarge):
        layout.decode_body(a_whole(), 10)
    with pytest.raises(PayloadTooLarge):
        layout.decode_body(changed(a_whole(), lambda body: body), 10)


def a_state(size: int) -> HostState:
    fields: dict[str, Any] = {"number": 1, "checksum": 0, "listing": Listing(()), "numbers": b""}
    fields |= {"own_tags": (), "host_tags": ()}
    return HostState(container_tags={}, size=size, **fields)


def test_the_org_that_holds_the_most_loses_its_oldest_host_to_another_org() -> None:
    states = HostStates(1000)
    for number in range(6):
        states.put(StateKey(2, f"web-{number}", 1), a_state(150))

    states.put(StateKey(1, "quiet", 1), a_state(200))

    assert states.get(StateKey(1, "quiet", 1)) is not None
    assert states.get(StateKey(2, "web-0", 1)) is None
    assert states.get(StateKey(2, "web-5", 1)) is not None
    assert states.used_bytes <= 1000


def test_hosts_of_one_org_do_not_push_out_each_other() -> None:
    states = HostStates(1000)
    states.put(StateKey(1, "quiet", 1), a_state(200))
    for _ in range(3):
        for number in range(50):
            states.put(StateKey(2, f"web-{number}", 1), a_state(150))

    remembered = [number for number in range(50) if states.get(StateKey(2, f"web-{number}", 1)) is not None]
    assert remembered == [0, 1, 2, 3, 4]
    assert states.get(StateKey(1, "quiet", 1)) is not None
    assert states.used_bytes <= 1000


def test_a_host_that_grows_beyond_is_still_bounded() -> None:
    states = HostStates(1000)
    for number in range(5):
        states.put(StateKey(1, f"web-{number}", 1), a_state(190))

    states.put(StateKey(1, "web-4", 1), a_state(400))

    assert states.used_bytes <= 1000
    assert states.get(StateKey(1, "web-4", 1)) is not None


def test_there_is_room_for_more_hosts_until_nine_tenths_are_used() -> None:
    states = HostStates(1000)
    assert states.has_room

    states.put(StateKey(1, "web-1", 1), a_state(899))
    assert states.has_room

    states.put(StateKey(1, "web-2", 1), a_state(50))
    assert not states.has_room


def test_a_host_that_is_silent_for_long_is_forgotten() -> None:
    now = [0.0]
    states = HostStates(10**9, clock=lambda: now[0])
    states.put(StateKey(1, "gone", 1), a_state(100))
    now[0] = IDLE_SECONDS + 1

    states.put(StateKey(2, "web-1", 1), a_state(50))

    assert states.get(StateKey(1, "gone", 1)) is None
    assert states.used_bytes == 50


def test_a_server_with_little_memory_asks_for_the_whole_and_goes_on() -> None:
    server = ColumnsDecoder(Limits(), state_bytes=10_000)
    encoders = [ColumnsEncoder(run) for run in range(10)]
    asked = 0

    for _ in range(3):
        for number, encoder in enumerate(encoders):
            snapshot = a_snapshot(a_sighting(1), host=f"web-{number}")
            frames = encoder.encode(snapshot)
            try:
                found = read(server, frames.changes or frames.whole)
            except FrameBeforeUnknown:
                asked += 1
                found = read(server, frames.whole)
            assert len(found.listing.processes) == 1

    assert asked
    assert server.states.used_bytes <= 10_000
