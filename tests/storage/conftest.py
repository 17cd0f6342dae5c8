from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from procession.storage.clickhouse import ClickHouseStore, open_embedded

LONG = 24 * 365 * 20
"""Hours of retention for tests, whose moments lie in the past."""

_org_ids = itertools.count(1000)


@pytest.fixture(scope="session")
def embedded_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseStore]:
    """One for all tests: a process can have one data folder open. Tests keep apart by `org_id`."""
    store = open_embedded(tmp_path_factory.mktemp("store"), retention_hours=LONG, sighting_retention_hours=LONG)
    yield store
    store.close()


@pytest.fixture
def org_id() -> int:
    """An org of the test's own."""
    return next(_org_ids)
