"""Damaged payloads, many of them: each is a value or a RequestError, and none takes long."""

from __future__ import annotations

import contextlib
import random
import time

import pytest

from procession.errors import RequestError
from procession.process import MAX_UINT32, Snapshot
from procession.wire.datadog import (
    Encoding,
    MessageType,
    SnapshotDecoder,
    decode_answer,
    decode_events,
    decode_live,
    frame,
)
from tests.support.agents.vectors import VECTORS, vector
from tests.support.stores.unpacked import unpack

SECONDS = 3.0
MAX_BYTES = 2**20


def _damage(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if not damaged:
            break
        at = chance.randrange(len(damaged))
        match chance.randrange(6):
            case 0:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                damaged[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del damaged[at : at + chance.randrange(1, 9)]
            case 3:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 4:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 200)]
            case _:
                del damaged[at:]
    return bytes(damaged)


def _check(snapshot: Snapshot) -> None:
    assert snapshot.host
    for sighting in snapshot.sightings:
        assert 0 <= sighting.pid <= MAX_UINT32
        assert 0 <= sighting.started_at <= MAX_UINT32
        for text in (sighting.description.cmdline, sighting.description.user, *sighting.description.tags):
            assert "\0" not in text
            text.encode()
        for name in sighting.numbers.__struct_fields__:
            number = getattr(sighting.numbers, name)
            assert number is None or isinstance(number, str) or 0 <= number < 1e39


@pytest.mark.parametrize("seed", [1])
def test_a_damaged_payload_is_a_value_or_a_request_error(seed: int) -> None:
    chance = random.Random(seed)
    decoder = SnapshotDecoder(cache_bytes=10_000_000)
    seeds = [recorded.data for recorded in VECTORS if "bomb" not in recorded.name]
    # Damage behind the compression, too, where nothing but protobuf or JSON guards.
    for name in ("proc_v3_enc0_protobuf", "proc_full_enc4", "group_2002_chunk0"):
        body = bytes(frame.decode(vector(name)).body)
        seeds += [frame.encode(MessageType.PROCESSES, body, encoding=Encoding.PLAIN)] * 8
    decoded = refused = 0
    longest = 0.0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        payload = _damage(chance.choice(seeds), chance)
        started = time.thread_time()
        with contextlib.suppress(RequestError):
            decode_events(payload)
        try:
            framed = frame.decode(payload, max_bytes=MAX_BYTES)
            if framed.type is MessageType.ANSWER:
                decode_answer(payload)
            elif framed.type is MessageType.REAL_TIME:
                decode_live(framed, taken_at=0)
            else:
                _check(unpack(decoder.decode(framed, taken_at=0)))
            decoded += 1
        except RequestError:
            refused += 1
        longest = max(longest, time.thread_time() - started)

    assert decoded > 100
    assert refused > 100
    assert longest < 1.0
