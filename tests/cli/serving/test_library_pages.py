"""On mappings of a file in the test's folder, of the same kinds as those of a library."""

from __future__ import annotations

import ctypes
import mmap
import re
import sys
from pathlib import Path

import pytest

from procession.cli.serving.library_pages import LARGE_BYTES, give_back

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system tells no mappings")

SIZE = LARGE_BYTES + 2**20


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.so"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    return path


def mapped(path: Path, rights: int) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=rights)


def resident_bytes(path: Path) -> int:
    """Of all mappings of a file."""
    said = re.findall(rf"{re.escape(str(path))}\n.*?Rss:\s+(\d+) kB", Path("/proc/self/smaps").read_text(), re.DOTALL)
    return 1024 * sum(map(int, said))


def test_pages_that_were_only_read_are_given_back_and_can_be_read_again(library: Path) -> None:
    with mapped(library, mmap.PROT_READ | mmap.PROT_EXEC) as code:
        content = code[:]
        assert resident_bytes(library) >= LARGE_BYTES

        give_back()

        assert resident_bytes(library) < LARGE_BYTES // 10
        assert code[:] == content == library.read_bytes()


def test_what_was_changed_in_memory_stays(library: Path) -> None:
    with mapped(library, mmap.PROT_READ | mmap.PROT_WRITE) as data:
        data[4096:4100] = b"none"
        content = data[:]
        buffer = ctypes.c_char.from_buffer(data)
        address = ctypes.addressof(buffer)
        del buffer  # a mapping that is pointed to cannot be closed
        assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), ctypes.c_size_t(SIZE), mmap.PROT_READ) == 0

        give_back()

        assert ctypes.string_at(address, SIZE) == content
        assert resident_bytes(library) >= LARGE_BYTES


def test_small_libraries_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "small.so"
    path.write_bytes(b"x" * 2**20)
    with mapped(path, mmap.PROT_READ | mmap.PROT_EXEC) as code:
        assert code[0] == ord("x") == code[2**19]
        before = resident_bytes(path)

        give_back()

        assert resident_bytes(path) == before > 0
