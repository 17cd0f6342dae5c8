"""What was acknowledged and is not in the history yet."""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from procession.containers.container import ContainerSnapshot
from procession.errors import Unavailable
from procession.lifecycle.events import ProcessExits
from procession.packed import PackedSnapshot, characters_of
from procession.process import MAX_UINT32, LiveSnapshot
from procession.window import Window

_LIGHTEST = 5
"""In sightings: what a chunk without any costs."""


_NEWEST = 10_000
"""Of so many that came it is known when they were of: more than come while a question is answered."""


Flushed = PackedSnapshot | ProcessExits | LiveSnapshot | ContainerSnapshot


class FlushItem(msgspec.Struct, frozen=True):
    """One record of the log, or live numbers, which are in no log."""

    sequence: int
    """Of the record; of live numbers, that of the record before."""
    org_id: int
    content: Flushed
    weight: int
    """In sightings."""
    characters: int
    """Of all its texts, about."""
    since: int
    """The earliest moment that it tells of."""
    until: int
    """The latest one."""

    @classmethod
    def of(cls, sequence: int, org_id: int, content: Flushed) -> FlushItem:
        if isinstance(content, PackedSnapshot):
            characters = content.listing.characters
            return cls(
                sequence, org_id, content, len(content) + _LIGHTEST, characters, content.taken_at, content.taken_at
            )
        if isinstance(content, ContainerSnapshot):
            characters, at = content.characters, content.taken_at
            return cls(sequence, org_id, content, len(content) + _LIGHTEST, characters, at, at)
        if isinstance(content, LiveSnapshot):
            weight = len(content.processes) // 8 + _LIGHTEST
            return cls(sequence, org_id, content, weight, 0, content.taken_at, content.taken_at)
        characters = sum(characters_of(one.description) for one in content.exits)
        moments = [one.at for one in content.exits] or [0]
        return cls(sequence, org_id, content, len(content.exits) + _LIGHTEST, characters, min(moments), max(moments))


