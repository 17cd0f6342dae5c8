"""What nobody else writes is read once, and again after each write; some of it each minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from procession.accounts.hosts import HostTags, TagSource, WatchLease
from procession.accounts.orgs import Key, KeyKind, Org, hash_secret
from procession.errors import Unavailable
from procession.monitors.monitor import Creator, Monitor, new_monitor
from procession.notifications.channels import Webhook
from procession.notifications.downtimes.downtime import Downtime
from procession.notifications.notification import Delivery, Notification
from procession.storage.embedded.remembered_accounts import (
    RememberedAtHand,
    RememberedHosts,
    RememberedKeys,
    RememberedMonitors,
    RememberedNotificationSettings,
    RememberedOutbox,
)
from tests.delivery.test_downtimes import a_downtime
from tests.support.builders import NOON
from tests.support.notifying import Posting, a_transition, receiving
from tests.support.served import Clock
from tests.support.stores.monitors_oracle import OracleMonitors
from tests.support.stores.notification_oracle import OracleNotifications
from tests.support.stores.oracle import OracleStore

ORG = 7


def a_key(secret: str) -> Key:
    return Key(secret, ORG, KeyKind.API, secret, hash_secret(secret), NOON)


class SlowStore(OracleStore):
    """Counts what is read, and lets something happen once all of it is read, or instead of the next write."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.once_read: Callable[[], None] = lambda: None
        self.fails = False

    def keys(self) -> tuple[Key, ...]:
        found = super().keys()
        self._note()
        return found

    def host_tags_version(self) -> int:
        found = super().host_tags_version()
        self._note()
        return found

    def leases(self, now: int) -> tuple[WatchLease, ...]:
        found = super().leases(now)
        self._note()
        return found

    def put_key(self, key: Key) -> None:
        super().put_key(key)
        if self.fails:
            raise Unavailable("nobody knows whether it was written")

    def _note(self) -> None:
        self.reads += 1
        happens, self.once_read = self.once_read, lambda: None
        happens()


def test_what_nobody_writes_is_read_once_in_a_minute() -> None:
    store, seconds = SlowStore(), [0.0]
    keys, hosts = RememberedKeys(store, lambda: seconds[0]), RememberedHosts(store, lambda: seconds[0])

    for _ in range(3):
        keys.keys(), hosts.host_tags_version(), hosts.leases(NOON)
    assert store.reads == 3

    seconds[0] = 60.0
    keys.keys(), hosts.host_tags_version(), hosts.leases(NOON)
    assert store.reads == 6


def test_what_was_written_is_found_at_once() -> None:
    store = SlowStore()
    keys, hosts = RememberedKeys(store), RememberedHosts(store)
    version = hosts.host_tags_version()
    assert (keys.keys(), hosts.leases(NOON)) == ((), ())

    keys.put_key(a_key("one"))
    hosts.put_host_tags(HostTags(ORG, "web-1", TagSource.USER, ("role:web",)))
    hosts.put_lease(WatchLease(ORG, "web-1", NOON + 10))

    assert keys.keys() == (a_key("one"),)
    assert hosts.host_tags_version() != version
    assert hosts.leases(NOON) == (WatchLease(ORG, "web-1", NOON + 10),)


def test_a_lease_ends_without_being_read_again() -> None:
    store = SlowStore()
    hosts = RememberedHosts(store)
    hosts.put_lease(WatchLease(ORG, "web-1", NOON + 10))

    assert [len(hosts.leases(now)) for now in (NOON, NOON + 9, NOON + 10)] == [1, 1, 0]
    assert store.reads == 1


def test_what_was_read_while_something_was_written_is_not_remembered() -> None:
    store = SlowStore()
    keys = RememberedKeys(store)
    store.once_read = lambda: keys.put_key(a_key("one"))

    assert keys.keys() == ()
    assert keys.keys() == (a_key("one"),)


def test_a_write_that_failed_may_have_been_done() -> None:
    store = SlowStore()
    keys = RememberedKeys(store)
    assert keys.keys() == ()
    store.fails = True

    with pytest.raises(Unavailable):
        keys.put_key(a_key("one"))

    assert keys.keys() == (a_key("one"),)


class Notifications(OracleNotifications):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def downtimes(self, org_id: int) -> tuple[Downtime, ...]:
        self.reads += 1
        return super().downtimes(org_id)

    def due_notifications(self, now: int, limit: int) -> tuple[Notification, ...]:
        self.reads += 1
        return super().due_notifications(now, limit)

    def next_due(self, now: int) -> int | None:
        self.reads += 1
        return super().next_due(now)


class Orgs(OracleStore):
    reads = 0

    def orgs(self) -> tuple[Org, ...]:
        self.reads += 1
        return super().orgs()


def test_where_nothing_is_to_be_sent_the_store_is_asked_nothing_again() -> None:
    store, orgs, clock = Notifications(), Orgs(), Clock()
    orgs.put_org(Org(ORG, "main"))
    settings = RememberedNotificationSettings(store, lambda: float(clock.now))
    outbox = RememberedOutbox(store, clock, lambda: float(clock.now))
    posting = Posting(settings, outbox, RememberedKeys(orgs, lambda: float(clock.now)))
    posting.clock = posting.dispatcher._now = posting.notifier._now = clock
    posting.dispatcher._tell_of_ends = posting.notifier.tell_of_ends

    posting.send()
    asked = store.reads, orgs.reads
    for _ in range(1000):
        clock.now += 20
        posting.send()

    assert asked == (2, 1)
    assert (store.reads, orgs.reads) == asked


