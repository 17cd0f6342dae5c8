"""How a message of columns lies on the wire. All integers are little-endian:

    head, 32 bytes: "PCOL", version, encoding (0 plain, 4 zstd), bytes of a row as uint16, run of the agent as uint64,
        number of the frame, number of the frame that it follows (0: none, it is whole), checksum of all rows, and the
        split id of the snapshot as int32
    body, plain or compressed by zstd:
        five uint32: bytes of the host's name; processes of the frame before; processes that are new; descriptions;
            containers
        the host's name
        a byte for each process of the frame before, in its order: bits of `Fate`
        pids of those that are new, as uint32, then their starts
        rows of numbers, the bytes of one place side by side: for those that moved the difference (XOR) to the row
            before, then the rows of those that are new
        lengths of the descriptions, as uint32, then the descriptions: of those that are described anew, then of those
            that are new; each a `Process` of Datadog's protocol, without its numbers
        the same for containers that are new or have changed; each a `Container`

The processes of a frame are those of the frame before without those that have ended, then the new ones.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import cramjam

from procession.errors import PayloadTooLarge
from procession.wire.columns.rows import ROW_BYTES
from procession.wire.datadog.frame import Encoding, FrameError, decompress_zstd

VERSION = 3
"""Another one for every other layout, that of the rows included."""

MAX_NUMBER = 2**32 - 1
"""Of a frame. They begin at 1."""

_MAGIC = b"PCOL"
_HEAD = struct.Struct("<4sBBHQIIIi")
_COUNTS = struct.Struct("<5I")


class Fate(enum.IntFlag):
    """What became of a process of the frame before."""

    MOVED = 1
    DESCRIBED = 2
    ENDED = 4


_NO_FATES = bytes(range(Fate.ENDED + 1))
_IS_MOVED = bytes(fate in (1, 3) for fate in range(256))
_IS_DESCRIBED = bytes(fate in (2, 3) for fate in range(256))


@dataclass(frozen=True, slots=True)
class Head:
    run: int
    number: int
    follows: int
    """0: it is whole."""
    checksum: int
    split_id: int


@dataclass(frozen=True, slots=True)
class Body:
    host: bytes
    fates: bytes
    pids: Sequence[int]
    starts: Sequence[int]
    rows: bytes
    """As they travel."""
    descriptions: Sequence[bytes]
    containers: Sequence[bytes]

    @property
    def moved(self) -> bytes:
        """For each process of the frame before, 1 where its numbers moved."""
        return self.fates.translate(_IS_MOVED)

    @property
    def described(self) -> bytes:
        """Likewise, 1 where it is described anew."""
        return self.fates.translate(_IS_DESCRIBED)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    processes: int
    containers: int
    part_bytes: int
    """Of a description or a container."""


def encode(head: Head, body: Body, *, level: int | None) -> bytes:
    """`level` is that of zstd. None: not compressed."""
    data = b"".join(
        (
            _COUNTS.pack(len(body.host), len(body.fates), len(body.pids), len(body.descriptions), len(body.containers)),
            body.host,
            body.fates,
            _packed(body.pids),
            _packed(body.starts),
            body.rows,
            _packed(list(map(len, body.descriptions))),
            *body.descriptions,
            _packed(list(map(len, body.containers))),
            *body.containers,
        )
    )
    encoding = Encoding.PLAIN if level is None else Encoding.ZSTD
    if level is not None:
        data = bytes(cramjam.zstd.compress(data, level=level))
    start = _HEAD.pack(
        _MAGIC, VERSION, encoding, ROW_BYTES, head.run, head.number, head.follows, head.checksum, head.split_id
    )
    return start + data


def decode_head(data: bytes) -> Head:
    """Raises FrameError."""
    if len(data) < _HEAD.size:
        raise FrameError("The message ends within its head")
    magic, version, _, row_bytes, *rest = _HEAD.unpack_from(data)
    if magic != _MAGIC or version != VERSION or row_bytes != ROW_BYTES:
        raise FrameError("The message has no columns as this server knows them")
    head = Head(*rest)
    if not 0 <= head.follows < head.number:
        raise FrameError("The message follows one that comes after it")
    return head


def decode_body(data: bytes, max_bytes: int) -> bytes:
    """Decompressed. Raises FrameError, or PayloadTooLarge for one of more than `max_bytes`."""
    body = memoryview(data)[_HEAD.size :]
    match data[5]:
        case Encoding.PLAIN if len(body) <= max_bytes:
            return bytes(body)
        case Encoding.PLAIN:
            raise PayloadTooLarge(f"The message has more than {max_bytes} bytes")
        case Encoding.ZSTD:
            return bytes(decompress_zstd(body, max_bytes))
        case other:
            raise FrameError(f"The message has the unknown encoding {other}")


def parse_body(data: bytes, limits: BodyLimits) -> Body:
    """Raises FrameError, or PayloadTooLarge beyond the limits; before anything is made of what is too much."""
    reader = _Reader(data)
    host_bytes, before, new, descriptions, containers = _COUNTS.unpack(reader.take(_COUNTS.size))
    if before > limits.processes or new > limits.processes:
        raise PayloadTooLarge(f"The message holds more than {limits.processes} processes")
    if containers > limits.containers:
        raise PayloadTooLarge(f"The message holds more than {limits.containers} containers")
    host, fates = reader.take(host_bytes), reader.take(before)
    if fates.translate(None, _NO_FATES):
        raise FrameError("The message says what cannot become of a process")
    if before - fates.count(Fate.ENDED) + new > limits.processes:
        raise PayloadTooLarge(f"The message holds more than {limits.processes} processes")
    if descriptions != sum(fates.translate(_IS_DESCRIBED)) + new:
        raise FrameError("The message does not describe each of its processes")
    found = Body(
        host,
        fates,
        reader.numbers(new),
        reader.numbers(new),
        reader.take(ROW_BYTES * (sum(fates.translate(_IS_MOVED)) + new)),
        reader.parts(descriptions, limits.part_bytes),
        reader.parts(containers, limits.part_bytes),
    )
    reader.finish()
    return found


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, count: int) -> bytes:
        begin, self._position = self._position, self._position + count
        if self._position > len(self._data):
            raise FrameError("The message is cut off")
        return self._data[begin : self._position]

    def numbers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}I", self.take(4 * count))

    def parts(self, count: int, max_bytes: int) -> list[bytes]:
        lengths = self.numbers(count)
        if count and max(lengths) > max_bytes:
            raise PayloadTooLarge(f"A part of the message has more than {max_bytes} bytes")
        return [self.take(length) for length in lengths]

    def finish(self) -> None:
        if self._position != len(self._data):
            raise FrameError("There is more after the message")


def _packed(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)
