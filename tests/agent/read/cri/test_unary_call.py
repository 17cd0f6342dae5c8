"""A call to somebody who may answer anything: whole, damaged, endless or not at all."""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procession.agent.read.container_runtimes import ContainerRuntimeError
from procession.agent.read.cri.unary_call import unary_call

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY = range(8)
END_STREAM = 1


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 1) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def message(data: bytes, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(data)) + data


END = frame(HEADERS, b"\x88", END_STREAM)
"""Trailers that nobody reads."""


@contextlib.contextmanager
def answering(*parts: bytes, stays: bool = False) -> Iterator[str]:
    """Says this to whoever connects, and then closes the connection, or waits until that is closed."""
    with tempfile.TemporaryDirectory(prefix="grpc-") as folder:
        path = str(Path(folder) / "s")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()

            def answer() -> None:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    for part in parts:
                        connection.sendall(part)
                    if not stays:
                        connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass

            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            yield path
            thread.join(30)


def call(*parts: bytes, stays: bool = False, seconds: float = 30.0, max_bytes: int = 1000) -> bytes:
    with answering(*parts, stays=stays) as path:
        return unary_call(path, "/a.B/C", b"", seconds=seconds, max_bytes=max_bytes)


def refusal(*parts: bytes, stays: bool = False, seconds: float = 30.0) -> str:
    with pytest.raises(ContainerRuntimeError) as caught:
        call(*parts, stays=stays, seconds=seconds)
    return str(caught.value)


def test_the_data_of_the_stream_is_put_together() -> None:
    whole = message(b"answer")
    around = (frame(SETTINGS, b"", 0, 0), frame(PING, b"12345678", 0, 0), frame(DATA, b"not for us", 0, 3))

    assert call(*around, frame(DATA, whole[:3]), frame(DATA, whole[3:]), END) == b"answer"
    assert call(frame(DATA, whole, END_STREAM)) == b"answer"
    assert call(frame(DATA, b"\x02" + whole + b"\0\0", 8), frame(77, b"?"), END) == b"answer"
    assert call(frame(DATA, message(b"")), END) == b""


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((), "the answer is cut off"),
        ((b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n",), "the answer is no HTTP/2"),
        ((END,), "it refuses the call"),
        ((frame(DATA, message(b"a")),), "the answer is cut off"),
        ((frame(DATA, message(b"a"))[:-1],), "the answer is cut off"),
        ((frame(DATA, b"abc", END_STREAM),), "the answer is no gRPC"),
        ((frame(DATA, message(b"a", flag=1), END_STREAM),), "the answer is no gRPC"),
        ((frame(DATA, message(b"a") + b"more", END_STREAM),), "the answer is no gRPC"),
        ((frame(DATA, message(b"ab")[:-1], END_STREAM),), "the answer is no gRPC"),
        ((frame(DATA, b"", 8 | END_STREAM),), "the answer is no HTTP/2"),
        ((frame(DATA, b"\x09abc", 8 | END_STREAM),), "the answer is no HTTP/2"),
        ((frame(RST_STREAM, b"\0\0\0\x08"),), "it breaks the call off"),
        ((frame(GOAWAY, b"\0" * 8, 0, 0),), "it breaks the call off"),
        ((frame(PUSH, b"\0\0\0\x02"),), "it breaks the call off"),
        ((b"\xff\xff\xff\0\0\0\0\0\x01",), "the answer is no HTTP/2"),
        ((frame(DATA, b"\0" * 900), frame(DATA, b"\0" * 900)), "the answer has more than 1000 bytes"),
    ],
)
def test_what_is_no_answer_is_refused(parts: tuple[bytes, ...], said: str) -> None:
    assert refusal(*parts) == said


def test_an_answer_that_comes_byte_by_byte_has_no_more_time_than_another() -> None:
    begin = time.monotonic()

    assert refusal(frame(SETTINGS, b"", 0, 0), b"\0", stays=True, seconds=0.3) == "no answer in 0.3 s"
    assert time.monotonic() - begin < 20


def test_where_nobody_answers_the_system_says_why(tmp_path: Path) -> None:
    with pytest.raises(ContainerRuntimeError, match="No such file or directory"):
        unary_call(str(tmp_path / "none"), "/a.B/C", b"", seconds=5, max_bytes=10)
    with pytest.raises(ContainerRuntimeError, match="too long"):
        unary_call("/" + "a" * 300, "/a.B/C", b"", seconds=5, max_bytes=10)


@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([END, frame(DATA, message(b"x")), frame(SETTINGS, b"", 0, 0)]))
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_is_an_answer_or_a_refusal(parts: list[bytes]) -> None:
    with contextlib.suppress(ContainerRuntimeError):
        assert isinstance(call(*parts, seconds=20), bytes)
