"""Processes whose start is not the same before and after a moment, though it is near."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from procession.lifecycle.endings import START_TOLERANCE
from procession.process import Snapshot


def shifted_across(fleet: Sequence[Snapshot], since: int) -> set[tuple[str, int]]:
    """Hosts and pids that had another start, but one that is near, before this moment: who forgets what was before it
    cannot know that both are the same process."""
    before: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    after: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for snapshot in fleet:
        for one in snapshot.sightings:
            (before if snapshot.taken_at < since else after)[snapshot.host, one.pid].add(one.started_at)
    return {
        process
        for process, starts in after.items()
        if any(0 < abs(start - old) <= START_TOLERANCE for start in starts for old in before[process])
    }
