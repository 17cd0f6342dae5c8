"""How much may be remembered."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """Of about so many bytes in all.

    When it is used up, what is new is turned away, until as much was turned away as is held; then all is forgotten. So
    a fleet somewhat larger than it still finds most of what is held, where throwing out the eldest would throw out
    each just before its turn comes. May be used by many threads, which then reckon a little less exactly.
    """

    def __init__(self, max_bytes: int, forget: Callable[[], None]) -> None:
        """`forget` drops all that is held."""
        self._max_bytes = max_bytes
        self._forget = forget
        self.used_bytes = 0
        self._count = 0
        self._turned_away = 0

    def admits(self, size: int) -> bool:
        """Whether something of so many bytes may be held. From then on it counts."""
        if self.used_bytes > self._max_bytes:
            self._turned_away += 1
            if self._turned_away < self._count:
                return False
            self._forget()
            self.used_bytes = self._count = self._turned_away = 0
        self.used_bytes += size
        self._count += 1
        return True

    def give_back(self, size: int, count: int) -> None:
        """So many are no longer held, of so many bytes together."""
        self.used_bytes = max(0, self.used_bytes - size)
        self._count = max(0, self._count - count)
