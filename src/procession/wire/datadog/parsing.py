"""Bytes -> protobuf messages, within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from procession.errors import PayloadTooLarge
from procession.wire.datadog.frame import Encoding, Frame, FrameError

_M = TypeVar("_M", bound=Message)
_P = TypeVar("_P", bound=Message)

WHOLE_BYTES = 256 * 1024
"""Up to here a message is parsed as a whole. Beyond, part by part: parsed, two bytes can take two hundred."""

MAX_OTHER_FIELDS = 1000
"""A message has some ten of them, and those of a future one may be repeated."""

MAX_REST_BYTES = 16 * 2**20
"""What is not split off is parsed as a whole, however large."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def parse(message_class: type[_M], body: bytes | bytearray | memoryview) -> _M:
    """Raises FrameError for what is not such a message. Unknown fields are ignored."""
    message = message_class()
    try:
        message.ParseFromString(body)  # type: ignore[arg-type]  # takes any of them, but the stubs say bytes
    except DecodeError:
        raise FrameError("The message is damaged") from None
    return message


def parse_frame(message_class: type[_M], frame: Frame) -> _M:
    """The same from either encoding."""
    if frame.encoding is not Encoding.JSON:
        return parse(message_class, frame.body)
    message = message_class()
    try:
        json_format.Parse(bytes(frame.body), message, ignore_unknown_fields=True, max_recursion_depth=20)
    except (json_format.ParseError, ValueError, RecursionError):
        raise FrameError("The message is no JSON of its type") from None
    return message


def protobuf_of(message_class: type[Message], frame: Frame) -> bytes | bytearray:
    """The body of a frame as protobuf, also where it is JSON."""
    return parse_frame(message_class, frame).SerializeToString() if frame.encoding is Encoding.JSON else frame.body


def parse_in_parts(
    message_class: type[_M],
    part_class: type[_P],
    body: bytes | bytearray,
    wanted: int,
    limits: Mapping[int, int],
    max_part_bytes: int,
) -> tuple[_M, Iterable[_P]]:
    """A message, and apart from it the messages of its repeated field `wanted`, which it may lack itself.

    `limits` says how many of some repeated fields there may be. Raises FrameError or PayloadTooLarge.
    """
    message, found, parts = _whole_or_split(message_class, body, wanted, limits, max_part_bytes)
    return message, found if parts is None else (parse(part_class, part) for part in parts)


def unparsed_parts(
    message_class: type[_M],
    body: bytes | bytearray,
    wanted: int,
    limits: Mapping[int, int],
    max_part_bytes: int,
) -> tuple[_M, Iterable[bytes]]:
    """The same where the field `wanted` is one of bytes."""
    message, found, parts = _whole_or_split(message_class, body, wanted, limits, max_part_bytes)
    return message, found if parts is None else map(bytes, parts)


def _whole_or_split(
    message_class: type[_M], body: bytes | bytearray, wanted: int, limits: Mapping[int, int], max_part_bytes: int
) -> tuple[_M, Any, list[memoryview] | None]:
    """The message, and its field `wanted` or, where it is too long to be parsed at once, the bodies of that field."""
    if len(body) <= min(WHOLE_BYTES, max_part_bytes):  # else a part may be larger than it may
        message = parse(message_class, body)
        fields = message.DESCRIPTOR.fields_by_number
        for number, limit in limits.items():
            if len(getattr(message, fields[number].name)) > limit:
                raise _too_many(number, limit)
        return message, getattr(message, fields[wanted].name), None
    rest, parts = split(body, wanted, limits)
    for part in parts:
        if len(part) > max_part_bytes:
            raise PayloadTooLarge(f"A part of the message has more than {max_part_bytes} bytes")
    return parse(message_class, rest), (), parts


def split(body: bytes | bytearray, wanted: int, limits: Mapping[int, int]) -> tuple[bytearray, list[memoryview]]:
    """A message without its repeated field `wanted`, and the bodies of that field.

    Raises PayloadTooLarge when a field occurs more often than its limit, or all others together more often than
    MAX_OTHER_FIELDS, before anything is parsed: a message of a few million empty ones takes gigabytes when it is.
    """
    view = memoryview(body)
    rest, parts = bytearray(), []
    left = dict(limits)
    others_left = MAX_OTHER_FIELDS
    position = 0
    try:
        while position < len(view):
            begin = position
            tag, position = _varint(view, position)
            number, wire_type = tag >> 3, tag & 7
            if wire_type == _LENGTH:
                length, content = _varint(view, position)
                position = content + length
            elif wire_type == _VARINT:
                _, position = _varint(view, position)
            elif wire_type in (_FIXED32, _FIXED64):
                position += 4 if wire_type == _FIXED32 else 8
            else:  # groups, which nobody has sent for fifteen years
                raise FrameError("The message is damaged")
            if position > len(view):
                raise FrameError("The message is damaged")
            if number in left:
                left[number] -= 1
                if left[number] < 0:
                    raise _too_many(number, limits[number])
            else:
                others_left -= 1
                if others_left < 0:
                    raise PayloadTooLarge("The message holds too many fields")
            if number == wanted and wire_type == _LENGTH:
                parts.append(view[content:position])
            else:
                rest += view[begin:position]
                if len(rest) > MAX_REST_BYTES:
                    raise PayloadTooLarge(f"The message has more than {MAX_REST_BYTES} bytes beside its parts")
    except IndexError:
        raise FrameError("The message is damaged") from None
    return rest, parts


def _too_many(number: int, limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The message holds more than {limit} of field {number}")


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise FrameError("The message is damaged")
