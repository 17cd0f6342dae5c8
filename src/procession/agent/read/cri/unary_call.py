"""One gRPC call over a Unix socket: as much of HTTP/2 as a single request and its answer take.

Whoever answers may be anybody. So all of it has one deadline and a bound in bytes, and what is not understood is
refused. Headers of the answer are not read: without an answer there is a refusal, whatever it says. This leaves out the
compression of headers (HPACK), which only who reads them needs.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Final

from procession.agent.read.container_runtimes import ContainerRuntimeError

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PUSH_PROMISE, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 5, 6, 7, 8
_ACK = _END_STREAM = 1
_END_HEADERS, _PADDED = 4, 8
_STREAM = 1

_FRAME = struct.Struct(">BHBBI")
_MESSAGE = struct.Struct(">BI")
_MAX_FRAME = 16384
"""What we take unless we say otherwise."""
_MAX_FRAMES = 100_000
_FIRST_WINDOW = 65535

_HEADER_TABLE_SIZE, _ENABLE_PUSH, _INITIAL_WINDOW_SIZE = 1, 2, 4

_POST, _SCHEME_HTTP = b"\x83", b"\x86"
"""Of HPACK's table. A literal that nobody remembers has its name there, too, or a name of its own."""
_PATH, _AUTHORITY, _CONTENT_TYPE, _OWN_NAME = b"\x04", b"\x01", b"\x0f\x10", b"\x00"


def unary_call(path: str, method: str, request: bytes, *, seconds: float, max_bytes: int) -> bytes:
    """The answer to `method`, such as `/runtime.v1.RuntimeService/ListContainers`. Raises ContainerRuntimeError."""
    with socket.socket(socket.AF_UNIX) as connection:
        call = _Call(connection, time.monotonic() + seconds, max_bytes)
        try:
            return call.run(path, method, request)
        except TimeoutError:
            raise ContainerRuntimeError(f"no answer in {seconds:g} s") from None
        except OSError as error:
            raise ContainerRuntimeError(error.strerror or str(error)) from None


class _Call:
    def __init__(self, connection: socket.socket, deadline: float, max_bytes: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._max_bytes = max_bytes + _MESSAGE.size

    def run(self, path: str, method: str, request: bytes) -> bytes:
        self._bound()
        self._connection.connect(path)
        window = _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", self._max_bytes))
        body = _MESSAGE.pack(0, len(request)) + request
        self._send(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, _settings(self._max_bytes + _FIRST_WINDOW))
            + window
            + _frame(_HEADERS, _END_HEADERS, _STREAM, _headers_of(method))
            + _frame(_DATA, _END_STREAM, _STREAM, body)
        )
        return _message_in(self._answer())

    def _answer(self) -> bytes:
        """All data of the stream, up to its end."""
        data = bytearray()
        for _ in range(_MAX_FRAMES):
            kind, flags, stream, payload = self._receive_frame()
            if kind == _DATA and stream == _STREAM:
                data += _without_padding(payload) if flags & _PADDED else payload
                if len(data) > self._max_bytes:
                    raise ContainerRuntimeError(f"the answer has more than {self._max_bytes - _MESSAGE.size} bytes")
            elif kind == _SETTINGS and not flags & _ACK:
                self._send(_frame(_SETTINGS, _ACK, 0, b""))
            elif kind == _PING and not flags & _ACK:
                self._send(_frame(_PING, _ACK, 0, payload[:8]))
            elif kind in (_RST_STREAM, _GOAWAY, _PUSH_PROMISE):
                raise ContainerRuntimeError("it breaks the call off")
            if kind in (_DATA, _HEADERS) and stream == _STREAM and flags & _END_STREAM:
                return bytes(data)
        raise ContainerRuntimeError("the answer has no end")

    def _receive_frame(self) -> tuple[int, int, int, bytes]:
        high, low, kind, flags, stream = _FRAME.unpack(self._receive(_FRAME.size))
        length = high << 16 | low
        if length > _MAX_FRAME:
            raise ContainerRuntimeError("the answer is no HTTP/2")
        return kind, flags, stream & 0x7FFFFFFF, self._receive(length)

    def _receive(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            self._bound()
            part = self._connection.recv(count - len(data))
            if not part:
                raise ContainerRuntimeError("the answer is cut off")
            data += part
        return bytes(data)

    def _send(self, data: bytes) -> None:
        self._bound()
        self._connection.sendall(data)

    def _bound(self) -> None:
        """What is left of the time is for all that comes."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return _FRAME.pack(len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, stream) + payload


def _settings(window: int) -> bytes:
    """No table of headers, nothing that was not asked for, and all of the answer at once."""
    values = ((_HEADER_TABLE_SIZE, 0), (_ENABLE_PUSH, 0), (_INITIAL_WINDOW_SIZE, window))
    return b"".join(struct.pack(">HI", *one) for one in values)


def _headers_of(method: str) -> bytes:
    return b"".join(
        (
            _POST,
            _SCHEME_HTTP,
            _PATH + _text(method),
            _AUTHORITY + _text("localhost"),
            _CONTENT_TYPE + _text("application/grpc"),
            _OWN_NAME + _text("te") + _text("trailers"),
        )
    )


def _text(text: str) -> bytes:
    """Of less than 127 bytes, as it is."""
    return bytes((len(text),)) + text.encode("ascii")


def _without_padding(payload: bytes) -> bytes:
    if not payload or payload[0] >= len(payload):
        raise ContainerRuntimeError("the answer is no HTTP/2")
    return payload[1 : len(payload) - payload[0]]


def _message_in(data: bytes) -> bytes:
    if not data:
        raise ContainerRuntimeError("it refuses the call")
    if len(data) < _MESSAGE.size:
        raise ContainerRuntimeError("the answer is no gRPC")
    is_compressed, length = _MESSAGE.unpack_from(data)
    if is_compressed or length != len(data) - _MESSAGE.size:
        raise ContainerRuntimeError("the answer is no gRPC")
    return data[_MESSAGE.size :]
