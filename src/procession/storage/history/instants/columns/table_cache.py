"""Tables of a period, remembered for as long as nothing more is stored that belongs to it.

Only a store that nobody else writes to knows that: any other reads each time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from concurrent.futures import Future
from typing import NamedTuple, Protocol

import pyarrow as pa

from procession.storage.history.engine.statement import Statement, SubmitTable

MAX_TABLES = 256
MAX_CACHED_BYTES = 32 * 2**20


class OfTime(Protocol):
    """A statement about a period, both ends within, on some hosts or on all."""

    def __call__(self, org_id: int, since: int, until: int, hosts: Collection[int] | None) -> Statement: ...


class _Period(NamedTuple):
    org_id: int
    since: int
    until: int
    hosts: frozenset[int] | None
    """None: all."""


class TableCache:
    """Of one statement. What is stored is noted when it can be read, and before anybody is told that it is stored: so
    whoever asks after that finds it. Who asks meanwhile may share a statement that is under way."""

    def __init__(self, statement: OfTime, *, is_only_writer: bool) -> None:
        self._statement = statement
        self._is_only_writer = is_only_writer
        self._lock = threading.Lock()
        self._known: OrderedDict[_Period, Future[pa.Table]] = OrderedDict()

    def submit(
        self, submit: SubmitTable, org_id: int, since: int, until: int, hosts: Collection[int] | None
    ) -> Future[pa.Table]:
        """Rows of other hosts may be among what it gives."""
        if not self._is_only_writer:
            return submit(self._statement(org_id, since, until, hosts))
        period = _Period(org_id, since, until, None if hosts is None else frozenset(hosts))
        with self._lock:
            found = self._find(period._replace(hosts=None)) or self._find(period)
            if found is None:
                # Begun within the lock: what is noted from now on makes it be forgotten.
                found = self._known[period] = submit(self._statement(org_id, since, until, hosts))
                self._make_room()
            return found

    def note(self, org_id: int, moments: Collection[int]) -> None:
        """Something was stored, or may have been, that belongs to these moments."""
        if not moments or not self._is_only_writer:
            return
        first, last = min(moments), max(moments)
        with self._lock:
            for one in [*self._known]:
                if one.org_id == org_id and one.since <= last and one.until >= first:
                    del self._known[one]

    def _find(self, period: _Period) -> Future[pa.Table] | None:
        found = self._known.get(period)
        if found is None or (found.done() and found.exception() is not None):
            return None
        self._known.move_to_end(period)
        return found

    def _make_room(self) -> None:
        while len(self._known) > 1 and (len(self._known) > MAX_TABLES or self._bytes() > MAX_CACHED_BYTES):
            self._known.popitem(last=False)

    def _bytes(self) -> int:
        return sum(_bytes_of(one) for one in self._known.values())


def _bytes_of(one: Future[pa.Table]) -> int:
    return one.result().nbytes if one.done() and one.exception() is None else 0
