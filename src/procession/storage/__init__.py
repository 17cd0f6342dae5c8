"""How sightings, keys and orgs are kept and found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from procession.events import ProcessExits
from procession.hosts import HostTags, WatchLease
from procession.orgs import Key, Org
from procession.paging import Page
from procession.process import LiveSnapshot, ProcessDetail, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.window import Window

__all__ = ["DetailStore", "HostStore", "KeyStore", "ProcessStore"]


class ProcessStore(Protocol):
    """The contract. All calls block, and may come from any number of threads at once.

    Any of them raises Unavailable where the store cannot do it now.
    """

    def add(self, snapshots: Sequence[tuple[int, Snapshot]]) -> None:
        """Keep these chunks of (org id, snapshot) as one group; what this returns from is safe on disk.

        The same chunk again changes nothing. A start up to two seconds beside that of the process that the host had
        under the same pid is the start stored first, unless that process has ended in between: by an exit, or by a
        complete snapshot without it.
        """

    def find(self, query: ProcessQuery) -> Page:
        """The page right after `query.after`, full unless it is the last."""


class DetailStore(Protocol):
    """How processes end, and their numbers."""

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        """Keep numbers for a day. They are no sightings, and are not safe on disk: the next come in two seconds."""

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        """What each of these chunks of (org id, live numbers) is as a snapshot, to be added as any other: for agents
        that list every process of their host.

        A process is what it was at its newest sighting, up to that moment and no more than an hour before. One that has
        none is left out, and its chunk then says of no process that it has ended. A start may be two seconds off.
        """

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        """Keep what hosts said of ends of their processes, each with its org id. The same again changes nothing."""

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
        """One for each, with the exits in it that are those of no process that is known: none that was seen under the
        pid within an hour began when it did, or had begun before and not ended by then."""

    def details(self, org_id: int, window: Window, processes: Sequence[ProcessSummary]) -> tuple[ProcessDetail, ...]:
        """One for each process of a page that was found in this window.

        A process has ended by an exit event, or by the first complete snapshot of its host after its newest sighting:
        it would be in it. A snapshot of which chunks are missing, or that tells of some processes only, ends nothing.
        """


class KeyStore(Protocol):
    """Orgs and keys. Few, so that readers may take all at once and keep them for seconds."""

    def orgs(self) -> tuple[Org, ...]: ...

    def keys(self) -> tuple[Key, ...]:
        """Revoked ones too."""

    def put_org(self, org: Org) -> None:
        """Add it, or rename the one with this id."""

    def put_key(self, key: Key) -> None:
        """Add it, or replace the one with this id."""


class HostStore(Protocol):
    """What is said of hosts, besides their processes. Little, so that readers may take all of it every few seconds."""

    def host_tags(self) -> tuple[HostTags, ...]:
        """Of all orgs; entries without tags are left out."""

    def host_tags_version(self) -> int:
        """Another number whenever `host_tags` may give something else than before, whoever changed it. Costs little."""

    def put_host_tags(self, entry: HostTags) -> None:
        """Replaces what this source said of this host before."""

    def leases(self, now: int) -> tuple[WatchLease, ...]:
        """Those of all orgs that still hold, one for each host."""

    def put_lease(self, lease: WatchLease) -> None:
        """Of two leases of a host the longer one holds."""
