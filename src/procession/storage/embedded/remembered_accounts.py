"""Keys, what is said of hosts, and what is to be sent, remembered: the server asks for them every few seconds, which
costs the engine 5 ms each time.

Nobody else writes to a store in a folder, so what was read holds until it is written. Where the tables forget what is
old, it is read again once in a minute all the same.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from procession.accounts.hosts import HostNotice, HostTags, WatchLease
from procession.accounts.orgs import Key, KeyUse, Org, RemovedOrg
from procession.monitors.group_state import Group, GroupState
from procession.monitors.late.silences import Silence
from procession.monitors.lease import EvaluationLease
from procession.monitors.monitor import Monitor
from procession.monitors.transition import Transition
from procession.notifications.channels import Channel, CustomVariable
from procession.notifications.downtimes.downtime import Downtime
from procession.notifications.notification import Notification, NotifiedState
from procession.storage import HostStore, KeyStore, MonitorStore, NotificationSettingsStore, OutboxStore
from procession.window import Window

_SECONDS = 60.0

T = TypeVar("T")


class _Remembered(Generic[T]):
    """What was read last. For any number of threads."""

    def __init__(self, read: Callable[[], T], clock: Callable[[], float], seconds: float = _SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._value: tuple[float, T] | None = None
        self._writes = 0

    def get(self) -> T:
        with self._lock:
            value, writes = self._value, self._writes
        if value is not None and self._clock() - value[0] < self._seconds:
            return value[1]
        found = self._clock(), self._read()
        with self._lock:
            if writes == self._writes:  # else it may lack what was written meanwhile
                self._value = found
        return found[1]

    @property
    def at_hand(self) -> T | None:
        """What was read last, where it holds."""
        value = self._value
        return value[1] if value is not None and self._clock() - value[0] < self._seconds else None

    def forget(self) -> None:
        """To be called after each write, also after one that failed: it may have been done."""
        with self._lock:
            self._value = None
            self._writes += 1


class RememberedKeys:
    """A KeyStore."""

    def __init__(self, keys: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = keys
        self._keys = _Remembered(keys.keys, clock)
        self._orgs = _Remembered(keys.orgs, clock, math.inf)
        self._removed = _Remembered(keys.removed_orgs, clock, math.inf)

    @property
    def is_only_writer(self) -> bool:
        return self._store.is_only_writer

    def orgs(self) -> tuple[Org, ...]:
        return self._orgs.get()

    def keys(self) -> tuple[Key, ...]:
        return self._keys.get()

    def admin_keys(self) -> tuple[Key, ...]:
        return self._store.admin_keys()

    def keys_at_hand(self) -> tuple[Key, ...] | None:
        return self._keys.at_hand

    def put_org(self, org: Org) -> None:
        try:
            self._store.put_org(org)
        finally:
            self._orgs.forget()

    def put_key(self, key: Key) -> None:
        try:
            self._store.put_key(key)
        finally:
            self._keys.forget()

    def key_uses(self) -> Mapping[str, int]:
        return self._store.key_uses()

    def put_key_uses(self, uses: Sequence[KeyUse]) -> None:
        self._store.put_key_uses(uses)

    def removed_orgs(self) -> tuple[RemovedOrg, ...]:
        return self._removed.get()

    def put_removed_org(self, org: RemovedOrg) -> None:
        try:
            self._store.put_removed_org(org)
        finally:
            self.forget()

    def forget(self) -> None:
        """To be called after rows went in another way."""
        for remembered in (self._keys, self._orgs, self._removed):
            remembered.forget()


class RememberedHosts:
    """A HostStore."""

    def __init__(self, hosts: HostStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = hosts
        self._version = _Remembered(hosts.host_tags_version, clock)
        self._counting = threading.Lock()
        self._tag_writes = 0
        self._leases = _Remembered(lambda: hosts.leases(0), clock)

    def host_tags(self) -> tuple[HostTags, ...]:
        return self._store.host_tags()

    def host_tags_version(self) -> int:
        """That of the tables, as it was read last, and what was written since: to read it after each write would take
        the engine as long as to write."""
        writes = self._tag_writes  # before it is read: what is written meanwhile makes another version
        return _version_after(self._version.get(), writes)

    def host_tags_version_at_hand(self) -> int | None:
        writes, version = self._tag_writes, self._version.at_hand
        return None if version is None else _version_after(version, writes)

    def put_host_tags(self, *entries: HostTags) -> None:
        try:
            self._store.put_host_tags(*entries)
        finally:
            with self._counting:
                self._tag_writes += 1

    def host_notices(self, org_id: int) -> tuple[HostNotice, ...]:
        return self._store.host_notices(org_id)

    def put_host_notices(self, notices: Sequence[HostNotice]) -> None:
        self._store.put_host_notices(notices)

    def leases(self, now: int) -> tuple[WatchLease, ...]:
        return _in_force(self._leases.get(), now)

    def leases_at_hand(self, now: int) -> tuple[WatchLease, ...] | None:
        leases = self._leases.at_hand
        return None if leases is None else _in_force(leases, now)

    def put_lease(self, lease: WatchLease) -> None:
        try:
            self._store.put_lease(lease)
        finally:
            self._leases.forget()

    def forget(self) -> None:
        """To be called after rows went in another way."""
        self._version.forget()
        self._leases.forget()


def _version_after(version: int, writes: int) -> int:
    """No two of them are the same by chance: versions are sums of hashes of 64 bits."""
    return version + (writes << 64)


def _in_force(leases: Sequence[WatchLease], now: int) -> tuple[WatchLease, ...]:
    return tuple(lease for lease in leases if lease.until > now)


class RememberedAtHand:
    """An AccountsAtHand."""

    def __init__(self, keys: RememberedKeys, hosts: RememberedHosts) -> None:
        self.keys = keys.keys_at_hand
        self.host_tags_version = hosts.host_tags_version_at_hand
        self.leases = hosts.leases_at_hand


class RememberedNotificationSettings:
    """A NotificationSettingsStore."""

    def __init__(self, settings: NotificationSettingsStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = settings
        self._clock = clock
        self._downtimes: dict[int, _Remembered[tuple[Downtime, ...]]] = {}

    def channels(self, org_id: int) -> tuple[Channel, ...]:
        return self._store.channels(org_id)

    def put_channel(self, org_id: int, channel: Channel) -> None:
        self._store.put_channel(org_id, channel)

    def delete_channel(self, org_id: int, handle: str) -> None:
        self._store.delete_channel(org_id, handle)

    def variables(self, org_id: int) -> tuple[CustomVariable, ...]:
        return self._store.variables(org_id)

    def put_variable(self, org_id: int, variable: CustomVariable) -> None:
        self._store.put_variable(org_id, variable)

    def delete_variable(self, org_id: int, name: str) -> None:
        self._store.delete_variable(org_id, name)

    def downtimes(self, org_id: int) -> tuple[Downtime, ...]:
        return self._downtimes_of(org_id).get()

    def put_downtime(self, org_id: int, downtime: Downtime) -> None:
        try:
            self._store.put_downtime(org_id, downtime)
        finally:
            self._downtimes_of(org_id).forget()

    def forget_org(self, org_id: int) -> None:
        self._downtimes_of(org_id).forget()

    def _downtimes_of(self, org_id: int) -> _Remembered[tuple[Downtime, ...]]:
        made = _Remembered(partial(self._store.downtimes, org_id), self._clock, math.inf)
        return self._downtimes.setdefault(org_id, made)


class RememberedOutbox:
    """An OutboxStore, which is asked for what is due only once something is."""

    def __init__(
        self, outbox: OutboxStore, now: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = outbox
        self._first = _Remembered(lambda: outbox.next_due(now()), clock, math.inf)

    def put_notifications(self, notifications: Sequence[Notification]) -> None:
        try:
            self._store.put_notifications(notifications)
        finally:
            self._first.forget()

    def known_notifications(self, org_id: int, ids: Sequence[str], since: int) -> frozenset[str]:
        return self._store.known_notifications(org_id, ids, since)

    def due_notifications(self, now: int, limit: int) -> tuple[Notification, ...]:
        first = self._first.get()
        return () if first is None or first > now else self._store.due_notifications(now, limit)

    def next_due(self, now: int) -> int | None:
        return self._store.next_due(now)

    def notifications(self, org_id: int, since: int, limit: int) -> tuple[Notification, ...]:
        return self._store.notifications(org_id, since, limit)

    def count_notifications(self, org_id: int, since: int) -> int:
        return self._store.count_notifications(org_id, since)

    def group_states(self, org_id: int) -> tuple[NotifiedState, ...]:
        return self._store.group_states(org_id)

    def put_group_states(self, states: Sequence[NotifiedState]) -> None:
        self._store.put_group_states(states)

    def forget(self) -> None:
        """To be called after rows went in another way."""
        self._first.forget()

    def hold_sending(self, owner: str, now: int, seconds: int) -> bool:
        return self._store.hold_sending(owner, now, seconds)


class RememberedMonitors:
    """A MonitorStore. No table forgets a monitor: they are read once, and after each write. Their states are not
    remembered."""

    def __init__(self, monitors: MonitorStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = monitors
        self._monitors = _Remembered(monitors.monitors, clock, math.inf)

    def monitors(self, org_id: int | None = None) -> tuple[Monitor, ...]:
        return tuple(one for one in self._monitors.get() if org_id in (None, one.org_id))

    def put_monitor(self, monitor: Monitor) -> None:
        try:
            self._store.put_monitor(monitor)
        finally:
            self._monitors.forget()

    def delete_monitor(self, org_id: int, monitor_id: int) -> None:
        try:
            self._store.delete_monitor(org_id, monitor_id)
        finally:
            self._monitors.forget()

    def forget(self) -> None:
        """To be called after rows went in another way."""
        self._monitors.forget()

    def groups_by_monitor(
        self, org_id: int | None = None, monitor_id: int | None = None
    ) -> dict[tuple[int, int], tuple[GroupState, ...]]:
        return self._store.groups_by_monitor(org_id, monitor_id)

    def put_groups(self, org_id: int, monitor_id: int, states: Sequence[GroupState]) -> None:
        self._store.put_groups(org_id, monitor_id, states)

    def drop_groups(self, org_id: int, monitor_id: int, groups: Sequence[Group]) -> None:
        self._store.drop_groups(org_id, monitor_id, groups)

    def put_transitions(self, transitions: Sequence[Transition]) -> None:
        self._store.put_transitions(transitions)

    def transitions(
        self,
        org_id: int,
        window: Window,
        limit: int,
        monitor_id: int | None = None,
        *,
        among: Collection[int] | None = None,
    ) -> tuple[Transition, ...]:
        return self._store.transitions(org_id, window, limit, monitor_id, among=among)

    def silences(self) -> tuple[Silence, ...]:
        return self._store.silences()

    def put_silences(self, silences: Sequence[Silence]) -> None:
        self._store.put_silences(silences)

    def drop_silences(self, silences: Sequence[Silence]) -> None:
        self._store.drop_silences(silences)

    def leases(self) -> tuple[EvaluationLease, ...]:
        return self._store.leases()

    def put_lease(self, lease: EvaluationLease) -> None:
        self._store.put_lease(lease)
