"""Keys, versions of tags and leases are read once, and again after each write and each minute."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from procession.accounts.hosts import HostTags, TagSource, WatchLease
from procession.accounts.orgs import Key, KeyKind, hash_secret
from procession.errors import Unavailable
from procession.storage.embedded.remembered_accounts import RememberedHosts, RememberedKeys
from tests.support.builders import NOON
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
