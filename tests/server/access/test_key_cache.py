from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from starlette.datastructures import Headers

from procession.accounts.hosts import WatchLease
from procession.accounts.orgs import Key
from procession.accounts.users import Role, User
from procession.errors import Forbidden, Unavailable
from procession.server.access.key_cache import KeyCache, bearer_token
from procession.server.runtime.thread_pools import ThreadPool
from tests.support.builders import NOON
from tests.support.served import (
    ADMIN_KEY,
    API_KEY,
    APPLICATION_KEY,
    ORG,
    OTHER_API_KEY,
    OTHER_APPLICATION_KEY,
    OTHER_ORG,
    PLAIN_APPLICATION_KEY,
    Clock,
    a_store,
)
from tests.support.stores.oracle import OracleStore


class CountingStore:
    """A KeyStore that counts how often it is asked, and may be out of order."""

    def __init__(self, store: OracleStore) -> None:
        self._store = store
        self.calls = 0
        self.is_down = False

    def keys(self) -> tuple[Key, ...]:
        self.calls += 1
        if self.is_down:
            raise Unavailable("The store is gone")
        return self._store.keys()

    def revoke(self, secret: str) -> None:
        self._store.put_key(dataclasses.replace(self.with_id(secret[:4]), revoked_at=NOON))

    def with_id(self, key_id: str) -> Key:
        keys = self._store.keys()
        return next(key for key in keys if key.id == key_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass
class Stopwatch:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def store() -> CountingStore:
    return CountingStore(a_store())


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def ring(store: CountingStore, stopwatch: Stopwatch) -> Generator[KeyCache, None, None]:
    thread = ThreadPool(1, "keys")
    yield KeyCache(store, thread, stopwatch)
    thread.close()


def reader(ring: KeyCache, headers: Mapping[str, str]) -> int:
    return asyncio.run(_awaited(lambda: ring.visibility_of_reader(Headers(headers)))).org_id


def agent(ring: KeyCache, secret: str) -> int:
    return asyncio.run(_awaited(lambda: ring.org_of_api_key(secret)))


T = TypeVar("T")


async def _awaited(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


def test_an_api_key_names_its_org(ring: KeyCache) -> None:
    assert agent(ring, API_KEY) == ORG
    assert agent(ring, OTHER_API_KEY) == OTHER_ORG


@pytest.mark.parametrize("secret", ["", "f" * 32, API_KEY.upper(), API_KEY[:-1], APPLICATION_KEY, ADMIN_KEY])
def test_nothing_else_posts(ring: KeyCache, secret: str) -> None:
    with pytest.raises(Forbidden):
        agent(ring, secret)


@pytest.mark.parametrize(
    "headers",
    [
        {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APPLICATION_KEY},
        {"Authorization": f"Bearer {APPLICATION_KEY}"},
        {"Authorization": f"bearer {APPLICATION_KEY}"},
        # The Ruby client sends an empty bearer beside its keys, on every call.
        {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APPLICATION_KEY, "Authorization": "Bearer"},
        {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APPLICATION_KEY, "Authorization": "Bearer "},
        # A client that was given everything.
        {"DD-API-KEY": API_KEY, "Authorization": f"Bearer {APPLICATION_KEY}"},
    ],
)
def test_a_reader_shows_a_key_pair_or_an_application_key_as_bearer(ring: KeyCache, headers: dict[str, str]) -> None:
    assert reader(ring, headers) == ORG


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"DD-API-KEY": API_KEY},
        {"DD-APPLICATION-KEY": APPLICATION_KEY},
        {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": "f" * 40},
        {"DD-API-KEY": "f" * 32, "DD-APPLICATION-KEY": APPLICATION_KEY},
        {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": API_KEY},
        {"DD-API-KEY": APPLICATION_KEY, "DD-APPLICATION-KEY": APPLICATION_KEY},
        {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": ADMIN_KEY},
        {"DD-API-KEY": "", "DD-APPLICATION-KEY": ""},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {API_KEY}"},
        {"Authorization": f"Bearer {ADMIN_KEY}"},
        {"Authorization": f"Basic {APPLICATION_KEY}"},
        {"Authorization": APPLICATION_KEY},
    ],
)
def test_nobody_else_reads(ring: KeyCache, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        reader(ring, headers)


@pytest.mark.parametrize(
    ("api_key", "application_key"), [(API_KEY, OTHER_APPLICATION_KEY), (OTHER_API_KEY, APPLICATION_KEY)]
)
def test_the_keys_of_a_pair_belong_to_one_org(ring: KeyCache, api_key: str, application_key: str) -> None:
    with pytest.raises(Forbidden):
        reader(ring, {"DD-API-KEY": api_key, "DD-APPLICATION-KEY": application_key})


def test_keys_are_taken_once_for_two_seconds(ring: KeyCache, store: CountingStore, stopwatch: Stopwatch) -> None:
    agent(ring, API_KEY)
    stopwatch.seconds = 1.9
    agent(ring, API_KEY)
    assert store.calls == 1

    stopwatch.seconds = 2.0
    agent(ring, API_KEY)
    assert store.calls == 2


def test_many_requests_at_once_take_the_keys_once(ring: KeyCache, store: CountingStore) -> None:
    async def crowd() -> list[int]:
        return await asyncio.gather(*(ring.org_of_api_key(API_KEY) for _ in range(50)))

    assert asyncio.run(crowd()) == [ORG] * 50
    assert store.calls == 1


def test_a_revoked_key_is_refused_two_seconds_later(ring: KeyCache, store: CountingStore, stopwatch: Stopwatch) -> None:
    agent(ring, API_KEY)
    store.revoke(API_KEY)

    stopwatch.seconds = 2.0

    with pytest.raises(Forbidden):
        agent(ring, API_KEY)


def test_keys_that_were_changed_here_are_taken_anew_at_once(ring: KeyCache, store: CountingStore) -> None:
    agent(ring, API_KEY)
    store.revoke(API_KEY)

    asyncio.run(ring.reload())

    with pytest.raises(Forbidden):
        agent(ring, API_KEY)


def test_nobody_is_let_in_while_the_store_cannot_say_who_may(
    ring: KeyCache, store: CountingStore, stopwatch: Stopwatch
) -> None:
    agent(ring, API_KEY)
    store.is_down = True
    stopwatch.seconds = 2.0

    with pytest.raises(Unavailable):
        agent(ring, API_KEY)

    store.is_down = False
    assert agent(ring, API_KEY) == ORG


@pytest.mark.parametrize(
    ("secret", "is_admin"),
    [(ADMIN_KEY, True), (API_KEY, False), (APPLICATION_KEY, False)],
)
def test_only_an_admin_key_administers(ring: KeyCache, secret: str, is_admin: bool) -> None:
    headers = Headers({"authorization": f"Bearer {secret}"})

    if is_admin:
        asyncio.run(ring.require_admin(headers))
    else:
        with pytest.raises(Forbidden):
            asyncio.run(ring.require_admin(headers))


@pytest.mark.parametrize(
    ("value", "token"),
    [("Bearer abc", "abc"), ("BEARER  abc ", "abc"), ("Bearer", ""), ("Bearer ", ""), ("Basic abc", ""), ("", "")],
)
def test_a_bearer_token_is_what_stands_after_the_word(value: str, token: str) -> None:
    assert bearer_token({"authorization": value}) == token


def test_a_key_is_refused_from_the_moment_on_at_which_it_expires(store: CountingStore) -> None:
    key = store.with_id(API_KEY[:4])
    store.put_key(dataclasses.replace(key, expires_at=NOON))
    clock = Clock(NOON - 1)
    thread = ThreadPool(1, "keys")
    ring = KeyCache(store, thread, Stopwatch(), now=clock)
    assert agent(ring, API_KEY) == ORG

    clock.now = NOON

    with pytest.raises(Forbidden):
        agent(ring, API_KEY)
    assert asyncio.run(_awaited(lambda: ring.with_id(key.id))) is None
    thread.close()


def test_keys_of_a_user_who_was_removed_are_refused_two_seconds_later(
    store: CountingStore, stopwatch: Stopwatch
) -> None:
    anna = User("anna", ORG, Role.VIEWER, "hash", NOON - 7200, "first")
    store.put_user(anna)
    key = store.with_id(PLAIN_APPLICATION_KEY[:4])
    store.put_key(dataclasses.replace(key, owner=anna.id))
    thread = ThreadPool(1, "keys")
    ring = KeyCache(store, thread, stopwatch, users=store, now=Clock())
    headers = {"Authorization": f"Bearer {PLAIN_APPLICATION_KEY}"}
    assert reader(ring, headers) == ORG

    # On another server, which ended before it could revoke the keys.
    store.put_user(dataclasses.replace(anna, removed_at=NOON))
    stopwatch.seconds = 2.0

    with pytest.raises(Forbidden):
        reader(ring, headers)
    thread.close()


def test_it_is_noted_when_a_key_was_shown(ring: KeyCache) -> None:
    agent(ring, API_KEY)
    with pytest.raises(Forbidden):
        agent(ring, "f" * 32)

    assert set(asyncio.run(_awaited(ring.uses.last))) == {API_KEY[:4]}


class AtHand:
    """What a store remembers of keys."""

    def __init__(self) -> None:
        self.held: tuple[Key, ...] | None = None

    def keys(self) -> tuple[Key, ...] | None:
        return self.held

    def host_tags_version(self) -> int | None:
        return None

    def leases(self, _: int) -> tuple[WatchLease, ...] | None:
        return None


def test_keys_that_the_store_has_at_hand_are_not_read_again(store: CountingStore, stopwatch: Stopwatch) -> None:
    read: list[tuple[Key, ...]] = []

    class Store:
        def keys(self) -> tuple[Key, ...]:
            read.append(tuple(store.keys()))
            return read[-1]

    at_hand = AtHand()
    thread = ThreadPool(1, "keys")
    ring = KeyCache(Store(), thread, stopwatch, at_hand=at_hand)  # type: ignore[arg-type]  # it reads no more
    assert agent(ring, API_KEY) == ORG

    at_hand.held = read[0]
    for _ in range(5):
        stopwatch.seconds += 2
        assert agent(ring, API_KEY) == ORG
    assert len(read) == 1

    at_hand.held = tuple(key for key in read[0] if key.org_id != ORG)
    stopwatch.seconds += 2
    assert agent(ring, API_KEY) == ORG
    assert len(read) == 2
    thread.close()