@dataclass(slots=True)
class FlushPiece:
    """Some of the queue, in order."""

    items: list[FlushItem] = field(default_factory=list)
    _unread: defaultdict[tuple[int, str], list[PackedSnapshot]] = field(default_factory=lambda: defaultdict(list))
    """By org and host, its snapshots that are not in `_seen` yet."""
    _seen: defaultdict[tuple[int, str], dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    """By org and host, the newest moment of each pid; of hosts that told of exits."""

    def append(self, item: FlushItem) -> None:
        self.items.append(item)
        if isinstance(item.content, PackedSnapshot):
            self._unread[item.org_id, item.content.host].append(item.content)

    def can_begin_with(self, exits: FlushItem) -> bool:
        """Whether these exits, which came after all of it, may be stored before its snapshots: not where one of them
        has the pid of an exit at a later moment, since the store had taken that for the same process."""
        if not isinstance(exits.content, ProcessExits):
            return True
        host = exits.org_id, exits.content.host
        seen = self._seen[host]
        for snapshot in self._unread.pop(host, ()):
            for pid in snapshot.listing.pids:
                seen[pid] = max(seen.get(pid, 0), snapshot.taken_at)
        return not any(one.at < seen.get(one.pid, one.at) for one in exits.content.exits)

    @property
    def snapshots(self) -> list[tuple[int, PackedSnapshot]]:
        return [(one.org_id, one.content) for one in self.items if isinstance(one.content, PackedSnapshot)]

    @property
    def exits(self) -> list[tuple[int, ProcessExits]]:
        return [(one.org_id, one.content) for one in self.items if isinstance(one.content, ProcessExits)]

    @property
    def live(self) -> list[tuple[int, LiveSnapshot]]:
        return [(one.org_id, one.content) for one in self.items if isinstance(one.content, LiveSnapshot)]

    @property
    def containers(self) -> list[tuple[int, ContainerSnapshot]]:
        return [(one.org_id, one.content) for one in self.items if isinstance(one.content, ContainerSnapshot)]


class FlushQueue:
    """For any number of threads; one of them takes out of it."""

    def __init__(self, *, max_weight: int, max_characters: int) -> None:
        """What waits at most, in sightings and in characters of their texts."""
        self._max_weight = max_weight
        self._max_characters = max_characters
        self._items = deque[FlushItem]()
        self._weight = self._characters = 0
        self._since: dict[int, int] = {}
        """Org -> the earliest moment that its items tell of, or an earlier one."""
        self._put_count = self._dropped_count = 0
        """Items that ever came, and that went."""
        self._newest = deque[tuple[int, int]](maxlen=_NEWEST)
        """Org and earliest moment of the newest of them, also of those that went."""
        self._begun_at = 0.0
        """When the first of what waits came."""
        self._last_sequence = 0
        self._wanted_weight = 0
        """How much whoever waits is waiting for."""
        self._is_hurried = self._is_flushing = False
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._dropped = threading.Condition(lock)
        self._is_closed = False

    def check_space(self) -> None:
        """Raises Unavailable where so much waits that nothing more can be acknowledged."""
        if self._weight > self._max_weight or self._characters > self._max_characters:
            raise Unavailable("The store does not get to keep what it has taken; try again")

    def put(self, sequence: int, org_id: int, content: PackedSnapshot | ProcessExits | ContainerSnapshot) -> None:
        self._put(FlushItem.of(sequence, org_id, content))

    def put_live(self, org_id: int, live: LiveSnapshot) -> None:
        self._put(FlushItem.of(self._last_sequence, org_id, live))

    def _put(self, item: FlushItem) -> None:
        with self._changed:
            if not self._items:
                self._begun_at = time.monotonic()
            self._items.append(item)
            self._put_count += 1
            self._newest.append((item.org_id, item.since))
            self._last_sequence = max(self._last_sequence, item.sequence)
            self._since[item.org_id] = min(self._since.get(item.org_id, item.since), item.since)
            self._weight += item.weight
            self._characters += item.characters
            # Who waits for the first, or for so much, need not hear of each that comes in between.
            if len(self._items) == 1 or self._weight >= self._wanted_weight:
                self._changed.notify()

    @property
    def put_count(self) -> int:
        """Of all that ever came."""
        return self._put_count

    def concerns(self, org_id: int, window: Window, put_count: int) -> bool:
        """Whether anything that waits may tell of this org in a window; of the first so many that ever came."""
        with self._changed:
            if self._since.get(org_id, MAX_UINT32 + 1) > window.to_at:
                return False
            asked = itertools.islice(self._items, max(put_count - self._dropped_count, 0))
            return any(
                one.org_id == org_id and one.since <= window.to_at and one.until >= window.from_at for one in asked
            )

    def has_come_late(self, org_id: int, until: int, put_count: int) -> bool:
        """Whether anything came after the first so many that may tell of this org up to a moment."""
        with self._changed:
            count = self._put_count - put_count
            if count > len(self._newest):
                return True
            news = itertools.islice(reversed(self._newest), count)
            return any(org == org_id and since <= until for org, since in news)

    def wait_for_flush(self, seconds: float) -> None:
        """Until something was flushed, but no longer."""
        with self._changed:
            dropped_count = self._dropped_count
            self._dropped.wait_for(lambda: self._is_closed or self._dropped_count > dropped_count, seconds)

    @property
    def flushes(self) -> tuple[int, bool]:
        """How many items went so far, and whether the first of those that wait may be in the history already."""
        with self._changed:
            return self._dropped_count, self._is_flushing

    def since(self, org_id: int) -> int | None:
        """The earliest moment that anything that waits may tell of in this org; None where nothing waits."""
        with self._changed:
            return self._since.get(org_id)

    def snapshots_of(self, org_id: int, host: str) -> list[PackedSnapshot]:
        """Of one host, in the order in which they came."""
        return [one for one in self.snapshots(org_id) if one.host == host]

    def snapshots(self, org_id: int) -> list[PackedSnapshot]:
        """Of all hosts, in the order in which they came."""
        with self._changed:
            items = [one.content for one in self._items if one.org_id == org_id]
        return [one for one in items if isinstance(one, PackedSnapshot)]

    @property
    def weight(self) -> int:
        return self._weight

    @property
    def last_sequence(self) -> int:
        """Of all that was ever put."""
        return self._last_sequence

    def wait(self, seconds: float, weight: int, *, longest: float) -> bool:
        """Until what came first waits for so many seconds, or so much waits, or somebody hurries, but no longer than
        `longest`; False once it is closed."""
        until = time.monotonic() + longest
        with self._changed:
            self._wanted_weight = weight
            while not (self._is_closed or self._is_hurried or self._weight >= weight):
                due = min(until, self._begun_at + seconds) if self._items else until
                left = due - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            self._is_hurried = False
            return not self._is_closed

    def hurry(self) -> None:
        """Whoever waits for a flush to be due need not wait."""
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()

    def wait_until_closed(self, seconds: float) -> bool:
        """No longer than so many seconds; whether it is closed."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_closed, seconds)

    def close(self) -> None:
        """Nobody waits any more. What is in it stays."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            self._dropped.notify_all()

    def first(self, max_weight: int, max_characters: int, *, until: int) -> FlushPiece:
        """To be flushed: at least one of the first items, up to this sequence number, that weigh no more. They stay in
        the queue until they are dropped."""
        piece = FlushPiece()
        weight = characters = 0
        with self._changed:
            for item in self._items:
                weight, characters = weight + item.weight, characters + item.characters
                is_too_much = weight > max_weight or characters > max_characters
                if item.sequence > until or (piece.items and is_too_much) or not piece.can_begin_with(item):
                    break
                piece.append(item)
            self._is_flushing = bool(piece.items)
        return piece

    def drop(self, items: Sequence[FlushItem]) -> None:
        """These first items, which are in the history now."""
        with self._changed:
            for item in items:
                self._items.popleft()
                self._weight -= item.weight
                self._characters -= item.characters
            self._dropped_count += len(items)
            self._is_flushing = False
            self._dropped.notify_all()
            self._begun_at = time.monotonic()
            self._since.clear()
            for item in self._items:
                self._since[item.org_id] = min(self._since.get(item.org_id, item.since), item.since)
