from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest

from procession.accounts.passwords import hash_password
from procession.accounts.users import Role, User
from procession.errors import Forbidden, Unavailable
from procession.server.access.user_cache import UserCache
from procession.server.runtime.thread_pools import FairThreadPool, ThreadPool
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore

PHRASE = "correct horse battery"
T = TypeVar("T")


def a_store(*users: User) -> OracleStore:
    store = OracleStore()
    for user in users:
        store.put_user(user)
    return store


ANNA = User("anna", 1, Role.EDITOR, hash_password(PHRASE), NOON, "first")


def run(store: OracleStore, ask: Callable[[UserCache], Awaitable[T]], max_waiting: int = 50) -> T:
    thread, passwords = ThreadPool(1, "users"), FairThreadPool(1, "passwords", max_waiting=max_waiting)

    async def asked() -> T:
        return await ask(UserCache(store, thread, passwords))

    try:
        return asyncio.run(asked())
    finally:
        thread.close()
        passwords.close()


def test_a_session_is_good_as_long_as_its_user_is_who_he_was() -> None:
    store = a_store(ANNA)

    async def ask(users: UserCache) -> list[User | None]:
        found = [await users.signed_in(ANNA.sign_in_id)]
        store.put_user(dataclasses.replace(ANNA, generation="second"))
        await users.reload()
        return [*found, await users.signed_in(ANNA.sign_in_id)]

    assert run(store, ask) == [ANNA, None]


@pytest.mark.parametrize(
    "sign_in_id", ["", "user:", "user:anna", "user::anna", "user:First:anna", "anna", "user:first:bob"]
)
def test_what_no_session_was_begun_with_is_nobody(sign_in_id: str) -> None:
    assert run(a_store(ANNA), lambda users: users.signed_in(sign_in_id)) is None


def test_a_password_opens_its_user_alone() -> None:
    store = a_store(ANNA, dataclasses.replace(ANNA, name="bob", password_hash=hash_password("something else")))

    assert run(store, lambda users: users.by_password("anna", PHRASE)) == ANNA
    refusals = set()
    for name, password in (("bob", PHRASE), ("nobody", PHRASE), ("anna", "wrong"), ("", ""), ("anna", "")):
        with pytest.raises(Forbidden) as refused:
            run(store, partial(UserCache.by_password, name=name, password=password))
        refusals.add(str(refused.value))
    assert len(refusals) == 1


def test_of_very_many_who_try_at_once_some_are_told_to_come_back() -> None:
    async def ask(users: UserCache) -> list[object]:
        tries = [users.by_password("anna", "wrong") for _ in range(9)]
        return list(await asyncio.gather(*tries, return_exceptions=True))

    found = run(a_store(ANNA), ask, max_waiting=3)

    assert {type(one) for one in found} == {Forbidden, Unavailable}


def test_nobody_is_let_in_while_the_store_cannot_say_who_there_is() -> None:
    store = a_store(ANNA)

    def fail() -> tuple[User, ...]:
        raise Unavailable("The store is gone")

    store.users = fail  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        run(store, lambda users: users.by_password("anna", PHRASE))
    with pytest.raises(Unavailable):
        run(store, lambda users: users.signed_in(ANNA.sign_in_id))
