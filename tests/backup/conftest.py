"""A store and its backups, made once: to fill one takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backup.building import Made, made_in
from tests.support.stores.folders import quick_folder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with quick_folder(tmp_path_factory.mktemp("backups")) as folder:
        yield made_in(folder)
