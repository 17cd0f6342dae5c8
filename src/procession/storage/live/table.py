"""The live table: what every host runs now, and ran as far back as the table reaches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from procession.lifecycle.events import ProcessExits
from procession.packed import AnySnapshot
from procession.paging import Page
from procession.process import Ending, LiveSnapshot, ProcessDetail, ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.storage.live.endings import find_details, find_endings
from procession.storage.live.intake.live_sightings import sightings_of
from procession.storage.live.intake.orphan_exits import reported, unknown_exits
from procession.storage.live.org_table import OrgTable
from procession.storage.live.pages import find_page, has_only
from procession.storage.live.read_gate import ReadGate
from procession.window import Window

_log = logging.getLogger(__name__)

REACH_SECONDS = 3900
"""How far back it reaches, as long as its memory suffices. What comes is asked about an hour back, and comes late."""

_CHECKS = 16
"""Its size is checked whenever it may have grown by such a part of what it may take."""

_EVICTED_SHARE = 0.25
"""Of rows and versions, that go at once."""

_LEAST_SECONDS = 60
"""What reaches back no further is not worth keeping."""


class LiveTable:
    """Of all orgs, for any number of threads.

    Whoever asks sees all that was applied before, and one moment. Who applies never waits for them: what comes while
    somebody reads is done when they have read.
    """

    def __init__(
        self,
        since: int,
        *,
        memory_bytes: int = 2 * 2**30,
        on_eviction: Callable[[int, int], None] | None = None,
    ) -> None:
        """`since`: from when on it is told of everything. `memory_bytes`: what it holds at most, about; what is seen
        longest ago goes first, from the org that has most. `on_eviction`: told of the org, and since when the table
        covers it now; it may not ask the table."""
        self._since = since
        self._memory_bytes = memory_bytes
        self._on_eviction = on_eviction
        self._orgs: dict[int, OrgTable] = {}
        self._changed: set[int] = set()
        self._gate = ReadGate(self._settle)
        self._grown = 0
        """Bytes, about, since its size was checked."""

    # What is written

    def apply(
        self, snapshots: Sequence[tuple[int, AnySnapshot]], now: int | None = None, needed_since: int | None = None
    ) -> None:
        """Take in chunks of (org id, snapshot), in their order. The same again changes nothing.

        `now`: what is asked of this moment is answered also for hosts whose clocks are ahead. `needed_since`: so is
        what is asked of any instant from this moment on.
        """
        self._gate.write(lambda: self._apply(snapshots, now, needed_since))

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        """How processes ended, of (org id, exits). The same again changes nothing."""
        self._gate.write(lambda: self._add_exits(exits))

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        """Numbers of (org id, live numbers) that are no sightings; kept for some minutes."""
        self._gate.write(lambda: self._add_live(live))

    def expire(self, since: int) -> None:
        """Forget what was seen before this moment. To be called once a minute."""
        self._gate.write(lambda: self._expire(since))

    def forget_org(self, org_id: int) -> None:
        """All of it, as if it had never been."""
        self._gate.write(lambda: self._forget_org(org_id))

    def restore(self, since: int, orgs: Mapping[int, OrgTable]) -> None:
        """Begin with what a checkpoint has; `since`: from when on that was told of everything."""
        self._gate.write(lambda: self._restore(since, orgs))

    # What is asked

    @property
    def since(self) -> int:
        """From when on it knows everything of orgs that it was told nothing of."""
        return self._since

    def since_of(self, org_id: int) -> int:
        """From when on it knows everything of an org."""
        with self._gate.reading(is_prepared=False):
            table = self._orgs.get(org_id)
            return self._since if table is None else table.since

    def org_ids(self) -> tuple[int, ...]:
        with self._gate.reading():
            return tuple(self._orgs)

    def covers(self, org_id: int, window: Window) -> bool:
        """Whether the table knows all of a window: what was taken in it, and has been applied."""
        return window.from_at >= self.since_of(org_id)

    def find(self, query: ProcessQuery) -> Page | None:
        """As `ProcessStore.find`. None where the table does not cover the window, unless it has the only process that
        is asked for: what was seen before is not its newest sighting."""
        with self._gate.reading():
            table = self._of(query.org_id)
            is_known = query.window.from_at >= table.since or has_only(table, query)
            return find_page(table, query) if is_known else None

    def details(
        self, org_id: int, window: Window, processes: Sequence[ProcessSummary]
    ) -> tuple[ProcessDetail, ...] | None:
        """As `DetailStore.details`. None where the table does not know all of it."""
        with self._gate.reading(is_prepared=False):
            return find_details(self._of(org_id), window, processes)

    def endings(self, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...] | None:
        """As `DetailStore.endings`. None where the table does not know all of it."""
        with self._gate.reading(is_prepared=False):
            return find_endings(self._of(org_id), until, seen)

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot | None, ...]:
        """As `DetailStore.sightings_of`. None for a chunk of which the table does not know all."""
        with self._gate.reading(is_prepared=False):
            return tuple(sightings_of(self._of(org_id), chunk) for org_id, chunk in live)

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits | None, ...]:
        """As `DetailStore.unknown_exits`. None where the table can tell neither that all of them are known nor which
        are not."""
        at_once = reported(exits)
        with self._gate.reading(is_prepared=False):
            return tuple(unknown_exits(self._of(org_id), org_id, of_host, at_once) for org_id, of_host in exits)

    def unknown_exits_at_once(self, org_id: int, exits: ProcessExits) -> ProcessExits | None:
        """The same of one host, for who must not wait: None, too, where somebody changes the table just now."""
        with self._gate.reading_at_once() as may_read:
            return unknown_exits(self._of(org_id), org_id, exits, reported([(org_id, exits)])) if may_read else None

    @contextmanager
    def reading(self, org_id: int) -> Iterator[OrgTable]:
        """What is known of an org, which does not change meanwhile. To be left soon."""
        with self._gate.reading():
            yield self._of(org_id)

    @property
    def writes(self) -> int:
        """As long as it is the same to those who read, the table is."""
        return self._gate.writes

    def held_bytes(self) -> int:
        """About as much memory as it takes."""
        with self._gate.reading():
            return self._held_bytes()

    def _of(self, org_id: int) -> OrgTable:
        return self._orgs.get(org_id) or OrgTable(self._since)

    # With nobody else inside

    def _apply(self, snapshots: Sequence[tuple[int, AnySnapshot]], now: int | None, needed_since: int | None) -> None:
        for org_id, snapshot in snapshots:
            self._change(org_id, partial(OrgTable.apply, snapshot=snapshot, now=now, needed_since=needed_since))
        if self._grown > self._memory_bytes // _CHECKS:
            self._grown = 0
            self._evict()

    def _add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        for org_id, of_host in exits:
            self._change(org_id, partial(OrgTable.add_exits, exits=of_host))

    def _add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        for org_id, of_host in live:
            self._change(org_id, partial(OrgTable.add_live, live=of_host))

    def _expire(self, since: int) -> None:
        self._since = max(self._since, since)
        for org_id in list(self._orgs):
            self._change(org_id, partial(OrgTable.expire, since=since))

    def _change(self, org_id: int, change: Callable[[OrgTable], None]) -> None:
        table = self._orgs.get(org_id)
        if table is None:
            table = self._orgs[org_id] = OrgTable(self._since)
        self._changed.add(org_id)
        before = table.weight
        try:
            change(table)
        except Exception:
            # Half of it may be done. What is taken from now on can be told without the rest.
            _log.exception("cannot change the live table; it begins anew")
            self._begin_anew(org_id, table)
        self._grown += max(0, table.weight - before)

    def _begin_anew(self, org_id: int, table: OrgTable) -> None:
        since = max(table.newest, table.since) + 1
        self._orgs[org_id] = OrgTable(since)
        self._tell(org_id, since)

    def _restore(self, since: int, orgs: Mapping[int, OrgTable]) -> None:
        self._since = since
        self._orgs = dict(orgs)
        self._changed.update(orgs)
        self._evict()

    def _forget_org(self, org_id: int) -> None:
        self._orgs.pop(org_id, None)

    def _settle(self) -> None:
        for org_id in self._changed:
            if org_id in self._orgs:
                self._orgs[org_id].settle()
        self._changed.clear()

    def _held_bytes(self) -> int:
        return sum(table.held_bytes() for table in self._orgs.values())

    def _evict(self) -> None:
        """What was seen longest ago, until it fits."""
        while self._held_bytes() > self._memory_bytes:
            org_id, table = max(self._orgs.items(), key=lambda item: item[1].held_bytes())
            since = table.moment_of_share(_EVICTED_SHARE)
            if table.newest - since < _LEAST_SECONDS:
                self._begin_anew(org_id, table)
            else:
                self._change(org_id, partial(OrgTable.expire, since=since))
                self._tell(org_id, self._orgs[org_id].since)

    def _tell(self, org_id: int, since: int) -> None:
        if self._on_eviction is not None:
            self._on_eviction(org_id, since)
