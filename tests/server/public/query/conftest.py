"""The store of a data folder, as tests of what queries answer fill it: each with an org of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded
from tests.support.builders import NOON
from tests.support.stores.folders import quick_folder

MINUTE = NOON // 60 * 60
"""The store's now: Unix seconds."""
YEARS = 30 * 365 * 24
"""In hours: nothing expires."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with quick_folder(Path(tmp_path_factory.mktemp("store"))) as folder:
        store = open_embedded(
            folder,
            retention_hours=YEARS,
            sighting_retention_hours=YEARS,
            live_retention_hours=YEARS,
            now=lambda: MINUTE,
            forced_seconds=0,
        )
        yield store
        store.close()