def test_what_is_due_is_found_at_its_time_and_from_before_a_restart() -> None:
    store, clock = Notifications(), Clock()
    waiting = Notification("a" * 32, ORG, "webhook-x", NOON, a_transition(org_id=ORG), next_at=NOON + 100)
    store.put_notifications([waiting])
    outbox = RememberedOutbox(store, clock)

    assert [outbox.due_notifications(NOON + after, 10) for after in (0, 99)] == [(), ()]
    assert store.reads == 1
    assert outbox.due_notifications(NOON + 100, 10) == (waiting,)

    outbox.put_notifications([replace(waiting, delivery=Delivery.SENT), replace(waiting, id="b" * 32, next_at=NOON)])
    assert [one.id for one in outbox.due_notifications(NOON, 10)] == ["b" * 32]


def test_orgs_and_downtimes_are_found_as_soon_as_they_are_there() -> None:
    keys, settings = RememberedKeys(OracleStore()), RememberedNotificationSettings(OracleNotifications())
    assert (keys.orgs(), settings.downtimes(ORG)) == ((), ())

    keys.put_org(Org(ORG, "main"))
    settings.put_downtime(ORG, a_downtime())

    assert keys.orgs() == (Org(ORG, "main"),)
    assert settings.downtimes(ORG) == (a_downtime(),)
    assert settings.downtimes(ORG + 1) == ()


def test_a_transition_is_sent_through_what_is_remembered() -> None:
    store, orgs = OracleNotifications(), OracleStore()
    orgs.put_org(Org(1, "main"))
    with receiving() as receiver:
        posting = Posting(RememberedNotificationSettings(store), RememberedOutbox(store, Clock()), RememberedKeys(orgs))
        posting.settings.put_channel(1, Webhook("oncall", receiver.url))
        posting.send()
        posting.put(a_transition())
        posting.send()

        assert len(receiver.posted) == 1
    assert posting.deliveries() == [Delivery.SENT]


class CountingMonitors(OracleMonitors):
    reads = 0

    def monitors(self, org_id: int | None = None) -> tuple[Monitor, ...]:
        self.reads += 1
        return super().monitors(org_id)


def a_monitor(number: int, org_id: int = ORG) -> Monitor:
    body = {"type": "process alert", "query": "processes('a').rollup('count_now') < 1"}
    return new_monitor(org_id, number, body, creator=Creator(1, "", "", ""), changed_by="", now_us=0)


def test_monitors_are_read_once_and_after_each_write() -> None:
    store, seconds = CountingMonitors(), [0.0]
    monitors = RememberedMonitors(store, lambda: seconds[0])
    for _ in range(3):
        assert monitors.monitors() == monitors.monitors(ORG) == ()
        seconds[0] += 86400
    assert store.reads == 1

    monitors.put_monitor(a_monitor(1))
    monitors.put_monitor(a_monitor(2, ORG + 1))
    assert monitors.monitors(ORG) == (a_monitor(1),)
    assert monitors.monitors() == (a_monitor(1), a_monitor(2, ORG + 1))
    assert store.reads == 2

    monitors.delete_monitor(ORG, 1)
    assert monitors.monitors(ORG) == ()
    assert store.reads == 3


def test_what_is_remembered_is_at_hand_until_it_is_written_or_old() -> None:
    store, seconds = SlowStore(), [0.0]
    keys, hosts = RememberedKeys(store, lambda: seconds[0]), RememberedHosts(store, lambda: seconds[0])
    at_hand = RememberedAtHand(keys, hosts)
    assert (at_hand.keys(), at_hand.host_tags_version(), at_hand.leases(NOON)) == (None, None, None)

    lease = WatchLease(ORG, "web-1", NOON + 10)
    hosts.put_lease(lease)
    found = keys.keys(), hosts.host_tags_version(), hosts.leases(NOON)
    reads = store.reads

    assert at_hand.keys() is found[0]
    assert (at_hand.host_tags_version(), at_hand.leases(NOON), at_hand.leases(NOON + 10)) == (found[1], (lease,), ())
    assert store.reads == reads
    keys.put_key(a_key("new"))
    assert (at_hand.keys(), at_hand.leases(NOON)) == (None, (lease,))
    seconds[0] += 60
    assert (at_hand.host_tags_version(), at_hand.leases(NOON)) == (None, None)


def test_the_version_of_host_tags_is_another_after_each_write_without_being_read() -> None:
    store, seconds = SlowStore(), [0.0]
    hosts = RememberedHosts(store, lambda: seconds[0])
    versions = [hosts.host_tags_version()]
    for number in range(3):
        hosts.put_host_tags(HostTags(ORG, f"web-{number}", TagSource.AGENT, ("role:web",)))
        versions += [hosts.host_tags_version(), hosts.host_tags_version()]

    assert store.reads == 1
    assert len(set(versions)) == 4
    assert versions[-1] == RememberedAtHand(RememberedKeys(store), hosts).host_tags_version()

    # As when rows went in another way, or the tables forgot some.
    SlowStore.put_host_tags(store, HostTags(ORG, "web-9", TagSource.USER, ("role:db",)))
    hosts.forget()

    assert hosts.host_tags_version() not in versions
