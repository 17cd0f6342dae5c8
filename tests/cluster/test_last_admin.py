"""The last admin of an org stays, also where two servers of one store each take one of two at the same moment."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import product
from threading import Barrier
from typing import Any

import pytest

from procession.accounts.restriction import Restriction
from procession.accounts.users import LastAdmin, Role, User, UserRecords, change_user, remove_user
from procession.errors import Unavailable
from procession.storage.setup import open_servers
from procession.storage.store import ClickHouseStore
from tests.cluster.nodes.pair import Pair
from tests.cluster.nodes.running import Cluster
from tests.cluster.nodes.stores import servers, store_on
from tests.cluster.test_two_servers import new_org
from tests.conformance.conftest import Server
from tests.support.builders import NOON

USERS = "/api/procession/v1/admin/users"
PHRASE = "correct horse battery"


def ignore(before: User | None, after: User) -> None:
    pass


CHANGES: dict[str, Callable[[UserRecords, str], Any]] = {
    "role": lambda store, name: change_user(store, name, role=Role.EDITOR, record=ignore),
    "restriction": lambda store, name: change_user(
        store, name, role=Role.VIEWER, restriction=Restriction("env:a"), record=ignore
    ),
    "removal": lambda store, name: remove_user(store, name, NOON, record=ignore),
}


def an_admin(name: str, org_id: int) -> User:
    return User(name, org_id, Role.ADMIN, "hash", NOON, secrets.token_hex(4))


@pytest.mark.parametrize("kind", ["cluster", "server"])
def test_of_two_stores_that_each_take_an_admin_one_is_refused(request: pytest.FixtureRequest, kind: str) -> None:
    first: ClickHouseStore = request.getfixturevalue(f"{kind}_store")
    found: Cluster = request.getfixturevalue("nodes" if kind == "cluster" else "node")
    address = servers(found.address("clustered") if kind == "cluster" else found.address("single", is_cluster=False))
    org_id = 900_000 + secrets.randbelow(90_000)
    begin = Barrier(2)

    def take(store: ClickHouseStore, change: str, name: str) -> bool:
        begin.wait(60)
        try:
            CHANGES[change](store.users, name)
        except LastAdmin:
            return False
        return True

    with closing(open_servers(address)) as second, ThreadPoolExecutor(2) as threads:
        for number, changes in enumerate(product(CHANGES, CHANGES)):
            names = (f"anna.{org_id}.{number}", f"bob.{org_id}.{number}")
            for name in names:
                first.users.put_user(an_admin(name, org_id + number))
            taken = list(threads.map(take, (first, second), changes, names))
            left = [user.name for user in second.users.admins(org_id + number)]
            assert left == [name for name, is_taken in zip(names, taken, strict=True) if not is_taken]
            assert left, changes


def test_what_has_reached_one_replica_only_counts(cluster_store: ClickHouseStore, nodes: Cluster) -> None:
    org_id = 890_000 + secrets.randbelow(9_000)
    anna, bob = (an_admin(f"{name}.{org_id}", org_id) for name in ("anna", "bob"))
    for user in (anna, bob):
        cluster_store.users.put_user(user)
    of_bob = f"FROM clustered_local.users FINAL WHERE name = '{bob.name}'"
    replica = next(node for node in nodes.nodes if node.ask(f"SELECT count() {of_bob}").strip() == b"1")
    # As a replica has it from which the others have not fetched it yet.
    replica.ask(f"INSERT INTO clustered_local.users SELECT * REPLACE ('viewer' AS role, change + 1 AS change) {of_bob}")
    try:
        assert cluster_store.users.admins(org_id) == (anna,)
        with pytest.raises(LastAdmin):
            remove_user(cluster_store.users, anna.name, NOON, record=ignore)
    finally:
        cluster_store.users.put_user(replace(bob, removed_at=NOON))


def test_no_admin_is_taken_while_a_replica_is_away(mortal: Cluster) -> None:
    org_id = 880_000
    with store_on(servers(mortal.address())) as store:
        users = store.users
        for name in ("anna", "bob"):
            users.put_user(an_admin(name, org_id))
        node = mortal.nodes[-1]
        node.kill()
        try:
            with pytest.raises(Unavailable):
                remove_user(users, "anna", NOON, record=ignore)
            assert [user.name for user in users.users() if user.org_id == org_id] == ["anna", "bob"]
        finally:
            node.start()
            node.wait_until_in_cluster()
        assert remove_user(users, "anna", NOON, record=ignore).name == "anna"


def test_of_two_servers_that_are_told_to_take_an_admin_each_one_refuses(pair: Pair) -> None:
    both = [Server(url, pair.data_dir(number)) for number, url in enumerate(pair.urls)]
    first = both[0]
    org_id = new_org(first).id
    names = [f"{name}.{secrets.token_hex(4)}" for name in ("anna", "bob")]
    for name in names:
        body = {"org_id": org_id, "name": name, "role": "admin", "password": PHRASE}
        first.http.post(USERS, json=body).raise_for_status()
    begin = Barrier(2)

    def demote(server: Server, name: str) -> int:
        begin.wait(60)
        return server.http.patch(f"{USERS}/{name}", json={"role": "viewer"}).status_code

    try:
        with ThreadPoolExecutor(2) as threads:
            for _ in range(8):
                answers = list(threads.map(demote, both, names))
                users = {user["name"]: user["role"] for user in first.http.get(USERS).json()["users"]}
                assert [users[name] for name in names] == ["viewer" if answer == 200 else "admin" for answer in answers]
                assert set(answers) in ({200, 400}, {400})
                for name in names:
                    first.http.patch(f"{USERS}/{name}", json={"role": "admin"}).raise_for_status()
    finally:
        for server in both:
            server.http.close()
