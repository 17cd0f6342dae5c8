"""Takes transitions and puts into the outbox what is to be sent of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from procession.monitors.group_state import Group, GroupState
from procession.monitors.monitor import Monitor
from procession.monitors.transition import State, Transition
from procession.notifications.downtimes.downtime import NOTIFY_STATES, Downtime
from procession.notifications.notification import group_key
from procession.notifications.planning import RATE_SECONDS, OrgRules, end_transition, plan
from procession.storage import NotificationSettingsStore, OutboxStore

KNOWN_SECONDS = 2 * 86400
"""So long a transition that comes again is known to be the same."""


class GroupReader(Protocol):
    def monitors(self, org_id: int | None = None) -> tuple[Monitor, ...]: ...

    def groups_by_monitor(
        self, org_id: int | None = None, monitor_id: int | None = None
    ) -> dict[tuple[int, int], tuple[GroupState, ...]]: ...


class Notifier:
    """A TransitionSink. What `put` returned from is safe in the store, and sent at least once."""

    def __init__(
        self,
        settings: NotificationSettingsStore,
        outbox: OutboxStore,
        monitors: GroupReader,
        *,
        most_in_a_minute: int,
        now: Callable[[], int],
    ) -> None:
        """`most_in_a_minute`: how many of an org are sent one by one; 0 is no limit."""
        self._settings = settings
        self._outbox = outbox
        self._monitors = monitors
        self._most_in_a_minute = most_in_a_minute
        self._now = now
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to send."""
        # What is left of a minute is counted before it is used.
        self._lock = threading.Lock()
        self.changing = threading.Lock()
        """Held while a downtime is read and put again, so that no change of it is undone."""

    def put(self, transitions: Sequence[Transition]) -> None:
        by_org: defaultdict[int, list[Transition]] = defaultdict(list)
        for transition in transitions:
            by_org[transition.org_id].append(transition)
        with self._lock:
            for org_id, those in by_org.items():
                self._put(org_id, those)
        self.wake()

    def tell_of_end(self, org_id: int, downtime: Downtime, how: str, at: int) -> None:
        """A downtime was canceled, or is over: say again what is not well, where it wants that. `how`: one of
        NOTIFY_TYPES."""
        if how not in downtime.notify_end_types:
            return
        wanted = {NOTIFY_STATES[name] for name in downtime.notify_end_states}
        states = [state for state in self._outbox.group_states(org_id) if state.transition.state in wanted]
        concerned = [state.transition for state in states if downtime.concerns(state.transition)]
        if concerned:
            now = self._states_now(org_id)
            still = [one for one in concerned if now.get((one.monitor_id, one.group)) is one.state]
            self.put([end_transition(one, at) for one in still])

    def _states_now(self, org_id: int) -> dict[tuple[int, Group], State]:
        """Of all groups. Those that are expected no longer, or whose monitor is gone, are not there."""
        known = {one.id for one in self._monitors.monitors(org_id)}
        found = self._monitors.groups_by_monitor(org_id).items()
        return {(number, one.group): one.state for (_, number), groups in found if number in known for one in groups}

    def tell_of_ends(self, org_id: int) -> None:
        """The same of those that ended by themselves since this was done before."""
        now = self._now()
        for downtime in self._settings.downtimes(org_id):
            ended_at = downtime.ended(max(downtime.ends_seen_at, now - KNOWN_SECONDS), now)
            if ended_at is not None:
                self.tell_of_end(org_id, downtime, "expired", ended_at)
                self._note_ends_seen(org_id, downtime.id, now)

    def _note_ends_seen(self, org_id: int, downtime_id: str, now: int) -> None:
        """In the downtime as it is by now: somebody may have changed it meanwhile."""
        with self.changing:
            for downtime in self._settings.downtimes(org_id):
                if downtime.id == downtime_id:
                    self._settings.put_downtime(org_id, msgspec.structs.replace(downtime, ends_seen_at=now))

    def _put(self, org_id: int, transitions: Sequence[Transition]) -> None:
        now = self._now()
        planned = plan(transitions, self._rules(org_id, now), now)
        ids = [one.id for one in planned.notifications]
        known = self._outbox.known_notifications(org_id, ids, now - KNOWN_SECONDS) if ids else frozenset()
        self._outbox.put_notifications([one for one in planned.notifications if one.id not in known])
        self._outbox.put_group_states(planned.states)

    def _rules(self, org_id: int, now: int) -> OrgRules:
        left = 2**31
        if self._most_in_a_minute:
            left = self._most_in_a_minute - self._outbox.count_notifications(org_id, now - RATE_SECONDS)
        states = self._outbox.group_states(org_id)
        return OrgRules(
            channels=self._settings.channels(org_id),
            downtimes=[one for one in self._settings.downtimes(org_id) if one.holds_at(now)],
            states={(one.transition.monitor_id, group_key(one.transition)): one for one in states},
            left=left,
        )
