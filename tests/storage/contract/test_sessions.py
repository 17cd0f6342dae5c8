"""What every store promises, asked of each of them: sessions and the links that open one."""

from __future__ import annotations

import dataclasses
import secrets
import threading
from typing import Any

import pytest

from procession.accounts.sessions import Link, Session
from procession.storage import SessionStore
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore


@pytest.fixture(params=["oracle", "clickhouse"])
def sessions(request: pytest.FixtureRequest) -> SessionStore:
    if request.param == "oracle":
        return OracleStore()
    store: ClickHouseStore = request.getfixturevalue("clickhouse")
    return store.sessions


# The tables let go of what expired an hour ago.
LATER = 2 * 10**9


def a_session(org_id: int, **fields: Any) -> Session:
    defaults: dict[str, Any] = {
        "token_hash": secrets.token_bytes(32),
        "key_id": 'it\'s a "key" \\ {x}',
        "created_at": LATER,
        "expires_at": LATER + 100,
    }
    return Session(org_id=org_id, **(defaults | fields))


def a_link(org_id: int, **fields: Any) -> Link:
    defaults: dict[str, Any] = {"token_hash": secrets.token_bytes(32), "key_id": "key", "expires_at": LATER + 100}
    return Link(org_id=org_id, **(defaults | fields))


def of(store: SessionStore, org_id: int, now: int = LATER) -> list[Session]:
    return [session for session in store.sessions(now) if session.org_id == org_id]


def test_sessions_are_kept_whole_the_oldest_first(sessions: SessionStore, org: int) -> None:
    young, old = a_session(org, created_at=LATER + 1), a_session(org)
    sessions.put_session(young)
    sessions.put_session(old)

    assert of(sessions, org) == [old, young]


def test_a_session_that_has_ended_is_gone(sessions: SessionStore, org: int) -> None:
    session, other = a_session(org), a_session(org)
    sessions.put_session(session)
    sessions.put_session(other)
    sessions.put_session(dataclasses.replace(session, ended_at=LATER + 5))

    assert of(sessions, org) == [other]


def test_a_session_is_gone_at_its_time(sessions: SessionStore, org: int) -> None:
    session = a_session(org)
    sessions.put_session(session)

    assert of(sessions, org, LATER + 99) == [session]
    assert of(sessions, org, LATER + 100) == []


def test_a_link_is_taken_once(sessions: SessionStore, org: int) -> None:
    link, other = a_link(org), a_link(org)
    sessions.put_link(link)
    sessions.put_link(other)

    assert sessions.take_link(link.token_hash, LATER) == link
    assert sessions.take_link(link.token_hash, LATER) is None
    assert sessions.take_link(other.token_hash, LATER) == other


def test_a_link_is_gone_at_its_time(sessions: SessionStore, org: int) -> None:
    link = a_link(org)
    sessions.put_link(link)

    assert sessions.take_link(link.token_hash, LATER + 100) is None


def test_a_link_that_nobody_made_is_none(sessions: SessionStore) -> None:
    assert sessions.take_link(secrets.token_bytes(32), NOON) is None


def test_of_many_who_take_a_link_at_once_no_two_get_it(sessions: SessionStore, org: int) -> None:
    for _ in range(5):
        link = a_link(org)
        sessions.put_link(link)
        barrier = threading.Barrier(4)
        taken: list[Link] = []

        def take(link: Link = link, barrier: threading.Barrier = barrier, taken: list[Link] = taken) -> None:
            barrier.wait(10)
            found = sessions.take_link(link.token_hash, LATER)
            if found is not None:
                taken.append(found)

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert len(taken) <= 1
