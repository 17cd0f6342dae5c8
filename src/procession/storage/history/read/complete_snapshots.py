"""Which processes a complete snapshot of their host lacks: they have ended by then.

What is known of a process and the snapshots of its host are read by different statements, and snapshots are stored in
between. One that came after the process was read seems to lack everybody. So who seems to be missing is looked for in
that very snapshot; what is in it never changes, on whichever server it is read. A snapshot that lists somebody who was
not seen in it yet was not there when the processes were read: then it is there for none of its host, so that all are
judged as of one moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from procession.lifecycle.endings import first_after
from procession.process import ProcessKey
from procession.storage.history.engine.statement import Submit
from procession.storage.history.statements.snapshots import HostMoment, complete_snapshots, snapshots_listing


class CompleteSnapshots:
    """Those of some hosts, both ends within. They are asked for at once, while other things are asked."""

    def __init__(self, submit: Submit, org_id: int, since: int, until: int, hosts: Collection[int]) -> None:
        self._submit = submit
        self._org_id = org_id
        self._found = submit(complete_snapshots(org_id, since, until, hosts))

    def first_without(self, seen_at: Mapping[ProcessKey, int]) -> dict[ProcessKey, int]:
        """When the first snapshot after the newest sighting of each process was taken, if there is one: it lacks the
        process."""
        complete: dict[int, list[int]] = {}
        for host, at in sorted(set(self._found.result())):
            complete.setdefault(host, []).append(at)
        looked_at: set[tuple[ProcessKey, int]] = set()
        while True:
            after = ((key, first_after(seen, complete.get(key.host_key, ()))) for key, seen in seen_at.items())
            missing = {key: at for key, at in after if at is not None}
            doubtful = missing.items() - looked_at
            came_later = self._listing_any(doubtful)
            if not came_later:
                return missing
            looked_at |= doubtful
            for host, at in came_later:
                complete[host].remove(at)

    def _listing_any(self, doubtful: Iterable[tuple[ProcessKey, int]]) -> set[HostMoment]:
        """Host key and moment of those snapshots that list one of the processes that seem to be missing."""
        pairs = sorted(doubtful)
        return set(self._submit(snapshots_listing(self._org_id, pairs)).result()) if pairs else set()
