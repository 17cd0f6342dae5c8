"""How many bytes a cache may take."""

from __future__ import annotations

from collections.abc import Callable


class CacheBudget:
    """A bound on the memory of the caches that share it, in bytes; estimates, not exact.

    When it is used up, new entries are turned away, until as many were turned away as are held; then all is forgotten.
    So a fleet that is somewhat larger than the cache still finds most of its entries there; throwing out the eldest
    would throw out each entry just before it is needed again. Threads may share it; its sums are then a little less
    exact.
    """

    def __init__(self, max_bytes: int, forget: Callable[[], None]) -> None:
        """`forget` empties the caches."""
        self._max_bytes = max_bytes
        self._forget = forget
        self.used_bytes = 0
        self._count = 0
        self._turned_away = 0

    def admits(self, size: int) -> bool:
        """Whether an entry of `size` bytes may be held; it then counts."""
        if self.used_bytes > self._max_bytes:
            self._turned_away += 1
            if self._turned_away < self._count:
                return False
            self._forget()
            self.used_bytes = self._count = self._turned_away = 0
        self.used_bytes += size
        self._count += 1
        return True

    def release(self, size: int, count: int) -> None:
        """`count` entries of `size` bytes together are no longer held."""
        self.used_bytes = max(0, self.used_bytes - size)
        self._count = max(0, self._count - count)
