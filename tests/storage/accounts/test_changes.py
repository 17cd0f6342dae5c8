"""What is said later holds, though the clock was set back in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from procession.accounts.hosts import HostTags, TagSource
from procession.accounts.orgs import Org
from procession.accounts.saved_view import SavedView
from procession.storage.store import ClickHouseStore
from tests.storage.contract.test_keys import a_key, keys_of
from tests.storage.contract.test_sessions import LATER, a_session
from tests.support.builders import NOON

HOUR_NS = 3600 * 10**9


@pytest.fixture(params=["clickhouse", "cluster_store"])
def store(request: pytest.FixtureRequest) -> ClickHouseStore:
    found: ClickHouseStore = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    true = time.time_ns

    def set_to(offset_ns: int) -> None:
        monkeypatch.setattr("procession.storage.accounts.changes.time_ns", lambda: true() + offset_ns)

    return set_to


def test_what_is_said_after_the_clock_was_set_back_holds(
    store: ClickHouseStore, org: int, set_clock: Callable[[int], None]
) -> None:
    key, session = a_key(org), a_session(org)
    set_clock(HOUR_NS)
    store.keys.put_org(Org(org, "one"))
    store.keys.put_key(key)
    store.sessions.put_session(session)
    store.hosts.put_host_tags(HostTags(org, "web-1", TagSource.USER, ("role:web",)))
    store.views.put_view(org, SavedView("mine", "search=java", NOON))

    set_clock(0)
    for again in (1, 2):
        store.keys.put_org(Org(org, f"renamed {again}"))
        store.keys.put_key(a_key(org, revoked_at=NOON + again))
        store.sessions.put_session(a_session(org, token_hash=session.token_hash, ended_at=NOON))
        store.hosts.put_host_tags(HostTags(org, "web-1", TagSource.USER, (f"role:db-{again}",)))
        store.views.put_view(org, SavedView("mine", f"search=python {again}", NOON))
    names = {found.id: found.name for found in store.keys.orgs()}
    tags: dict[Any, Any] = {one.host: one.tags for one in store.hosts.host_tags() if one.org_id == org}

    assert names[org] == "renamed 2"
    assert keys_of(store.keys, org)[key.id].revoked_at == NOON + 2
    assert session.token_hash not in {one.token_hash for one in store.sessions.sessions(LATER)}
    assert tags == {"web-1": ("role:db-2",)}
    assert [view.state for view in store.views.views(org)] == ["search=python 2"]
    store.views.delete_view(org, "mine")
    assert store.views.views(org) == ()
