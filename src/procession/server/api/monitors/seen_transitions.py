"""What happened to monitors, among what a reader may see."""

from __future__ import annotations

from collections.abc import Sequence

from procession.accounts.visibility import Visibility
from procession.monitors.restricted.seen import may_see, seen_transition
from procession.monitors.transition import Transition
from procession.storage import MonitorStore
from procession.window import Window

MOST_TRANSITIONS = 64_000
"""Among so many of the newest, of monitors that the reader may see now, are those that are shown."""
_MORE = 4


def seen_transitions(
    store: MonitorStore, visibility: Visibility, window: Window, limit: int, monitor_id: int | None
) -> Sequence[Transition]:
    """The newest first. Where something is hidden, monitors that are there no longer are hidden, too."""
    org_id = visibility.org_id
    if not visibility.restriction.kinds:
        return store.transitions(org_id, window, limit, monitor_id)
    monitors = {one.id: one for one in store.monitors(org_id) if may_see(visibility, one)}
    if monitor_id is not None:
        monitors = {key: one for key, one in monitors.items() if key == monitor_id}
    wanted = limit
    while monitors:
        found = store.transitions(org_id, window, wanted, among=monitors)
        told = (seen_transition(visibility, monitors[one.monitor_id], one) for one in found)
        seen = [one for one in told if one is not None]
        if len(seen) >= limit or len(found) < wanted or wanted >= MOST_TRANSITIONS:
            return seen[:limit]
        wanted *= _MORE
    return ()
