"""zstd of both formats, 1.x and 0.5, into no more memory than allowed.

Neither format tells reliably how large its content is. But both are chains of blocks, each of which holds at most
128 KiB of content, so walking over the block headers gives a bound that is tight for an honest frame, and a frame that
is cut off shows itself before anything is decompressed.
"""

from __future__ import annotations

import cramjam

_MAGIC_1 = b"\x28\xb5\x2f\xfd"
_MAGIC_05 = b"\x25\xb5\x2f\xfd"
_BLOCK_BYTES = 128 * 1024


class Malformed(Exception):
    """Not one whole frame of either format."""


class TooLarge(Exception):
    """Its content has more bytes than allowed."""


def decompress(data: memoryview, max_bytes: int) -> bytearray:
    """The content of exactly one frame. Raises Malformed or TooLarge."""
    magic = bytes(data[:4])
    try:
        if magic == _MAGIC_1:
            end, bound = _measure_1(data, max_bytes)
        elif magic == _MAGIC_05:
            end, bound = _measure_05(data)
        else:
            raise Malformed("it is not zstd")
    except IndexError:
        raise Malformed("the frame is cut off") from None
    if end != len(data):
        raise Malformed("the frame is cut off" if end > len(data) else "there is more after the frame")
    content = bytearray(min(bound, max_bytes))
    try:
        length = cramjam.zstd.decompress_into(data, content)
    except cramjam.DecompressionError as error:
        # Content can only fail to fit where it was not given all the room that it may need.
        if bound > max_bytes and "whole buffer" in str(error):
            raise TooLarge from None
        raise Malformed("the frame is damaged") from None
    del content[length:]
    return content


def _measure_1(data: memoryview, max_bytes: int) -> tuple[int, int]:
    """Where the frame ends, and how much content it has at most. IndexError if it is cut off."""
    descriptor = data[4]
    is_single_segment = descriptor & 0x20
    size_length = (1 if is_single_segment else 0, 2, 4, 8)[descriptor >> 6]
    position = 5
    if not is_single_segment:
        window = 1 << (10 + (data[5] >> 3))
        if window > max(max_bytes, _BLOCK_BYTES):  # would be allocated by the decoder
            raise TooLarge
        position = 6
    position += (0, 1, 2, 4)[descriptor & 0x03]
    declared = None
    if size_length:
        declared = int.from_bytes(data[position : position + size_length], "little")
        if size_length == 2:
            declared += 256
        if declared > max_bytes:
            raise TooLarge
    position += size_length
    bound = 0
    while True:
        header = data[position] | data[position + 1] << 8 | data[position + 2] << 16
        block_type, size = header >> 1 & 3, header >> 3
        if block_type == 3 or size > _BLOCK_BYTES:
            raise Malformed("the frame is damaged")
        position += 3 + (1 if block_type == 1 else size)
        bound += _BLOCK_BYTES if block_type == 2 else size
        if header & 1:
            break
    if descriptor & 0x04:
        position += 4  # checksum
    return position, bound if declared is None else min(bound, declared)


def _measure_05(data: memoryview) -> tuple[int, int]:
    if data[4] & 0xF0:
        raise Malformed("the frame is damaged")
    position, bound = 5, 0
    while True:
        first = data[position]
        block_type, size = first >> 6, (first & 7) << 16 | data[position + 1] << 8 | data[position + 2]
        position += 3
        if block_type == 3:
            return position, bound
        if block_type == 2 or size > _BLOCK_BYTES:
            raise Malformed("the frame is damaged")
        position += size
        bound += _BLOCK_BYTES if block_type == 0 else size
