"""Keys and what is said of hosts, remembered: the server asks for them each second, which costs the engine 5 ms.

Nobody else writes to a store in a folder, so what was read holds until it is written. It is read again once in a minute
all the same, since the tables forget what is old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from procession.accounts.hosts import HostTags, WatchLease
from procession.accounts.orgs import Key, Org
from procession.storage import HostStore, KeyStore

_SECONDS = 60.0

T = TypeVar("T")


class _Remembered(Generic[T]):
    """What was read last. For any number of threads."""

    def __init__(self, read: Callable[[], T], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._value: tuple[float, T] | None = None
        self._writes = 0

    def get(self) -> T:
        with self._lock:
            value, writes = self._value, self._writes
        if value is not None and self._clock() - value[0] < _SECONDS:
            return value[1]
        found = self._clock(), self._read()
        with self._lock:
            if writes == self._writes:  # else it may lack what was written meanwhile
                self._value = found
        return found[1]

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

    @property
    def is_only_writer(self) -> bool:
        return self._store.is_only_writer

    def orgs(self) -> tuple[Org, ...]:
        return self._store.orgs()

    def keys(self) -> tuple[Key, ...]:
        return self._keys.get()

    def put_org(self, org: Org) -> None:
        self._store.put_org(org)

    def put_key(self, key: Key) -> None:
        try:
            self._store.put_key(key)
        finally:
            self._keys.forget()


class RememberedHosts:
    """A HostStore."""

    def __init__(self, hosts: HostStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = hosts
        self._version = _Remembered(hosts.host_tags_version, clock)
        self._leases = _Remembered(lambda: hosts.leases(0), clock)

    def host_tags(self) -> tuple[HostTags, ...]:
        return self._store.host_tags()

    def host_tags_version(self) -> int:
        return self._version.get()

    def put_host_tags(self, entry: HostTags) -> None:
        try:
            self._store.put_host_tags(entry)
        finally:
            self._version.forget()

    def leases(self, now: int) -> tuple[WatchLease, ...]:
        return tuple(lease for lease in self._leases.get() if lease.until > now)

    def put_lease(self, lease: WatchLease) -> None:
        try:
            self._store.put_lease(lease)
        finally:
            self._leases.forget()
