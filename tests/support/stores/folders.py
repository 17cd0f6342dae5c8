"""Folders for stores that no test expects to outlive the machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 — a folder of its own is made there
_NEEDED_BYTES = 4 * 2**30


@contextmanager
def quick_folder(usual: Path) -> Iterator[Path]:
    """In memory, where the machine has room: a store waits for the disk with each insert, most of a test's time.

    Else the usual folder. What a crash leaves on a disk is for tests that have theirs there.
    """
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _NEEDED_BYTES:
        yield usual
        return
    with tempfile.TemporaryDirectory(prefix="procession-test-", dir=_MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
