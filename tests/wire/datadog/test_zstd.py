from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.wire.datadog import zstd
from tests.support.agents.vectors import vector

MIB = 2**20


def _old_format(*blocks: bytes) -> bytes:
    """A frame of the format before 1.0, its blocks not compressed."""
    frame = bytearray(b"\x25\xb5\x2f\xfd\x06")
    for block in blocks:
        frame += (0x40_00_00 | len(block)).to_bytes(3, "big") + block
    return bytes(frame + b"\xc0\0\0")


def _without_size(content: bytes) -> bytes:
    """A frame of zstd 1 that does not say how much it holds, and has a checksum."""
    compressor = cramjam.zstd.Compressor()
    compressor.compress(content)
    return bytes(compressor.finish())


def test_the_old_format_is_read() -> None:
    assert zstd.decompress(memoryview(_old_format(b"ab", b"c")), 100) == b"abc"


@given(st.binary(max_size=2000), st.integers(0, 300))
def test_content_comes_back_with_its_size_declared_or_not(content: bytes, repeated: int) -> None:
    content *= repeated

    assert zstd.decompress(memoryview(bytes(cramjam.zstd.compress(content))), 10 * MIB) == content
    assert zstd.decompress(memoryview(_without_size(content)), 10 * MIB) == content


@given(st.binary(max_size=200))
def test_any_bytes_are_content_or_an_error(data: bytes) -> None:
    for magic in (b"\x28\xb5\x2f\xfd", b"\x25\xb5\x2f\xfd", b""):
        try:
            content = zstd.decompress(memoryview(magic + data), 1000)
        except (zstd.Malformed, zstd.TooLarge):
            continue
        assert len(content) <= 1000


def test_a_frame_that_wants_a_larger_window_than_allowed_is_refused() -> None:
    # No content size, a window of 2 GiB, one raw block of one byte, which is the last.
    frame = b"\x28\xb5\x2f\xfd\x00\xa8" + (1 << 3 | 1).to_bytes(3, "little") + b"x"

    with pytest.raises(zstd.TooLarge):
        zstd.decompress(memoryview(frame), MIB)


def test_a_frame_without_an_end_is_refused() -> None:
    with pytest.raises(zstd.Malformed, match="cut off"):
        zstd.decompress(memoryview(_old_format(b"ab")[:-3]), 100)


_BOMB_SCRIPT = """
import resource, sys
from procession.wire.datadog import zstd
data = memoryview(open(sys.argv[1], "rb").read())
zstd.decompress(memoryview(bytes.fromhex("28b52ffd2001090000") + b"x"), 100)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    zstd.decompress(data, 64 * 2**20)
except zstd.TooLarge:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def _old_bomb() -> bytes:
    """4 GiB of zeros: the middle blocks of 64 MiB of them, many times over."""
    data = vector("bad_bomb_enc2_64MiB")[16:]
    size = int.from_bytes(data[5:8], "big") & 0x07FFFF
    first, second = data[: 8 + size], data[8 + size :]
    size = int.from_bytes(second[:3], "big") & 0x07FFFF
    return first + second[: 3 + size] * 32_768 + b"\xc0\0\0"


def _bomb() -> bytes:
    """4 GiB of zeros, in run-length blocks of 128 KiB, without a size."""
    block = (128 * 1024 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x38" + block * 32_767 + bytes((block[0] | 1, *block[1:]))


@pytest.mark.parametrize("bomb", [_old_bomb, _bomb])
def test_a_bomb_is_refused_within_the_memory_that_is_allowed(bomb: object, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(bomb())  # type: ignore[operator]

    process = subprocess.run([sys.executable, "-c", _BOMB_SCRIPT, path], capture_output=True, text=True, check=True)

    assert int(process.stdout) * 1024 < 72 * MIB
