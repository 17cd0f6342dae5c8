"""What the boot was when processes were first seen: kept in a file, so that an agent that starts again gives them the
same starts as the one before it.

The moment of the boot moves when the clock is set, but a known process has to keep its start. So each moment of the
boot is used for processes that began after the last reading of the moment before it. An entry is the time of that
reading, in ticks since the boot, and the moment that was used from then on.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from procession.process import MAX_UINT32

_JITTER_SECONDS = 1
"""By which the kernel's own reckoning moves without anybody having set a clock."""

_MOST_ENTRIES = 1000


class _Saved(msgspec.Struct):
    boot_id: str
    entries: list[tuple[int, int]]
    read_until: int | None


class BootHistory:
    """For one thread, but for `current`."""

    def __init__(self, file: Path, boot_id: str, uptime_ticks: Callable[[], int]) -> None:
        """`boot_id` is the kernel's name for this run of the machine: what another one left behind counts for nothing.
        A file that cannot be read or written is done without."""
        self._file = file
        self._boot_id = boot_id
        self._uptime_ticks = uptime_ticks
        saved = self._load()
        self._entries = [] if saved is None else saved.entries
        # An agent that was killed did not say how far it had read: what is there now may all be known.
        self._read_until = uptime_ticks() if saved is None or saved.read_until is None else saved.read_until

    def listed(self, boot_time: int) -> None:
        """Processes were, just now; `boot_time` is what the boot was reckoned to be before that."""
        if not self._entries or abs(boot_time - self._entries[-1][1]) > _JITTER_SECONDS:
            self._entries.append((self._read_until if self._entries else 0, boot_time))
            del self._entries[:-_MOST_ENTRIES]
            self._save(None)
        self._read_until = self._uptime_ticks()

    @property
    def current(self) -> int | None:
        """The moment of the boot for processes that begin now. None before the first reading."""
        return self._entries[-1][1] if self._entries else None

    def boot_for(self, start_ticks: int) -> int:
        """The moment of the boot for a process that began `start_ticks` after it."""
        for read_until, boot_time in reversed(self._entries):
            if start_ticks > read_until:
                return boot_time
        return self._entries[0][1]

    def close(self) -> None:
        if self._entries:
            self._save(self._read_until)

    def _load(self) -> _Saved | None:
        try:
            saved = msgspec.json.decode(self._file.read_bytes(), type=_Saved)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        moments = [boot_time for _, boot_time in saved.entries]
        is_ours = saved.boot_id == self._boot_id != "" and 0 < len(moments) <= _MOST_ENTRIES
        return saved if is_ours and all(0 <= moment <= MAX_UINT32 for moment in moments) else None

    def _save(self, read_until: int | None) -> None:
        unfinished = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.write_bytes(msgspec.json.encode(_Saved(self._boot_id, self._entries, read_until)))
            unfinished.rename(self._file)
