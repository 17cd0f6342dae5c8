"""The past of a simulated fleet, written straight into the store in a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Protocol

from procession.cli.local.data_folder import LocalFiles, make_private_dir
from procession.cli.local.local_keys import ensure_local_keys
from procession.process import Snapshot
from procession.simulate import Fleet, FleetShape, write_history
from procession.storage import KeyStore
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import forget_live_table, open_embedded, open_history
from procession.storage.live.table import REACH_SECONDS

_MAX_UNFLUSHED = 200_000
"""In sightings: half of what the store takes before it refuses more."""

_Snapshots = Sequence[tuple[int, Snapshot]]
_Report = Callable[[int, int], None]


class _Writable(Protocol):
    @property
    def keys(self) -> KeyStore: ...

    def add(self, snapshots: _Snapshots) -> None: ...

    def close(self) -> None: ...


def write_past(local: LocalFiles, shape: FleetShape, until: int, *, report: _Report = lambda *_: None) -> int:
    """The fleet's snapshots before this moment; gives the number of sightings. Makes keys where there are none.

    What is as recent as the live table reaches is written through it, so that the next server answers from it. What is
    older goes into the history alone, which takes half the time. `report` is told how many sightings there are so far,
    and up to which moment. Raises UsageError where the folder cannot be used.
    """
    make_private_dir(local.data_dir)
    fleet, written = Fleet(shape), 0
    recent_since = max(shape.begin_at, int(time.time()) - REACH_SECONDS)
    if shape.begin_at < recent_since:
        with closing(_open_history(local)) as history:
            written = _write(history, history.add, local, fleet, min(until, recent_since), report)
    if recent_since < until:
        clock = _Clock(recent_since)
        store = open_embedded(local.data_dir, sets_retention=False, now=clock.now)
        with closing(store):
            more = _report_more(report, written, clock)
            written += _write(store, _add_with_flushes(store), local, fleet, until, more)
    return written


class _Clock:
    """Of the fleet: the store is told that its past is now."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at


def _report_more(report: _Report, before: int, clock: _Clock) -> _Report:
    def more(count: int, at: int) -> None:
        clock.at = at
        report(before + count, at)

    return more


def _open_history(local: LocalFiles) -> _Writable:
    store = open_history(local.data_dir, sets_retention=False)
    forget_live_table(local.data_dir)
    return store


def _add_with_flushes(store: EmbeddedStore) -> Callable[[_Snapshots], None]:
    def add(snapshots: _Snapshots) -> None:
        if store.unflushed_weight > _MAX_UNFLUSHED:
            store.flush()
        store.add(snapshots)

    return add


def _write(
    store: _Writable, add: Callable[[_Snapshots], None], local: LocalFiles, fleet: Fleet, until: int, report: _Report
) -> int:
    ensure_local_keys(store.keys, local, os.environ, now=int(time.time()))
    with _in_background(add) as hand_over:
        return write_history(hand_over, store.keys.orgs()[0].id, fleet, until, report=report)


@contextmanager
def _in_background(add: Callable[[_Snapshots], None]) -> Iterator[Callable[[_Snapshots], None]]:
    """While one group is written the next one is made."""
    with ThreadPoolExecutor(1) as writing:
        under_way: Future[None] | None = None

        def hand_over(group: _Snapshots) -> None:
            nonlocal under_way
            if under_way is not None:
                under_way.result()
            under_way = writing.submit(add, group)

        try:
            yield hand_over
        finally:
            if under_way is not None:
                under_way.result()
