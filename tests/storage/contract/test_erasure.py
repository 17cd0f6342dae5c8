"""What every store promises of an org that is erased, asked of each of them."""

from __future__ import annotations

import pytest

from procession.accounts.hosts import HostNotice, HostTags, TagSource, WatchLease
from procession.accounts.orgs import Key, KeyKind, Org, RemovedOrg, hash_secret
from procession.accounts.sessions import Link, Session
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import LiveNumbers, LiveSnapshot, ProcessNumbers
from procession.query import ProcessQuery
from procession.storage import ErasureStore, HostStore, KeyStore, SessionStore
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.conftest import SERVERS
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores.oracle import OracleStore

AnyStore = OracleStore | EmbeddedStore | ClickHouseStore

pytestmark = pytest.mark.parametrize("any_store", ["oracle", "embedded", "clickhouse", *SERVERS], indirect=True)


@pytest.fixture
def erasure(any_store: AnyStore) -> ErasureStore:
    return any_store if isinstance(any_store, OracleStore) else any_store.erasure


@pytest.fixture
def sessions(any_store: AnyStore) -> SessionStore:
    return any_store if isinstance(any_store, OracleStore) else any_store.sessions


@pytest.fixture
def going(org: int) -> int:
    """An org that is erased; beside it there is one that stays."""
    return org + 4_000_000


def fill(store: AnyStore, keys: KeyStore, hosts: HostStore, sessions: SessionStore, org_id: int) -> None:
    keys.put_org(Org(org_id, f"org {org_id}"))
    keys.put_key(Key(f"erased-{org_id}", org_id, KeyKind.API, "agents", hash_secret(f"erased {org_id}"), NOON))
    hosts.put_host_tags(HostTags(org_id, "web-1", TagSource.USER, ("team:web",)))
    hosts.put_host_notices([HostNotice(org_id, "web-1", 10)])
    hosts.put_lease(WatchLease(org_id, "web-1", NOON * 2))
    token = hash_secret(f"token {org_id}")
    sessions.put_session(Session(token, org_id, f"erased-{org_id}", NOON, NOON * 2))
    sessions.put_link(Link(token, org_id, f"erased-{org_id}", NOON * 2))
    for host in ("web-1", "web-2", "db-1"):
        running = [a_sighting(pid, tags=("env:prod",), cmdline=f"nginx of {org_id}") for pid in range(1, 20)]
        store.add([(org_id, a_snapshot(*running, host=host, taken_at=at)) for at in (NOON, NOON + 10)])
    ended = ProcessExit(pid=7, at=NOON + 12, exit_code=3, description=a_description())
    store.add_exits([(org_id, ProcessExits("web-1", (ended,)))])
    now = LiveNumbers(8, NOON - 100, ProcessNumbers(rss_bytes=7))
    store.add_live([(org_id, LiveSnapshot(host="web-1", taken_at=NOON + 14, processes=(now,)))])


def test_an_org_that_is_erased_leaves_nothing_and_takes_nothing_of_another(
    any_store: AnyStore, stored_keys: KeyStore, hosts: HostStore, sessions: SessionStore, erasure: ErasureStore,
    org: int, going: int,
) -> None:  # fmt: skip
    def told(org_id: int) -> object:
        window = Window(NOON - 1, NOON + 20)
        notices = hosts.host_notices(org_id)
        tags = [entry for entry in hosts.host_tags() if entry.org_id == org_id]
        leases = [lease for lease in hosts.leases(NOON) if lease.org_id == org_id]
        signed_in = [one for one in sessions.sessions(NOON) if one.org_id == org_id]
        keys = [key for key in stored_keys.keys() if key.org_id == org_id]  # noqa: SIM118
        names = [one for one in stored_keys.orgs() if one.id == org_id]
        return any_store.find(ProcessQuery(org_id, window)).processes, notices, tags, leases, signed_in, keys, names

    for org_id in (org, going):
        fill(any_store, stored_keys, hosts, sessions, org_id)
    before = told(org)
    assert len(any_store.find(ProcessQuery(going, Window(NOON - 1, NOON + 20))).processes) == 3 * 19
    assert set(erasure.rows_of_org(going)) >= {"snapshots", "host_tags", "keys", "orgs", "sessions"}

    removed = RemovedOrg(going, f"org {going}", NOON)
    stored_keys.put_removed_org(removed)
    assert going not in {one.id for one in stored_keys.orgs()} | {key.org_id for key in stored_keys.keys()}  # noqa: SIM118
    erasure.erase_org(going)

    assert dict(erasure.rows_of_org(going)) == {}
    assert told(going) == ((), (), [], [], [], [], [])
    assert sessions.take_link(hash_secret(f"token {going}"), NOON) is None
    assert told(org) == before
    assert set(erasure.rows_of_org(org)) >= {"snapshots", "host_tags", "keys", "orgs", "sessions"}
    assert removed in stored_keys.removed_orgs()


def test_what_is_erased_again_changes_nothing_and_that_it_was_is_kept(
    stored_keys: KeyStore, erasure: ErasureStore, going: int
) -> None:
    stored_keys.put_org(Org(going, "again"))
    stored_keys.put_removed_org(RemovedOrg(going, "again", NOON))
    erasure.erase_org(going)
    erasure.erase_org(going)
    done = RemovedOrg(going, "again", NOON, is_erased=True)
    stored_keys.put_removed_org(done)

    assert [one for one in stored_keys.removed_orgs() if one.id == going] == [done]
    assert dict(erasure.rows_of_org(going)) == {}
