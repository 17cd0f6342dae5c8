from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.storage.embedded_store import open_history
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON, a_sighting, a_snapshot

ORG = 7
YEARS = 24 * 365 * 30
DAY = 86400


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClickHouseStore]:
    store = open_history(tmp_path, retention_hours=YEARS, sighting_retention_hours=YEARS, now=lambda: NOON)
    yield store
    store.close()


def test_an_empty_store_has_no_oldest_sighting(store: ClickHouseStore) -> None:
    found = store.inventory()

    assert (found.oldest_sighting_at, found.oldest_seen_at) == (None, None)
    assert found.free_bytes > 0
    assert {table.name for table in found.tables} == {"migrations"}


def test_it_counts_rows_parts_and_bytes_and_finds_the_oldest(store: ClickHouseStore, tmp_path: Path) -> None:
    for at in (NOON - 3 * DAY, NOON - 3 * DAY - 7, NOON):
        store.add([(ORG, a_snapshot(a_sighting(1), a_sighting(2), taken_at=at))])
    store._rows(f"ALTER TABLE snapshots DROP PARTITION '{(NOON - 3 * DAY) // DAY}'")

    found = store.inventory()

    assert found.oldest_sighting_at == NOON
    assert found.oldest_seen_at == NOON - 3 * DAY - 7
    sizes = {table.name: table for table in found.tables}
    assert sizes["snapshots"].rows == 1
    assert sizes["presence"].parts >= 2
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert 0 < found.stored_bytes <= on_disk


def test_what_the_engine_could_not_do_is_counted_without_its_text(store: ClickHouseStore) -> None:
    with pytest.raises(Exception, match="hunter2"):
        store._rows("SELECT * FROM hunter2")

    errors = {error.name: error for error in store.inventory().errors}

    assert errors["UNKNOWN_TABLE"].count >= 1
    assert errors["UNKNOWN_TABLE"].last_at > NOON
    assert "hunter2" not in repr(errors)


def test_a_cluster_counts_all_its_servers(cluster_store: ClickHouseStore) -> None:
    cluster_store.add([(ORG + 1, a_snapshot(a_sighting(1), host=f"web-{number}")) for number in range(8)])

    found = cluster_store.inventory()

    sizes = {table.name: table for table in found.tables}
    assert sizes["snapshots"].rows >= 16, "two copies of each"
    assert found.oldest_sighting_at is not None
    assert found.oldest_sighting_at <= NOON
    assert found.free_bytes > 0
