"""Who changed what, in the tables and in the oracle."""

from __future__ import annotations

import time
from uuid import uuid4

import msgspec
import pytest

from procession.accounts.change import Author, Change, ChangeKind, new_change
from procession.storage import ChangeStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.stores.changes_oracle import OracleChanges

ORG, OTHER_ORG = 8721, 8722
HOSTILE = "a\\'\"`{x:String}\n\t,\u2028:é"


@pytest.fixture(params=["oracle", "clickhouse", "server_store", "cluster_store"])
def store(request: pytest.FixtureRequest) -> ChangeStore:
    if request.param == "oracle":
        return OracleChanges()
    clickhouse: ClickHouseStore = request.getfixturevalue(request.param)
    return clickhouse.changes


def a_change(at: int, subject: str, kind: ChangeKind = ChangeKind.MONITOR, org_id: int = ORG) -> Change:
    fields = {"name": HOSTILE, "options": {"thresholds": {"critical": 1.5}}, "tags": ["a", HOSTILE], "priority": None}
    change = new_change(org_id, at, Author("k1", HOSTILE), kind, subject, None, fields)
    assert change is not None
    return change


def test_changes_are_found_by_org_time_kind_and_subject_the_newest_first(store: ChangeStore) -> None:
    now, subject = int(time.time()), f"{HOSTILE}{uuid4()}"  # stores of other tests are kept
    first, second, third = (a_change(now - ago, subject) for ago in (50, 30, 30))
    key = a_change(now - 40, subject, ChangeKind.KEY)
    theirs = a_change(now - 20, subject, org_id=OTHER_ORG)
    for one in (third, first, key, second, theirs, first):
        store.put_change(one)

    window = Window(now - 60, now)
    assert store.changes(ORG, window, 10, subject=subject) == (third, second, key, first)
    assert store.changes(ORG, window, 2, subject=subject) == (third, second)
    assert store.changes(ORG, window, 10, ChangeKind.KEY, subject) == (key,)
    assert store.changes(ORG, Window(now - 45, now - 35), 10, subject=subject) == (key,)
    assert store.changes(OTHER_ORG, window, 10, subject=subject) == (theirs,)
    assert store.changes(ORG, window, 10, subject="nothing") == ()


def test_a_change_comes_back_as_it_was_put(store: ChangeStore) -> None:
    now, subject = int(time.time()), str(uuid4())
    change = msgspec.structs.replace(a_change(now, subject), before={"name": HOSTILE * 500}, after=None)

    store.put_change(change)

    assert store.changes(ORG, Window(now, now), 10, subject=subject) == (change,)
