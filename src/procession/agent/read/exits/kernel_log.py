"""The kernel's own messages: `/dev/kmsg`. Root may read them, and others where `dmesg` is for everybody.

A record is `6,339,5140900,-;text`, and lines that begin with a blank. The first number has the facility in all bits
but the lowest three. Bytes of the text that are not printable ASCII, and backslashes, are `\\x0a`: a text is one line.
"""

from __future__ import annotations

import os

PATH = "/dev/kmsg"

MAX_RECORDS = 20_000
"""Taken at once, at a few microseconds each. The kernel keeps about as many."""

_RECORD_BYTES = 16384
"""More than the kernel makes of any: a read that is too short for a record fails."""


class KernelLog:
    """What the kernel says from now on. For one thread."""

    def __init__(self, path: str = PATH, *, max_records: int = MAX_RECORDS) -> None:
        """Raises OSError without the right to it, or where there is none."""
        self._max_records = max_records
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.lseek(self._fd, 0, os.SEEK_END)
        except OSError:
            os.close(self._fd)
            raise

    def take(self) -> tuple[list[bytes], bool]:
        """Its messages since the last time, and whether these are all of them."""
        messages: list[bytes] = []
        is_whole = True
        for _ in range(self._max_records):
            try:
                record = os.read(self._fd, _RECORD_BYTES)
            except BlockingIOError:
                return messages, is_whole
            except BrokenPipeError:  # overwritten before it was read; the next one is there
                is_whole = False
                continue
            except OSError:
                return messages, False
            if not record:
                return messages, is_whole
            if (message := message_in(record)) is not None:
                messages.append(message)
        os.lseek(self._fd, 0, os.SEEK_END)  # a flood: the rest is left out
        return messages, False

    def close(self) -> None:
        os.close(self._fd)


def message_in(record: bytes) -> bytes | None:
    """The text of a record. None for what the kernel did not say itself: root may write into its log, too, but not in
    its name."""
    prefix, mark, text = record.partition(b";")
    priority = prefix.partition(b",")[0]
    if not mark or not priority.isdigit() or int(priority) >> 3:
        return None
    return text.partition(b"\n")[0]
