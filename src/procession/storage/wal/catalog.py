"""Which segments there are, and how far each of them is safe on disk."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from procession.storage.wal.segment import Extent


class Catalog:
    """Threads may ask while others write."""

    def __init__(self, extents: Sequence[Extent], *, next_sequence: int = 1) -> None:
        """The oldest first. `next_sequence`: where there are none."""
        self._lock = threading.Lock()
        self._extents = list(extents)
        self._first_sequence = next_sequence
        self._size = sum(extent.end for extent in extents)

    @property
    def size_bytes(self) -> int:
        return self._size

    @property
    def next_sequence(self) -> int:
        with self._lock:
            return self._extents[-1].next_sequence if self._extents else self._first_sequence

    @property
    def first_sequence(self) -> int:
        """Of the oldest record that is still there."""
        with self._lock:
            return self._extents[0].first_sequence if self._extents else self._first_sequence

    def extents(self) -> list[Extent]:
        with self._lock:
            return list(self._extents)

    def begin(self, extent: Extent) -> None:
        """In place of one that has no record and so the same name."""
        with self._lock:
            if self._extents and self._extents[-1].path == extent.path:
                self._size -= self._extents.pop().end
            self._extents.append(extent)
            self._size += extent.end

    def grow(self, *, next_sequence: int, end: int) -> None:
        """The last one, by what was synced."""
        with self._lock:
            last = self._extents[-1]
            self._extents[-1] = Extent(last.path, last.first_sequence, next_sequence, end)
            self._size += end - last.end

    def before(self, sequence: int) -> Extent | None:
        """The newest segment with records before this one."""
        with self._lock:
            return next((one for one in reversed(self._extents) if one.first_sequence < sequence), None)

    def oldest_within(self, sequence: int) -> Extent | None:
        """The oldest segment, where it has no record after this one and is not the last."""
        with self._lock:
            if len(self._extents) > 1 and self._extents[0].next_sequence <= sequence + 1:
                return self._extents[0]
            return None

    def last_within(self, sequence: int) -> Extent | None:
        """The segment that is the only one, where it has records and none after this one."""
        with self._lock:
            if len(self._extents) != 1:
                return None
            (last,) = self._extents
            return last if last.first_sequence < last.next_sequence <= sequence + 1 else None

    def forget(self, extent: Extent) -> None:
        """The oldest one, which was removed."""
        with self._lock:
            if self._extents and self._extents[0] == extent:
                self._size -= self._extents.pop(0).end
                self._first_sequence = extent.next_sequence
