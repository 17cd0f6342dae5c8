"""Saved views, in the tables and in the oracle."""

from __future__ import annotations

from procession.accounts.saved_view import SavedView
from procession.storage import ViewStore
from procession.storage.store import ClickHouseStore
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

ORG, OTHER_ORG = 8701, 8702


def test_views_are_kept_changed_and_deleted(clickhouse: ClickHouseStore) -> None:
    stores: tuple[ViewStore, ...] = (clickhouse.views, OracleAnalysis(OracleStore()))

    for store in stores:
        store.put_view(ORG, SavedView("b", "one", 1))
        store.put_view(ORG, SavedView("a", "two", 2))
        store.put_view(ORG, SavedView("b", "three", 3))
        store.put_view(OTHER_ORG, SavedView("c", "theirs", 3))
        assert store.views(ORG) == (SavedView("a", "two", 2), SavedView("b", "three", 3))

        store.delete_view(ORG, "a")
        store.delete_view(ORG, "nothing")
        assert store.views(ORG) == (SavedView("b", "three", 3),)
        assert store.views(OTHER_ORG) == (SavedView("c", "theirs", 3),)
