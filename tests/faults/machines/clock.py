"""A clock of a whole process that jumps while it runs, by libfaketime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

LIBRARIES = ("*/faketime/libfaketimeMT.so.1", "faketime/libfaketimeMT.so.1")
"""Below /usr/lib, by distribution."""


def library() -> str | None:
    """None where it is not installed."""
    return next((str(path) for pattern in LIBRARIES for path in sorted(Path("/usr/lib").glob(pattern))), None)


class JumpingClock:
    """The time of day, before and after; the clock that nobody sets goes on, as it does in the kernel."""

    def __init__(self, file: Path, library: str) -> None:
        self._file = file
        self.jump_to(0)
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds until it looks at the file again
            # What it does for an old C library costs threads that wait for each other seconds.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump_to(self, seconds: int) -> None:
        """So far from the true time."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self._file)
